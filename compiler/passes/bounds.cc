// Upper bounds of what a program generates: every generation counts once for each time that its loops can run.
#include <algorithm>
#include <limits>
#include <map>
#include <unordered_set>

#include "compiler/passes/passes.h"
#include "compiler/passes/register_uses.h"

namespace sgl::compiler {

using plan::Bounds;
using plan::Inst;
using plan::Op;

namespace {

using Count = std::optional<std::int64_t>;

// What a generation without max_tokens may take (RunOptions::default_max_tokens).
constexpr std::int64_t kDefaultMaxTokens = 256;

Count plus(Count a, Count b) {
  std::int64_t out = 0;
  if (!a || !b || __builtin_add_overflow(*a, *b, &out)) return std::nullopt;
  return out;
}

// Nothing done without a bound on how often is still nothing.
Count times(Count a, Count n) {
  if (a == 0 || n == 0) return 0;
  std::int64_t out = 0;
  if (!a || !n || __builtin_mul_overflow(*a, *n, &out)) return std::nullopt;
  return out;
}

Bounds add(const Bounds& a, const Bounds& b) {
  return {plus(a.generated_tokens, b.generated_tokens), plus(a.generations, b.generations), plus(a.forks, b.forks)};
}

Bounds scale(const Bounds& a, Count n) {
  return {times(a.generated_tokens, n), times(a.generations, n), times(a.forks, n)};
}

constexpr Bounds nothing() {
  return {0, 0, 0};
}
constexpr Bounds unbounded() {
  return {};
}

// A jump back to `head`, from `back`: all between is repeated.
struct Loop {
  std::size_t head, back;
  Count trips;  // how often, where it is known
};

class FunctionBounds;

// Of functions, each once.
class BoundsOf {
 public:
  explicit BoundsOf(const plan::Plan& plan) : plan_(plan), done_(plan.functions.size()) {}

  // Of what a function with context does when it is called. Those that it calls come first, without recursion: a chain
  // of calls may be as long as the plan. One that calls itself, if over others, has no bounds.
  void prepare(plan::FunctionId id);
  Bounds called(plan::FunctionId id) const { return done_[id.value].value_or(unbounded()); }
  Bounds program(const plan::Program& program);

 private:
  std::vector<plan::FunctionId> callees(const plan::Function& function) const;

  const plan::Plan& plan_;
  std::vector<std::optional<Bounds>> done_;  // by function
};

class FunctionBounds {
 public:
  // `program`: whose parameters the function has; null when it is called with what is not known here.
  FunctionBounds(const plan::Plan& plan, const plan::Function& function, const plan::Program* program,
                 const BoundsOf& others)
      : plan_(plan), f_(function), program_(program), others_(others), uses_(plan, function) {}

  Bounds all() {
    const std::vector<Loop> loops = find_loops();
    Bounds total = nothing();
    std::vector<Loop> around;
    auto next = loops.begin();
    for (std::size_t i = 0; i < f_.code.size(); ++i) {
      for (; next != loops.end() && next->head == i; ++next) around.push_back(*next);
      Bounds own = instruction(i);
      for (const Loop& loop : around) own = scale(own, loop.trips);
      total = add(total, own);
      if (!around.empty()) std::erase_if(around, [&](const Loop& loop) { return loop.back == i; });
    }
    return total;
  }

 private:
  Bounds instruction(std::size_t at) {
    const Inst& inst = f_.code[at];
    switch (inst.op) {
      case Op::kGen: {
        const plan::GenSpec& spec = plan_.gens[inst.a];
        const auto has = [&](plan::GenOption o) {
          return std::find(spec.options.begin(), spec.options.end(), o) != spec.options.end();
        };
        Count tokens = spec.max_tokens > 0 ? spec.max_tokens : kDefaultMaxTokens;
        if (spec.max_tokens == 0 && has(plan::GenOption::kMaxTokens)) tokens = std::nullopt;
        Count samples = 1;
        if (spec.many) {
          const auto n =
              std::find(spec.options.begin(), spec.options.end(), plan::GenOption::kN) - spec.options.begin();
          samples = greatest_of(before(at, f_.args[inst.b + static_cast<std::uint32_t>(n)]));
        }
        return {times(tokens, samples), samples, 0};
      }
      case Op::kCall:
        return others_.called(plan::FunctionId(inst.a));
      case Op::kParallelFor: {
        const Count items = size_of(before(at, f_.args[inst.b]));
        Bounds all = scale(others_.called(plan::FunctionId(inst.a)), items);
        all.forks = plus(all.forks, items);
        return all;
      }
      case Op::kParallel: {
        Bounds all = nothing();
        const auto& entries = plan_.parallels[inst.a].entries;
        for (const auto& entry : entries) all = add(all, others_.called(entry.function));
        // Calls that were put side by side are no forks.
        const bool calls = std::all_of(entries.begin(), entries.end(), [&](const plan::ParallelSpec::Entry& entry) {
          return plan_.function(entry.function).kind == plan::FunctionKind::kProgram;
        });
        if (!calls) all.forks = plus(all.forks, static_cast<std::int64_t>(entries.size()));
        return all;
      }
      default:
        return nothing();
    }
  }

  // By head.
  std::vector<Loop> find_loops() const {
    std::vector<Loop> loops;
    for (std::size_t i = 0; i < f_.code.size(); ++i) {
      const Inst& inst = f_.code[i];
      if (inst.op == Op::kJump && inst.a <= i) loops.push_back({inst.a, i, std::nullopt});
      if (inst.op == Op::kBranch && (inst.b <= i || inst.c <= i)) {
        loops.push_back({std::min(inst.b, inst.c), i, std::nullopt});
      }
    }
    std::map<std::size_t, std::size_t> jumps;  // to each instruction
    for (const Inst& inst : f_.code) {
      if (inst.op == Op::kJump) ++jumps[inst.a];
      if (inst.op == Op::kBranch) ++jumps[inst.b], ++jumps[inst.c];
    }
    for (Loop& loop : loops) {
      if (jumps[loop.head] == 1) loop.trips = trips(loop);
    }
    std::stable_sort(loops.begin(), loops.end(), [](const Loop& a, const Loop& b) { return a.head < b.head; });
    return loops;
  }

  // How often it runs, when it is one that counts up to an end (loops.h in compiler/lower):
  // head: more = counter < end; branch more; …; counter = counter + one; jump head. It is entered only from above and
  // repeated only by that jump, and nothing else in it writes counter, end or one.
  Count trips(const Loop& loop) const {
    const std::size_t head = loop.head, back = loop.back;
    if (back <= head + 2 || f_.code[back].op != Op::kJump || uses_.is_target(back)) return std::nullopt;
    const Inst &test = f_.code[head], &branch = f_.code[head + 1];
    if (test.op != Op::kLtI || branch.op != Op::kBranch || branch.a != test.dst) return std::nullopt;
    const Inst& next = f_.code[back - 1];
    if (next.op != Op::kAddI || next.dst != test.a || next.a != test.a) return std::nullopt;
    for (const plan::Reg reg : {test.a, test.b, next.b}) {
      if (uses_.is_written(reg, head, back - 1)) return std::nullopt;
    }
    const Count step = least_of(above(head, next.b));
    const Count end = greatest_of(above(head, test.b)), begin = least_of(above(head, test.a));
    std::int64_t out = 0;
    if (!step || *step <= 0 || !end || !begin || __builtin_sub_overflow(*end, *begin, &out)) return std::nullopt;
    return std::max<std::int64_t>(out, 0);
  }

  // What a register holds somewhere: what this instruction gave it, or a parameter of the program that nothing
  // overwrites, or neither is known.
  struct Origin {
    std::optional<std::size_t> definition;
    const plan::Type* parameter = nullptr;
  };
  Origin before(std::size_t at, plan::Reg reg) const { return origin(uses_.definition_before(at, reg), reg); }
  Origin above(std::size_t at, plan::Reg reg) const { return origin(uses_.definition_above(at, reg), reg); }

  Origin origin(std::optional<std::size_t> definition, plan::Reg reg) const {
    constexpr int kMostMoves = 1000;
    for (int moves = 0; moves < kMostMoves; ++moves) {
      if (program_ != nullptr && reg < f_.param_count && !uses_.is_ever_written(reg)) {
        return {std::nullopt, &plan_.type(program_->params[reg].type)};
      }
      if (!definition || f_.code[*definition].op != Op::kMove) return {definition, nullptr};
      reg = f_.code[*definition].a;
      definition = uses_.definition_before(*definition, reg);
    }
    return {};
  }

  Count size_of(const Origin& origin) const {
    if (origin.parameter != nullptr) {
      const plan::Type& type = *origin.parameter;
      return type.kind == plan::TypeKind::kList && type.max_size >= 0 ? Count(type.max_size) : std::nullopt;
    }
    if (!origin.definition) return std::nullopt;
    const Inst& inst = f_.code[*origin.definition];
    if (inst.op == Op::kConst) return static_cast<std::int64_t>(plan_.constants[inst.a].items.size());
    if (inst.op == Op::kListNew) return static_cast<std::int64_t>(inst.c);
    if (inst.op == Op::kBuiltin && static_cast<plan::Builtin>(inst.a) == plan::Builtin::kRange && inst.c == 1) {
      const Count n = greatest_of(before(*origin.definition, f_.args[inst.b]));
      return n ? Count(std::max<std::int64_t>(*n, 0)) : std::nullopt;
    }
    return std::nullopt;
  }

  Count greatest_of(const Origin& origin) const {
    if (origin.parameter != nullptr) return origin.parameter->max_int;
    if (!origin.definition) return std::nullopt;
    const Inst& inst = f_.code[*origin.definition];
    return inst.op == Op::kLen ? size_of(before(*origin.definition, inst.a)) : constant(inst);
  }

  Count least_of(const Origin& origin) const {
    if (origin.parameter != nullptr) return origin.parameter->min_int;
    if (!origin.definition) return std::nullopt;
    const Inst& inst = f_.code[*origin.definition];
    return inst.op == Op::kLen ? Count(0) : constant(inst);
  }

  Count constant(const Inst& inst) const {
    if (inst.op != Op::kConst || plan_.constants[inst.a].kind != plan::Constant::Kind::kInt) return std::nullopt;
    return plan_.constants[inst.a].number;
  }

  const plan::Plan& plan_;
  const plan::Function& f_;
  const plan::Program* program_;
  const BoundsOf& others_;
  RegisterUses uses_;
};

std::vector<plan::FunctionId> BoundsOf::callees(const plan::Function& function) const {
  std::vector<plan::FunctionId> out;
  for (const Inst& inst : function.code) {
    if (inst.op == Op::kCall || inst.op == Op::kParallelFor) out.emplace_back(inst.a);
    if (inst.op != Op::kParallel) continue;
    for (const auto& entry : plan_.parallels[inst.a].entries) out.push_back(entry.function);
  }
  return out;
}

void BoundsOf::prepare(plan::FunctionId id) {
  std::vector<std::pair<plan::FunctionId, bool>> work{{id, false}};  // and whether what it calls was done
  std::unordered_set<std::uint32_t> entered;
  while (!work.empty()) {
    const auto [at, ready] = work.back();
    work.pop_back();
    if (done_[at.value]) continue;
    const plan::Function& function = plan_.function(at);
    if (function.kind == plan::FunctionKind::kFn) {
      done_[at.value] = nothing();  // pure, however it recurses
    } else if (ready) {
      done_[at.value] = FunctionBounds(plan_, function, nullptr, *this).all();
    } else if (entered.insert(at.value).second) {
      work.emplace_back(at, true);
      for (const plan::FunctionId callee : callees(function)) work.emplace_back(callee, false);
    }
  }
}

Bounds BoundsOf::program(const plan::Program& program) {
  for (const plan::FunctionId callee : callees(plan_.function(program.function))) prepare(callee);
  return FunctionBounds(plan_, plan_.function(program.function), &program, *this).all();
}

}  // namespace

void compute_bounds(plan::Plan& plan) {
  BoundsOf bounds(plan);
  for (plan::Program& program : plan.programs) {
    program.bounds = bounds.program(program);
    if (program.limits.tokens) {
      program.bounds.generated_tokens = std::min(
          program.bounds.generated_tokens.value_or(std::numeric_limits<std::int64_t>::max()), *program.limits.tokens);
    }
    if (program.limits.forks) {
      program.bounds.forks =
          std::min(program.bounds.forks.value_or(std::numeric_limits<std::int64_t>::max()), *program.limits.forks);
    }
  }
}

}  // namespace sgl::compiler
