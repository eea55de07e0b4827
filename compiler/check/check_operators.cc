// Operators: arithmetic, comparison, membership, null, and the conditional expression.
#include "compiler/check/checker.h"

namespace sgl::compiler {

using ast::BinaryOp;

TypeId Checker::check_negate(Expr& expr, Expr::Negate& node, std::optional<TypeId> expected) {
  const TypeId type = check_expr(*node.operand, expected);
  if (types_.is_error(type)) return type;
  if (types_.is_integer(type)) return types_.integer();
  if (types_.is_real(type)) return types_.real();
  error(DiagKind::kBadOperands, expr.range, fmt::format("'-' does not fit {}", spell(type)));
  return types_.error();
}

TypeId Checker::bad_operands(Expr& expr, const Expr::Binary& node, std::string help) {
  const TypeId left = node.left->type, right = node.right->type;
  if (types_.is_error(left) || types_.is_error(right)) return types_.error();
  if (help.empty() && (types_.contains_null(left) || types_.contains_null(right)))
    help = "give a value for null with '??'";
  error(DiagKind::kBadOperands, expr.range,
        fmt::format("'{}' does not fit {} and {}", ast::binary_op_text(node.op), spell(left), spell(right)))
      .suggest(std::move(help));
  return types_.error();
}

TypeId Checker::check_binary(Expr& expr, Expr::Binary& node, std::optional<TypeId> expected) {
  if (!node.left || !node.right) return types_.error();
  switch (node.op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
    case BinaryOp::kMul:
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
      return check_arithmetic(expr, node, expected);
    case BinaryOp::kIn:
    case BinaryOp::kNotIn:
      return check_membership(expr, node);
    case BinaryOp::kCoalesce:
      return check_coalesce(expr, node, expected);
    case BinaryOp::kAnd:
    case BinaryOp::kOr: {
      check_condition(*node.left);
      ++conditional_;
      scopes_.emplace_back();
      narrow(*node.left, node.op == BinaryOp::kAnd);
      check_condition(*node.right);
      scopes_.pop_back();
      --conditional_;
      return types_.boolean();
    }
    default:
      return check_comparison(expr, node);
  }
}

TypeId Checker::check_arithmetic(Expr& expr, Expr::Binary& node, std::optional<TypeId> expected) {
  // Of a list that is wanted with so many items each side has some.
  if (expected && node.op == BinaryOp::kAdd) expected = without_counts(*expected);
  TypeId left = check_expr(*node.left, expected);
  std::optional<TypeId> beside = types_.is_real(left) ? std::optional(left) : expected;
  if (types_.get(left).kind == TypeKind::kList && !(expected && types_.is_subtype(left, *expected))) {
    beside = without_counts(left);
  }
  const TypeId right = check_expr(*node.right, beside);
  // 2 * x with x a float: the literal is one too.
  if (types_.is_real(right) && types_.is_integer(left) && literal_of(*node.left)) left = check_expr(*node.left, right);
  if (types_.is_error(left) || types_.is_error(right)) return types_.error();
  if (types_.is_integer(left) && types_.is_integer(right)) return types_.integer();
  if (types_.is_real(left) && types_.is_real(right)) {
    return node.op == BinaryOp::kMod ? bad_operands(expr, node, "'%' is for ints") : types_.real();
  }
  if (node.op == BinaryOp::kAdd) {
    if (types_.is_string(left) && types_.is_string(right)) return types_.string();
    if (types_.get(left).kind == TypeKind::kList && types_.get(right).kind == TypeKind::kList) {
      const auto item = types_.join(types_.get(left).args[0], types_.get(right).args[0]);
      if (item) return types_.list(*item);
    }
    if (types_.is_string(left) != types_.is_string(right))
      return bad_operands(expr, node, "write it into a string: \"{…}\"");
  }
  if (types_.is_number(left) && types_.is_number(right)) return bad_operands(expr, node, "convert the int: float(…)");
  return bad_operands(expr, node);
}

TypeId Checker::check_comparison(Expr& expr, Expr::Binary& node) {
  TypeId left = check_expr(*node.left);
  const TypeId right =
      check_expr(*node.right, types_.is_error(left) || left == types_.null() ? std::nullopt : std::optional(left));
  if (types_.is_real(right) && types_.is_integer(left) && literal_of(*node.left)) left = check_expr(*node.left, right);
  if (types_.is_error(left) || types_.is_error(right)) return types_.boolean();
  if (node.op == BinaryOp::kEq || node.op == BinaryOp::kNe) {
    if (left == types_.none() || right == types_.none()) return bad_operands(expr, node);
    const auto l = literal_of(*node.left), r = literal_of(*node.right);
    const TypeId a = l ? types_.literal(*l) : left, b = r ? types_.literal(*r) : right;
    const bool numbers = types_.is_number(left) && types_.is_number(right);
    if (!types_.overlap(a, b) && !(numbers && types_.is_real(left) != types_.is_real(right))) {
      error(DiagKind::kNeverEqual, expr.range, fmt::format("'{}' and '{}' are never equal", spell(a), spell(b)));
    }
    return types_.boolean();
  }
  const bool ordered = (types_.is_string(left) && types_.is_string(right)) ||
                       (types_.is_integer(left) && types_.is_integer(right)) ||
                       (types_.is_real(left) && types_.is_real(right));
  if (!ordered) {
    bad_operands(expr, node, types_.is_number(left) && types_.is_number(right) ? "convert the int: float(…)" : "");
  }
  return types_.boolean();
}

TypeId Checker::check_membership(Expr& expr, Expr::Binary& node) {
  const TypeId left = check_expr(*node.left);
  const TypeId right = check_expr(*node.right);
  if (types_.is_error(left) || types_.is_error(right)) return types_.boolean();
  if (types_.is_string(right)) {
    if (!types_.is_string(left)) bad_operands(expr, node);
  } else if (types_.get(right).kind != TypeKind::kList) {
    bad_operands(expr, node, "'in' looks into lists and strings");
  } else if (!types_.overlap(left, types_.get(right).args[0])) {
    error(DiagKind::kNeverEqual, expr.range, fmt::format("a '{}' is never in '{}'", spell(left), spell(right)));
  }
  return types_.boolean();
}

TypeId Checker::check_coalesce(Expr& expr, Expr::Binary& node, std::optional<TypeId> expected) {
  const bool known = expected && !types_.is_error(*expected);
  const TypeId left = check_expr(*node.left, known ? std::optional(types_.optional(*expected)) : expected);
  if (types_.is_error(left)) {
    check_expr(*node.right, expected);
    return left;
  }
  if (!types_.contains_null(left)) {
    check_expr(*node.right, expected);
    return bad_operands(expr, node, "the left side is never null");
  }
  const TypeId value = types_.without_null(left);
  ++conditional_;
  const TypeId right = check_expr(*node.right, expected ? expected : std::optional(value));
  --conditional_;
  if (types_.is_error(right)) return right;
  if (left == types_.null()) return right;
  // A literal on the right takes its type from the left, or from where both stand.
  if (value_fits(*node.right, value)) return value;
  if (known && types_.is_subtype(value, *expected) && value_fits(*node.right, *expected)) return *expected;
  const auto joined = types_.join(value, right);
  return joined ? *joined : bad_operands(expr, node);
}

TypeId Checker::check_conditional(Expr& expr, Expr::Conditional& node, std::optional<TypeId> expected) {
  check_condition(*node.condition);
  ++conditional_;
  scopes_.emplace_back();
  narrow(*node.condition, true);
  TypeId then = check_expr(*node.then, expected);
  scopes_.pop_back();
  scopes_.emplace_back();
  narrow(*node.condition, false);
  const TypeId otherwise = check_expr(*node.otherwise, expected);
  scopes_.pop_back();
  --conditional_;
  if (types_.is_error(then) || types_.is_error(otherwise)) return types_.error();
  // Where a type is wanted that both literals belong to, that is the type: "A" if c else "B" for "A" | "B".
  if (expected && !types_.is_error(*expected)) {
    if (value_fits(*node.then, *expected) && value_fits(*node.otherwise, *expected)) return *expected;
  }
  if (types_.is_real(otherwise) && types_.is_integer(then) && literal_of(*node.then))
    then = check_expr(*node.then, otherwise);
  if (const auto joined = types_.join(then, otherwise)) return *joined;
  error(DiagKind::kTypeMismatch, expr.range,
        fmt::format("the two sides have different types: {} and {}", spell(then), spell(otherwise)));
  return types_.error();
}

}  // namespace sgl::compiler
