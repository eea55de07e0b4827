// Statements to instructions.
#include "compiler/lower/builder.h"
#include "compiler/lower/loops.h"

namespace sgl::compiler {

void Lowerer::lower_block(const Block& block) {
  for (const auto& stmt : block.statements) lower_statement(*stmt);
}

void Lowerer::lower_statement(const Stmt& stmt) {
  if (full()) return;
  fn().position = stmt.range;
  if (const auto* node = std::get_if<Stmt::Let>(&stmt.node)) {
    // The value is made before the name exists: `let x = x + 1` reads an outer x.
    const Reg reg = new_reg(rep(node->binding->type));
    lower_into_new(*node->value, node->binding->type, reg);
    fn().bindings[node->binding.get()] = reg;
  } else if (const auto* assign = std::get_if<Stmt::Assign>(&stmt.node)) {
    lower_assign(*assign);
  } else if (const auto* branch = std::get_if<Stmt::If>(&stmt.node)) {
    lower_if(*branch);
  } else if (const auto* loop = std::get_if<Stmt::While>(&stmt.node)) {
    lower_while(*loop);
  } else if (const auto* each = std::get_if<Stmt::For>(&stmt.node)) {
    lower_for(*each);
  } else if (const auto* result = std::get_if<Stmt::Return>(&stmt.node)) {
    lower_return(result->value.get(), fn().result);
  } else if (const auto* yield = std::get_if<Stmt::Yield>(&stmt.node)) {
    lower_yield(*yield);
  } else if (std::holds_alternative<Stmt::Break>(stmt.node)) {
    leave_loop(true);
  } else if (std::holds_alternative<Stmt::Continue>(stmt.node)) {
    leave_loop(false);
  } else if (const auto* fail = std::get_if<Stmt::Fail>(&stmt.node)) {
    const Operand message = fail->message ? lower_as(*fail->message, types_.string()) : load_text("failed");
    emit(Op::kFail, kNone, message.reg);
    give_back(message);
  } else if (const auto* with = std::get_if<Stmt::With>(&stmt.node)) {
    lower_block(with->body);
  } else if (const auto* role = std::get_if<Stmt::Role>(&stmt.node)) {
    lower_role(*role);
  } else if (const auto* gen = std::get_if<Stmt::Gen>(&stmt.node)) {
    lower_gen(gen->gen, gen->binding.get());
  } else if (const auto* select = std::get_if<Stmt::Select>(&stmt.node)) {
    lower_select(select->select, select->binding.get());
  } else if (const auto* tried = std::get_if<Stmt::Try>(&stmt.node)) {
    lower_try(*tried);
  } else if (const auto* asserted = std::get_if<Stmt::Assert>(&stmt.node)) {
    lower_assert(stmt, *asserted);
  } else if (const auto* expr = std::get_if<Stmt::Expression>(&stmt.node)) {
    const Operand value = lower(*expr->value);
    if (expr->is_text) emit(Op::kText, kNone, value.reg);
    give_back(value);
  }
}

// Back to the state in which the function found the context: a role that it opened is closed.
void Lowerer::lower_return(const Expr* value, TypeId type) {
  const bool none = type == types_.none();
  const Operand result = none ? load_null() : lower_as(*value, type);
  if (fn().role_open) emit(Op::kRoleEnd);
  emit(Op::kReturn, kNone, result.reg);
  give_back(result);
}

void Lowerer::leave_to(bool role_outside, int tries_outside) {
  if (fn().role_open && !role_outside) emit(Op::kRoleEnd);
  for (int i = tries_outside; i < fn().tries; ++i) emit(Op::kTryEnd);
}

void Lowerer::leave_loop(bool is_break) {
  FunctionBuilder::Loop& loop = fn().loops.back();
  leave_to(loop.role_outside, loop.tries_outside);
  (is_break ? loop.breaks : loop.continues).push_back(emit(Op::kJump, kNone, 0));
}

void Lowerer::lower_assign(const Stmt::Assign& node) {
  const auto* name = std::get_if<Expr::NameRef>(&node.target->node);
  const TypeId type = name != nullptr ? name->binding->type : node.target->type;
  // xs = xs.append(e) and xs += [e] grow the list in place when nothing else holds it, and when what is appended cannot
  // change the variable, which is read before.
  if (name != nullptr && !node.op && !name->binding->assigned_in_retry) {
    const auto* call = std::get_if<Expr::Call>(&node.value->node);
    if (call != nullptr && call->resolved.kind == ast::Callee::Kind::kSpecial &&
        call->resolved.special == ast::Callee::Special::kPush) {
      const auto* receiver = std::get_if<Expr::NameRef>(&call->resolved.arguments[0]->node);
      if (receiver != nullptr && receiver->binding == name->binding) {
        const Reg list = fn().bindings.at(name->binding);
        const TypeId item = types_.get(node.value->type).args[0];
        const Operand value = lower_as(*call->resolved.arguments[1], item);
        emit(Op::kListPush, list, list, value.reg);
        give_back(value);
        return;
      }
    }
  }
  if (name != nullptr) {
    const Reg variable = fn().bindings.at(name->binding);
    if (!node.op) return lower_into(*node.value, type, variable);
    const Operand value = lower_update(node, type, convert(lower(*node.target), node.target->type, type));
    emit(Op::kMove, variable, value.reg);
    give_back(value);
    return;
  }
  assign_path(node, type);
}

// What `x += e` makes of x.
Operand Lowerer::lower_update(const Stmt::Assign& node, TypeId type, Operand old) {
  const bool as_target = types_.get(type).kind == TypeKind::kList || types_.is_real(type);
  const Operand added = lower_as(*node.value, as_target ? type : node.value->type);
  return arithmetic(*node.op, type, old, added);
}

void Lowerer::branch_on(const Expr& condition, std::vector<std::size_t>& when_false) {
  if (const auto* logic = std::get_if<Expr::Binary>(&condition.node);
      logic != nullptr && logic->op == ast::BinaryOp::kAnd) {
    branch_on(*logic->left, when_false);
    branch_on(*logic->right, when_false);
    return;
  }
  const Operand value = lower_as(condition, types_.boolean());
  const std::size_t branch = emit(Op::kBranch, kNone, value.reg, here() + 1, 0);
  give_back(value);
  when_false.push_back(branch);
}

void Lowerer::lower_if(const Stmt::If& node) {
  std::vector<std::size_t> when_false;
  branch_on(*node.condition, when_false);
  lower_block(node.then);
  if (!node.otherwise) {
    for (const std::size_t inst : when_false) patch(inst, here());
    return;
  }
  const std::size_t end = emit(Op::kJump, kNone, 0);
  for (const std::size_t inst : when_false) patch(inst, here());
  lower_block(*node.otherwise);
  patch(end, here());
}

void Lowerer::lower_while(const Stmt::While& node) {
  const std::uint32_t head = here();
  std::vector<std::size_t> when_false;
  branch_on(*node.condition, when_false);
  fn().loops.push_back({{}, {}, fn().role_open, fn().tries});
  lower_block(node.body);
  const FunctionBuilder::Loop loop = std::move(fn().loops.back());
  fn().loops.pop_back();
  emit(Op::kJump, kNone, head);
  for (const std::size_t inst : loop.continues) patch(inst, head);
  for (const std::size_t inst : loop.breaks) patch(inst, here());
  for (const std::size_t inst : when_false) patch(inst, here());
}

const ast::Callee* Lowerer::range_call(const Expr& source) {
  const auto* call = std::get_if<Expr::Call>(&source.node);
  const bool range = call != nullptr && call->resolved.kind == ast::Callee::Kind::kBuiltin &&
                     call->resolved.builtin == plan::Builtin::kRange;
  return range ? &call->resolved : nullptr;
}

Operand Lowerer::held(Operand operand) {
  if (operand.temporary) return operand;
  const Operand copy = temp(fn().function.regs[operand.reg]);
  emit(Op::kMove, copy.reg, operand.reg);
  return copy;
}

void Lowerer::set_zero(Reg counter) {
  ConstValue zero;
  zero.kind = ConstValue::Kind::kInt;
  emit(Op::kConst, counter, constant(zero).value);
}

Lowerer::LoopHead Lowerer::open_loop(Reg counter, Reg end) {
  const Operand more = temp(Rep::kBool);
  const std::uint32_t target = here();
  emit(Op::kLtI, more.reg, counter, end);
  const std::size_t exit = emit(Op::kBranch, kNone, more.reg, here() + 1, 0);
  fn().loops.push_back({{}, {}, fn().role_open, fn().tries});
  return {target, exit, more};
}

void Lowerer::close_loop(const LoopHead& head, const std::vector<Reg>& counters, Reg one) {
  const FunctionBuilder::Loop loop = std::move(fn().loops.back());
  fn().loops.pop_back();
  for (const std::size_t inst : loop.continues) patch(inst, here());
  for (const Reg counter : counters) emit(Op::kAddI, counter, counter, one);
  emit(Op::kJump, kNone, head.target);
  patch(head.exit, here());
  for (const std::size_t inst : loop.breaks) patch(inst, here());
  give_back(head.more);
}

void Lowerer::lower_for(const Stmt::For& node) {
  loop_over(*node.source, node.vars, [&] { lower_block(node.body); });
}

// A return inside leaves the frame, and its handlers with it; a break or continue ends those of its loop (leave_loop).
void Lowerer::lower_try(const Stmt::Try& node) {
  const Operand error = node.error ? Operand{declare(*node.error), false} : temp(Rep::kBoxed);
  const std::size_t entry = emit(Op::kTry, error.reg, 0, type_id(node.error_type).value);
  ++fn().tries;
  lower_block(node.body);
  --fn().tries;
  emit(Op::kTryEnd);
  const std::size_t end = emit(Op::kJump, kNone, 0);
  patch(entry, here());
  lower_block(node.handler);
  patch(end, here());
  give_back(error);
}

void Lowerer::lower_yield(const Stmt::Yield& node) {
  if (fn().retries.empty()) return lower_return(node.value.get(), fn().result);
  const FunctionBuilder::Retry retry = fn().retries.back();
  lower_into(*node.value, retry.type, retry.result.reg);
  leave_to(retry.role_outside, retry.tries_outside);
  fn().retries.back().ends.push_back(emit(Op::kJump, kNone, 0));
}

// Every attempt but the last is a try that goes on to the next one when it fails; the failure of the last is the
// retry's.
Operand Lowerer::lower_retry(const Expr& expr, const Expr::Retry& node) {
  const Operand result = node.has_value ? temp(rep(expr.type)) : Operand{};
  fn().retries.push_back({result, expr.type, {}, fn().role_open, fn().tries});
  for (int attempt = 1; attempt <= node.attempts; ++attempt) {
    if (attempt == node.attempts) {
      lower_block(node.body);
      break;
    }
    const Operand error = temp(Rep::kBoxed);
    const std::size_t entry = emit(Op::kTry, error.reg, 0, type_id(node.error_type).value);
    ++fn().tries;
    lower_block(node.body);
    --fn().tries;
    if (!node.has_value) {
      emit(Op::kTryEnd);
      fn().retries.back().ends.push_back(emit(Op::kJump, kNone, 0));
    }
    patch(entry, here());
    give_back(error);
  }
  for (const std::size_t inst : fn().retries.back().ends) patch(inst, here());
  fn().retries.pop_back();
  joins_.insert(here());
  return node.has_value ? result : load_null();
}

void Lowerer::lower_assert(const Stmt& stmt, const Stmt::Assert& node) {
  std::vector<std::size_t> when_false;
  branch_on(*node.condition, when_false);
  const std::size_t end = emit(Op::kJump, kNone, 0);
  for (const std::size_t inst : when_false) patch(inst, here());
  fn().position = stmt.range;
  const std::string_view source = sources_.file(stmt.range.file).text();
  const SourceRange& shown = node.condition->range;
  const Operand message =
      node.message ? lower_as(*node.message, types_.string())
                   : load_text("assertion failed: " + std::string(source.substr(shown.begin, shown.end - shown.begin)));
  emit(Op::kFail, kNone, message.reg);
  give_back(message);
  patch(end, here());
}

void Lowerer::lower_role(const Stmt::Role& node) {
  emit(Op::kRoleBegin, kNone, static_cast<std::uint32_t>(node.role));
  fn().role_open = true;  // also while its text is made: a retry there may leave the role
  if (node.text) {
    const Operand text = lower_as(*node.text, types_.string());
    emit(Op::kText, kNone, text.reg);
    give_back(text);
  } else if (node.body) {
    lower_block(*node.body);
  }
  fn().role_open = false;
  emit(Op::kRoleEnd);
}

}  // namespace sgl::compiler
