#include "server/api/fields.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/base/names.h"

namespace sgl::server {

const Json* Fields::find(const char* name) {
  seen_.insert(name);
  const auto it = object_.find(name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void Fields::fail(const std::string& name, std::string message) {
  if (!error_) error_ = ApiError{400, std::move(message), pointer(name)};
}

void Fields::fail(const std::string& name, const base::Error& error) {
  if (error_ || error.kind != base::ErrorKind::kUnavailable) return fail(name, error.message);
  error_ = from_error(error);
  error_->pointer = pointer(name);
}

std::optional<std::string> Fields::text(const char* name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  fail(name, fmt::format("'{}' must be a string", name));
  return std::nullopt;
}

std::optional<double> Fields::number(const char* name, double low, double high) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    fail(name, fmt::format("'{}' must be a number", name));
    return std::nullopt;
  }
  const double number = value->get<double>();
  if (!(number >= low && number <= high)) {
    fail(name, std::isinf(high) ? fmt::format("'{}' must be at least {}", name, low)
                                : fmt::format("'{}' must be from {} to {}", name, low, high));
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> Fields::integer(const char* name, std::int64_t low, std::int64_t high) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<std::int64_t> out;
  if (value->is_number_unsigned()) {
    if (value->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      out = value->get<std::int64_t>();
    }
  } else if (value->is_number_integer()) {
    out = value->get<std::int64_t>();
  } else if (value->is_number_float()) {  // 16.0, as JavaScript and Python may spell it
    const double number = value->get<double>();
    if (std::abs(number) < 9e15 && std::floor(number) == number) out = static_cast<std::int64_t>(number);
  }
  if (!out) {
    fail(name, fmt::format("'{}' must be a whole number", name));
  } else if (*out < low || *out > high) {
    fail(name, high == std::numeric_limits<std::int64_t>::max()
                   ? fmt::format("'{}' must be at least {}", name, low)
                   : fmt::format("'{}' must be from {} to {}", name, low, high));
    out.reset();
  }
  return out;
}

std::optional<bool> Fields::flag(const char* name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  fail(name, fmt::format("'{}' must be true or false", name));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::texts(const char* name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::vector<std::string>{value->get<std::string>()};
  std::vector<std::string> out;
  if (value->is_array()) {
    for (const Json& item : *value) {
      if (item.is_string()) out.push_back(item.get<std::string>());
    }
    if (out.size() == value->size()) return out;
  }
  fail(name, fmt::format("'{}' must be a string or a list of strings", name));
  return std::nullopt;
}

const Json* Fields::any(const char* name) {
  return find(name);
}

const Json* Fields::object(const char* name) {
  const Json* value = find(name);
  if (value == nullptr || value->is_object()) return value;
  fail(name, fmt::format("'{}' must be an object", name));
  return nullptr;
}

const Json* Fields::array(const char* name) {
  const Json* value = find(name);
  if (value == nullptr || value->is_array()) return value;
  fail(name, fmt::format("'{}' must be a list", name));
  return nullptr;
}

void Fields::refuse(const char* name, const Json& harmless, std::string_view why) {
  const Json* value = find(name);
  if (value != nullptr && *value != harmless) fail(name, fmt::format("'{}' is not supported: {}", name, why));
}

void Fields::finish() {
  if (error_) return;
  for (const auto& [key, value] : object_.items()) {
    if (seen_.contains(key)) continue;
    const auto near = base::nearest_name(key, {seen_.begin(), seen_.end()});
    fail(key, fmt::format("unknown field '{}'{}", key, near ? fmt::format("; did you mean '{}'?", *near) : ""));
    return;
  }
}

}  // namespace sgl::server
