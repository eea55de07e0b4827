// Upper bounds of what a program generates: every generation counts once for each time that its loops can run.
#include <algorithm>
#include <limits>
#include <map>

#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"

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

class BoundsOf {
 public:
  explicit BoundsOf(const plan::Plan& plan) : plan_(plan) {}

  Bounds function(plan::FunctionId id, const plan::Program* program) {
    if (plan_.function(id).kind == plan::FunctionKind::kFn) return nothing();  // pure, however it recurses
    const auto it = done_.find(id.value);
    if (it != done_.end()) return it->second;
    done_[id.value] = unbounded();  // what a recursive call sees
    const plan::Function& f = plan_.function(id);
    const std::vector<bool> targets = jump_targets(f);
    Bounds total = nothing();
    for (std::size_t i = 0; i < f.code.size(); ++i) {
      Bounds own = instruction(f, targets, i, program);
      // Every backward jump over it repeats it.
      for (std::size_t j = i; j < f.code.size(); ++j) {
        const Inst& jump = f.code[j];
        const bool back =
            (jump.op == Op::kJump && jump.a <= i) || (jump.op == Op::kBranch && (jump.b <= i || jump.c <= i));
        if (back) own = scale(own, jump.op == Op::kJump ? trips(f, targets, jump.a, program) : std::nullopt);
      }
      total = add(total, own);
    }
    done_[id.value] = total;
    return total;
  }

 private:
  Bounds instruction(const plan::Function& f, const std::vector<bool>& targets, std::size_t at,
                     const plan::Program* program) {
    const Inst& inst = f.code[at];
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
          samples = known_int(f, targets, at, f.args[inst.b + static_cast<std::uint32_t>(n)], program);
        }
        return {times(tokens, samples), samples, 0};
      }
      case Op::kCall:
        return function(plan::FunctionId(inst.a), nullptr);
      case Op::kParallelFor: {
        const Count items = known_size(f, targets, at, f.args[inst.b], program);
        Bounds all = scale(function(plan::FunctionId(inst.a), nullptr), items);
        all.forks = plus(all.forks, items);
        return all;
      }
      case Op::kParallel: {
        Bounds all = nothing();
        const auto& entries = plan_.parallels[inst.a].entries;
        for (const auto& entry : entries) all = add(all, function(entry.function, nullptr));
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

  // How often the loop with this head runs, when it is one that counts up to an end (loops.h in compiler/lower).
  Count trips(const plan::Function& f, const std::vector<bool>& targets, std::uint32_t head,
              const plan::Program* program) {
    if (!counts_up(f, targets, head)) return std::nullopt;
    const Inst& test = f.code[head];
    const Count end = before_loop(f, targets, head, test.b, program, true);
    const Count begin = before_loop(f, targets, head, test.a, program, false);
    std::int64_t out = 0;
    if (!end || !begin || __builtin_sub_overflow(*end, *begin, &out)) return std::nullopt;
    return std::max<std::int64_t>(out, 0);
  }

  // head: more = counter < end; branch more; …; counter = counter + one; jump head. The loop is entered only from
  // above and repeated only by that jump, and nothing else in it writes counter, end or one.
  bool counts_up(const plan::Function& f, const std::vector<bool>& targets, std::uint32_t head) {
    if (head + 1 >= f.code.size() || f.code[head].op != Op::kLtI || f.code[head + 1].op != Op::kBranch) return false;
    if (f.code[head + 1].a != f.code[head].dst) return false;
    std::size_t back = 0;
    for (std::size_t i = 0; i < f.code.size(); ++i) {
      const Inst& inst = f.code[i];
      const bool here =
          (inst.op == Op::kJump && inst.a == head) || (inst.op == Op::kBranch && (inst.b == head || inst.c == head));
      if (!here) continue;
      if (back != 0 || inst.op != Op::kJump || i <= head + 2) return false;
      back = i;
    }
    if (back == 0 || targets[back]) return false;
    const plan::Reg counter = f.code[head].a, end = f.code[head].b;
    const Inst& next = f.code[back - 1];
    if (next.op != Op::kAddI || next.dst != counter || next.a != counter) return false;
    for (std::size_t i = head; i + 1 < back; ++i) {
      for (const plan::Reg reg : writes(plan_, f, f.code[i])) {
        if (reg == counter || reg == end || reg == next.b) return false;
      }
    }
    const Count step = before_loop(f, targets, head, next.b, nullptr, false);
    return step && *step > 0;
  }

  // The greatest or least value that the register can have where control comes to the loop from above.
  Count before_loop(const plan::Function& f, const std::vector<bool>& targets, std::size_t head, plan::Reg reg,
                    const plan::Program* program, bool greatest) {
    // The loop's own jump makes its head a target; here that jump does not count.
    std::vector<bool> others = targets;
    others[head] = false;
    return known_int(f, others, head, reg, program, greatest);
  }

  // Is `reg` a parameter of the program that nothing overwrites?
  const plan::Type* parameter(const plan::Function& f, plan::Reg reg, const plan::Program* program) const {
    if (program == nullptr || reg >= f.param_count) return nullptr;
    for (const Inst& inst : f.code) {
      if (inst.dst == reg) return nullptr;
    }
    return &plan_.type(program->params[reg].type);
  }

  Count known_size(const plan::Function& f, const std::vector<bool>& targets, std::size_t at, plan::Reg reg,
                   const plan::Program* program) {
    if (const plan::Type* type = parameter(f, reg, program)) {
      return type->kind == plan::TypeKind::kList && type->max_size >= 0 ? Count(type->max_size) : std::nullopt;
    }
    const auto definition = definition_before(plan_, f, targets, at, reg);
    if (!definition) return std::nullopt;
    const Inst& inst = f.code[*definition];
    if (inst.op == Op::kConst) return static_cast<std::int64_t>(plan_.constants[inst.a].items.size());
    if (inst.op == Op::kListNew) return static_cast<std::int64_t>(inst.c);
    if (inst.op == Op::kMove) return known_size(f, targets, *definition, inst.a, program);
    if (inst.op == Op::kBuiltin && static_cast<plan::Builtin>(inst.a) == plan::Builtin::kRange && inst.c == 1) {
      const Count n = known_int(f, targets, *definition, f.args[inst.b], program);
      return n ? Count(std::max<std::int64_t>(*n, 0)) : std::nullopt;
    }
    return std::nullopt;
  }

  // The greatest (or least) value that the register can have.
  Count known_int(const plan::Function& f, const std::vector<bool>& targets, std::size_t at, plan::Reg reg,
                  const plan::Program* program, bool greatest = true) {
    if (const plan::Type* type = parameter(f, reg, program)) return greatest ? type->max_int : type->min_int;
    const auto definition = definition_before(plan_, f, targets, at, reg);
    if (!definition) return std::nullopt;
    const Inst& inst = f.code[*definition];
    if (inst.op == Op::kConst && plan_.constants[inst.a].kind == plan::Constant::Kind::kInt)
      return plan_.constants[inst.a].number;
    if (inst.op == Op::kMove) return known_int(f, targets, *definition, inst.a, program, greatest);
    if (inst.op == Op::kLen) return greatest ? known_size(f, targets, *definition, inst.a, program) : Count(0);
    return std::nullopt;
  }

  const plan::Plan& plan_;
  std::map<std::uint32_t, Bounds> done_;
};

}  // namespace

void compute_bounds(plan::Plan& plan) {
  for (plan::Program& program : plan.programs) {
    program.bounds = BoundsOf(plan).function(program.function, &program);
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
