// The loops that `for` statements and comprehensions share.
#pragma once

#include "compiler/lower/builder.h"

namespace sgl::compiler {

template <typename Body>
void Lowerer::loop_over(const Expr& source, const ast::LoopVars& vars, const Body& body) {
  if (const ast::Callee* range = range_call(source)) {
    count_over(*range, vars, body);
  } else {
    loop_over_list(source, vars, body);
  }
}

template <typename Body>
void Lowerer::loop_over_list(const Expr& source, const ast::LoopVars& vars, const Body& body) {
  // The loop holds the list itself: assigning to a variable that named it does not change what is looped over.
  const Operand list = held(lower(source));
  const Operand size = temp(Rep::kInt), at = load_int(0), one = load_int(1);
  emit(Op::kLen, size.reg, list.reg);
  const LoopHead head = open_loop(at.reg, size.reg);
  const Reg item = declare(*vars.item);
  emit(Op::kIndex, item, list.reg, at.reg);
  if (vars.index) emit(Op::kMove, declare(*vars.index), at.reg);
  body();
  close_loop(head, {at.reg}, one.reg);
  for (const Operand& operand : {list, size, at, one}) give_back(operand);
}

// `range(…)` is counted, not listed. Its end is evaluated once; below it, adding one to the item cannot overflow.
template <typename Body>
void Lowerer::count_over(const ast::Callee& range, const ast::LoopVars& vars, const Body& body) {
  const Reg item = declare(*vars.item);
  if (range.arguments.size() == 1) {
    set_zero(item);
  } else {
    lower_into(*range.arguments[0], types_.integer(), item);
  }
  const Operand end = held(lower_as(*range.arguments.back(), types_.integer())), one = load_int(1);
  std::vector<Reg> counters;
  if (vars.index) {
    counters.push_back(declare(*vars.index));
    set_zero(counters[0]);
  }
  counters.push_back(item);
  const LoopHead head = open_loop(item, end.reg);
  body();
  close_loop(head, counters, one.reg);
  for (const Operand& operand : {end, one}) give_back(operand);
}

}  // namespace sgl::compiler
