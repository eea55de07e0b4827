// The types of a compilation: made once, compared by structure, shown as users write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

using plan::Type;
using plan::TypeId;
using plan::TypeKind;

class TypeTable {
 public:
  TypeTable();

  const Type& get(TypeId id) const { return types_[id.value]; }
  const std::vector<Type>& all() const { return types_; }

  TypeId null() const { return TypeId(0); }
  TypeId boolean() const { return TypeId(1); }
  TypeId integer() const { return TypeId(2); }
  TypeId real() const { return TypeId(3); }
  TypeId string() const { return TypeId(4); }
  // The type of what could not be typed: fits everywhere, so that one mistake is one diagnostic.
  TypeId error() const { return TypeId(5); }
  // The value of a prompt without a result.
  TypeId none() const { return TypeId(6); }
  TypeId json() const { return TypeId(7); }

  // Equal anonymous types get equal ids.
  TypeId intern(Type type);
  TypeId literal(plan::Literal value);
  TypeId list(TypeId item);
  TypeId record(std::vector<plan::Field> fields);
  // Flattened, without duplicates; a single alternative is itself. Linear in literals, quadratic in what is none.
  TypeId make_union(const std::vector<TypeId>& alternatives);
  // Of all unions made so far.
  std::size_t alternatives_in_all() const { return alternatives_; }
  TypeId optional(TypeId inner) { return make_union({inner, null()}); }
  // Without null among its alternatives; null itself stays.
  TypeId without_null(TypeId type);
  // The alternatives of a union, or the type itself.
  std::vector<TypeId> alternatives(TypeId type) const;

  // The place of a record's field of this name; nullopt: it has none, or the type is no record. O(1) on average.
  std::optional<std::size_t> field_index(TypeId record, const std::string& name) const;

  // A declared type before its definition is known, so that it can refer to itself.
  TypeId reserve(std::string name, std::string doc);
  void define(TypeId id, const Type& definition);  // keeps name and doc
  bool is_defined(TypeId id) const { return defined_[id.value]; }

  // The relations below compare alternatives with alternatives. After so many comparisons in all, some seconds, they
  // hold without being looked at, and is_worn_out() tells to refuse the program.
  static constexpr std::size_t kMaxComparisons = 50'000'000;
  bool is_worn_out() const { return compared_ > kMaxComparisons; }

  // The same values in the same representation, whatever the names.
  bool same(TypeId a, TypeId b) const;
  // Every value of `a` is a value of `b`, represented alike but for boxing: no conversion beyond box and unbox.
  bool is_subtype(TypeId a, TypeId b) const;
  // `a` fits where `b` is wanted: a subtype, or a record that needs only its layout changed (absent optional fields).
  bool fits(TypeId a, TypeId b) const;
  // Could values of the types be equal? For comparisons, in which records are compared by the names of their fields.
  bool overlap(TypeId a, TypeId b) const;
  // The smallest of the types given that all fit, with null made an option; nullopt when there is none.
  std::optional<TypeId> join(TypeId a, TypeId b);
  bool contains_null(TypeId type) const;
  // A finite value exists (a record that contains itself without a way out has none). Of a declared type that is not
  // defined yet it is assumed. Linear in the parts not yet found to have one.
  bool is_inhabited(TypeId type);

  bool is_string(TypeId type) const;   // string, string literal, regex, or a union of such
  bool is_integer(TypeId type) const;  // int or a union of int literals
  bool is_real(TypeId type) const { return get(type).kind == TypeKind::kFloat; }
  bool is_number(TypeId type) const { return is_integer(type) || is_real(type); }
  bool is_boolean(TypeId type) const;
  bool is_error(TypeId type) const { return type == error(); }

  // As a user writes it: "list<string>(1..3)", a declared type by its name.
  std::string spell(TypeId type) const;
  // The definition, also of a declared type.
  std::string spell_definition(const Type& type) const;

 private:
  using Pair = std::uint64_t;  // of type ids
  struct Proof {
    std::unordered_map<Pair, bool> holds;  // what is assumed or proved, and what is disproved
    std::vector<Pair> assumed;             // the former, oldest first
  };
  static Pair pair_of(TypeId a, TypeId b) { return (Pair{a.value} << 32) | b.value; }
  bool subtype_of(TypeId a, TypeId b, Proof& proof) const;
  bool has_alternative(TypeId large, TypeId alternative) const;
  bool single_subtype(const Type& a, const Type& b, Proof& proof) const;
  bool is_json(const Type& a, const Type& b, Proof& proof) const;
  bool overlap(TypeId a, TypeId b, std::unordered_map<Pair, bool>& known) const;
  bool single_overlap(TypeId a, TypeId b, std::unordered_map<Pair, bool>& known) const;
  bool fields_overlap(TypeId a, TypeId b, std::unordered_map<Pair, bool>& known) const;
  bool all_alternatives(TypeId type, TypeKind kind, plan::Literal::Kind literal) const;
  static std::string key(const Type& type);
  // Counts the alternatives of a new union, and remembers it for those that are not defined yet.
  void wait_for_parts(TypeId id);
  // A value can be built from values of the types that are known to have some.
  static bool has_value(const Type& type, const std::vector<bool>& known);
  // What a value of the type may need, itself included, as far as not proved to have values: parts before wholes.
  std::vector<TypeId> unproved_parts(TypeId type) const;

  std::vector<Type> types_;
  std::vector<bool> defined_;
  std::vector<bool> inhabited_;  // proved, by types that are defined
  std::unordered_map<std::string, TypeId> interned_;
  mutable std::unordered_map<std::uint32_t, std::unordered_map<std::string, std::size_t>> places_;  // of large records
  std::unordered_map<std::uint32_t, std::vector<TypeId>> waiting_;  // by a type to be defined: unions that have it
  std::size_t alternatives_ = 0;
  mutable std::size_t compared_ = 0;
  mutable std::unordered_map<std::uint32_t, std::unordered_set<std::uint32_t>> alternative_ids_;  // of large unions
};

// The join of many types, one after another: that of literals is made when it is asked for.
class Joined {
 public:
  explicit Joined(TypeTable& types) : types_(types) {}
  // False, and no change, when there is no type that both fit.
  bool add(TypeId type);
  std::optional<TypeId> type();  // nullopt before the first

 private:
  TypeTable& types_;
  std::vector<TypeId> pending_;  // literals and null, nothing else came yet
  std::optional<TypeId> type_;
};

// The literal as written in a type.
std::string spell_literal(const plan::Literal& literal);

}  // namespace sgl::compiler
