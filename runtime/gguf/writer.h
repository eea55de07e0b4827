// Writes GGUF files, version 3. For benchmarks and tests.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/gguf/gguf.h"

namespace sgl::gguf {

class Writer {
 public:
  void text(std::string_view key, std::string_view value);
  void count(std::string_view key, std::uint32_t value);
  void number(std::string_view key, float value);
  void flag(std::string_view key, bool value);
  void texts(std::string_view key, std::span<const std::string> values);
  void numbers(std::string_view key, std::span<const float> values);
  void counts(std::string_view key, std::span<const std::int32_t> values);

  // `shape` outermost first; `bytes` are kept as a view until the file is written.
  void tensor(std::string_view name, Type type, std::vector<std::uint64_t> shape, std::span<const std::byte> bytes);

  // The whole file up to the first tensor's bytes.
  std::string header() const;
  // Errors: `invalid` when the file cannot be written; what was begun is removed.
  base::Status write(const std::filesystem::path& path) const;

 private:
  struct Item {
    std::string name;
    Type type;
    std::vector<std::uint64_t> shape;
    std::span<const std::byte> bytes;
  };
  void key(std::string_view name, std::uint32_t kind);

  std::string metadata_;
  std::uint64_t entries_ = 0;
  std::vector<Item> tensors_;
};

}  // namespace sgl::gguf
