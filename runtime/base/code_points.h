// Positions in text by characters, which the language counts in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/utf8.h"

namespace sgl::base {

// The code points [begin, end) of `text`, as far as there are so many. O(text).
// A byte that is no UTF-8 counts as one. Precondition: begin >= 0.
inline std::string_view code_point_range(std::string_view text, std::int64_t begin, std::int64_t end) {
  std::size_t at = 0;
  std::int64_t index = 0;
  for (; at < text.size() && index < begin; ++index) at += decode_utf8(text, at).bytes;
  const std::size_t from = at;
  for (; at < text.size() && index < end; ++index) at += decode_utf8(text, at).bytes;
  return text.substr(from, at - from);
}

}  // namespace sgl::base
