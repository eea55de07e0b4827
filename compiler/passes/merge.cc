// Literal merging: `const r, text r` twice in a row becomes one text.
#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"

namespace sgl::compiler {

using plan::Function;
using plan::Inst;
using plan::Op;
using plan::Reg;

namespace {

// Is a constant text appended by the instructions `at` and `at + 1`?
bool is_literal_text(const plan::Plan& plan, const Function& function, std::size_t at) {
  if (at + 1 >= function.code.size()) return false;
  const Inst &load = function.code[at], &text = function.code[at + 1];
  return load.op == Op::kConst && text.op == Op::kText && text.a == load.dst &&
         plan.constants[load.a].kind == plan::Constant::Kind::kString;
}

}  // namespace

void merge_literals(plan::Plan& plan) {
  for (Function& function : plan.functions) {
    if (catches(function)) continue;
    const std::vector<bool> targets = jump_targets(function);
    std::vector<bool> keep(function.code.size(), true);
    bool changed = false;
    Reg scratch = plan::kNone;
    for (std::size_t i = 0; i + 3 < function.code.size(); i += 2) {
      // Align to the first pair of a possible run.
      while (i + 3 < function.code.size() && !is_literal_text(plan, function, i)) ++i;
      if (!is_literal_text(plan, function, i) || !is_literal_text(plan, function, i + 2)) continue;
      if (targets[i + 1] || targets[i + 2] || targets[i + 3]) continue;
      const Inst first = function.code[i], second = function.code[i + 2];
      const plan::ConstId text = text_constant(plan, plan.constants[first.a].text + plan.constants[second.a].text);
      // Either register may be a variable that is read again: it gets its own text, and the merged one another place.
      const bool second_read = is_read_from(plan, function, i + 4, second.dst);
      keep[i] = first.dst != second.dst && is_read_from(plan, function, i + 4, first.dst);
      keep[i + 1] = second_read;
      Reg merged = second.dst;
      if (second_read) {
        if (scratch == plan::kNone) {
          scratch = static_cast<Reg>(function.regs.size());
          function.regs.push_back(plan::Rep::kBoxed);
        }
        merged = scratch;
        function.code[i + 1] = second;
        function.positions[i + 1] = function.positions[i + 2];
      }
      function.code[i + 2] = {Op::kConst, merged, text.value, plan::kNone, plan::kNone};
      function.code[i + 3].a = merged;
      changed = true;
    }
    if (changed) compact(function, keep);
  }
}

}  // namespace sgl::compiler
