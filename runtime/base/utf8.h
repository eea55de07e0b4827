// UTF-8 (RFC 3629): decoding with validation, encoding, counting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sgl::base {

constexpr char32_t kReplacement = 0xFFFD;

struct DecodedChar {
  char32_t code = kReplacement;  // kReplacement when invalid
  std::uint8_t bytes = 1;        // bytes consumed, 1 … 4; 1 when invalid
  bool valid = false;
};

// The character at `at` (< text.size()). Overlong forms, surrogates and values over U+10FFFF are invalid.
DecodedChar decode_utf8(std::string_view text, std::size_t at);

// Appends the UTF-8 form of `code`; surrogates and values out of range append U+FFFD.
void append_utf8(std::string& out, char32_t code);

bool is_valid_utf8(std::string_view text);

bool is_ascii(std::string_view text);

// Number of code points; each invalid byte counts as one.
std::size_t count_code_points(std::string_view text);

// Length of the longest prefix that does not end inside a UTF-8 sequence that later bytes could complete.
std::size_t complete_utf8_prefix(std::string_view text);

}  // namespace sgl::base
