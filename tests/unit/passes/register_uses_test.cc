// RegisterUses against walks through the code, one instruction after another.
#include "compiler/passes/register_uses.h"

#include <set>

#include "compiler/passes/flow.h"
#include "tests/unit/passes/support.h"

namespace sgl::compiler::test {
namespace {

using plan::Inst;
using plan::Op;

bool has(const std::vector<plan::Reg>& regs, plan::Reg reg) {
  return std::find(regs.begin(), regs.end(), reg) != regs.end();
}

std::optional<std::size_t> walked_definition(const plan::Plan& plan, const plan::Function& f,
                                             const std::vector<bool>& targets, std::size_t at, plan::Reg reg) {
  while (at > 0 && !targets[at]) {
    --at;
    if (has(writes(plan, f, f.code[at]), reg)) return at;
    if (f.code[at].op == Op::kJump || f.code[at].op == Op::kBranch) return std::nullopt;
  }
  return std::nullopt;
}

bool walked_read(const plan::Plan& plan, const plan::Function& f, std::size_t at, plan::Reg reg,
                 std::set<std::size_t>& seen) {
  for (; at < f.code.size() && seen.insert(at).second; ++at) {
    const Inst& inst = f.code[at];
    if (has(reads(f, inst), reg)) return true;
    if (has(writes(plan, f, inst), reg) || inst.op == Op::kReturn || inst.op == Op::kFail) return false;
    if (inst.op == Op::kJump) return walked_read(plan, f, inst.a, reg, seen);
    if (inst.op == Op::kBranch) {
      return walked_read(plan, f, inst.b, reg, seen) || walked_read(plan, f, inst.c, reg, seen);
    }
  }
  return false;
}

constexpr const char* kSource = R"(
fn f(n: int, xs: list<int>) -> int {
  var sum = 0
  var last = 0
  for x, i in xs {
    if x > n { sum = sum + x * i } else if x == n { continue } else { last = x }
    while last < 3 {
      last = last + 1
      if sum > 100 { break }
    }
  }
  let other = sum
  sum = last
  return other - sum if n > 0 else sum
}
prompt ask(q: string) -> string {
  user "{q}"
  assistant { gen a: string with logprobs = true }
  var best = a.logprobs[0]
  for p in a.logprobs { if p > best { best = p } }
  select mood from ["good", "bad"]
  return "{a} {best:.2f} {mood} {mood.scores[0]:.2f}"
}
program main(q: string, n: int) -> string {
  let one = ask(q)
  let two = ask("{q} again")
  var text = "a"
  user text
  text = "b"
  user text
  return "{one} {two} {text} {f(n, [1, 2, n])}"
}
)";

TEST_CASE("definitions and reads are those that a walk finds") {
  for (const bool optimize : {false, true}) {
    const plan::Plan plan = compiled(kSource, optimize);
    std::size_t read = 0, defined = 0;
    for (const plan::Function& f : plan.functions) {
      const RegisterUses uses(plan, f);
      const std::vector<bool> targets = jump_targets(f);
      for (plan::Reg reg = 0; reg < f.regs.size(); ++reg) {
        for (std::size_t at = 0; at < f.code.size(); ++at) {
          std::set<std::size_t> seen;
          const bool is_read = walked_read(plan, f, at, reg, seen);
          const auto definition = walked_definition(plan, f, targets, at, reg);
          CHECK_MESSAGE(uses.is_read_from(at, reg) == is_read, f.name << ": register " << reg << " at " << at);
          CHECK_MESSAGE(uses.definition_before(at, reg) == definition, f.name << ": register " << reg << " at " << at);
          std::vector<bool> others = targets;
          others[at] = false;
          CHECK(uses.definition_above(at, reg) == walked_definition(plan, f, others, at, reg));
          CHECK(uses.is_written(reg, at, at + 1) == has(writes(plan, f, f.code[at]), reg));
          read += is_read ? 1 : 0;
          defined += definition ? 1 : 0;
        }
      }
    }
    CHECK(read > 100);
    CHECK(defined > 100);
  }
}

}  // namespace
}  // namespace sgl::compiler::test
