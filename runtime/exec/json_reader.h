// Reads JSON as values of a type. Internal to runtime/exec: convert.h is the interface.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/expected.h"
#include "runtime/exec/value.h"
#include "runtime/plan/plan.h"

namespace sgl::exec {

// The literal as JSON writes it, and as a value.
std::string literal_json(const plan::Literal& literal);
Value literal_value(const plan::Literal& literal);

// 1 and 1.0 are different literals.
bool literal_fits(const plan::Literal& literal, const nlohmann::ordered_json& json);
// Within the sizes of the type, of a list or a string?
bool size_fits(const plan::Type& type, std::size_t size);
// An integer that 64 bits with a sign do not hold.
bool beyond_int(const nlohmann::ordered_json& json);
// "a string", "an object", …
const char* json_kind(const nlohmann::ordered_json& json);
// Precondition: no deep list or object, for the library's writer recurses.
std::string dumped(const nlohmann::ordered_json& json);

// Within the type's range? Preconditions: an int, a float.
bool int_fits(const plan::Type& type, std::int64_t number);
bool float_fits(const plan::Type& type, double number);

// One reader reads one value. Work is linear in the size of the value: which alternative of a union it is of is mostly
// seen without reading it, by kinds, names of fields and literal fields; where it is not, alternatives are tried in
// their order, and there is a limit for what is read again and again.
class JsonReader {
 public:
  using Json = nlohmann::ordered_json;

  // Lists and objects inside each other. Deeper data than this comes from no person, and the reader recurses; a model
  // may write it, in a type that contains itself. A stack of 8 MB holds twice as much with the frames of
  // AddressSanitizer, which are several times as large.
  static constexpr int kMaxDepth = 1000;
  // How often each part of a value may be read on average: more than there are alternatives that look alike in types
  // that people write. And what is allowed to any value, however small: some 10 ms.
  static constexpr std::size_t kMaxVisits = 16;
  static constexpr std::size_t kFreeVisits = 100'000;

  // Where a value is: a list of steps from it to the root, on the stack.
  struct Path {
    const Path* up = nullptr;
    std::string_view name;  // of the root or a field; empty: an item
    std::size_t index = 0;  // of an item

    std::string text() const;
  };

  // `json` outlives the reader.
  JsonReader(const plan::Plan& plan, const Json& json) : plan_(plan), json_(json) {}

  // Errors: `invalid` with the path of what does not fit; `limit`.
  base::Expected<Value> read(plan::TypeId type, const std::string& name);
  // Whatever the type of the value: objects become maps.
  base::Expected<Value> read_any(const std::string& name);

 private:
  using Result = base::Expected<Value>;

  // `depth`: lists and objects around the value.
  Result read(plan::TypeId id, const Json& json, const Path& path, int depth);
  Result read_any(const Json& json, const Path& path, int depth);
  Result read_scalar(plan::TypeId id, const plan::Type& type, const Json& json, const Path& path);
  Result read_string(plan::TypeId id, const plan::Type& type, const Json& json, const Path& path);
  Result read_list(const plan::Type& type, const Json& json, const Path& path, int depth);
  Result read_record(plan::TypeId id, const plan::Type& type, const Json& json, const Path& path, int depth);
  Result read_json(const plan::Type& type, const Json& json, const Path& path, int depth);
  Result read_union(const plan::Type& type, const Json& json, const Path& path, int depth);

  // The one alternative that the value can be of, or whose complaint says most; nullopt: there are several or none.
  std::optional<plan::TypeId> only_alternative(const plan::Type& type, const Json& json) const;
  // False: the value is not of the type. Looks `levels` deep, and at literals only below the value itself.
  bool may_fit(plan::TypeId id, const Json& json, int levels) const;
  bool fields_may_fit(const plan::Type& type, const Json& json, int levels) const;
  // Counts one visit; false when there were too many.
  bool visit();
  [[gnu::noinline]] static base::Error too_ambiguous(const Path& path);

  const plan::Plan& plan_;
  const Json& json_;
  std::size_t visits_ = 0;
  std::size_t max_visits_ = kFreeVisits;
  bool counted_ = false;  // max_visits_ is known for this value
};

}  // namespace sgl::exec
