// Unicode character data and algorithms that tokenizers and patterns need: general categories, scripts, case mapping
// and normalisation (UAX #15). The tables are generated (scripts/gen_unicode.py) from the Unicode character
// database 15.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::base {

// General categories, in the order of the generated tables.
enum class Category : std::uint8_t {
  kCn,
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo,
};

constexpr char32_t kMaxCodePoint = 0x10FFFF;

// All O(1); values over U+10FFFF are unassigned.
Category category(char32_t c);
bool is_white_space(char32_t c);  // property White_Space
bool is_alphabetic(char32_t c);   // property Alphabetic
// \w of UTS #18: Alphabetic, M, Nd, Pc and Join_Control.
bool is_word(char32_t c);
bool is_punctuation(char32_t c);  // P*

// Simple (one to one) mappings; the character itself when it has none. O(log n).
char32_t simple_lower(char32_t c);
char32_t simple_upper(char32_t c);
char32_t simple_fold(char32_t c);

// An inclusive range of code points.
struct CodeRange {
  char32_t lo = 0, hi = 0;
  friend bool operator==(const CodeRange&, const CodeRange&) = default;
};

// A set of code points, kept as sorted ranges that neither overlap nor touch.
class CodeSet {
 public:
  CodeSet() = default;
  CodeSet(std::initializer_list<CodeRange> ranges);
  // Amortised O(1) when ranges come in ascending order, else O(n).
  void add(char32_t lo, char32_t hi);
  void add(const CodeSet& other);
  // The complement within U+0000 … U+10FFFF (surrogates included; UTF-8 text never has them).
  CodeSet negated() const;
  CodeSet intersected(const CodeSet& other) const;
  // With every character that has the same simple case folding as a member.
  CodeSet case_closed() const;
  bool contains(char32_t c) const;  // O(log n)
  bool empty() const { return ranges_.empty(); }
  std::span<const CodeRange> ranges() const { return ranges_; }
  friend bool operator==(const CodeSet&, const CodeSet&) = default;

 private:
  std::vector<CodeRange> ranges_;
};

// The set that \p{name} means: general categories ("L", "Lu", "Letter", "gc=Lu"), scripts ("Greek", "Script=Greek",
// "sc=Greek"), "Any", "ASCII", "Alphabetic", "Uppercase", "Lowercase", "White_Space". nullopt for other names.
std::optional<CodeSet> property_set(std::string_view name);
// Sets of the escapes with Unicode meaning: 'd' (Nd), 's' (White_Space), 'w' (is_word).
const CodeSet& unicode_class(char escape);

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };
// Precondition: valid UTF-8 (invalid bytes become U+FFFD where the text is not already normal). O(n) for real text,
// O(n log n) at worst. Text below U+0300 is recognised as NFC without being decoded.
std::string normalize(std::string_view text, NormalForm form);

// Lower case, character by character (full mapping for U+0130, no context rules), as Rust's char::to_lowercase.
std::string to_lower(std::string_view text);

}  // namespace sgl::base
