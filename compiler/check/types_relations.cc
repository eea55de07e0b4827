// How types relate to each other: whose values are whose.
#include <algorithm>

#include "compiler/check/types.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler {

using plan::Literal;

bool TypeTable::same(TypeId a, TypeId b) const {
  return a == b || (is_subtype(a, b) && is_subtype(b, a));
}

bool TypeTable::is_subtype(TypeId a, TypeId b) const {
  Proof proof;
  return subtype_of(a, b, proof);
}

// Literals and records that a large union has as they are, without looking at all of it.
bool TypeTable::has_alternative(TypeId large, TypeId alternative) const {
  constexpr std::size_t kFew = 16;
  const std::vector<TypeId>& args = get(large).args;
  if (get(large).kind != TypeKind::kUnion || args.size() <= kFew) return false;
  auto& ids = alternative_ids_[large.value];
  if (ids.size() != args.size()) {  // new, or parts of it were defined
    ids.clear();
    for (const TypeId id : args) ids.insert(id.value);
  }
  return ids.count(alternative.value) > 0;
}

bool TypeTable::subtype_of(TypeId a, TypeId b, Proof& proof) const {
  if (a == b || is_error(a) || is_error(b)) return true;
  if (a == none() || b == none()) return false;
  // Recursive types: what is being proved may be assumed (coinduction). What fails even so is disproved for good;
  // without that, types of n levels would take exponential time.
  const Pair pair = pair_of(a, b);
  const auto [known, is_new] = proof.holds.try_emplace(pair, true);
  if (!is_new) return known->second;
  const std::size_t before = proof.assumed.size();
  proof.assumed.push_back(pair);
  const std::vector<TypeId> from = alternatives(a), to = alternatives(b);
  const bool proved = std::all_of(from.begin(), from.end(), [&](TypeId x) {
    if (get(x).kind == TypeKind::kBool && to.size() > 1) {
      // bool is true | false.
      const auto has = [&](bool v) {
        return std::any_of(to.begin(), to.end(), [&](TypeId y) {
          return get(y).kind == TypeKind::kLiteral && get(y).literal == Literal{Literal::Kind::kBool, "", v ? 1 : 0};
        });
      };
      if (has(true) && has(false)) return true;
    }
    if (has_alternative(b, x)) return true;
    compared_ += to.size();
    return is_worn_out() || std::any_of(to.begin(), to.end(), [&](TypeId y) {
             return x == y || (get(x).kind == TypeKind::kUnion || get(y).kind == TypeKind::kUnion
                                   ? subtype_of(x, y, proof)
                                   : single_subtype(get(x), get(y), proof));
           });
  });
  if (proved) return true;
  // What was proved meanwhile may rest on it, so that is not known.
  for (std::size_t i = before; i < proof.assumed.size(); ++i) proof.holds.erase(proof.assumed[i]);
  proof.assumed.resize(before);
  proof.holds[pair] = false;
  return false;
}

namespace {

bool sizes_within(const Type& a, const Type& b) {
  return a.min_size >= b.min_size && (b.max_size < 0 || (a.max_size >= 0 && a.max_size <= b.max_size));
}

template <typename T>
bool range_within(const std::optional<T>& amin, const std::optional<T>& amax, const std::optional<T>& bmin,
                  const std::optional<T>& bmax) {
  return (!bmin || (amin && *amin >= *bmin)) && (!bmax || (amax && *amax <= *bmax));
}

bool literal_subtype(const Literal& literal, const Type& b) {
  switch (b.kind) {
    case TypeKind::kLiteral:
      return literal == b.literal;
    case TypeKind::kBool:
      return literal.kind == Literal::Kind::kBool;
    case TypeKind::kInt:
      return literal.kind == Literal::Kind::kInt && (!b.min_int || literal.number >= *b.min_int) &&
             (!b.max_int || literal.number <= *b.max_int);
    case TypeKind::kString: {
      if (literal.kind != Literal::Kind::kString || !b.pattern.empty() || !b.format.empty()) return false;
      const auto size = static_cast<std::int64_t>(base::count_code_points(literal.text));
      return size >= b.min_size && (b.max_size < 0 || size <= b.max_size);
    }
    default:
      return false;
  }
}

bool literals_differ(const Type& a, const Type& b) {
  return a.kind == TypeKind::kLiteral && b.kind == TypeKind::kLiteral && !(a.literal == b.literal);
}

}  // namespace

bool TypeTable::single_subtype(const Type& a, const Type& b, Proof& proof) const {
  if (b.kind == TypeKind::kJson) return is_json(a, b, proof);
  if (a.kind == TypeKind::kLiteral) return literal_subtype(a.literal, b);
  if ((a.kind == TypeKind::kRegex || a.kind == TypeKind::kGrammar) && b.kind == TypeKind::kString) {
    return b.min_size == 0 && b.max_size < 0 && b.pattern.empty() && b.format.empty();
  }
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case TypeKind::kInt:
      return range_within(a.min_int, a.max_int, b.min_int, b.max_int);
    case TypeKind::kFloat:
      return range_within(a.min_float, a.max_float, b.min_float, b.max_float);
    case TypeKind::kString:
      return sizes_within(a, b) && (b.pattern.empty() || a.pattern == b.pattern) &&
             (b.format.empty() || a.format == b.format);
    case TypeKind::kRegex:
    case TypeKind::kGrammar:
      return a.pattern == b.pattern;
    case TypeKind::kList:
      return sizes_within(a, b) && subtype_of(a.args[0], b.args[0], proof);
    case TypeKind::kRecord:
      if (a.fields.size() != b.fields.size()) return false;
      // All names and literals first: most records differ there, and it takes no recursion to see.
      for (std::size_t i = 0; i < a.fields.size(); ++i) {
        const plan::Field &x = a.fields[i], &y = b.fields[i];
        if (x.name != y.name || (x.optional && !y.optional) || literals_differ(get(x.type), get(y.type))) return false;
      }
      for (std::size_t i = 0; i < a.fields.size(); ++i) {
        if (!subtype_of(a.fields[i].type, b.fields[i].type, proof)) return false;
      }
      return true;
    default:
      return true;  // null, bool
  }
}

// Any value but a record is JSON as it is: a record is stored without the names of its fields.
bool TypeTable::is_json(const Type& a, const Type& b, Proof& proof) const {
  if (a.kind == TypeKind::kJson) return b.pattern.empty() || a.pattern == b.pattern;
  if (!b.pattern.empty() || a.kind == TypeKind::kRecord) return false;
  return a.kind != TypeKind::kList || subtype_of(a.args[0], json(), proof);
}

bool TypeTable::fits(TypeId a, TypeId b) const {
  if (is_subtype(a, b)) return true;
  const Type &from = get(a), &to = get(b);
  if (from.kind != TypeKind::kRecord || to.kind != TypeKind::kRecord) return false;
  std::size_t used = 0;
  for (const plan::Field& field : to.fields) {
    const auto place = field_index(a, field.name);
    if (!place) {
      if (!field.optional) return false;
      continue;
    }
    const plan::Field& given = from.fields[*place];
    if ((given.optional && !field.optional) || !is_subtype(given.type, field.type)) return false;
    ++used;
  }
  return used == from.fields.size();
}

bool TypeTable::overlap(TypeId a, TypeId b) const {
  std::unordered_map<Pair, bool> known;
  return overlap(a, b, known);
}

bool TypeTable::overlap(TypeId a, TypeId b, std::unordered_map<Pair, bool>& known) const {
  if (is_error(a) || is_error(b)) return true;
  compared_ += alternatives(a).size() * alternatives(b).size();
  if (is_worn_out()) return true;
  // Recursive types: what is being found out may be so.
  const auto [entry, is_new] = known.try_emplace(pair_of(a, b), true);
  if (!is_new) return entry->second;
  for (const TypeId x : alternatives(a)) {
    for (const TypeId y : alternatives(b)) {
      if (single_overlap(x, y, known)) return true;
    }
  }
  known[pair_of(a, b)] = false;
  return false;
}

bool TypeTable::single_overlap(TypeId x, TypeId y, std::unordered_map<Pair, bool>& known) const {
  const Type &s = get(x), &t = get(y);
  if (s.kind == TypeKind::kJson || t.kind == TypeKind::kJson) {
    return (s.kind == TypeKind::kJson ? t.kind : s.kind) != TypeKind::kRecord;
  }
  if (s.kind == TypeKind::kLiteral && t.kind == TypeKind::kLiteral) return s.literal == t.literal;
  if (s.kind == TypeKind::kLiteral || t.kind == TypeKind::kLiteral) {
    const Type& other = s.kind == TypeKind::kLiteral ? t : s;
    const Literal& literal = s.kind == TypeKind::kLiteral ? s.literal : t.literal;
    const bool text =
        other.kind == TypeKind::kString || other.kind == TypeKind::kRegex || other.kind == TypeKind::kGrammar;
    return literal.kind == Literal::Kind::kString ? text : literal_subtype(literal, other);
  }
  if (is_string(x) && is_string(y)) return true;
  if (s.kind != t.kind) return false;
  if (s.kind == TypeKind::kList) return overlap(s.args[0], t.args[0], known);
  return s.kind != TypeKind::kRecord || (fields_overlap(x, y, known) && fields_overlap(y, x, known));
}

// Fields are compared by name; one that the other record lacks has to be null there.
bool TypeTable::fields_overlap(TypeId a, TypeId b, std::unordered_map<Pair, bool>& known) const {
  const std::vector<plan::Field>& fields = get(a).fields;
  return std::all_of(fields.begin(), fields.end(), [&](const plan::Field& x) {
    const bool nullable = x.optional || contains_null(x.type);
    const auto place = field_index(b, x.name);
    if (!place) return nullable || is_error(x.type);
    const plan::Field& y = get(b).fields[*place];
    return (nullable && (y.optional || contains_null(y.type))) || overlap(x.type, y.type, known);
  });
}

}  // namespace sgl::compiler
