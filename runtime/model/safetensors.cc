#include "runtime/model/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace sgl::model {
namespace {

using Json = nlohmann::json;
using base::Error;
using base::Expected;
using base::invalid;

struct DtypeSize {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr DtypeSize kDtypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                                 {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
                                 {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

std::optional<std::uint64_t> dtype_size(std::string_view name) {
  for (const DtypeSize& d : kDtypes) {
    if (d.name == name) return d.bytes;
  }
  return std::nullopt;
}

// Parses the header, refusing duplicate names and nesting that no header has (the parser's own memory is bounded by
// the header's length).
Expected<Json> parse_header(std::string_view text, std::string_view label) {
  std::set<std::string> names;
  std::string duplicate;
  bool deep = false;
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 3) deep = true;
    if (event == Json::parse_event_t::key && depth == 1 && !names.insert(value.get<std::string>()).second) {
      duplicate = value.get<std::string>();
    }
    return depth <= 3;
  };
  Json json = Json::parse(text, watch, false);
  if (json.is_discarded() || !json.is_object()) {
    return invalid(fmt::format("'{}': the header is not a JSON object", label));
  }
  if (deep) return invalid(fmt::format("'{}': the header is nested too deeply", label));
  if (!duplicate.empty()) return invalid(fmt::format("'{}': tensor '{}' is named twice", label, duplicate));
  return json;
}

// A tensor of the header with its place in the data section.
struct Entry {
  std::string name;
  TensorView view;
  std::uint64_t begin = 0, end = 0;
};

Expected<Entry> parse_entry(const std::string& name, const Json& json, std::uint64_t data_size, std::string_view label,
                            const SafetensorsLimits& limits) {
  const auto bad = [&](std::string_view what) {
    return invalid(fmt::format("'{}': tensor '{}' {}", label, name, what));
  };
  if (!json.is_object()) return bad("is not described by an object");
  const auto dtype = json.find("dtype"), shape = json.find("shape"), offsets = json.find("data_offsets");
  if (dtype == json.end() || !dtype->is_string()) return bad("has no dtype");
  Entry entry{name, {dtype->get<std::string>(), {}, {}}, 0, 0};
  const std::optional<std::uint64_t> size = dtype_size(entry.view.dtype);
  if (!size) return bad(fmt::format("has the unknown dtype '{}'", entry.view.dtype));
  if (shape == json.end() || !shape->is_array()) return bad("has no shape");
  if (shape->size() > limits.max_rank) return bad("has too many dimensions");
  std::uint64_t total = *size;
  for (const Json& dim : *shape) {
    if (!dim.is_number_unsigned()) return bad("has a dimension that is not a whole number");
    const auto d = dim.get<std::uint64_t>();
    if (__builtin_mul_overflow(total, d, &total)) return bad("has a size that overflows");
    entry.view.shape.push_back(d);
  }
  if (offsets == json.end() || !offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned()) {
    return bad("has no data_offsets");
  }
  entry.begin = (*offsets)[0].get<std::uint64_t>();
  entry.end = (*offsets)[1].get<std::uint64_t>();
  if (entry.begin > entry.end || entry.end > data_size) {
    return bad(fmt::format("lies outside the file (bytes {} to {} of {})", entry.begin, entry.end, data_size));
  }
  if (entry.end - entry.begin != total) {
    return bad(fmt::format("has {} bytes where its shape needs {}", entry.end - entry.begin, total));
  }
  return entry;
}

}  // namespace

Expected<TensorMap> parse_safetensors(std::span<const std::byte> file, std::string_view label,
                                      const SafetensorsLimits& limits) {
  if (file.size() < 8) return invalid(fmt::format("'{}' is truncated: it has no safetensors header", label));
  std::uint64_t header_size = 0;
  for (std::size_t i = 0; i < 8; ++i) header_size |= static_cast<std::uint64_t>(file[i]) << (8 * i);
  if (header_size > limits.max_header_bytes) {
    return invalid(
        fmt::format("'{}': a header of {} bytes is over the limit of {}", label, header_size, limits.max_header_bytes));
  }
  if (header_size > file.size() - 8) return invalid(fmt::format("'{}' is truncated inside its header", label));
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, header_size);
  SGL_TRY(const Json json, parse_header(text, label));
  const std::span<const std::byte> data = file.subspan(8 + header_size);
  std::vector<Entry> entries;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") continue;
    SGL_TRY(Entry entry, parse_entry(name, value, data.size(), label, limits));
    entry.view.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t at = 0;
  TensorMap out;
  for (Entry& entry : entries) {
    if (entry.begin != at) {
      return invalid(fmt::format("'{}': tensor '{}' {}", label, entry.name,
                                 entry.begin < at ? "overlaps another" : "begins after a hole"));
    }
    at = entry.end;
    out.emplace(std::move(entry.name), std::move(entry.view));
  }
  if (at != data.size()) {
    return invalid(fmt::format("'{}': {} bytes follow the last tensor", label, data.size() - at));
  }
  return out;
}

namespace {

// File names of the shards, in order; each must be a plain name inside the folder.
Expected<std::map<std::string, std::vector<std::string>>> read_index(const std::filesystem::path& path) {
  SGL_TRY(const std::string text, base::read_file(path, std::size_t{64} << 20));
  const Json json = Json::parse(text, nullptr, false);
  const std::string label = path.filename().string();
  if (json.is_discarded() || !json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object()) {
    return invalid(fmt::format("'{}' has no object 'weight_map'", label));
  }
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, file] : json["weight_map"].items()) {
    if (!file.is_string()) return invalid(fmt::format("'{}': the file of '{}' is not a string", label, tensor));
    const auto name = file.get<std::string>();
    if (name.empty() || name.find_first_of("/\\") != std::string::npos || name[0] == '.' ||
        name.find('\0') != std::string::npos) {
      return invalid(fmt::format("'{}': '{}' is not a file name", label, name));
    }
    shards[name].push_back(tensor);
  }
  return shards;
}

}  // namespace

Expected<WeightFiles> WeightFiles::open(const std::filesystem::path& folder) {
  std::error_code ignored;  // "does not exist" and "cannot be read" end in the same message of MappedFile::open
  std::map<std::string, std::vector<std::string>> shards;
  const std::filesystem::path index = folder / "model.safetensors.index.json";
  if (!std::filesystem::exists(folder / "model.safetensors", ignored) && std::filesystem::exists(index, ignored)) {
    SGL_TRY(shards, read_index(index));
  } else {
    shards["model.safetensors"] = {};
  }
  WeightFiles out;
  for (const auto& [name, wanted] : shards) {
    SGL_TRY(base::MappedFile file, base::MappedFile::open(folder / name));
    SGL_TRY(TensorMap tensors, parse_safetensors(file.bytes(), name));
    for (const std::string& tensor : wanted) {
      if (!tensors.contains(tensor)) return invalid(fmt::format("'{}' has no tensor '{}'", name, tensor));
    }
    for (auto& [tensor, view] : tensors) {
      if (!out.tensors_.emplace(tensor, std::move(view)).second) {
        return invalid(fmt::format("tensor '{}' is in more than one file", tensor));
      }
    }
    out.files_.push_back(std::move(file));
  }
  return out;
}

const TensorView* WeightFiles::find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

}  // namespace sgl::model
