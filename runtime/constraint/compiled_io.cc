#include "runtime/constraint/compiled_io.h"

#include <fmt/format.h>

#include "runtime/base/utf8.h"

namespace sgl::constraint {

void CompiledReader::fault(std::string_view what) {
  if (problem_.empty()) problem_ = fmt::format("byte {}: {}", at_, what);
}

void CompiledReader::over_limit(std::string_view what) {
  if (problem_.empty()) problem_ = what, limit_ = true;
}

std::uint64_t CompiledReader::number(std::uint64_t max) {
  if (!ok()) return 0;
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (at_ >= bytes_.size() || shift > 63) return fault("a number does not end"), 0;
    const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
    if (shift == 63 && byte > 1) return fault("a number of more than 64 bits"), 0;
    value |= std::uint64_t{byte & 127U} << shift;
    if (byte < 128) break;
  }
  if (value > max) return fault(fmt::format("{}, more than {}", value, max)), 0;
  return value;
}

std::int64_t CompiledReader::integer(std::int64_t min, std::int64_t max) {
  const std::uint64_t code = number(UINT64_MAX);
  const auto value = static_cast<std::int64_t>(code >> 1 ^ (~(code & 1) + 1));
  if (!ok() || (value >= min && value <= max)) return value;
  fault(fmt::format("{}, not within {} and {}", value, min, max));
  return 0;
}

std::uint32_t CompiledReader::index(std::size_t size) {
  if (size == 0) return fault("an index into nothing"), 0;
  return static_cast<std::uint32_t>(number(size - 1));
}

std::string_view CompiledReader::raw(std::size_t size) {
  if (size > left()) {
    fault("the bytes end early");
    return {};
  }
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

std::string CompiledReader::text() {
  const std::string_view out = raw(count());
  if (!base::is_valid_utf8(out)) fault("a text is not UTF-8");
  return std::string(out);
}

bool CompiledReader::take_table(std::size_t entries) {
  if (entries > table_left_) over_limit("its automata have too many transitions");
  if (ok()) table_left_ -= entries;
  return ok();
}

bool CompiledReader::take_text(std::size_t bytes) {
  if (bytes > text_left_) over_limit("its texts are too long");
  if (ok()) text_left_ -= bytes;
  return ok();
}

}  // namespace sgl::constraint
