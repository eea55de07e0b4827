// The loop that `for` statements and comprehensions share.
#pragma once

#include "compiler/lower/builder.h"

namespace sgl::compiler {

template <typename Body>
void Lowerer::loop_over(const Expr& source, const ast::LoopVars& vars, const Body& body) {
  // The loop holds the list itself: assigning to a variable that named it does not change what is looped over.
  const Operand given = lower(source);
  const Operand list = given.temporary ? given : temp(Rep::kBoxed);
  if (!given.temporary) emit(Op::kMove, list.reg, given.reg);
  const Operand size = temp(Rep::kInt), at = load_int(0), one = load_int(1), more = temp(Rep::kBool);
  emit(Op::kLen, size.reg, list.reg);
  const std::uint32_t head = here();
  emit(Op::kLtI, more.reg, at.reg, size.reg);
  const std::size_t exit = emit(Op::kBranch, kNone, more.reg, here() + 1, 0);
  const Reg item = declare(*vars.item);
  emit(Op::kIndex, item, list.reg, at.reg);
  if (vars.index) emit(Op::kMove, declare(*vars.index), at.reg);
  fn().loops.push_back({{}, {}, fn().role_open});
  body();
  const FunctionBuilder::Loop loop = std::move(fn().loops.back());
  fn().loops.pop_back();
  for (const std::size_t inst : loop.continues) patch(inst, here());
  emit(Op::kAddI, at.reg, at.reg, one.reg);
  emit(Op::kJump, kNone, head);
  patch(exit, here());
  for (const std::size_t inst : loop.breaks) patch(inst, here());
  for (const Operand& operand : {list, size, at, one, more}) give_back(operand);
}

}  // namespace sgl::compiler
