// Values known at compile time.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "compiler/check/check.h"

namespace sgl::compiler {

namespace {

using ast::BinaryOp;
using ast::Expr;
using Kind = ConstValue::Kind;

ConstValue make_bool(bool b) {
  ConstValue v;
  v.kind = Kind::kBool;
  v.number = b ? 1 : 0;
  return v;
}
ConstValue make_int(std::int64_t i) {
  ConstValue v;
  v.kind = Kind::kInt;
  v.number = i;
  return v;
}
ConstValue make_real(double d) {
  ConstValue v;
  v.kind = Kind::kFloat;
  v.real = d;
  return v;
}
ConstValue make_text(std::string s) {
  ConstValue v;
  v.kind = Kind::kString;
  v.text = std::move(s);
  return v;
}

std::optional<ConstValue> int_arithmetic(BinaryOp op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  switch (op) {
    case BinaryOp::kAdd:
      return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional(make_int(out));
    case BinaryOp::kSub:
      return __builtin_sub_overflow(a, b, &out) ? std::nullopt : std::optional(make_int(out));
    case BinaryOp::kMul:
      return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional(make_int(out));
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
      if (b == 0 || b == -1) return std::nullopt;  // -1: the one overflow; folded by nobody
      return make_int(op == BinaryOp::kDiv ? a / b : a % b);
    case BinaryOp::kEq:
      return make_bool(a == b);
    case BinaryOp::kNe:
      return make_bool(a != b);
    case BinaryOp::kLt:
      return make_bool(a < b);
    case BinaryOp::kLe:
      return make_bool(a <= b);
    case BinaryOp::kGt:
      return make_bool(a > b);
    case BinaryOp::kGe:
      return make_bool(a >= b);
    default:
      return std::nullopt;
  }
}

std::optional<ConstValue> real_arithmetic(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return make_real(a + b);
    case BinaryOp::kSub:
      return make_real(a - b);
    case BinaryOp::kMul:
      return make_real(a * b);
    case BinaryOp::kDiv:
      return make_real(a / b);
    case BinaryOp::kEq:
      return make_bool(a == b);
    case BinaryOp::kNe:
      return make_bool(a != b);
    case BinaryOp::kLt:
      return make_bool(a < b);
    case BinaryOp::kLe:
      return make_bool(a <= b);
    case BinaryOp::kGt:
      return make_bool(a > b);
    case BinaryOp::kGe:
      return make_bool(a >= b);
    default:
      return std::nullopt;
  }
}

// Bytes of a value, with all that is in it.
std::size_t size_of(const ConstValue& value) {
  std::size_t size = value.text.size();
  for (const ConstValue& item : value.items) size += sizeof item + size_of(item);
  return size;
}

// Of one evaluation.
struct Work {
  int depth = 0;
  std::size_t size = 0;  // bytes of texts and items that were made on the way
  // Each constant is evaluated once: one that is used twice by one that is used twice … would take exponential time.
  std::unordered_map<const ast::Decl*, std::optional<ConstValue>> known;
};

std::optional<ConstValue> evaluate(const Expr& expr, TypeId wanted, const TypeTable& types, Work& work);

std::optional<ConstValue> evaluate_binary(const Expr::Binary& node, const TypeTable& types, Work& work) {
  const auto a = evaluate(*node.left, node.left->type, types, work);
  const auto b = evaluate(*node.right, node.right->type, types, work);
  if (!a || !b) return std::nullopt;
  if (a->kind == Kind::kInt && b->kind == Kind::kInt) return int_arithmetic(node.op, a->number, b->number);
  if (a->kind == Kind::kFloat && b->kind == Kind::kFloat) return real_arithmetic(node.op, a->real, b->real);
  if (a->kind == Kind::kBool && b->kind == Kind::kBool) {
    if (node.op == BinaryOp::kAnd) return make_bool(a->number != 0 && b->number != 0);
    if (node.op == BinaryOp::kOr) return make_bool(a->number != 0 || b->number != 0);
  }
  if (a->kind == Kind::kString && b->kind == Kind::kString && node.op == BinaryOp::kAdd)
    return make_text(a->text + b->text);
  if (a->kind == Kind::kList && b->kind == Kind::kList && node.op == BinaryOp::kAdd) {
    ConstValue out = *a;
    out.items.insert(out.items.end(), b->items.begin(), b->items.end());
    return out;
  }
  return std::nullopt;
}

std::optional<ConstValue> evaluate_record(const Expr& expr, const Expr::RecordLit& node, const TypeTable& types,
                                          Work& work) {
  const Type& type = types.get(expr.type);
  if (type.kind != TypeKind::kRecord || node.values.size() != type.fields.size()) return std::nullopt;
  for (const auto& field : node.fields) {
    if (field.spread) return std::nullopt;
  }
  ConstValue out;
  out.kind = Kind::kRecord;
  out.type = expr.type;
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (node.values[i] == nullptr) {
      out.items.emplace_back();
      continue;
    }
    auto value = evaluate(*node.values[i], type.fields[i].type, types, work);
    if (!value) return std::nullopt;
    out.items.push_back(std::move(*value));
  }
  return out;
}

std::optional<ConstValue> evaluate_node(const Expr& expr, TypeId wanted, const TypeTable& types, Work& work) {
  const auto& node = expr.node;
  if (std::holds_alternative<Expr::NullLit>(node)) return ConstValue{};
  if (const auto* n = std::get_if<Expr::BoolLit>(&node)) return make_bool(n->value);
  if (const auto* n = std::get_if<Expr::IntLit>(&node)) return make_int(n->value);
  if (const auto* n = std::get_if<Expr::FloatLit>(&node)) return make_real(n->value);
  if (const auto* n = std::get_if<Expr::StringLit>(&node)) {
    std::string text;
    for (const auto& part : n->parts) {
      if (!part.value) {
        text += part.text;
        continue;
      }
      const auto value = evaluate(*part.value, part.value->type, types, work);
      // Other kinds are formatted by the runtime, so that there is one formatter.
      if (!value || value->kind != Kind::kString || !part.format.empty()) return std::nullopt;
      text += value->text;
    }
    return make_text(std::move(text));
  }
  const ast::Decl* constant = nullptr;
  if (const auto* n = std::get_if<Expr::NameRef>(&node)) constant = n->constant;
  if (const auto* n = std::get_if<Expr::Member>(&node)) constant = n->constant;
  if (constant != nullptr) {
    const auto& declaration = std::get<ast::Decl::Const>(constant->node);
    if (!declaration.value) return std::nullopt;
    if (const auto it = work.known.find(constant); it != work.known.end()) return it->second;
    auto value = evaluate(*declaration.value, constant->type, types, work);
    work.known.emplace(constant, value);
    return value;
  }
  if (const auto* n = std::get_if<Expr::Negate>(&node)) {
    const auto value = evaluate(*n->operand, n->operand->type, types, work);
    if (!value) return std::nullopt;
    if (value->kind == Kind::kFloat) return make_real(-value->real);
    return value->kind == Kind::kInt ? int_arithmetic(BinaryOp::kSub, 0, value->number) : std::nullopt;
  }
  if (const auto* n = std::get_if<Expr::Not>(&node)) {
    const auto value = evaluate(*n->operand, n->operand->type, types, work);
    return value && value->kind == Kind::kBool ? std::optional(make_bool(value->number == 0)) : std::nullopt;
  }
  if (const auto* n = std::get_if<Expr::Binary>(&node)) return evaluate_binary(*n, types, work);
  if (const auto* n = std::get_if<Expr::Conditional>(&node)) {
    const auto condition = evaluate(*n->condition, n->condition->type, types, work);
    if (!condition || condition->kind != Kind::kBool) return std::nullopt;
    return evaluate(condition->number != 0 ? *n->then : *n->otherwise, wanted, types, work);
  }
  if (const auto* n = std::get_if<Expr::ListLit>(&node)) {
    if (types.get(expr.type).kind != TypeKind::kList) return std::nullopt;
    ConstValue out;
    out.kind = Kind::kList;
    for (const auto& item : n->items) {
      auto value = evaluate(*item, types.get(expr.type).args[0], types, work);
      if (!value) return std::nullopt;
      out.items.push_back(std::move(*value));
    }
    return out;
  }
  if (const auto* n = std::get_if<Expr::RecordLit>(&node)) return evaluate_record(expr, *n, types, work);
  return std::nullopt;
}

// Records are values by position: one of another layout (TypeTable::fits) gets the wanted one, with null for optional
// fields that it lacks.
ConstValue with_layout(ConstValue value, TypeId wanted, const TypeTable& types) {
  const Type& to = types.get(wanted);
  if (value.kind == Kind::kList && to.kind == TypeKind::kList) {
    for (ConstValue& item : value.items) item = with_layout(std::move(item), to.args[0], types);
  }
  if (value.kind != Kind::kRecord || to.kind != TypeKind::kRecord || value.type == wanted) return value;
  ConstValue out;
  out.kind = Kind::kRecord;
  out.type = wanted;
  for (const plan::Field& field : to.fields) {
    const auto source = types.field_index(value.type, field.name);
    out.items.emplace_back();
    if (source) out.items.back() = with_layout(std::move(value.items[*source]), field.type, types);
  }
  return out;
}

std::optional<ConstValue> evaluate(const Expr& expr, TypeId wanted, const TypeTable& types, Work& work) {
  // The parser bounds nesting; constants that refer to constants are bounded here, and how large they grow.
  constexpr int kMaxDepth = 1000;
  constexpr std::size_t kMaxSize = 64 << 20;  // more than what half a million items take
  if (work.depth > kMaxDepth) return std::nullopt;
  ++work.depth;
  auto value = evaluate_node(expr, wanted, types, work);
  --work.depth;
  if (!value) return std::nullopt;
  work.size += size_of(*value);
  if (work.size > kMaxSize) return std::nullopt;
  if (value->kind < Kind::kList) return value;
  return with_layout(std::move(*value), wanted, types);
}

}  // namespace

std::optional<ConstValue> evaluate_constant(const Expr& expr, TypeId wanted, const TypeTable& types) {
  Work work;
  return evaluate(expr, wanted, types, work);
}

}  // namespace sgl::compiler
