// The characters of a JSON string, byte by byte. Private to runtime/constraint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sgl::constraint {

enum class Escapes : std::uint8_t {
  kCanonical,  // a character has one spelling: raw, or else its short escape, or else \u00XX with small letters
  kAll,        // every escape of JSON; surrogates in pairs
};

// Where in the middle of a character a text stops; 0: between two.
using Pending = std::uint32_t;

struct CharStep {
  enum class Kind : std::uint8_t { kDead, kMore, kChar, kQuote } kind = Kind::kDead;
  Pending pending = 0;     // kMore
  char32_t character = 0;  // kChar: a whole character was read
};

// The characters that a text which stops at `pending` may still become: all of [lo, hi] that `escapes` allows, and
// `bytes` more bytes at least to be whole. Precondition: pending is not 0.
struct CharRange {
  char32_t lo = 0, hi = 0;
  std::uint32_t bytes = 0;
};
CharRange pending_range(Pending pending);

// A text as a JSON string has it between the quotes, spelled canonically. Precondition: valid UTF-8.
std::string json_content(std::string_view text);

bool is_escape(Pending pending);  // after a backslash, or among the digits of \u

// Plain: spelled as it is, and not by control characters, quote or backslash.
inline bool is_plain(unsigned char byte) {
  return byte >= 0x20 && byte != '"' && byte != '\\';
}

CharStep next_byte_in_full(Pending pending, unsigned char byte, Escapes escapes);

// The next byte of a string's content. kQuote: the string ends. O(1).
inline CharStep next_byte(Pending pending, unsigned char byte, Escapes escapes) {
  if (pending == 0 && byte < 0x80 && is_plain(byte)) return {CharStep::Kind::kChar, 0, byte};
  return next_byte_in_full(pending, byte, escapes);
}

}  // namespace sgl::constraint
