// Values known at compile time.
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "compiler/check/const_values.h"

namespace sgl::compiler {

namespace {

using ast::BinaryOp;
using ast::Expr;
using Kind = ConstValue::Kind;

// Bytes of a value, with all that is in it.
std::size_t size_of(const ConstValue& value) {
  std::size_t size = value.text.size();
  for (const ConstValue& item : value.items) size += sizeof item + size_of(item);
  return size;
}

constexpr std::size_t kMaxSize = 64 << 20;  // more than what half a million items take

// Of all declared constants that are kept; small ones always are, of which a source holds only so many.
constexpr std::size_t kMaxKept = 64 << 20, kSmall = 256;

}  // namespace

// One evaluation, of an expression or of a declared constant.
class ConstEvaluation {
 public:
  ConstEvaluation(Constants& constants, int levels) : depth(levels), constants_(constants) {}
  ConstEvaluation(const ConstEvaluation&) = delete;
  ConstEvaluation& operator=(const ConstEvaluation&) = delete;

  int depth;
  // Bytes of texts and items that were made on the way, and of constants that were named.
  void count(std::size_t bytes) {
    size_ += bytes;
    constants_.spent_ += bytes;
  }
  bool too_much() const { return size_ > kMaxSize || constants_.is_worn_out(); }
  // Null: it is not known. Each constant is evaluated once: one that is used twice by one that is used twice … would
  // take exponential time. What it took to make is its own affair, so that it does not matter who asks first.
  const ConstValue* value_of(const ast::Decl& constant);

 private:
  Constants& constants_;
  std::size_t size_ = 0;
  std::unordered_map<const ast::Decl*, Constants::Known> known_;  // those that are too large to be kept
  std::unordered_set<const ast::Decl*> named_;
};

namespace {

using Work = ConstEvaluation;

std::optional<ConstValue> evaluate(const Expr& expr, TypeId wanted, const TypeTable& types, Work& work);

const ast::Decl* constant_named(const Expr& expr) {
  if (const auto* n = std::get_if<Expr::NameRef>(&expr.node)) return n->constant;
  if (const auto* n = std::get_if<Expr::Member>(&expr.node)) return n->constant;
  return nullptr;
}

// An operand that is only looked at: a large constant need not be copied for that.
class ConstOperand {
 public:
  ConstOperand(const Expr& expr, const TypeTable& types, Work& work) {
    if (const ast::Decl* const constant = constant_named(expr)) {
      value_ = work.value_of(*constant);
      return;
    }
    own_ = evaluate(expr, expr.type, types, work);
    value_ = own_ ? &*own_ : nullptr;
  }
  ConstOperand(const ConstOperand&) = delete;
  ConstOperand& operator=(const ConstOperand&) = delete;

  explicit operator bool() const { return value_ != nullptr; }
  const ConstValue& operator*() const { return *value_; }
  const ConstValue* operator->() const { return value_; }
  bool is(Kind kind) const { return value_ != nullptr && value_->kind == kind; }
  // To be called where all of it is read: that takes time as copying it would. What was made for this was counted then.
  void count_reading(Work& work) const {
    if (value_ != nullptr && !own_) work.count(size_of(*value_));
  }

 private:
  std::optional<ConstValue> own_;
  const ConstValue* value_ = nullptr;  // own_, or a declared constant's, which stays
};

std::optional<ConstValue> evaluate_binary(const Expr::Binary& node, TypeId wanted, const TypeTable& types, Work& work) {
  if (!node.left || !node.right) return std::nullopt;
  const ConstOperand a(*node.left, types, work);
  if (!a) return std::nullopt;
  if (node.op == BinaryOp::kCoalesce) {
    return a.is(Kind::kNull) ? evaluate(*node.right, wanted, types, work) : std::optional(*a);
  }
  const bool logic = node.op == BinaryOp::kAnd || node.op == BinaryOp::kOr;
  if (logic && !a.is(Kind::kBool)) return std::nullopt;
  if (logic && (a->number != 0) == (node.op == BinaryOp::kOr)) return *a;  // whatever the right side is
  const ConstOperand b(*node.right, types, work);
  if (!b) return std::nullopt;
  if (logic) return b.is(Kind::kBool) ? std::optional(*b) : std::nullopt;
  a.count_reading(work);
  b.count_reading(work);
  return binary_operation(node.op, *a, *b, types);
}

std::optional<ConstValue> evaluate_index(const Expr::Index& node, const TypeTable& types, Work& work) {
  const ConstOperand object(*node.object, types, work), index(*node.index, types, work);
  if (object.is(Kind::kString)) object.count_reading(work);
  return object && index.is(Kind::kInt) ? item_at(*object, index->number) : std::nullopt;
}

std::optional<ConstValue> evaluate_slice(const Expr::Slice& node, const TypeTable& types, Work& work) {
  const ConstOperand object(*node.object, types, work);
  if (object.is(Kind::kString)) object.count_reading(work);
  const auto end_at = [&](const ast::ExprPtr& expr, std::int64_t otherwise) -> std::optional<std::int64_t> {
    if (!expr) return otherwise;
    const ConstOperand at(*expr, types, work);
    return at.is(Kind::kInt) ? std::optional(at->number) : std::nullopt;
  };
  const auto lo = end_at(node.lo, 0), hi = end_at(node.hi, std::numeric_limits<std::int64_t>::max());
  return object && lo && hi ? slice_of(*object, *lo, *hi) : std::nullopt;
}

// The functions whose result is one and the same wherever it is found out.
std::optional<ConstValue> evaluate_call(const ast::Callee& callee, const TypeTable& types, Work& work) {
  using Callee = ast::Callee;
  const bool special = callee.kind == Callee::Kind::kSpecial && callee.special != Callee::Special::kPush;
  const bool absolute_value = callee.kind == Callee::Kind::kBuiltin && callee.builtin == plan::Builtin::kAbs;
  if ((!special && !absolute_value) || callee.arguments.size() != 1) return std::nullopt;
  const ConstOperand argument(*callee.arguments[0], types, work);
  if (!argument) return std::nullopt;
  if (argument.is(Kind::kString)) argument.count_reading(work);
  if (absolute_value) return absolute(*argument);
  if (callee.special == Callee::Special::kLen) return length_of(*argument);
  if (callee.special == Callee::Special::kStr) {
    auto text = text_in_string(*argument);
    return text ? std::optional(make_text(std::move(*text))) : std::nullopt;
  }
  return argument.is(Kind::kInt) ? std::optional(make_real(static_cast<double>(argument->number))) : std::nullopt;
}

std::optional<ConstValue> evaluate_text(const Expr::StringLit& node, const TypeTable& types, Work& work) {
  std::string text;
  for (const auto& part : node.parts) {
    if (!part.value) {
      text += part.text;
      continue;
    }
    const ConstOperand value(*part.value, types, work);
    value.count_reading(work);
    if (work.too_much()) return std::nullopt;
    // Formats and other kinds are left to the runtime, so that there is one formatter.
    const auto inserted = value && part.format.empty() ? text_in_string(*value) : std::nullopt;
    if (!inserted) return std::nullopt;
    text += *inserted;
  }
  return make_text(std::move(text));
}

std::optional<ConstValue> evaluate_list(const Expr& expr, const Expr::ListLit& node, const TypeTable& types,
                                        Work& work) {
  if (types.get(expr.type).kind != TypeKind::kList) return std::nullopt;
  ConstValue out;
  out.kind = Kind::kList;
  for (const auto& item : node.items) {
    auto value = evaluate(*item, types.get(expr.type).args[0], types, work);
    if (!value) return std::nullopt;
    out.items.push_back(std::move(*value));
  }
  return out;
}

// The field that the last spread with such a field brings, as Lowerer::from_spread takes it.
ConstValue spread_field(const std::vector<ConstValue>& spreads, const plan::Field& field, const TypeTable& types) {
  for (auto spread = spreads.rbegin(); spread != spreads.rend(); ++spread) {
    const auto place = types.field_index(spread->type, field.name);
    if (!place || (types.get(spread->type).fields[*place].optional && !field.optional)) continue;
    return spread->items[*place];
  }
  return {};
}

std::optional<ConstValue> evaluate_record(const Expr& expr, const Expr::RecordLit& node, const TypeTable& types,
                                          Work& work) {
  const Type& type = types.get(expr.type);
  if (type.kind != TypeKind::kRecord || node.values.size() != type.fields.size()) return std::nullopt;
  std::unordered_map<const Expr*, std::size_t> places;
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (node.values[i] != nullptr) places.emplace(node.values[i], i);
  }
  ConstValue out;
  out.kind = Kind::kRecord;
  out.type = expr.type;
  out.items.resize(type.fields.size());
  std::vector<ConstValue> spreads;
  // Also what a later spread hides: it may fail.
  for (const auto& init : node.fields) {
    if (!init.value) return std::nullopt;
    const auto place = places.find(init.value.get());
    const bool used = place != places.end();
    auto value = evaluate(*init.value, used ? type.fields[place->second].type : init.value->type, types, work);
    if (!value || (init.spread && value->kind != Kind::kRecord)) return std::nullopt;
    if (init.spread) spreads.push_back(std::move(*value));
    if (used) out.items[place->second] = std::move(*value);
  }
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (node.values[i] == nullptr) out.items[i] = spread_field(spreads, type.fields[i], types);
  }
  return out;
}

std::optional<ConstValue> evaluate_node(const Expr& expr, TypeId wanted, const TypeTable& types, Work& work) {
  const auto& node = expr.node;
  if (std::holds_alternative<Expr::NullLit>(node)) return ConstValue{};
  if (const auto* n = std::get_if<Expr::BoolLit>(&node)) return make_bool(n->value);
  if (const auto* n = std::get_if<Expr::IntLit>(&node)) return make_int(n->value);
  if (const auto* n = std::get_if<Expr::FloatLit>(&node)) return make_real(n->value);
  if (const auto* n = std::get_if<Expr::StringLit>(&node)) return evaluate_text(*n, types, work);
  if (const ast::Decl* const constant = constant_named(expr)) {
    const ConstValue* const value = work.value_of(*constant);
    return value != nullptr ? std::optional(*value) : std::nullopt;
  }
  if (const auto* n = std::get_if<Expr::Member>(&node)) {
    const ConstOperand object(*n->object, types, work);
    const ConstValue* const field = object ? field_of(*object, n->name.text, types) : nullptr;
    return field != nullptr ? std::optional(*field) : std::nullopt;
  }
  if (const auto* n = std::get_if<Expr::Negate>(&node)) {
    const ConstOperand value(*n->operand, types, work);
    return value ? negated(*value) : std::nullopt;
  }
  if (const auto* n = std::get_if<Expr::Not>(&node)) {
    const ConstOperand value(*n->operand, types, work);
    return value.is(Kind::kBool) ? std::optional(make_bool(value->number == 0)) : std::nullopt;
  }
  if (const auto* n = std::get_if<Expr::Binary>(&node)) return evaluate_binary(*n, wanted, types, work);
  if (const auto* n = std::get_if<Expr::Index>(&node)) return evaluate_index(*n, types, work);
  if (const auto* n = std::get_if<Expr::Slice>(&node)) return evaluate_slice(*n, types, work);
  if (const auto* n = std::get_if<Expr::Call>(&node)) return evaluate_call(n->resolved, types, work);
  if (const auto* n = std::get_if<Expr::Conditional>(&node)) {
    const ConstOperand condition(*n->condition, types, work);
    if (!condition.is(Kind::kBool)) return std::nullopt;
    return evaluate(condition->number != 0 ? *n->then : *n->otherwise, wanted, types, work);
  }
  if (const auto* n = std::get_if<Expr::ListLit>(&node)) return evaluate_list(expr, *n, types, work);
  if (const auto* n = std::get_if<Expr::RecordLit>(&node)) return evaluate_record(expr, *n, types, work);
  return std::nullopt;
}

// Records are values by position: one of another layout (TypeTable::fits) gets the wanted one, with null for optional
// fields that it lacks. Of no use where that is too much.
ConstValue with_layout(ConstValue value, TypeId wanted, const TypeTable& types, Work& work) {
  const Type& to = types.get(wanted);
  if (value.kind == Kind::kList && to.kind == TypeKind::kList) {
    for (ConstValue& item : value.items) {
      if (work.too_much()) break;
      item = with_layout(std::move(item), to.args[0], types, work);
    }
  }
  if (value.kind != Kind::kRecord || to.kind != TypeKind::kRecord || value.type == wanted) return value;
  work.count(to.fields.size() * sizeof value);
  if (work.too_much()) return value;
  ConstValue out;
  out.kind = Kind::kRecord;
  out.type = wanted;
  for (const plan::Field& field : to.fields) {
    const auto source = types.field_index(value.type, field.name);
    out.items.emplace_back();
    if (source) out.items.back() = with_layout(std::move(value.items[*source]), field.type, types, work);
  }
  return out;
}

std::optional<ConstValue> evaluate(const Expr& expr, TypeId wanted, const TypeTable& types, Work& work) {
  // The parser bounds nesting; constants that refer to constants are bounded here, and how large they grow.
  constexpr int kMaxDepth = 1000;
  if (work.depth > kMaxDepth) return std::nullopt;
  ++work.depth;
  auto value = evaluate_node(expr, wanted, types, work);
  --work.depth;
  if (!value) return std::nullopt;
  work.count(sizeof *value + size_of(*value));
  if (work.too_much()) return std::nullopt;
  if (value->kind < Kind::kList) return value;
  ConstValue laid_out = with_layout(std::move(*value), wanted, types, work);
  return work.too_much() ? std::nullopt : std::optional(std::move(laid_out));
}

}  // namespace

const ConstValue* ConstEvaluation::value_of(const ast::Decl& constant) {
  const Constants::Known* found = nullptr;
  if (const auto kept = constants_.kept_.find(&constant); kept != constants_.kept_.end()) {
    found = &kept->second;
  } else if (const auto known = known_.find(&constant); known != known_.end()) {
    found = &known->second;
  } else if (constants_.failed_.contains(&constant)) {
    return nullptr;
  } else {
    const auto& declaration = std::get<ast::Decl::Const>(constant.node);
    std::optional<ConstValue> value;
    if (declaration.value) {
      ConstEvaluation own(constants_, depth);
      value = compiler::evaluate(*declaration.value, constant.type, constants_.types_, own);
    }
    if (!value) {
      constants_.failed_.insert(&constant);
      return nullptr;
    }
    const std::size_t bytes = size_of(*value);
    const bool keep = bytes <= kSmall || constants_.kept_bytes_ + bytes <= kMaxKept;
    if (keep && bytes > kSmall) constants_.kept_bytes_ += bytes;
    found = &(keep ? constants_.kept_ : known_)
                 .emplace(&constant, Constants::Known{std::move(*value), bytes})
                 .first->second;
  }
  // Whether it is kept or not: who asks first must not matter.
  if (named_.insert(&constant).second) size_ += found->bytes;
  return too_much() ? nullptr : &found->value;
}

std::optional<ConstValue> Constants::evaluate(const Expr& expr, TypeId wanted) {
  failed_.clear();
  ConstEvaluation work(*this, 0);
  return compiler::evaluate(expr, wanted, types_, work);
}

}  // namespace sgl::compiler
