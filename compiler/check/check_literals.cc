// Lists, comprehensions and records.
#include <algorithm>
#include <limits>
#include <utility>

#include "compiler/check/checker.h"

namespace sgl::compiler {

namespace {

// The one alternative of the kind among what is expected.
std::optional<TypeId> expected_kind(const TypeTable& types, std::optional<TypeId> expected, TypeKind kind) {
  if (!expected) return std::nullopt;
  std::optional<TypeId> found;
  for (const TypeId id : types.alternatives(*expected)) {
    if (types.get(id).kind != kind) continue;
    if (found) return std::nullopt;
    found = id;
  }
  return found;
}

}  // namespace

TypeId Checker::check_list(Expr& expr, Expr::ListLit& node, std::optional<TypeId> expected) {
  if (const auto list = expected_kind(types_, expected, TypeKind::kList)) {
    const TypeId item = types_.get(*list).args[0];
    const std::int64_t least = types_.get(*list).min_size, most = types_.get(*list).max_size;
    for (const auto& element : node.items) check_against(*element, item, "the item");
    const auto size = static_cast<std::int64_t>(node.items.size());
    if (size < least || (most >= 0 && size > most)) {
      error(DiagKind::kTypeMismatch, expr.range, fmt::format("a list of {} items is not a '{}'", size, spell(*list)));
    }
    return *list;
  }
  if (const auto json = expected_kind(types_, expected, TypeKind::kJson); json && types_.get(*json).pattern.empty()) {
    for (const auto& element : node.items) check_against(*element, *json, "the item");
    return types_.list(*json);
  }
  if (node.items.empty()) {
    if (expected && types_.is_error(*expected)) return types_.error();
    error(DiagKind::kUnknownElementType, expr.range, "the type of this empty list is not known")
        .suggest("write it: var xs: list<string> = []");
    return types_.error();
  }
  Joined item(types_);
  std::optional<TypeId> real;  // where numbers are wanted as floats
  for (const auto& element : node.items) {
    const TypeId type = check_expr(*element, real);
    if (types_.is_error(type)) return type;
    if (!item.add(type)) {
      error(DiagKind::kTypeMismatch, element->range,
            fmt::format("this item is '{}', those before it are '{}'", spell(type), spell(*item.type())));
      return types_.error();
    }
    if (real || types_.is_real(type)) real = types_.is_real(*item.type()) ? item.type() : std::nullopt;
  }
  return types_.list(*item.type());
}

Checker::ItemCount Checker::ItemCount::operator+(const ItemCount& other) const {
  ItemCount out;
  if (__builtin_add_overflow(least, other.least, &out.least)) out.least = std::numeric_limits<std::int64_t>::max();
  if (most < 0 || other.most < 0 || __builtin_add_overflow(most, other.most, &out.most)) out.most = -1;
  return out;
}

Checker::ItemCount Checker::item_count(const Expr& list) const {
  const auto count = [](std::size_t items) { return ItemCount{std::int64_t(items), std::int64_t(items)}; };
  if (const auto* literal = std::get_if<Expr::ListLit>(&list.node)) return count(literal->items.size());
  if (const auto* binary = std::get_if<Expr::Binary>(&list.node); binary && binary->op == ast::BinaryOp::kAdd) {
    return item_count(*binary->left) + item_count(*binary->right);
  }
  if (const auto* either = std::get_if<Expr::Conditional>(&list.node)) {
    const ItemCount a = item_count(*either->then), b = item_count(*either->otherwise);
    return {std::min(a.least, b.least), a.most < 0 || b.most < 0 ? -1 : std::max(a.most, b.most)};
  }
  if (const auto* made = std::get_if<Expr::Comprehension>(&list.node); made && !made->condition) {
    return item_count(*made->source);
  }
  if (const auto* call = std::get_if<Expr::Call>(&list.node)) {
    using Kind = ast::Callee::Kind;
    const ast::Callee& callee = call->resolved;
    if (callee.kind == Kind::kSpecial && callee.special == ast::Callee::Special::kPush) {
      return item_count(*callee.arguments[0]) + count(1);
    }
    const bool same = callee.builtin == plan::Builtin::kReversed || callee.builtin == plan::Builtin::kSorted;
    if (callee.kind == Kind::kBuiltin && same) return item_count(*callee.arguments[0]);
  }
  const Type& type = types_.get(list.type);
  return type.kind == TypeKind::kList ? ItemCount{type.min_size, type.max_size} : ItemCount{};
}

TypeId Checker::with_count(TypeId list, ItemCount count) {
  Type type = types_.get(list);
  if (type.min_size == count.least && type.max_size == count.most) return list;
  type.name.clear();
  type.doc.clear();
  type.min_size = count.least;
  type.max_size = count.most;
  return types_.intern(std::move(type));
}

TypeId Checker::without_counts(TypeId type) {
  bool changed = false;
  std::vector<TypeId> alternatives = types_.alternatives(type);
  for (TypeId& id : alternatives) {
    const Type& list = types_.get(id);
    if (list.kind != TypeKind::kList || (list.min_size == 0 && list.max_size < 0)) continue;
    id = types_.list(list.args[0]);
    changed = true;
  }
  return changed ? types_.make_union(alternatives) : type;
}

TypeId Checker::check_comprehension(Expr::Comprehension& node, std::optional<TypeId> expected) {
  const TypeId item = item_type(*node.source, "a comprehension").value_or(types_.error());
  scopes_.emplace_back();
  bind(*node.vars.item, item);
  if (node.vars.index) bind(*node.vars.index, types_.integer());
  ++conditional_;
  // It is no loop that a statement, which may stand in a retry, could leave or go on with: it has as many items as its
  // source.
  const auto loops = std::exchange(fn_.loops, 0);
  if (node.condition) {
    check_condition(*node.condition);
    narrow(*node.condition, true);
  }
  TypeId result;
  const auto list = expected_kind(types_, expected, TypeKind::kList);
  if (list) {
    const std::size_t before = diag_.errors();
    check_against(*node.element, types_.get(*list).args[0], "the item");
    // Whether it has as many items as are wanted is asked where it stands, but not of one that is wrong anyway.
    result = diag_.errors() > before ? *list : without_counts(*list);
  } else {
    const TypeId element = check_expr(*node.element);
    if (element == types_.none()) error(DiagKind::kTypeMismatch, node.element->range, "this has no value");
    result = types_.is_error(element) ? element : types_.list(element);
  }
  fn_.loops = loops;
  --conditional_;
  scopes_.pop_back();
  return result;
}

// What is written for the field can be a value of it, as far as that is known before it is checked: of literals, of
// names, and of a choice between such.
bool Checker::may_be(const Expr& expr, const plan::Field& field) {
  if (const auto literal = literal_of(expr)) {
    const bool number = literal->kind == plan::Literal::Kind::kInt;
    return types_.overlap(types_.literal(*literal), field.type) || (number && wants_real(types_, field.type));
  }
  if (std::holds_alternative<Expr::NullLit>(expr.node)) return field.optional || types_.contains_null(field.type);
  if (const auto* either = std::get_if<Expr::Conditional>(&expr.node)) {
    return (!either->then || may_be(*either->then, field)) && (!either->otherwise || may_be(*either->otherwise, field));
  }
  const auto* name = std::get_if<Expr::NameRef>(&expr.node);
  if (name == nullptr) return true;
  if (const Binding* binding = find_binding(name->name.text)) return types_.overlap(type_here(*binding), field.type);
  Decl* const constant = find_value(name->name.text);
  if (constant == nullptr || !std::holds_alternative<Decl::Const>(constant->node)) return true;
  check_constant(*constant);
  return types_.overlap(constant->type, field.type);
}

// The record that is written, among what is expected: of several in a union the one that it can be.
std::optional<TypeId> Checker::record_for(const Expr::RecordLit& node, TypeId expected) {
  std::vector<TypeId> candidates;
  for (const TypeId id : types_.alternatives(expected)) {
    if (types_.get(id).kind != TypeKind::kRecord) continue;
    const bool possible = std::all_of(node.fields.begin(), node.fields.end(), [&](const ast::FieldInit& init) {
      return init.spread || types_.field_index(id, init.name.text);
    });
    if (possible) candidates.push_back(id);
  }
  if (candidates.size() > 1) {
    std::erase_if(candidates, [&](TypeId id) {
      return std::any_of(node.fields.begin(), node.fields.end(), [&](const ast::FieldInit& init) {
        if (init.spread || !init.value) return false;
        // Copied: types may be added meanwhile.
        const plan::Field field = types_.get(id).fields[*types_.field_index(id, init.name.text)];
        return !may_be(*init.value, field);
      });
    });
  }
  const bool spread = std::any_of(node.fields.begin(), node.fields.end(), [](const auto& init) { return init.spread; });
  if (candidates.size() > 1 && !spread) {
    std::unordered_set<std::string_view> names;
    for (const ast::FieldInit& init : node.fields) names.insert(init.name.text);
    std::erase_if(candidates, [&](TypeId id) {
      const std::vector<plan::Field>& fields = types_.get(id).fields;
      return std::any_of(fields.begin(), fields.end(),
                         [&](const plan::Field& f) { return !f.optional && names.count(f.name) == 0; });
    });
  }
  return candidates.size() == 1 ? candidates[0] : expected_kind(types_, expected, TypeKind::kRecord);
}

TypeId Checker::check_record(Expr& expr, Expr::RecordLit& node, std::optional<TypeId> expected) {
  const auto wanted = expected ? record_for(node, *expected) : std::nullopt;
  if (wanted) return check_record_as(expr, node, *wanted);
  // No type to follow: with a spread, the type of what is spread; else the fields as they are.
  for (auto& init : node.fields) {
    if (!init.spread || !init.value) continue;
    const TypeId type = check_expr(*init.value);
    if (types_.is_error(type)) return type;
    if (types_.get(type).kind == TypeKind::kRecord) return check_record_as(expr, node, type);
    error(DiagKind::kTypeMismatch, init.value->range,
          fmt::format("only a record can be spread, this is '{}'", spell(type)));
    return types_.error();
  }
  std::vector<plan::Field> fields;
  std::unordered_set<std::string_view> names;
  node.values.clear();
  bool failed = false;
  for (auto& init : node.fields) {
    if (!init.value) continue;
    const TypeId type = check_expr(*init.value);
    failed = failed || types_.is_error(type);
    if (type == types_.null() || type == types_.none()) {
      error(DiagKind::kUnknownElementType, init.value->range,
            fmt::format("the type of field '{}' is not known", init.name.text));
      failed = true;
    }
    if (!names.insert(init.name.text).second) {
      error(DiagKind::kDuplicateField, init.name.range, fmt::format("field '{}' is given twice", init.name.text));
      continue;
    }
    fields.push_back({init.name.text, type, false, ""});
    node.values.push_back(init.value.get());
  }
  return failed ? types_.error() : types_.record(std::move(fields));
}

// What is spread may have other fields than `type`: those that fit by name are taken.
void Checker::check_spread(Expr& value, TypeId type, std::set<std::string>& brought) {
  const TypeId from = check_expr(value);
  if (types_.is_error(from)) {
    for (const plan::Field& field : types_.get(type).fields) brought.insert(field.name);
    return;
  }
  if (types_.get(from).kind != TypeKind::kRecord) {
    error(DiagKind::kTypeMismatch, value.range, fmt::format("only a record can be spread, this is '{}'", spell(from)));
    return;
  }
  for (const plan::Field& field : types_.get(type).fields) {
    const auto place = types_.field_index(from, field.name);
    if (!place) continue;
    const plan::Field& other = types_.get(from).fields[*place];
    if (other.optional && !field.optional) continue;
    brought.insert(field.name);
    if (!types_.is_subtype(other.type, field.type)) {
      error(
          DiagKind::kTypeMismatch, value.range,
          fmt::format("its field '{}' is '{}', but '{}' is wanted", field.name, spell(other.type), spell(field.type)));
    }
  }
}

// A plan's record has an operand for every field, written or not.
bool Checker::may_fill_up(const Expr& expr, std::size_t fields, std::size_t written) {
  constexpr std::size_t kMost = 1'000'000;  // as many as a plan may have (PlanLimits::args)
  filled_up_ += fields - std::min(fields, written);
  if (filled_up_ <= kMost) return true;
  error(DiagKind::kTooLarge, expr.range,
        fmt::format("with this more than {} fields of records are filled up that are not written", kMost));
  return false;
}

TypeId Checker::check_record_as(Expr& expr, Expr::RecordLit& node, TypeId type) {
  const std::vector<plan::Field> fields = types_.get(type).fields;  // copied: types may be added below
  if (!may_fill_up(expr, fields.size(), node.fields.size())) return types_.error();
  node.values.assign(fields.size(), nullptr);
  std::set<std::string> given;
  std::set<std::string> spread;  // fields that a spread record brings
  for (auto& init : node.fields) {
    if (!init.value) continue;
    if (init.spread) {
      std::set<std::string> brought;
      check_spread(*init.value, type, brought);
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (brought.count(fields[i].name) > 0) node.values[i] = nullptr;  // later ones win
      }
      spread.merge(brought);
      continue;
    }
    if (!given.insert(init.name.text).second) {
      error(DiagKind::kDuplicateField, init.name.range, fmt::format("field '{}' is given twice", init.name.text));
    }
    const auto place = types_.field_index(type, init.name.text);
    if (!place) {
      std::vector<std::string> known;
      for (const auto& f : fields) known.push_back(f.name);
      error(DiagKind::kUnknownMember, init.name.range,
            fmt::format("'{}' has no field '{}'", spell(type), init.name.text))
          .suggest(did_you_mean(init.name.text, known));
      check_expr(*init.value);
      continue;
    }
    const plan::Field& field = fields[*place];
    const TypeId wanted = field.optional ? types_.optional(field.type) : field.type;
    check_against(*init.value, wanted, fmt::format("field '{}'", init.name.text));
    node.values[*place] = init.value.get();
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].optional && spread.count(fields[i].name) == 0 && given.count(fields[i].name) == 0)
      missing.push_back("'" + fields[i].name + "'");
  }
  if (!missing.empty()) {
    error(DiagKind::kMissingField, expr.range,
          fmt::format("the {} {} of '{}' {} missing", missing.size() == 1 ? "field" : "fields",
                      fmt::join(missing, ", "), spell(type), missing.size() == 1 ? "is" : "are"));
  }
  return type;
}

}  // namespace sgl::compiler
