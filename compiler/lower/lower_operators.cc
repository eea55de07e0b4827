// Operators and conditional expressions to instructions.
#include "compiler/lower/builder.h"

namespace sgl::compiler {

using ast::BinaryOp;

Operand Lowerer::lower_binary(const Expr& expr, const Expr::Binary& node) {
  switch (node.op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
    case BinaryOp::kMul:
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
      return lower_arithmetic(expr, node);
    case BinaryOp::kAnd:
    case BinaryOp::kOr:
      return lower_logic(node);
    case BinaryOp::kCoalesce:
      return lower_coalesce(expr, node);
    default:
      return lower_comparison(node);
  }
}

Operand Lowerer::lower_arithmetic(const Expr& expr, const Expr::Binary& node) {
  const bool number = types_.is_number(expr.type);
  const Operand left = number ? lower_as(*node.left, expr.type) : lower(*node.left);
  const Operand right = number ? lower_as(*node.right, expr.type) : lower(*node.right);
  return arithmetic(node.op, expr.type, left, right);
}

Operand Lowerer::arithmetic(BinaryOp op, TypeId type, Operand left, Operand right) {
  const Rep r = types_.is_number(type) ? (types_.is_real(type) ? Rep::kFloat : Rep::kInt) : Rep::kBoxed;
  Operand out;
  if (r == Rep::kBoxed) {
    out = temp(r);
    if (types_.is_string(type)) {
      emit_args(Op::kConcat, out.reg, kNone, {left.reg, right.reg});
    } else {
      emit_args(Op::kBuiltin, out.reg, static_cast<std::uint32_t>(plan::Builtin::kListConcat), {left.reg, right.reg});
    }
  } else {
    // Unions of int literals are boxed; arithmetic is not.
    const TypeId plain = r == Rep::kFloat ? types_.real() : types_.integer();
    left = convert(left, plain, plain);
    right = convert(right, plain, plain);
    const bool real = r == Rep::kFloat;
    Op code = Op::kModI;
    if (op == BinaryOp::kAdd) code = real ? Op::kAddF : Op::kAddI;
    if (op == BinaryOp::kSub) code = real ? Op::kSubF : Op::kSubI;
    if (op == BinaryOp::kMul) code = real ? Op::kMulF : Op::kMulI;
    if (op == BinaryOp::kDiv) code = real ? Op::kDivF : Op::kDivI;
    out = temp(r);
    emit(code, out.reg, left.reg, right.reg);
  }
  give_back(left);
  give_back(right);
  return out;
}

Operand Lowerer::lower_comparison(const Expr::Binary& node) {
  const BinaryOp op = node.op;
  const TypeId lt = node.left->type, rt = node.right->type;
  Operand left = lower(*node.left), right = lower(*node.right);
  const Operand out = temp(Rep::kBool);
  if (op == BinaryOp::kIn || op == BinaryOp::kNotIn) {
    const bool text = types_.is_string(rt);
    left = boxed(left, fn().function.regs[left.reg]);
    emit_args(Op::kBuiltin, out.reg,
              static_cast<std::uint32_t>(text ? plan::Builtin::kContains : plan::Builtin::kListContains),
              {right.reg, left.reg});
  } else {
    const bool ints = types_.is_integer(lt) && types_.is_integer(rt),
               reals = types_.is_number(lt) && types_.is_number(rt) && !ints;
    const bool bools = rep(lt) == Rep::kBool && rep(rt) == Rep::kBool;
    const bool equality = op == BinaryOp::kEq || op == BinaryOp::kNe;
    if (ints || reals) {
      const TypeId plain = ints ? types_.integer() : types_.real();
      left = convert(left, lt, plain);
      right = convert(right, rt, plain);
    } else if (!bools) {
      left = boxed(left, fn().function.regs[left.reg]);
      right = boxed(right, fn().function.regs[right.reg]);
    }
    const bool swap = op == BinaryOp::kGt || op == BinaryOp::kGe;
    const bool strict = op == BinaryOp::kLt || op == BinaryOp::kGt;
    Op code = Op::kEq;
    if (equality) {
      code = ints ? Op::kEqI : reals ? Op::kEqF : bools ? Op::kEqL : Op::kEq;
    } else if (ints) {
      code = strict ? Op::kLtI : Op::kLeI;
    } else if (reals) {
      code = strict ? Op::kLtF : Op::kLeF;
    } else {
      code = strict ? Op::kLtS : Op::kLeS;
    }
    emit(code, out.reg, swap ? right.reg : left.reg, swap ? left.reg : right.reg);
  }
  if (op == BinaryOp::kNe || op == BinaryOp::kNotIn) emit(Op::kNot, out.reg, out.reg);
  give_back(left);
  give_back(right);
  return out;
}

Operand Lowerer::lower_logic(const Expr::Binary& node) {
  const Operand out = temp(Rep::kBool);
  const Operand left = lower_as(*node.left, types_.boolean());
  emit(Op::kMove, out.reg, left.reg);
  give_back(left);
  const std::size_t branch = emit(Op::kBranch, kNone, out.reg, 0, 0);
  const bool conjunction = node.op == BinaryOp::kAnd;
  const std::uint32_t evaluate = here();
  const Operand right = lower_as(*node.right, types_.boolean());
  emit(Op::kMove, out.reg, right.reg);
  give_back(right);
  Inst& inst = fn().function.code[branch];
  inst.b = conjunction ? evaluate : here();
  inst.c = conjunction ? here() : evaluate;
  joins_.insert(here());
  return out;
}

Operand Lowerer::lower_coalesce(const Expr& expr, const Expr::Binary& node) {
  const Operand left = lower(*node.left), none = load_null(), missing = temp(Rep::kBool);
  const Operand out = temp(rep(expr.type));
  emit(Op::kEq, missing.reg, left.reg, none.reg);
  const std::size_t branch = emit(Op::kBranch, kNone, missing.reg, 0, here() + 1);
  give_back(missing);
  give_back(none);
  const Operand value = convert(left, node.left->type, expr.type);
  emit(Op::kMove, out.reg, value.reg);
  give_back(value);
  const std::size_t end = emit(Op::kJump, kNone, 0);
  fn().function.code[branch].b = here();
  const Operand other = lower_as(*node.right, expr.type);
  emit(Op::kMove, out.reg, other.reg);
  give_back(other);
  patch(end, here());
  joins_.insert(here());
  return out;
}

Operand Lowerer::lower_conditional(const Expr& expr, const Expr::Conditional& node) {
  std::vector<std::size_t> when_false;
  branch_on(*node.condition, when_false);
  const Operand out = temp(rep(expr.type));
  const Operand then = lower_as(*node.then, expr.type);
  emit(Op::kMove, out.reg, then.reg);
  give_back(then);
  const std::size_t end = emit(Op::kJump, kNone, 0);
  for (const std::size_t inst : when_false) patch(inst, here());
  const Operand otherwise = lower_as(*node.otherwise, expr.type);
  emit(Op::kMove, out.reg, otherwise.reg);
  give_back(otherwise);
  patch(end, here());
  joins_.insert(here());
  return out;
}

}  // namespace sgl::compiler
