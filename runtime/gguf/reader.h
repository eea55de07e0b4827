// Reads the header of a GGUF file from front to back. Private to runtime/gguf.
#pragma once

#include <fmt/format.h>

#include <cstring>

#include "runtime/gguf/gguf.h"

namespace sgl::gguf {

class Reader {
 public:
  Reader(std::span<const std::byte> file, std::string_view label, const Limits& limits)
      : file_(file), label_(label), limits_(limits) {}

  std::size_t position() const { return at_; }
  void skip(std::size_t bytes) { at_ += bytes; }
  base::Error bad(const std::string& what) const { return base::invalid(fmt::format("'{}' {}", label_, what)); }

  template <typename T>
  base::Expected<T> number() {
    if (file_.size() - at_ < sizeof(T)) return truncated();
    T out;
    std::memcpy(&out, file_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return out;
  }
  // A length of 64 bits and that many bytes.
  base::Expected<std::string_view> text();
  // A kind of 32 bits and a value of it.
  base::Expected<Value> value();

 private:
  base::Error truncated() const { return bad(fmt::format("is truncated inside its header, at byte {}", at_)); }
  base::Expected<Value> value_of(std::uint32_t kind);
  base::Expected<Value> array();
  template <typename To, typename From>
  base::Expected<Value> items(std::uint64_t count);

  std::span<const std::byte> file_;
  std::string_view label_;
  const Limits& limits_;
  std::size_t at_ = 0;
};

}  // namespace sgl::gguf
