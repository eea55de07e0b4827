// Typed access to the fields of a JSON object, with errors that name the field. Private to runtime/tokenizer.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/expected.h"

namespace sgl::tokenizer {

using Json = nlohmann::json;

// An object and the path that leads to it ("normalizer.normalizers[0]").
struct Fields {
  const Json& object;
  std::string path;

  std::string name(std::string_view key) const {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  }
  // The field, or null when it is absent or JSON null.
  const Json* find(std::string_view key) const {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
  }
  base::Error wrong(std::string_view key, std::string_view expected) const {
    return base::invalid(fmt::format("{}: expected {}", name(key), expected));
  }

  base::Expected<std::string> text(std::string_view key) const {
    const Json* field = find(key);
    if (field == nullptr || !field->is_string()) return wrong(key, "a string");
    return field->get_ref<const std::string&>();
  }
  base::Expected<std::string> text_or(std::string_view key, std::string_view otherwise) const {
    return find(key) == nullptr ? base::Expected<std::string>(std::string(otherwise)) : text(key);
  }
  base::Expected<bool> flag_or(std::string_view key, bool otherwise) const {
    const Json* field = find(key);
    if (field == nullptr) return otherwise;
    if (!field->is_boolean()) return wrong(key, "true or false");
    return field->get<bool>();
  }
  // A whole number in [0, max].
  base::Expected<std::int64_t> count(std::string_view key, std::int64_t max) const {
    const Json* field = find(key);
    if (field == nullptr || !field->is_number_integer()) return wrong(key, "a whole number");
    const bool fits = field->is_number_unsigned() ? field->get<std::uint64_t>() <= static_cast<std::uint64_t>(max)
                                                  : field->get<std::int64_t>() >= 0;
    if (!fits) return base::invalid(fmt::format("{}: must lie between 0 and {}", name(key), max));
    return field->get<std::int64_t>();
  }
  base::Expected<const Json*> array(std::string_view key) const {
    const Json* field = find(key);
    if (field == nullptr || !field->is_array()) return wrong(key, "an array");
    return field;
  }
};

}  // namespace sgl::tokenizer
