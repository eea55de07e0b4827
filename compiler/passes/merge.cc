// Literal merging: `const r, text r` twice in a row becomes one text.
#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"

namespace sgl::compiler {

using plan::Function;
using plan::Inst;
using plan::Op;

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
    for (std::size_t i = 0; i + 3 < function.code.size(); i += 2) {
      // Align to the first pair of a possible run.
      while (i + 3 < function.code.size() && !is_literal_text(plan, function, i)) ++i;
      if (!is_literal_text(plan, function, i) || !is_literal_text(plan, function, i + 2)) continue;
      if (targets[i + 1] || targets[i + 2] || targets[i + 3]) continue;
      const std::string text = plan.constants[function.code[i].a].text + plan.constants[function.code[i + 2].a].text;
      function.code[i + 2].a = text_constant(plan, text).value;
      keep[i] = keep[i + 1] = false;
      changed = true;
    }
    if (changed) compact(function, keep);
  }
}

}  // namespace sgl::compiler
