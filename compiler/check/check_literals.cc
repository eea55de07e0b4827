// Lists, comprehensions and records.
#include <algorithm>

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

TypeId Checker::check_comprehension(Expr::Comprehension& node, std::optional<TypeId> expected) {
  const TypeId item = item_type(*node.source, "a comprehension").value_or(types_.error());
  scopes_.emplace_back();
  bind(*node.vars.item, item);
  if (node.vars.index) bind(*node.vars.index, types_.integer());
  ++conditional_;
  if (node.condition) {
    check_condition(*node.condition);
    narrow(*node.condition, true);
  }
  TypeId result;
  const auto list = expected_kind(types_, expected, TypeKind::kList);
  if (list && types_.get(*list).min_size == 0 && types_.get(*list).max_size < 0) {
    check_against(*node.element, types_.get(*list).args[0], "the item");
    result = *list;
  } else {
    const TypeId element = check_expr(*node.element);
    if (element == types_.none()) error(DiagKind::kTypeMismatch, node.element->range, "this has no value");
    result = types_.is_error(element) ? element : types_.list(element);
  }
  --conditional_;
  scopes_.pop_back();
  return result;
}

TypeId Checker::check_record(Expr& expr, Expr::RecordLit& node, std::optional<TypeId> expected) {
  if (expected) {
    // Of several records in a union, the one whose literal fields and names match.
    std::vector<TypeId> candidates;
    for (const TypeId id : types_.alternatives(*expected)) {
      if (types_.get(id).kind != TypeKind::kRecord) continue;
      const bool possible = std::all_of(node.fields.begin(), node.fields.end(), [&](const ast::FieldInit& init) {
        if (init.spread) return true;
        const auto place = types_.field_index(id, init.name.text);
        if (!place) return false;
        const TypeId field = types_.get(id).fields[*place].type;
        const auto literal = init.value ? literal_of(*init.value) : std::nullopt;
        const bool tag = types_.get(field).kind == TypeKind::kLiteral;
        return !literal || !tag || types_.is_subtype(types_.literal(*literal), field);
      });
      if (possible) candidates.push_back(id);
    }
    if (candidates.size() == 1) return check_record_as(expr, node, candidates[0]);
    if (const auto only = expected_kind(types_, expected, TypeKind::kRecord)) return check_record_as(expr, node, *only);
  }
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
