#include "runtime/gguf/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

#include "runtime/gguf/reader.h"

namespace sgl::gguf {
namespace {

using base::Expected;
using base::invalid;

constexpr std::uint32_t kDefaultAlignment = 32;  // "general.alignment" where the file has none

// A tensor of the header before its bytes are known.
struct Entry {
  std::string_view name;
  Tensor tensor;
  std::uint64_t offset = 0, bytes = 0;
};

Expected<Entry> read_entry(Reader& in, const Limits& limits) {
  Entry e;
  SGL_TRY(e.name, in.text());
  const auto bad = [&](const std::string& what) { return in.bad(fmt::format("tensor '{}' {}", e.name, what)); };
  SGL_TRY(const auto rank, in.number<std::uint32_t>());
  if (rank == 0 || rank > limits.max_rank) return bad(fmt::format("has {} dimensions", rank));
  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < rank; ++i) {
    SGL_TRY(const auto size, in.number<std::uint64_t>());
    if (size == 0 || __builtin_mul_overflow(elements, size, &elements))
      return bad("has a size of 0, or too large a one");
    e.tensor.shape.push_back(size);
  }
  const std::uint64_t columns = e.tensor.shape.front();
  std::reverse(e.tensor.shape.begin(), e.tensor.shape.end());
  SGL_TRY(const auto type, in.number<std::uint32_t>());
  const std::optional<TypeFacts> known = type_facts(type);
  if (!known) return bad(fmt::format("has the type {}, which is not known here", type));
  e.tensor.type = static_cast<Type>(type);
  if (columns % known->block != 0) {
    return bad(fmt::format("has rows of {} elements, not a multiple of the {} of a {} block", columns, known->block,
                           known->name));
  }
  if (__builtin_mul_overflow(elements / known->block, known->bytes, &e.bytes)) return bad("is too large");
  SGL_TRY(e.offset, in.number<std::uint64_t>());
  return e;
}

// Gives every tensor its bytes; they must not overlap.
base::Status place(std::vector<Entry>& entries, std::span<const std::byte> data, std::uint64_t alignment,
                   const Reader& in, Contents& out) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
  std::uint64_t end = 0;
  for (Entry& e : entries) {
    const auto bad = [&](std::string_view what) { return in.bad(fmt::format("tensor '{}' {}", e.name, what)); };
    if (e.offset % alignment != 0)
      return bad(fmt::format("begins at {}, not at a multiple of {}", e.offset, alignment));
    if (e.offset < end) return bad("overlaps another");
    if (e.offset > data.size() || e.bytes > data.size() - e.offset) {
      return bad(fmt::format("lies outside the file, which may be truncated ({} bytes from {}, of {})", e.bytes,
                             e.offset, data.size()));
    }
    end = e.offset + e.bytes;
    e.tensor.bytes = data.subspan(e.offset, e.bytes);
    if (!out.tensors.emplace(e.name, std::move(e.tensor)).second) return bad("is named twice");
  }
  return {};
}

base::Error wrong_kind(std::string_view key, std::string_view wanted) {
  return invalid(fmt::format("the metadata '{}' is not {}", key, wanted));
}

}  // namespace

std::optional<TypeFacts> type_facts(std::uint32_t type) {
  switch (static_cast<Type>(type)) {
    case Type::kF32:
      return TypeFacts{"F32", 1, 4};
    case Type::kF16:
      return TypeFacts{"F16", 1, 2};
    case Type::kBF16:
      return TypeFacts{"BF16", 1, 2};
    case Type::kQ4_0:
      return TypeFacts{"Q4_0", 32, 18};
    case Type::kQ4_1:
      return TypeFacts{"Q4_1", 32, 20};
    case Type::kQ5_0:
      return TypeFacts{"Q5_0", 32, 22};
    case Type::kQ5_1:
      return TypeFacts{"Q5_1", 32, 24};
    case Type::kQ8_0:
      return TypeFacts{"Q8_0", 32, 34};
    case Type::kQ2_K:
      return TypeFacts{"Q2_K", 256, 84};
    case Type::kQ3_K:
      return TypeFacts{"Q3_K", 256, 110};
    case Type::kQ4_K:
      return TypeFacts{"Q4_K", 256, 144};
    case Type::kQ5_K:
      return TypeFacts{"Q5_K", 256, 176};
    case Type::kQ6_K:
      return TypeFacts{"Q6_K", 256, 210};
  }
  return std::nullopt;
}

const Tensor* Contents::tensor(std::string_view name) const {
  const auto it = tensors.find(name);
  return it == tensors.end() ? nullptr : &it->second;
}

Expected<std::optional<std::string_view>> Contents::text(std::string_view key) const {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return std::optional<std::string_view>();
  const auto* text = std::get_if<std::string_view>(&it->second);
  if (text == nullptr) return wrong_kind(key, "a text");
  return std::optional(*text);
}

Expected<std::optional<std::uint64_t>> Contents::count(std::string_view key) const {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return std::optional<std::uint64_t>();
  if (const auto* n = std::get_if<std::uint64_t>(&it->second)) return std::optional(*n);
  const auto* n = std::get_if<std::int64_t>(&it->second);
  if (n == nullptr || *n < 0) return wrong_kind(key, "a whole number from 0 on");
  return std::optional(static_cast<std::uint64_t>(*n));
}

Expected<std::optional<double>> Contents::number(std::string_view key) const {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return std::optional<double>();
  double out = std::nan("");
  if (const auto* d = std::get_if<double>(&it->second)) out = *d;
  if (const auto* u = std::get_if<std::uint64_t>(&it->second)) out = static_cast<double>(*u);
  if (const auto* i = std::get_if<std::int64_t>(&it->second)) out = static_cast<double>(*i);
  if (!std::isfinite(out)) return wrong_kind(key, "a finite number");
  return std::optional(out);
}

Expected<std::optional<bool>> Contents::flag(std::string_view key) const {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return std::optional<bool>();
  const auto* flag = std::get_if<bool>(&it->second);
  if (flag == nullptr) return wrong_kind(key, "true or false");
  return std::optional(*flag);
}

template <typename T>
Expected<const std::vector<T>*> Contents::array(std::string_view key) const {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return static_cast<const std::vector<T>*>(nullptr);
  const auto* array = std::get_if<Array>(&it->second);
  const auto* items = array == nullptr ? nullptr : std::get_if<std::vector<T>>(&array->items);
  if (items == nullptr) return wrong_kind(key, "a list of the expected kind");
  return items;
}

template Expected<const std::vector<std::string_view>*> Contents::array(std::string_view) const;
template Expected<const std::vector<double>*> Contents::array(std::string_view) const;
template Expected<const std::vector<std::int64_t>*> Contents::array(std::string_view) const;
template Expected<const std::vector<bool>*> Contents::array(std::string_view) const;

Expected<Contents> parse(std::span<const std::byte> file, std::string_view label, const Limits& limits) {
  Reader in(file, label, limits);
  if (file.size() < 4 || std::memcmp(file.data(), "GGUF", 4) != 0)
    return in.bad("does not begin with GGUF's magic bytes");
  in.skip(4);
  Contents out;
  SGL_TRY(out.version, in.number<std::uint32_t>());
  if ((out.version & 0xFFFF) == 0) return in.bad("is big-endian, which is not supported");
  if (out.version != 2 && out.version != 3)
    return in.bad(fmt::format("has version {}; supported are 2 and 3", out.version));
  SGL_TRY(const auto tensors, in.number<std::uint64_t>());
  SGL_TRY(const auto entries, in.number<std::uint64_t>());
  if (tensors > limits.max_tensors || entries > limits.max_entries) {
    return in.bad(fmt::format("names {} tensors and {} entries of metadata; the limits are {} and {}", tensors, entries,
                              limits.max_tensors, limits.max_entries));
  }
  for (std::uint64_t i = 0; i < entries; ++i) {
    SGL_TRY(const std::string_view key, in.text());
    SGL_TRY(Value value, in.value());
    if (!out.metadata.emplace(key, std::move(value)).second)
      return in.bad(fmt::format("names the metadata '{}' twice", key));
  }
  std::vector<Entry> list;
  for (std::uint64_t i = 0; i < tensors; ++i) {
    SGL_TRY(Entry entry, read_entry(in, limits));
    list.push_back(std::move(entry));
  }
  SGL_TRY(const auto asked, out.count("general.alignment"));
  const std::uint64_t alignment = asked.value_or(kDefaultAlignment);
  if (alignment == 0 || alignment > limits.max_alignment)
    return in.bad(fmt::format("asks for an alignment of {}", alignment));
  const std::uint64_t begin = (in.position() + alignment - 1) / alignment * alignment;
  const auto data = begin > file.size() ? std::span<const std::byte>() : file.subspan(begin);
  SGL_TRY_STATUS(place(list, data, alignment, in, out));
  return out;
}

Expected<File> File::open(const std::filesystem::path& path) {
  File out;
  SGL_TRY(out.mapped_, base::MappedFile::open(path));
  SGL_TRY(out.contents_, parse(out.mapped_.bytes(), path.filename().string()));
  return out;
}

bool is_gguf(const std::filesystem::path& path) {
  std::error_code ignored;  // whatever is not a readable file is no GGUF file
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream in(path, std::ios::binary);
  char magic[4] = {};
  return in.read(magic, 4) && std::memcmp(magic, "GGUF", 4) == 0;
}

}  // namespace sgl::gguf
