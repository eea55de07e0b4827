#include "compiler/driver/plan_shape.h"

#include <algorithm>

namespace sgl::compiler {

using plan::Inst;
using plan::Op;

bool only_computes(const plan::Plan& plan, const Inst& inst) {
  switch (inst.op) {
    case Op::kJump:
    case Op::kBranch:
    case Op::kReturn:
    case Op::kFail:
    case Op::kRoleBegin:
    case Op::kRoleEnd:
    case Op::kText:
    case Op::kGen:
    case Op::kSelect:
    case Op::kParallelFor:
    case Op::kParallel:
    case Op::kTool:
    case Op::kTry:
    case Op::kTryEnd:
      return false;
    case Op::kCall:
      return plan.functions[inst.a].kind == plan::FunctionKind::kFn;
    default:
      return true;
  }
}

std::optional<plan::Reg> counting_step(const plan::Function& function, std::size_t head, std::size_t exit) {
  const auto& code = function.code;
  if (head + 4 > exit) return std::nullopt;
  const Inst &test = code[head], &leave = code[head + 1], &next = code[exit - 2];
  if (test.op != Op::kLtI || leave.op != Op::kBranch || leave.c != exit || leave.a != test.dst) return std::nullopt;
  if (next.op != Op::kAddI || next.dst != test.a || next.a != next.dst) return std::nullopt;
  const auto changes = [&](const Inst& inst) {
    return inst.dst != plan::kNone && (inst.dst == test.a || inst.dst == test.b || inst.dst == next.b);
  };
  const auto begin = code.begin() + static_cast<std::ptrdiff_t>(head);
  const auto end = code.begin() + static_cast<std::ptrdiff_t>(exit - 2);
  if (std::any_of(begin, end, changes)) return std::nullopt;
  return next.b;
}

}  // namespace sgl::compiler
