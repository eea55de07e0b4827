// The GGUF file format, versions 2 and 3 (github.com/ggml-org/ggml/blob/master/docs/gguf.md): metadata and tensors of a
// model in one file. Files come from strangers: everything in the header is checked before use. Little-endian only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/file.h"

namespace sgl::gguf {

// Bounds of an untrusted header.
struct Limits {
  std::size_t max_entries = 65'536;       // metadata entries; published models have under 100
  std::size_t max_tensors = 1 << 20;      // the largest published models have about 10,000
  std::size_t max_text = 64 << 20;        // bytes of one key, name or text; chat templates have some kilobytes
  std::size_t max_array = 16 << 20;       // items of one array; vocabularies have some 100,000
  std::size_t max_rank = 4;               // dimensions of a tensor, as in ggml
  std::uint64_t max_alignment = 1 << 20;  // bytes; usual is 32
};

// How elements are stored; the numbers are the file's. Only these are known.
enum class Type : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

struct TypeFacts {
  std::string_view name;  // as in ggml: "Q4_K"
  std::size_t block = 1;  // elements of a block; rows are whole blocks
  std::size_t bytes = 0;  // of a block
};
// nullopt: a type that is not in the list.
std::optional<TypeFacts> type_facts(std::uint32_t type);
inline TypeFacts facts(Type type) {
  return *type_facts(static_cast<std::uint32_t>(type));
}

// An array of metadata. Numbers keep their bytes, texts are views into the file.
struct Array {
  std::variant<std::vector<std::string_view>, std::vector<double>, std::vector<std::int64_t>, std::vector<bool>> items;
};
using Value = std::variant<std::int64_t, std::uint64_t, double, bool, std::string_view, Array>;

struct Tensor {
  Type type = Type::kF32;
  std::vector<std::uint64_t> shape;  // outermost first, as in safetensors: [rows, columns] (the file has it reversed)
  std::span<const std::byte> bytes;  // into the file
};

// What a file holds; views into its bytes.
struct Contents {
  std::uint32_t version = 0;
  std::map<std::string, Value, std::less<>> metadata;
  std::map<std::string, Tensor, std::less<>> tensors;

  const Tensor* tensor(std::string_view name) const;
  // The entry of a key: absent is nullopt, another kind of value is an error that names the key.
  base::Expected<std::optional<std::string_view>> text(std::string_view key) const;
  base::Expected<std::optional<std::uint64_t>> count(std::string_view key) const;  // a whole number, not negative
  base::Expected<std::optional<double>> number(std::string_view key) const;        // finite
  base::Expected<std::optional<bool>> flag(std::string_view key) const;
  // nullptr where it is absent. T: std::string_view, double, std::int64_t or bool.
  template <typename T>
  base::Expected<const std::vector<T>*> array(std::string_view key) const;
};

// Views into `file`, which must outlive them; `label` names it in messages. O(bytes of the header).
// Errors: `invalid`: not GGUF, another version, big-endian, truncated, over a limit, a name twice, an unknown type,
// tensors that overlap, are misaligned or lie outside the file.
base::Expected<Contents> parse(std::span<const std::byte> file, std::string_view label, const Limits& limits = {});

// A mapped file with its contents.
class File {
 public:
  static base::Expected<File> open(const std::filesystem::path& path);
  const Contents& contents() const { return contents_; }

 private:
  base::MappedFile mapped_;
  Contents contents_;
};

// Whether a path names a GGUF file rather than a folder: it is a file whose first four bytes say so.
bool is_gguf(const std::filesystem::path& path);

}  // namespace sgl::gguf
