#include "compiler/check/types.h"

#include <fmt/format.h>

#include <algorithm>

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

TypeId TypeTable::make_union(std::vector<TypeId> given) {
  std::vector<TypeId> flat;
  for (const TypeId id : given) {
    for (const TypeId alternative : alternatives(id)) {
      // Of a declared type that is not defined yet nothing is known.
      const bool known = std::any_of(flat.begin(), flat.end(), [&](TypeId f) {
        return f == alternative || (is_defined(f) && is_defined(alternative) && same(f, alternative));
      });
      if (!known) flat.push_back(alternative);
    }
  }
  if (flat.size() == 1) return flat[0];
  Type type;
  type.kind = TypeKind::kUnion;
  type.args = std::move(flat);
  return intern(std::move(type));
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
  if (types_[id.value].kind != TypeKind::kUnion) return;
  // Unions that were made before it was known to be one are flat from now on.
  for (Type& other : types_) {
    if (other.kind != TypeKind::kUnion) continue;
    const auto it = std::find(other.args.begin(), other.args.end(), id);
    if (it == other.args.end()) continue;
    std::vector<TypeId> args;
    for (const TypeId arg : other.args) {
      for (const TypeId alternative : arg == id ? types_[id.value].args : std::vector{arg}) {
        if (std::find(args.begin(), args.end(), alternative) == args.end()) args.push_back(alternative);
      }
    }
    other.args = std::move(args);
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

bool TypeTable::contains_null(TypeId type) const {
  for (const TypeId id : alternatives(type)) {
    if (id == null()) return true;
  }
  return false;
}

bool TypeTable::is_inhabited(TypeId type) const {
  // Least fixed point: a type has a value when one can be built from types already known to have one.
  std::vector<bool> inhabited(types_.size(), false);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < types_.size(); ++i) {
      if (inhabited[i]) continue;
      const Type& t = types_[i];
      const auto known = [&](TypeId id) { return inhabited[id.value]; };
      bool now = true;
      if (t.kind == TypeKind::kList) now = t.min_size == 0 || known(t.args[0]);
      if (t.kind == TypeKind::kUnion) now = std::any_of(t.args.begin(), t.args.end(), known);
      if (t.kind == TypeKind::kRecord) {
        now = std::all_of(t.fields.begin(), t.fields.end(),
                          [&](const plan::Field& f) { return f.optional || known(f.type); });
      }
      if (now) inhabited[i] = changed = true;
    }
  }
  return inhabited[type.value];
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
