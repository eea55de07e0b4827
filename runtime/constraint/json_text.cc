#include "runtime/constraint/json_text.h"

#include <algorithm>

namespace sgl::constraint {
namespace {

using Kind = CharStep::Kind;

// A pending character: what kind of thing is unfinished, a count, and the bits so far.
enum class Part : std::uint32_t {
  kNone,
  kUtf8,      // count: bytes that are missing
  kEscape,    // after the backslash
  kHex,       // count: digits that are missing
  kLowSlash,  // after a high surrogate: the backslash of the low one; bits: the high one
  kLowU,
  kLowHex,  // bits: the high surrogate's ten bits above the digits so far
};

constexpr Pending pack(Part part, std::uint32_t count, std::uint32_t bits) {
  return static_cast<std::uint32_t>(part) << 29 | count << 26 | bits;
}
constexpr Part part_of(Pending p) {
  return static_cast<Part>(p >> 29);
}
constexpr std::uint32_t count_of(Pending p) {
  return p >> 26 & 7;
}
constexpr std::uint32_t bits_of(Pending p) {
  return p & 0x3FFFFFF;
}

CharStep more(Part part, std::uint32_t count, std::uint32_t bits) {
  return {Kind::kMore, pack(part, count, bits), 0};
}
CharStep character(char32_t c) {
  return {Kind::kChar, 0, c};
}

CharStep first(unsigned char byte) {
  if (byte == '"') return {Kind::kQuote, 0, 0};
  if (byte == '\\') return more(Part::kEscape, 0, 0);
  if (byte < 0x20) return {};
  if (byte < 0x80) return character(byte);
  if (byte >= 0xC2 && byte <= 0xDF) return more(Part::kUtf8, 1, byte & 0x1F);
  if (byte >= 0xE0 && byte <= 0xEF) return more(Part::kUtf8, 2, byte & 0x0F);
  if (byte >= 0xF0 && byte <= 0xF4) return more(Part::kUtf8, 3, byte & 0x07);
  return {};
}

CharStep continuation(Pending p, unsigned char byte) {
  if (byte < 0x80 || byte > 0xBF) return {};
  const std::uint32_t missing = count_of(p), bits = bits_of(p);
  // Overlong forms, surrogates and what lies above U+10FFFF.
  if (missing == 2 && bits == 0x0 && byte < 0xA0) return {};
  if (missing == 2 && bits == 0xD && byte > 0x9F) return {};
  if (missing == 3 && bits == 0x0 && byte < 0x90) return {};
  if (missing == 3 && bits == 0x4 && byte > 0x8F) return {};
  const std::uint32_t value = bits << 6 | (byte & 0x3F);
  return missing == 1 ? character(value) : more(Part::kUtf8, missing - 1, value);
}

CharStep escape(unsigned char byte, Escapes escapes) {
  switch (byte) {
    case '"':
    case '\\':
      return character(byte);
    case 'b':
      return character('\b');
    case 'f':
      return character('\f');
    case 'n':
      return character('\n');
    case 'r':
      return character('\r');
    case 't':
      return character('\t');
    case 'u':
      return more(Part::kHex, 4, 0);
    default:
      return byte == '/' && escapes == Escapes::kAll ? character('/') : CharStep{};
  }
}

int digit_of(unsigned char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

// \u00XX of the control characters that have no short escape.
bool canonical_hex(std::uint32_t missing, std::uint32_t value, unsigned char byte) {
  if (byte >= 'A' && byte <= 'F') return false;
  if (missing > 2) return value == 0;
  if (missing == 2) return value <= 1;
  return value >= 0x0E || (value < 8) || value == 0x0B;
}

CharStep hex(Pending p, unsigned char byte, Escapes escapes) {
  const int digit = digit_of(byte);
  if (digit < 0) return {};
  const std::uint32_t missing = count_of(p), value = bits_of(p) << 4 | static_cast<std::uint32_t>(digit);
  if (escapes == Escapes::kCanonical && !canonical_hex(missing, value, byte)) return {};
  // A low surrogate alone: DC00 … DFFF.
  if (missing == 3 && value >= 0xDC && value <= 0xDF) return {};
  if (missing > 1) return more(Part::kHex, missing - 1, value);
  if (value >= 0xD800 && value <= 0xDBFF) return more(Part::kLowSlash, 0, value & 0x3FF);
  return character(value);
}

CharStep low_hex(Pending p, unsigned char byte) {
  const int digit = digit_of(byte);
  const std::uint32_t missing = count_of(p), bits = bits_of(p);
  if (digit < 0 || (missing == 4 && digit != 0xD) || (missing == 3 && digit < 0xC)) return {};
  // The high surrogate's ten bits, then the low one's: its first digit says nothing, the second two bits.
  const std::uint32_t value = missing == 4   ? bits
                              : missing == 3 ? bits << 2 | (static_cast<std::uint32_t>(digit) & 3)
                                             : bits << 4 | static_cast<std::uint32_t>(digit);
  if (missing == 1) return character(0x10000 + value);
  return more(Part::kLowHex, missing - 1, value);
}

}  // namespace

CharStep next_byte_in_full(Pending pending, unsigned char byte, Escapes escapes) {
  switch (part_of(pending)) {
    case Part::kNone:
      return first(byte);
    case Part::kUtf8:
      return continuation(pending, byte);
    case Part::kEscape:
      return escape(byte, escapes);
    case Part::kHex:
      return hex(pending, byte, escapes);
    case Part::kLowSlash:
      return byte == '\\' ? more(Part::kLowU, 0, bits_of(pending)) : CharStep{};
    case Part::kLowU:
      return byte == 'u' ? more(Part::kLowHex, 4, bits_of(pending)) : CharStep{};
    case Part::kLowHex:
      return low_hex(pending, byte);
  }
  return {};
}

bool is_escape(Pending pending) {
  return part_of(pending) == Part::kEscape || part_of(pending) == Part::kHex;
}

CharRange pending_range(Pending pending) {
  const std::uint32_t count = count_of(pending), bits = bits_of(pending);
  switch (part_of(pending)) {
    case Part::kUtf8: {
      char32_t lo = bits << (6 * count), hi = lo + ((char32_t{1} << (6 * count)) - 1);
      if (count == 2 && bits == 0x0) lo = 0x800;
      if (count == 3 && bits == 0x0) lo = 0x10000;
      if (count == 2 && bits == 0xD) hi = 0xD7FF;
      if (count == 3 && bits == 0x4) hi = 0x10FFFF;
      return {lo, hi, count};
    }
    case Part::kHex: {
      const char32_t lo = bits << (4 * count), hi = lo + ((char32_t{1} << (4 * count)) - 1);
      // A high surrogate wants a low one, \uDCXX.
      if (lo >= 0xD800 && hi <= 0xDBFF) {
        return {0x10000 + ((lo - 0xD800) << 10), 0x10000 + ((hi - 0xD800) << 10) + 0x3FF, count + 6};
      }
      return {lo, lo == 0xD000 && count == 3 ? 0xD7FF : hi, count};
    }
    case Part::kLowSlash:
      return {0x10000 + (bits << 10), 0x10000 + (bits << 10) + 0x3FF, 6};
    case Part::kLowU:
      return {0x10000 + (bits << 10), 0x10000 + (bits << 10) + 0x3FF, 5};
    case Part::kLowHex: {
      const std::uint32_t missing = count == 4 ? 10 : count == 3 ? 10 : 4 * count;
      const char32_t lo = 0x10000 + (bits << missing);
      return {lo, lo + ((char32_t{1} << missing) - 1), count};
    }
    default:
      return {0, 0x10FFFF, 1};
  }
}

std::string json_content(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto plain = [](char c) { return is_plain(static_cast<unsigned char>(c)); };
  if (std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain(byte)) {
      out += c;
      continue;
    }
    constexpr std::string_view kShort = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
    const std::size_t at = kShort.find(c);
    if (at != std::string_view::npos) {
      out += '\\', out += kLetters[at];
    } else {
      out += "\\u00", out += kDigits[byte >> 4], out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace sgl::constraint
