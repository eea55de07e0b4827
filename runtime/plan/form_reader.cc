#include "runtime/plan/form_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/plan/verify_parts.h"

namespace sgl::plan {
namespace {

bool fits_int64(const Json& value) {
  if (!value.is_number_integer()) return false;
  return !value.is_number_unsigned() ||
         value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
}

bool read_index(const Json& value, std::uint32_t& out) {
  if (!fits_int64(value)) return false;
  const std::int64_t number = value.get<std::int64_t>();
  if (number < -1 || number > std::int64_t{kNone}) return false;
  out = static_cast<std::uint32_t>(number);
  return true;
}

}  // namespace

base::Error form_error(const Place& place, std::string_view what) {
  std::string text;
  for (const Place* at = &place; at != nullptr; at = at->outer) {
    const std::string index = at->index == kNoIndex ? "" : fmt::format(" {}", at->index);
    text = fmt::format("{}{}{}{}", at->name, index, text.empty() ? "" : ", ", text);
  }
  return base::invalid(fmt::format("{}: {}", text, what));
}

FormReader::FormReader(const Json& form, const Place& place) : place_(place) {
  if (form.is_object()) {
    object_ = &form;
  } else {
    fault("must be an object");
  }
}

void FormReader::fault(std::string_view what) {
  if (status_.ok()) status_ = form_error(place_, what);
}

void FormReader::must(const char* name, const char* what) {
  fault(fmt::format("'{}' must be {}", name, what));
}

void FormReader::required(const char* name) {
  if (!has(name)) fault(fmt::format("'{}' is missing", name));
}

const Json* FormReader::any(const char* name) {
  if (!status_.ok()) return nullptr;
  const auto found = object_->find(name);
  if (found == object_->end()) return nullptr;
  if (std::find(asked_.begin(), asked_.end(), std::string_view(name)) == asked_.end()) asked_.emplace_back(name);
  return &*found;
}

const Json* FormReader::array(const char* name) {
  const Json* value = any(name);
  if (value == nullptr || value->is_array()) return value;
  must(name, "a list");
  return nullptr;
}

void FormReader::text(const char* name, std::string& out) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (!value->is_string()) return must(name, "a string");
  out = value->get_ref<const std::string&>();
}

void FormReader::flag(const char* name, bool& out) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (!value->is_boolean()) return must(name, "true or false");
  out = value->get<bool>();
}

void FormReader::integer(const char* name, std::int64_t& out) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (!fits_int64(*value)) return must(name, "an integer of 64 bits");
  out = value->get<std::int64_t>();
}

void FormReader::integer(const char* name, std::optional<std::int64_t>& out) {
  if (!has(name)) return;
  std::int64_t number = 0;
  integer(name, number);
  out = number;
}

void FormReader::real(const char* name, std::optional<double>& out) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (value->is_number_float()) {
    out = value->get<double>();
  } else if (*value == "inf") {
    out = std::numeric_limits<double>::infinity();
  } else if (*value == "-inf") {
    out = -std::numeric_limits<double>::infinity();
  } else if (*value == "nan") {
    out = std::numeric_limits<double>::quiet_NaN();
  } else {
    must(name, "a float");
  }
}

void FormReader::index(const char* name, std::uint32_t& out) {
  const Json* value = any(name);
  if (value != nullptr && !read_index(*value, out)) must(name, "a number below 2^32");
}

void FormReader::indices(const char* name, std::vector<std::uint32_t>& out) {
  const Json* values = array(name);
  if (values == nullptr) return;
  out.resize(values->size());
  for (std::size_t i = 0; i < values->size(); ++i) {
    if (!read_index((*values)[i], out[i])) return must(name, "a list of numbers below 2^32");
  }
}

void FormReader::choose(const char* name, std::span<const std::string_view> names, std::uint32_t& number) {
  const Json* value = any(name);
  if (value == nullptr) return;
  if (!value->is_string()) return must(name, "a string");
  const auto& text = value->get_ref<const std::string&>();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return fault(fmt::format("'{}' cannot be {}", name, in_quotes(text)));
  number = static_cast<std::uint32_t>(found - names.begin());
}

base::Status FormReader::finish() {
  if (!status_.ok() || asked_.size() == object_->size()) return status_;
  for (auto field = object_->begin(); field != object_->end(); ++field) {
    if (std::find(asked_.begin(), asked_.end(), std::string_view(field.key())) == asked_.end()) {
      fault(fmt::format("unknown field {}", in_quotes(field.key())));
      break;
    }
  }
  return status_;
}

}  // namespace sgl::plan
