// UTF-8 byte by byte. Private to runtime/constraint.
#pragma once

#include <cstdint>

namespace sgl::constraint {

// Where a text stands in a character of UTF-8 (RFC 3629, section 4), and after one more byte; -1: not UTF-8.
enum Utf8Place : std::uint8_t {
  kBetween,
  kOneMore,
  kTwoMore,
  kThreeMore,
  kAfterE0,
  kAfterEd,
  kAfterF0,
  kAfterF4,
  kPlaces
};

inline int utf8_step(int place, unsigned byte) {
  const auto in = [&](unsigned lo, unsigned hi) { return byte >= lo && byte <= hi; };
  switch (place) {
    case kBetween:
      if (byte < 0x80) return kBetween;
      if (in(0xC2, 0xDF)) return kOneMore;
      if (byte == 0xE0) return kAfterE0;
      if (byte == 0xED) return kAfterEd;
      if (in(0xE1, 0xEF)) return kTwoMore;
      if (byte == 0xF0) return kAfterF0;
      if (byte == 0xF4) return kAfterF4;
      return in(0xF1, 0xF3) ? kThreeMore : -1;
    case kAfterE0:
      return in(0xA0, 0xBF) ? kOneMore : -1;
    case kAfterEd:
      return in(0x80, 0x9F) ? kOneMore : -1;
    case kAfterF0:
      return in(0x90, 0xBF) ? kTwoMore : -1;
    case kAfterF4:
      return in(0x80, 0x8F) ? kTwoMore : -1;
    default:
      return in(0x80, 0xBF) ? place - 1 : -1;
  }
}

// Bytes that the character at `place` lacks; 0 between two.
inline std::uint32_t utf8_missing(int place) {
  constexpr std::uint8_t kMissing[kPlaces] = {0, 1, 2, 3, 2, 2, 3, 3};
  return kMissing[place];
}

// The least byte that leads on inside a character. Precondition: not between two.
inline unsigned char utf8_least(int place) {
  return place == kAfterE0 ? 0xA0 : place == kAfterF0 ? 0x90 : 0x80;
}

// Bytes that utf8_step does not tell apart, in runs: where each begins.
constexpr unsigned kUtf8Runs[] = {0x00, 0x80, 0x90, 0xA0, 0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5};

}  // namespace sgl::constraint
