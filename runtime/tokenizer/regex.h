// The regular expressions of pre-tokenizers: a subset of Oniguruma's Ruby syntax with Unicode semantics, matched by
// backtracking with leftmost-first results, as the `tokenizers` library gets them.
//
// Supported: alternation, groups (capturing ones do not capture), (?i) (?i:…), (?=…) (?!…), (?<=x) (?<!x) of one
// character, (?>…), greedy, lazy and possessive quantifiers, . ^ $ \A \z \b \B, \d \s \w \p{…} and negations, classes
// with ranges, nesting and &&. Back-references and everything else are errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/unicode.h"

namespace sgl::tokenizer {

// A set of characters prepared for matching: bitmaps below U+10000, ranges above.
class CharClass {
 public:
  explicit CharClass(base::CodeSet set);
  bool contains(char32_t c) const {
    if (c < 0x10000) return (bitmap_[c >> 6] >> (c & 63) & 1) != 0;
    return set_.contains(c);
  }
  bool contains_ascii(unsigned char c) const { return (bitmap_[c >> 6] >> (c & 63) & 1) != 0; }
  const base::CodeSet& set() const { return set_; }

 private:
  std::vector<std::uint64_t> bitmap_;
  base::CodeSet set_;
};

struct RegexInstruction {
  enum class Op : std::uint8_t {
    kClass,     // one character of classes[a]
    kSpan,      // between `min` and `max` characters of classes[a]
    kSplit,     // goes on at a, and at b when that fails
    kJump,      // goes on at a
    kAhead,     // (?=…): the program from the next instruction up to its kMatch; goes on at a
    kNotAhead,  // (?!…)
    kAtomic,    // (?>…): as kAhead, but consumes
    kBehind,
    kNotBehind,  // the character before is (not) of classes[a]
    kTextBegin,
    kTextEnd,
    kLineBegin,
    kLineEnd,
    kWordEdge,
    kNotWordEdge,
    kMatch,
  };
  enum class Mode : std::uint8_t { kGreedy, kLazy, kPossessive };
  Op op = Op::kMatch;
  Mode mode = Mode::kGreedy;
  std::uint32_t a = 0, b = 0;
  std::uint32_t min = 0, max = 0;  // max UINT32_MAX: unbounded
};

// Immutable; thread-safe.
class Regex {
 public:
  // Errors: `invalid`, naming the column (byte offset from 1) and the construct.
  static base::Expected<Regex> compile(std::string_view pattern);

  struct Match {
    std::size_t begin = 0, end = 0;  // bytes, half-open
  };
  // The leftmost match that begins at or after `from`. Precondition: `text` is valid UTF-8 and `from` <= size begins a
  // character. An attempt that backtracks more than a few thousand steps is repeated with memoised failures, which
  // takes at most pattern × text steps.
  std::optional<Match> find(std::string_view text, std::size_t from) const;
  // All matches from left to right, empty ones left out; each search begins where the match before it ended.
  std::vector<Match> find_all(std::string_view text) const;

 private:
  friend class RegexCompiler;
  std::vector<RegexInstruction> program_;
  std::vector<CharClass> classes_;
};

}  // namespace sgl::tokenizer
