// Reads the members of a JSON object with their types and ranges; the first thing wrong is remembered with its JSON
// pointer, and members that nobody asked for are named.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/error.h"

namespace sgl::server {

class Fields {
 public:
  // The object and its source must outlive it. `where`: JSON pointer of the object. `source`: the JSON text that it was
  // read from, where source() is asked for.
  explicit Fields(const Json& object, std::string where = "", std::string_view source = {})
      : object_(object), where_(std::move(where)), source_(source) {}

  // Each returns nullopt when the member is absent or null, or wrong (then error() is set).
  std::optional<std::string> text(const char* name);
  std::optional<double> number(const char* name, double low = -std::numeric_limits<double>::infinity(),
                               double high = std::numeric_limits<double>::infinity());
  std::optional<std::int64_t> integer(const char* name, std::int64_t low = std::numeric_limits<std::int64_t>::min(),
                                      std::int64_t high = std::numeric_limits<std::int64_t>::max());
  std::optional<bool> flag(const char* name);
  // A string or a list of strings, as a list.
  std::optional<std::vector<std::string>> texts(const char* name);
  // Of any type; nullptr when absent or null.
  const Json* any(const char* name);
  const Json* object(const char* name);
  const Json* array(const char* name);
  // The member must not be there with another value than null, `harmless` or what equals it.
  void refuse(const char* name, const Json& harmless, std::string_view why);
  // Accepts the member and does nothing with it.
  void skip(const char* name) { seen_.insert(name); }

  void fail(const std::string& name, std::string message);
  // What the member says could not be used: a mistake of the client, but for `unavailable`.
  void fail(const std::string& name, const base::Error& error);
  // Replaces the pointer of the error that is set: the mistake is deeper inside.
  void point(std::string pointer) {
    if (error_) error_->pointer = std::move(pointer);
  }
  // The value that these keys lead to as the client wrote it: numbers that no Json holds are in it. "": there is none.
  std::string_view source(std::initializer_list<std::string_view> keys) const {
    return base::json_slice(source_, keys);
  }
  // After all reads: names the members that nobody asked for.
  void finish();
  const std::optional<ApiError>& error() const { return error_; }
  bool ok() const { return !error_; }
  std::string pointer(const std::string& name) const { return where_ + "/" + name; }

 private:
  const Json* find(const char* name);
  const Json& object_;
  std::string where_;
  std::set<std::string> seen_;
  std::optional<ApiError> error_;
  std::string_view source_;
};

}  // namespace sgl::server
