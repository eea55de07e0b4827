// Reads a JSON object field by field, with a type check before every access. Internal to runtime/plan.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan/json_form.h"

namespace sgl::plan {

// "types 3, fields 1: 'name' must be a string"
base::Error form_error(const Place& place, std::string_view what);

// The first fault is kept and makes all later reads no-ops; `finish` reports it, or a field that nobody asked for.
class FormReader {
 public:
  FormReader(const Json& form, const Place& place);

  void text(const char* name, std::string& out);
  void flag(const char* name, bool& out);
  void integer(const char* name, std::int64_t& out);
  void integer(const char* name, std::optional<std::int64_t>& out);
  void real(const char* name, std::optional<double>& out);
  void index(const char* name, std::uint32_t& out);
  template <typename Tag>
  void id(const char* name, base::Id<Tag>& out) {
    required(name);
    index(name, out.value);
  }
  template <typename Tag>
  void id(const char* name, std::optional<base::Id<Tag>>& out) {
    std::uint32_t value = 0;
    if (!has(name)) return;
    index(name, value);
    out = base::Id<Tag>(value);
  }
  template <typename Tag>
  void ids(const char* name, std::vector<base::Id<Tag>>& out) {
    std::vector<std::uint32_t> values;
    indices(name, values);
    for (const std::uint32_t value : values) out.push_back(base::Id<Tag>(value));
  }
  // Numbers below 2^32; -1 stands for kNone.
  void indices(const char* name, std::vector<std::uint32_t>& out);
  // One of `names`; `out` is its number.
  template <typename E>
  void choice(const char* name, std::span<const std::string_view> names, E& out) {
    std::uint32_t number = static_cast<std::uint32_t>(out);
    choose(name, names, number);
    out = static_cast<E>(number);
  }
  // A list of objects, each read by read(form, place, item).
  template <typename T, typename Read>
  void list(const char* name, std::vector<T>& out, Read read) {
    const Json* items = array(name);
    if (items == nullptr) return;
    out.resize(items->size());
    for (std::size_t i = 0; i < items->size() && status_.ok(); ++i) {
      status_ = read((*items)[i], Place{name, i, outermost_ ? nullptr : &place_}, out[i]);
    }
  }

  bool has(const char* name) const { return object_ != nullptr && object_->contains(name); }
  // The field is there, or that is the fault.
  void required(const char* name);
  // nullptr when absent or faulty.
  const Json* any(const char* name);
  const Json* array(const char* name);
  void fault(std::string_view what);
  // The places of lists are named without an outer one.
  void set_outermost() { outermost_ = true; }
  base::Status finish();

 private:
  void choose(const char* name, std::span<const std::string_view> names, std::uint32_t& number);
  void must(const char* name, const char* what);

  const Json* object_ = nullptr;
  Place place_;
  bool outermost_ = false;
  std::vector<std::string_view> asked_;  // the fields that were there when asked for, each once
  base::Status status_;
};

}  // namespace sgl::plan
