#include "compiler/check/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

namespace sgl::compiler {

using plan::Literal;

TypeTable::TypeTable() {
  const auto add = [this](TypeKind kind, std::string name = "") {
    Type type;
    type.kind = kind;
    type.name = std::move(name);
    types_.push_back(type);
    defined_.push_back(true);
    if (type.name.empty()) interned_.emplace(key(type), TypeId(static_cast<std::uint32_t>(types_.size() - 1)));
  };
  add(TypeKind::kNull);
  add(TypeKind::kBool);
  add(TypeKind::kInt);
  add(TypeKind::kFloat);
  add(TypeKind::kString);
  add(TypeKind::kNull, "<error>");
  add(TypeKind::kNull, "<no value>");
  add(TypeKind::kJson);
}

std::string TypeTable::key(const Type& t) {
  std::string out =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", static_cast<int>(t.kind), t.min_size, t.max_size,
                  t.min_int ? std::to_string(*t.min_int) : "", t.max_int ? std::to_string(*t.max_int) : "",
                  t.min_float ? fmt::format("{}", *t.min_float) : "",
                  t.max_float ? fmt::format("{}", *t.max_float) : "", t.pattern.size(), t.pattern, t.format);
  if (t.kind == TypeKind::kLiteral) {
    out += fmt::format("|{}|{}|{}", static_cast<int>(t.literal.kind), t.literal.number, t.literal.text);
  }
  for (const TypeId arg : t.args) out += fmt::format("|#{}", arg.value);
  for (const plan::Field& f : t.fields)
    out += fmt::format("|{}:{}{}#{}", f.name.size(), f.name, f.optional ? "?" : ":", f.type.value);
  for (const plan::Field& f : t.fields) out += "|" + f.doc;
  return out;
}

TypeId TypeTable::intern(Type type) {
  const auto [it, inserted] = interned_.try_emplace(key(type), TypeId(static_cast<std::uint32_t>(types_.size())));
  if (inserted) {
    types_.push_back(std::move(type));
    defined_.push_back(true);
  }
  return it->second;
}

TypeId TypeTable::literal(Literal value) {
  Type type;
  type.kind = TypeKind::kLiteral;
  type.literal = std::move(value);
  return intern(std::move(type));
}

TypeId TypeTable::list(TypeId item) {
  Type type;
  type.kind = TypeKind::kList;
  type.args = {item};
  return intern(std::move(type));
}

TypeId TypeTable::record(std::vector<plan::Field> fields) {
  Type type;
  type.kind = TypeKind::kRecord;
  type.fields = std::move(fields);
  return intern(std::move(type));
}

TypeId TypeTable::make_union(const std::vector<TypeId>& given) {
  std::vector<TypeId> flat, others;
  std::unordered_set<std::uint32_t> ids;
  std::set<std::tuple<Literal::Kind, std::int64_t, std::string_view>> literals;
  // Of a declared type that is not defined yet nothing is known.
  const auto is_new = [&](TypeId id) {
    if (!ids.insert(id.value).second) return false;
    if (!is_defined(id)) return true;
    if (const Type& type = get(id); type.kind == TypeKind::kLiteral) {
      return literals.emplace(type.literal.kind, type.literal.number, type.literal.text).second;
    }
    if (std::any_of(others.begin(), others.end(), [&](TypeId other) { return same(other, id); })) return false;
    others.push_back(id);
    return true;
  };
  for (const TypeId id : given) {
    for (const TypeId alternative : alternatives(id)) {
      if (is_new(alternative)) flat.push_back(alternative);
    }
  }
  if (flat.size() == 1) return flat[0];
  Type type;
  type.kind = TypeKind::kUnion;
  type.args = std::move(flat);
  const std::size_t before = types_.size();
  const TypeId out = intern(std::move(type));
  if (types_.size() > before) wait_for_parts(out);
  return out;
}

void TypeTable::wait_for_parts(TypeId id) {
  alternatives_ += get(id).args.size();
  for (const TypeId arg : get(id).args) {
    if (!is_defined(arg)) waiting_[arg.value].push_back(id);
  }
}

TypeId TypeTable::without_null(TypeId type) {
  std::vector<TypeId> rest = alternatives(type);
  if (rest.size() < 2) return type;
  std::erase_if(rest, [&](TypeId id) { return id == null(); });
  return make_union(rest);
}

std::vector<TypeId> TypeTable::alternatives(TypeId type) const {
  const Type& t = get(type);
  if (t.kind == TypeKind::kUnion) return t.args;
  return {type};
}

std::optional<std::size_t> TypeTable::field_index(TypeId record, const std::string& name) const {
  constexpr std::size_t kFew = 16;  // that are looked through as fast
  const std::vector<plan::Field>& fields = get(record).fields;
  if (fields.size() <= kFew) {
    const auto it = std::find_if(fields.begin(), fields.end(), [&](const plan::Field& f) { return f.name == name; });
    return it == fields.end() ? std::nullopt : std::optional<std::size_t>(it - fields.begin());
  }
  auto& places = places_[record.value];
  if (places.empty()) {
    for (std::size_t i = 0; i < fields.size(); ++i) places.try_emplace(fields[i].name, i);
  }
  const auto it = places.find(name);
  return it == places.end() ? std::nullopt : std::optional(it->second);
}

TypeId TypeTable::reserve(std::string name, std::string doc) {
  Type type;
  type.name = std::move(name);
  type.doc = std::move(doc);
  types_.push_back(std::move(type));
  defined_.push_back(false);
  return TypeId(static_cast<std::uint32_t>(types_.size() - 1));
}

void TypeTable::define(TypeId id, const Type& definition) {
  Type type = definition;
  type.name = types_[id.value].name;
  type.doc = types_[id.value].doc;
  types_[id.value] = std::move(type);
  defined_[id.value] = true;
  const auto unions = waiting_.extract(id.value);
  if (types_[id.value].kind != TypeKind::kUnion) return;
  wait_for_parts(id);
  // Unions that were made before it was known to be one are flat from now on.
  for (const TypeId waiting : unions ? unions.mapped() : std::vector<TypeId>{}) {
    std::vector<TypeId>& held = types_[waiting.value].args;
    std::vector<TypeId> args;
    std::unordered_set<std::uint32_t> seen;
    for (const TypeId arg : held) {
      for (const TypeId alternative : arg == id ? types_[id.value].args : std::vector{arg}) {
        if (seen.insert(alternative.value).second) args.push_back(alternative);
      }
    }
    held = std::move(args);
    wait_for_parts(waiting);
  }
}

std::optional<TypeId> TypeTable::join(TypeId a, TypeId b) {
  if (is_subtype(a, b)) return is_error(b) ? a : b;
  if (is_subtype(b, a)) return a;
  if (a == null() || b == null()) return make_union({a, b});
  // Refined types of one kind join to the plain type, literals to a union of literals.
  const auto all_literal = [&](TypeId t) {
    const auto alts = alternatives(t);
    return std::all_of(alts.begin(), alts.end(),
                       [&](TypeId x) { return get(x).kind == TypeKind::kLiteral || x == null(); });
  };
  if (all_literal(a) && all_literal(b)) return make_union({a, b});
  if (is_string(a) && is_string(b)) return string();
  if (is_integer(a) && is_integer(b)) return integer();
  if (is_real(a) && is_real(b)) return real();
  if (is_boolean(a) && is_boolean(b)) return boolean();
  if (get(a).kind == TypeKind::kList && get(b).kind == TypeKind::kList) {
    const auto item = join(get(a).args[0], get(b).args[0]);
    if (item) return list(*item);
  }
  if (contains_null(a) || contains_null(b)) {
    const auto inner = join(without_null(a), without_null(b));
    if (inner) return optional(*inner);
  }
  return std::nullopt;
}

bool Joined::add(TypeId type) {
  const bool literal = types_.get(type).kind == TypeKind::kLiteral || type == types_.null();
  if (literal && (!pending_.empty() || !type_)) {
    pending_.push_back(type);
    return true;
  }
  const std::optional<TypeId> joined = this->type() ? types_.join(*type_, type) : type;
  if (joined) type_ = joined;
  return joined.has_value();
}

std::optional<TypeId> Joined::type() {
  if (!pending_.empty()) type_ = types_.make_union(std::exchange(pending_, {}));
  return type_;
}

bool TypeTable::contains_null(TypeId type) const {
  for (const TypeId id : alternatives(type)) {
    if (id == null()) return true;
  }
  return false;
}

bool TypeTable::has_value(const Type& type, const std::vector<bool>& known) {
  const auto is_known = [&](TypeId id) { return known[id.value]; };
  if (type.kind == TypeKind::kList) return type.min_size == 0 || is_known(type.args[0]);
  if (type.kind == TypeKind::kUnion) return std::any_of(type.args.begin(), type.args.end(), is_known);
  if (type.kind == TypeKind::kRecord) {
    return std::all_of(type.fields.begin(), type.fields.end(),
                       [&](const plan::Field& f) { return f.optional || is_known(f.type); });
  }
  return true;
}

std::vector<TypeId> TypeTable::unproved_parts(TypeId type) const {
  std::vector<TypeId> found;
  std::vector<bool> seen = inhabited_;
  std::vector<std::pair<TypeId, bool>> open{{type, false}};  // and whether its parts came before it
  while (!open.empty()) {
    const auto [id, last] = open.back();
    open.pop_back();
    if (last) found.push_back(id);
    if (last || seen[id.value]) continue;
    seen[id.value] = true;
    open.emplace_back(id, true);
    for (const TypeId arg : get(id).args) open.emplace_back(arg, false);
    for (const plan::Field& f : get(id).fields) {
      if (!f.optional) open.emplace_back(f.type, false);
    }
  }
  return found;
}

bool TypeTable::is_inhabited(TypeId type) {
  inhabited_.resize(types_.size(), false);
  if (inhabited_[type.value]) return true;
  // Least fixed point: a type has a value when one can be built from types already known to have one. What is proved
  // stays so, as no definition changes; what only holds because nothing is known yet of a part is not kept.
  const std::vector<TypeId> parts = unproved_parts(type);
  const auto prove = [&](std::vector<bool>& known) {
    for (bool changed = true; changed;) {
      changed = false;
      for (const TypeId id : parts) {
        if (!known[id.value] && is_defined(id) && has_value(get(id), known)) known[id.value] = changed = true;
      }
    }
    return bool(known[type.value]);
  };
  if (prove(inhabited_)) return true;
  std::vector<bool> assumed = inhabited_;
  for (const TypeId id : parts) {
    if (!is_defined(id)) assumed[id.value] = true;
  }
  return prove(assumed);
}

bool TypeTable::all_alternatives(TypeId type, TypeKind kind, Literal::Kind literal) const {
  const auto alts = alternatives(type);
  return std::all_of(alts.begin(), alts.end(), [&](TypeId id) {
    const Type& t = get(id);
    return (t.kind == kind && !is_error(id) && id != none()) ||
           (t.kind == TypeKind::kLiteral && t.literal.kind == literal) ||
           (kind == TypeKind::kString && (t.kind == TypeKind::kRegex || t.kind == TypeKind::kGrammar));
  });
}

bool TypeTable::is_string(TypeId type) const {
  return all_alternatives(type, TypeKind::kString, Literal::Kind::kString);
}
bool TypeTable::is_integer(TypeId type) const {
  return all_alternatives(type, TypeKind::kInt, Literal::Kind::kInt);
}
bool TypeTable::is_boolean(TypeId type) const {
  return all_alternatives(type, TypeKind::kBool, Literal::Kind::kBool);
}

}  // namespace sgl::compiler
