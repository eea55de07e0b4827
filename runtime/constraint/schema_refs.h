// Where the references of a JSON Schema lead: $id, $anchor, JSON pointers. Private to runtime/constraint.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/constraint/json_schema.h"

namespace sgl::constraint {

using Json = nlohmann::ordered_json;

// Why a text was not read, and the JSON pointer to where that is ("" where it is no JSON).
struct JsonFault {
  bool too_large = false;  // a number beyond what a double holds, where the library's lexer gives up
  std::string pointer, why;
};

// Nullopt: `fault` says why. O(text). Precondition: its nesting is bounded. With kExact a number that neither 64 bits
// nor a double holds is there as its text, in a value of the library's kind `binary`, which no JSON text has otherwise:
// ask is_number, number_text and json_text instead of the library's functions where a number may stand.
std::optional<Json> read_json(std::string_view text, JsonFault& fault, SchemaNumbers numbers = SchemaNumbers::kExact);
bool is_number(const Json& value);
// JSON of exactly this number. Precondition: is_number.
std::string number_text(const Json& value);
// Compact JSON of the value, its numbers exact.
std::string json_text(const Json& value);

// A place in the document: the value, its JSON pointer, and the URI that relative references in it go out from.
struct SchemaPlace {
  const Json* value = nullptr;
  std::string pointer, base;
};

class SchemaRefs {
 public:
  // Finds the identifiers in the document, which must stay alive. `old_ids`: `id` counts as `$id` (draft 4).
  SchemaRefs(const Json& root, bool old_ids);
  // What `ref`, found below `base`, means; value is null when nothing in the document does.
  SchemaPlace find(std::string_view ref, std::string_view base) const;
  // The base of a place whose surroundings have `base`.
  std::string base_of(const Json& value, const std::string& base) const;
  const std::string& root_base() const { return root_base_; }

 private:
  // `pointer` to the value comes back as it was.
  void collect(const Json& value, std::string& pointer, const std::string& base);
  const std::string* id_of(const Json& value) const;
  // The member of an object, null for none. O(1): large objects are indexed when they are first looked into.
  const Json* member(const Json& object, std::string_view key) const;
  SchemaPlace at_pointer(const SchemaPlace& from, std::string_view pointer) const;

  bool old_ids_;
  std::string root_base_;
  std::unordered_map<std::string, SchemaPlace> places_;  // by URI, without fragment or with the name of an anchor
  mutable std::unordered_map<const Json*, std::unordered_map<std::string_view, const Json*>> members_;
};

// `~0`, `~1` as in a JSON pointer.
std::string escape_pointer(std::string_view key);

}  // namespace sgl::constraint
