// The checker's state. Its methods stand in the check_*.cc files beside this, one concern each.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "compiler/check/check.h"

namespace sgl::compiler {

using ast::Binding;
using ast::Block;
using ast::Decl;
using ast::Expr;
using ast::Module;
using ast::Stmt;

// What surrounds the code being checked.
struct FunctionContext {
  plan::FunctionKind kind = plan::FunctionKind::kFn;
  Decl* declaration = nullptr;
  std::optional<TypeId> result;  // declared; nullopt in forks and in prompts without a result
  std::uint32_t depth = 0;       // forks around
  int loops = 0;
  bool* loop_has_break = nullptr;  // of the innermost loop around, if there is one
  int retries = 0;                 // around, in this function or fork
  std::optional<plan::Role> role;  // open one
  // The role whose text is being checked, where that is an expression and no block.
  std::optional<plan::Role> text_of;
  std::vector<ast::ForkBody*> forks;  // innermost last
  // Of the innermost fork or retry: the type expected of yields, then the joined type of those seen.
  std::optional<TypeId> yield_expected;
  std::optional<TypeId> yield_type;
  bool has_yield = false;
  // The last generation so far, if nothing after it talks to the model; dead when its value is not used either.
  Binding* last_generation = nullptr;
};

class Checker {
 public:
  Checker(const std::vector<std::unique_ptr<Module>>& modules, const ImportMap& imports, TypeTable& types,
          Constants& constants, Diagnostics& diagnostics)
      : modules_(modules), imports_(imports), types_(types), constants_(constants), diag_(diagnostics) {}
  void run();

 private:
  struct ModuleScope {
    std::unordered_map<std::string, Decl*> types, values, imports;
  };
  struct Scope {
    std::unordered_map<std::string, Binding*> bindings;
    std::vector<Binding*> order;
    // Bindings known not to be null here, by comparisons with null.
    std::unordered_map<const Binding*, TypeId> narrowed;
  };

  // check_decls.cc
  void declare(Module& module);
  void check_declaration(Decl& decl);
  // Reports a declaration that is reached through too many others.
  bool too_deep(Decl& decl, int levels);
  void check_type_declaration(Decl& decl);
  void check_grammar(Decl& decl);
  void check_constant(Decl& decl);
  void check_signature(Decl& decl);
  void check_body(Decl& decl);
  void check_limits(Decl& decl);
  void check_recursion();
  std::vector<std::string> names_of(const std::unordered_map<std::string, Decl*>& table) const;

  // check_types.cc
  TypeId resolve(const ast::TypeExpr& type);
  TypeId union_of(const std::vector<TypeId>& given, SourceRange range);
  TypeId resolve_node(const ast::TypeExpr& type);
  TypeId resolve_named(const ast::TypeExpr& type, const ast::TypeExpr::Named& named);
  TypeId resolve_record(const ast::TypeExpr::Record& record);
  TypeId any_json(const ast::TypeExpr::Named& named);
  TypeId schema_type(const ast::TypeExpr& expr, const ast::TypeExpr::Named& named);
  TypeId refine(const ast::TypeExpr& expr, Type base, const std::vector<ast::Refinement>& refinements);
  void apply_refinement(Type& type, const ast::Refinement& refinement);
  void apply_range(Type& type, const ast::Refinement& refinement);
  std::optional<std::int64_t> refinement_int(const ast::ExprPtr& expr);
  std::optional<double> refinement_float(const ast::ExprPtr& expr);
  // Reports a type no text satisfies or that cannot be generated; true when it can be.
  bool check_generable(TypeId type, SourceRange range);
  // Reports a regular expression that is none; true when it is one.
  bool check_pattern(const std::string& pattern, SourceRange range);
  // Have the constraints compiled so far left room for another? Reports it where not.
  bool may_compile(SourceRange range);
  Decl* find_type(const std::vector<ast::Name>& path);

  // check_stmts.cc
  void check_block(Block& block, bool scope);
  void check_statements(Block& block);
  void check_statement(Stmt& stmt);
  void check_let(Stmt::Let& let);
  void check_assign(Stmt& stmt, Stmt::Assign& assign);
  void check_if(Stmt::If& node);
  void check_for(Stmt::For& node);
  void check_loop_body(Block& body, bool* has_break);
  void check_role(Stmt::Role& node);
  void check_return(Stmt& stmt, Stmt::Return& node);
  void check_yield(Stmt& stmt, Stmt::Yield& node);
  void check_with(Stmt::With& node);
  void check_try(Stmt& stmt, Stmt::Try& node);
  void check_assert(Stmt::Assert& node);
  TypeId check_retry(Expr& expr, Expr::Retry& node, std::optional<TypeId> expected);
  TypeId failure_type();
  void check_expression_statement(Stmt::Expression& node);
  void check_condition(Expr& condition);

  // check_flow.cc
  bool always_leaves(const Block& block) const;   // every path returns, yields, fails, breaks or continues
  bool always_returns(const Block& block) const;  // every path returns, yields or fails
  // Bindings that `condition` being true (or false) shows not to be null.
  void collect_narrowing(const Expr& condition, bool truth, std::vector<std::pair<const Binding*, TypeId>>& out) const;
  void narrow(const Expr& condition, bool truth);
  static bool can_narrow(const Expr& expr);
  // What helps where `expr` may be null and its value is used.
  static std::string null_help(const Expr& expr);

  // check_exprs.cc
  TypeId check_expr(Expr& expr, std::optional<TypeId> expected = std::nullopt);
  // The value of a checked expression fits: by its type, as a literal or constant number, or as a list by how many
  // items it is made of.
  bool value_fits(const Expr& expr, TypeId wanted);
  // Checks that the value fits `wanted`, else reports; `what` begins the message.
  void check_against(Expr& expr, TypeId wanted, const std::string& what = "");
  TypeId visit(Expr& expr, std::optional<TypeId> expected);
  TypeId check_string(Expr::StringLit& node);
  void check_format(const Expr::StringPart& part);
  TypeId check_name(Expr& expr, Expr::NameRef& node);
  TypeId check_member(Expr& expr, Expr::Member& node);
  TypeId check_index(Expr::Index& node);
  TypeId check_slice(Expr::Slice& node);
  TypeId check_negate(Expr& expr, Expr::Negate& node, std::optional<TypeId> expected);
  TypeId check_binary(Expr& expr, Expr::Binary& node, std::optional<TypeId> expected);
  TypeId check_arithmetic(Expr& expr, Expr::Binary& node, std::optional<TypeId> expected);
  TypeId check_comparison(Expr& expr, Expr::Binary& node);
  TypeId check_membership(Expr& expr, Expr::Binary& node);
  TypeId check_coalesce(Expr& expr, Expr::Binary& node, std::optional<TypeId> expected);
  TypeId check_conditional(Expr& expr, Expr::Conditional& node, std::optional<TypeId> expected);
  TypeId check_list(Expr& expr, Expr::ListLit& node, std::optional<TypeId> expected);
  // How many items a list has, as far as that follows from how it is made; its type says less, for it is also that of
  // a variable that will hold others.
  struct ItemCount {
    std::int64_t least = 0, most = -1;  // -1: without end
    ItemCount operator+(const ItemCount& other) const;
  };
  ItemCount item_count(const Expr& list) const;
  TypeId counted_type(const Expr& list) { return with_count(list.type, item_count(list)); }
  TypeId with_count(TypeId list, ItemCount count);
  // Lists among the alternatives with any number of items.
  TypeId without_counts(TypeId type);
  TypeId check_comprehension(Expr::Comprehension& node, std::optional<TypeId> expected);
  TypeId check_record(Expr& expr, Expr::RecordLit& node, std::optional<TypeId> expected);
  bool may_be(const Expr& expr, const plan::Field& field);
  std::optional<TypeId> record_for(const Expr::RecordLit& node, TypeId expected);
  bool may_fill_up(const ast::Expr& expr, std::size_t fields, std::size_t written);
  TypeId check_record_as(Expr& expr, Expr::RecordLit& node, TypeId type);
  void check_spread(Expr& value, TypeId type, std::set<std::string>& brought);
  // The literal's type, when the expression is a literal.
  std::optional<plan::Literal> literal_of(const Expr& expr) const;
  TypeId bad_operands(Expr& expr, const Expr::Binary& node, std::string help = "");
  Binding* find_binding(const std::string& name);
  // Its type here, where it may be narrowed.
  TypeId type_here(const Binding& binding) const;
  void capture(Binding* binding);
  std::optional<TypeId> item_type(Expr& source, const char* what);

  // check_calls.cc
  TypeId check_call(Expr& expr, Expr::Call& node, std::optional<TypeId> expected);
  TypeId check_function_call(Expr& expr, Expr::Call& node, Decl& decl);
  TypeId check_builtin_function(Expr& expr, Expr::Call& node, const std::string& name);
  TypeId check_method(Expr& expr, Expr::Call& node, Expr::Member& member);
  TypeId check_string_method(Expr& expr, Expr::Call& node, Expr::Member& member);
  TypeId check_list_method(Expr& expr, Expr::Call& node, Expr::Member& member, TypeId list);
  TypeId check_json_method(Expr& expr, Expr::Call& node, Expr::Member& member);
  bool take_arguments(Expr& expr, Expr::Call& node, const std::string& name, std::size_t least, std::size_t most);
  TypeId use_builtin(Expr::Call& node, plan::Builtin builtin, TypeId result, Expr* receiver);
  Decl* find_value(const std::string& name);

  // check_model.cc
  bool require_model(SourceRange range, const std::string& what);
  void check_speaker(SourceRange range, const char* what, const char* keyword);
  void refuse_forks_in_role(SourceRange range);
  void check_gen(ast::GenNode& gen, Binding* binding, SourceRange range);
  TypeId gen_result(ast::GenNode& gen);
  void warn_dead_generation();
  void check_select(ast::SelectNode& select, Binding* binding, SourceRange range);
  void check_options(std::vector<ast::Option>& options, bool constant);
  void check_option(ast::Option& option, bool constant);
  void check_stop(const ast::GenNode& gen, const ast::Option& option);
  TypeId check_parallel(Expr& expr, Expr::ParallelFor& node, std::optional<TypeId> expected);
  TypeId check_branch(Expr& expr, Expr::Branch& node, std::optional<TypeId> expected);
  void check_fork_body(ast::ForkBody& body, std::vector<Binding*> variables, std::optional<TypeId> expected);

  // check_prompts.cc
  // Reports calls of prompts inside a role that do there what may not be. After all bodies are checked.
  void check_prompt_calls();

  // Scopes and bindings.
  void bind(Binding& binding, TypeId type);
  Diagnostic& error(DiagKind kind, SourceRange range, std::string message) {
    return diag_.add(kind, range, std::move(message));
  }
  void unsupported(SourceRange range, const std::string& what);
  // check_exprs.cc. What Constants says; reports when they are worn out.
  std::optional<ConstValue> known_value(const Expr& expr, TypeId wanted);
  ModuleScope& scope_of(Module& module) { return module_scopes_[&module]; }
  std::string spell(TypeId type) const { return types_.spell(type); }

  const std::vector<std::unique_ptr<Module>>& modules_;
  const ImportMap& imports_;
  TypeTable& types_;
  Constants& constants_;
  bool told_worn_out_ = false;
  std::unordered_set<std::uint32_t> generable_;  // types whose constraint was compiled
  std::unordered_set<std::string> patterns_;     // regular expressions that were compiled
  std::size_t filled_up_ = 0;                    // fields of records that are not written
  std::size_t constraint_states_ = 0;            // that were made to compile them
  Diagnostics& diag_;
  std::unordered_map<const Module*, ModuleScope> module_scopes_;
  Module* module_ = nullptr;  // being checked
  std::vector<Scope> scopes_;
  FunctionContext fn_;
  std::vector<const std::vector<ast::Option>*> with_options_;
  std::unordered_map<const ast::SchemaFile*, TypeId> schemas_;  // compiled ones
  int type_depth_ = 0;                                          // lists and records around the type being resolved
  std::unordered_map<const Decl*, int> open_types_;   // declarations being resolved: the depth at which they began
  std::unordered_map<Decl*, std::set<Decl*>> calls_;  // unconditional calls, for recursion without end
  Decl* current_ = nullptr;
  std::unordered_map<std::string, Decl*> tools_;  // of all modules: a name is bound once
  int nesting_ = 0;  // expressions and types being checked, across the declarations that they lead to
  int levels_ = 0;   // of the types resolved so far beside each other, those that they name included
  std::unordered_map<const Decl*, int> type_levels_;  // of type declarations that were checked
  int conditional_ = 0;                               // inside if, loops, and/or: a call here may not happen
  bool may_have_left_ = false;                        // a path before this point returned: what follows may not happen
};

// Only floats fit, so that `1` means 1.0.
bool wants_real(const TypeTable& types, TypeId wanted);

// Is `option` one of gen's, and which.
std::optional<plan::GenOption> find_gen_option(const std::string& name);

}  // namespace sgl::compiler
