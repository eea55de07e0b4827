// Builds the JSON objects of a plan. Internal to runtime/plan.
#pragma once

#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/plan/json_form.h"

namespace sgl::plan {

// An enumerator of an unverified plan may be out of range; it is written as a name that nothing reads.
template <typename E>
std::string name_in(std::span<const std::string_view> names, E value) {
  const auto number = static_cast<std::size_t>(value);
  return number < names.size() ? std::string(names[number]) : "unknown";
}

inline Json real_form(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

inline Json index_form(std::uint32_t value) {
  return value == kNone ? Json(-1) : Json(value);
}

// Builds an object without the fields that have their default.
class FormWriter {
 public:
  void text(const char* name, const std::string& value) {
    if (!value.empty()) form_[name] = value;
  }
  void flag(const char* name, bool value) {
    if (value) form_[name] = true;
  }
  void integer(const char* name, std::int64_t value, std::int64_t standard = 0) {
    if (value != standard) form_[name] = value;
  }
  void integer(const char* name, const std::optional<std::int64_t>& value) {
    if (value) form_[name] = *value;
  }
  void real(const char* name, const std::optional<double>& value) {
    if (value) form_[name] = real_form(*value);
  }
  template <typename Tag>
  void id(const char* name, base::Id<Tag> value) {
    form_[name] = index_form(value.value);
  }
  template <typename Items, typename Form>
  void list(const char* name, const Items& items, Form form) {
    if (items.empty()) return;
    Json list = Json::array();
    for (const auto& item : items) list.push_back(form(item));
    form_[name] = std::move(list);
  }
  void set(const char* name, Json value) { form_[name] = std::move(value); }
  Json take() { return std::move(form_); }

 private:
  Json form_ = Json::object();
};

}  // namespace sgl::plan
