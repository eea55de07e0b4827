// State of the lowering. Internal to compiler/lower.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "compiler/check/check.h"
#include "compiler/lower/lower.h"
#include "runtime/plan/verify.h"

namespace sgl::compiler {

using ast::Binding;
using ast::Block;
using ast::Decl;
using ast::Expr;
using ast::Stmt;
using plan::Inst;
using plan::kNone;
using plan::Op;
using plan::Reg;
using plan::Rep;

// A register that holds a value; temporaries are given back when used up.
struct Operand {
  Reg reg = kNone;
  bool temporary = false;
};

// One function under construction.
struct FunctionBuilder {
  plan::Function function;
  std::unordered_map<const Binding*, Reg> bindings;
  std::vector<Reg> free[4];  // by Rep
  SourceRange position;
  bool role_open = false;  // opened by this function
  TypeId result;           // of `return` or `yield`
  struct Loop {
    std::vector<std::size_t> breaks, continues;  // instructions to patch
    bool role_outside = false;
    int tries_outside = 0;
  };
  std::vector<Loop> loops;
  struct Retry {
    Operand result;                 // kNone: it has no value
    TypeId type;                    // of the value
    std::vector<std::size_t> ends;  // jumps to patch
    bool role_outside = false;
    int tries_outside = 0;
  };
  std::vector<Retry> retries;
  int tries = 0;  // open ones
};

// Everything that the functions of a plan share, and the function being built.
class Lowerer {
 public:
  Lowerer(const TypeTable& types, Constants& values, const SourceSet& sources)
      : types_(types), values_(values), sources_(sources) {}
  plan::Plan run(const ast::Module& main);

 private:
  // lower.cc: the plan's tables.
  plan::TypeId type_id(TypeId type);
  plan::ConstId constant(const ConstValue& value);
  plan::ConstId text_constant(std::string text);
  plan::FunctionId function_id(const Decl& decl);
  void lower_function(const Decl& decl, plan::FunctionId id);
  void lower_tool(const Decl& decl);
  plan::Program program_of(const Decl& decl);
  Rep rep(TypeId type) const { return plan::rep_of(types_.get(type)); }

  // Has the plan more than it may have? Then nothing more is lowered; registers stand for what values would be.
  bool full() const { return emitted_ > plan::PlanLimits().code || listed_ > plan::PlanLimits().args; }

  // Instructions and registers of the current function.
  std::size_t emit(Op op, std::uint32_t dst = kNone, std::uint32_t a = kNone, std::uint32_t b = kNone,
                   std::uint32_t c = kNone);
  std::size_t emit_args(Op op, std::uint32_t dst, std::uint32_t a, const std::vector<Reg>& args);
  std::uint32_t here() const { return static_cast<std::uint32_t>(fn().function.code.size()); }
  void patch(std::size_t inst, std::uint32_t target);  // of a jump or a try, or the false side of a branch
  Reg new_reg(Rep rep);
  Operand temp(Rep rep) { return {new_reg(rep), true}; }
  void give_back(const Operand& operand);
  FunctionBuilder& fn() { return *builders_.back(); }
  const FunctionBuilder& fn() const { return *builders_.back(); }
  Operand load_constant(const ConstValue& value);
  // The value of a declared constant, or of a parameter that is not given; `type` is the same for all uses of it.
  Operand load_known(const Expr& value, TypeId type);
  Operand load_declared(const Decl& constant);
  Operand load_int(std::int64_t value);
  Operand load_text(std::string text);
  Operand load_null();

  // lower_stmts.cc
  void lower_block(const Block& block);
  void lower_statement(const Stmt& stmt);
  void lower_assign(const Stmt::Assign& node);
  Operand lower_update(const Stmt::Assign& node, TypeId type, Operand old);
  void lower_if(const Stmt::If& node);
  void lower_while(const Stmt::While& node);
  void lower_for(const Stmt::For& node);
  void lower_role(const Stmt::Role& node);
  void lower_try(const Stmt::Try& node);
  void lower_assert(const Stmt& stmt, const Stmt::Assert& node);
  void lower_return(const Expr* value, TypeId type);
  void leave_loop(bool is_break);
  void lower_yield(const Stmt::Yield& node);
  // Ends the roles and tries that are open here and were not outside.
  void leave_to(bool role_outside, int tries_outside);
  Operand lower_retry(const Expr& expr, const Expr::Retry& node);
  Reg declare(const Binding& binding);
  // Loops over a list or a range; `body` emits what is done with the loop's variables.
  template <typename Body>
  void loop_over(const Expr& source, const ast::LoopVars& vars, const Body& body);
  template <typename Body>
  void loop_over_list(const Expr& source, const ast::LoopVars& vars, const Body& body);
  template <typename Body>
  void count_over(const ast::Callee& range, const ast::LoopVars& vars, const Body& body);
  // The call of the built-in `range` that the expression is; nullptr: it is none.
  static const ast::Callee* range_call(const Expr& source);
  struct LoopHead {
    std::uint32_t target;  // where the loop's jump goes
    std::size_t exit;      // the branch out of it
    Operand more;
  };
  LoopHead open_loop(Reg counter, Reg end);
  // Adds `one` to the counters, the one that the head compares last, and goes back.
  void close_loop(const LoopHead& head, const std::vector<Reg>& counters, Reg one);
  // The value in a register that nothing else writes.
  Operand held(Operand operand);
  void set_zero(Reg counter);

  // lower_paths.cc. From a variable to an item or field in it.
  struct PathStep {
    const Expr* expr;  // a member or an index
    Operand position;  // the index, evaluated
  };
  struct Path {
    Reg root = kNone;
    std::vector<PathStep> steps;  // outermost container first
  };
  Path lower_path(const Expr& target, const Expr* after);
  std::vector<Operand> read_path(const Path& path, std::size_t count);
  void store_path(const Path& path, Reg value);
  void assign_path(const Stmt::Assign& node, TypeId type);

  // lower_exprs.cc
  // The value in a register of rep(expr.type).
  Operand lower(const Expr& expr);
  // The value as `wanted`.
  Operand lower_as(const Expr& expr, TypeId wanted);
  // The value as `wanted`, in `dst`. The value may read what `dst` holds now.
  void lower_into(const Expr& expr, TypeId wanted, Reg dst);
  // The same where nothing in `expr` can read `dst`.
  void lower_into_new(const Expr& expr, TypeId wanted, Reg dst);
  Operand convert(Operand operand, TypeId from, TypeId to);
  Operand boxed(Operand operand, Rep from);
  void branch_on(const Expr& condition, std::vector<std::size_t>& when_false);
  Operand lower_string(const Expr::StringLit& node);
  Operand lower_name(const Expr& expr, const Expr::NameRef& node);
  Operand lower_member(const Expr& expr, const Expr::Member& node);
  Operand lower_binary(const Expr& expr, const Expr::Binary& node);
  Operand lower_arithmetic(const Expr& expr, const Expr::Binary& node);
  Operand arithmetic(ast::BinaryOp op, TypeId type, Operand left, Operand right);
  Operand lower_comparison(const Expr::Binary& node);
  Operand lower_logic(const Expr::Binary& node);
  Operand lower_coalesce(const Expr& expr, const Expr::Binary& node);
  Operand lower_conditional(const Expr& expr, const Expr::Conditional& node);
  Operand lower_list(const Expr& expr, const Expr::ListLit& node);
  void lower_comprehension(const Expr& expr, const Expr::Comprehension& node, Reg dst);
  Operand lower_record(const Expr& expr, const Expr::RecordLit& node);
  struct Spread {
    Operand value;
    TypeId type;
  };
  Operand from_spread(const std::vector<Spread>& spreads, const plan::Field& field);
  Operand lower_slice(const Expr::Slice& node);
  Operand lower_call(const Expr& expr, const Expr::Call& node);
  Operand lower_builtin(const Expr& expr, const ast::Callee& callee);
  Operand negate(Operand operand, Op op, Rep rep);

  // lower_model.cc
  Operand lower_gen(const ast::GenNode& gen, const Binding* binding);
  Operand lower_select(const ast::SelectNode& select, const Binding* binding);
  Operand lower_parallel(const Expr& expr, const Expr::ParallelFor& node);
  Operand lower_branch(const Expr& expr, const Expr::Branch& node);
  plan::FunctionId lower_fork(const ast::ForkBody& body, const std::string& name,
                              const std::vector<const Binding*>& params, bool add_index);

  std::size_t emitted_ = 0, listed_ = 0;  // instructions and operands in lists, of all functions
  const TypeTable& types_;
  Constants& values_;
  const SourceSet& sources_;
  plan::Plan plan_;
  std::unordered_map<std::uint32_t, plan::TypeId> type_ids_;
  std::map<std::string, plan::ConstId> constants_;
  struct Known {
    Rep rep;
    std::uint32_t id;  // of the plan's constant
  };
  std::unordered_map<const Expr*, Known> known_;  // by what they are made of
  std::unordered_map<const Decl*, plan::FunctionId> function_ids_;
  std::deque<const Decl*> queue_;
  std::vector<std::unique_ptr<FunctionBuilder>> builders_;
  std::set<std::uint32_t> joins_;  // instruction indices that jumps inside an expression lead to
};

}  // namespace sgl::compiler
