// A JSON Schema as it is written: its subschemas with their keywords, references resolved. Private to
// runtime/constraint.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/json_schema.h"
#include "runtime/constraint/number_dfa.h"

namespace sgl::constraint {

using NodeIndex = std::uint32_t;
constexpr NodeIndex kTrueNode = 0, kFalseNode = 1;

// The kinds of JSON values that a keyword can tell apart without looking further.
using Types = std::uint8_t;
namespace types {
constexpr Types kNull = 1, kTrue = 2, kFalse = 4, kInteger = 8, kFraction = 16, kString = 32, kArray = 64,
                kObject = 128;
constexpr Types kBoolean = kTrue | kFalse, kNumber = kInteger | kFraction, kAll = 255;
}  // namespace types

// `enum` and `const`.
struct ValueSet {
  Types words = 0;  // null, true, false
  std::vector<std::string> strings;
  std::shared_ptr<const CharDfa> text;  // of `strings`; null without any
  std::vector<Decimal> numbers;
  std::vector<NodeIndex> composites;  // arrays and objects, as schemas of exactly these values
};

// Keywords of a subschema; what is absent does not restrict.
struct SchemaNode {
  std::string pointer;
  Types allowed = types::kAll;  // `type`
  std::vector<ValueSet> values;

  std::optional<Decimal> min, max, multiple_of;
  bool exclusive_min = false, exclusive_max = false;
  bool canonical = false;  // numbers have one spelling (NumberSpec::canonical)

  std::int64_t min_chars = 0, max_chars = -1;
  std::vector<std::shared_ptr<const CharDfa>> texts;  // `pattern`, `format`

  std::vector<NodeIndex> prefix;
  NodeIndex items = kTrueNode;  // after the prefix
  std::int64_t min_items = 0, max_items = -1;
  std::optional<NodeIndex> contains;
  std::int64_t min_contains = 1, max_contains = -1;
  bool unique = false;

  std::vector<std::pair<std::string, NodeIndex>> properties;
  struct PatternProperty {
    std::shared_ptr<const CharDfa> pattern;
    NodeIndex node = kTrueNode;
  };
  std::vector<PatternProperty> pattern_properties;
  NodeIndex additional = kTrueNode;
  std::optional<NodeIndex> property_names;
  std::vector<std::string> required;
  std::int64_t min_properties = 0, max_properties = -1;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  std::vector<std::pair<std::string, NodeIndex>> dependent_schemas;

  // What none of the schemas that apply here has looked at.
  std::optional<NodeIndex> unevaluated_properties, unevaluated_items;
  bool lists_items = false, lists_additional = false;  // `items`, `additionalProperties` are there
  // Something around it asks which schemas hold: branches are told apart completely.
  bool told_apart = false;

  std::optional<NodeIndex> ref, negated, condition, then_branch, else_branch;
  std::vector<NodeIndex> all_of;
  std::vector<std::vector<NodeIndex>> any_of, one_of;  // one entry each at most, but for those that are made

  bool restricts_arrays() const {
    return !prefix.empty() || items != kTrueNode || min_items > 0 || max_items >= 0 || contains || unique;
  }
  bool restricts_objects() const {
    return !properties.empty() || !pattern_properties.empty() || additional != kTrueNode || property_names ||
           !required.empty() || min_properties > 0 || max_properties >= 0 || !dependent_required.empty();
  }
};

struct SchemaProblem {
  SchemaStatus status = SchemaStatus::kInvalid;
  std::string pointer, message;
};

struct SchemaDoc {
  std::vector<SchemaNode> nodes;  // [0] allows everything, [1] nothing
  NodeIndex root = kTrueNode;
  std::vector<std::string> ignored;  // pointers
  std::optional<SchemaProblem> problem;
};

// Reads what is reachable from the root. O(size of it), patterns aside.
SchemaDoc parse_schema(std::string_view text, const SchemaOptions& options);

}  // namespace sgl::constraint
