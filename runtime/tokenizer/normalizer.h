// The normaliser and pre-tokeniser pipelines of tokenizer.json. Private to runtime/tokenizer.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/tokenizer/json_fields.h"
#include "runtime/tokenizer/regex.h"

namespace sgl::tokenizer {

// A literal or a regular expression: {"String": …} or {"Regex": …}.
class TextPattern {
 public:
  static base::Expected<TextPattern> from_json(const Fields& owner, std::string_view key);
  static base::Expected<TextPattern> regex(std::string_view source);
  static TextPattern literal(std::string text);
  // Non-empty matches from left to right.
  std::vector<Regex::Match> find_all(std::string_view text) const;
  std::string replace_all(std::string_view text, std::string_view by) const;

 private:
  std::string literal_;
  std::optional<Regex> regex_;
};

// Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents.
class Normalizer {
 public:
  // `json` null: no normaliser. Errors name the field.
  static base::Expected<Normalizer> from_json(const Json* json);
  bool empty() const { return steps_.empty(); }
  // `marked`: Prepend acts.
  std::string apply(std::string_view text, bool marked) const;

 private:
  enum class Kind { kPrepend, kReplace, kNfc, kNfd, kNfkc, kNfkd, kLowercase, kStrip, kStripAccents };
  struct Step {
    Kind kind = Kind::kNfc;
    std::string text;  // kPrepend, kReplace: what is put in
    std::optional<TextPattern> pattern;
    bool left = true, right = true;  // kStrip
  };
  base::Status add(const Fields& fields, int depth);
  static std::string run(const Step& step, std::string text, bool marked);
  std::vector<Step> steps_;
};

// Where a part of a text stands.
struct Place {
  bool first = true;   // at the beginning of the whole text
  bool marked = true;  // begins something new: a text, or what follows an added token; not where continued text was cut
};

// Pre-tokens: views of the text, or of strings that a step had to make.
struct Pieces {
  std::vector<std::string_view> views;
  std::deque<std::string> owned;
};

// Sequence, Split, ByteLevel, Metaspace, Whitespace, WhitespaceSplit, Digits, Punctuation, CharDelimiterSplit.
class PreTokenizer {
 public:
  static base::Expected<PreTokenizer> from_json(const Json* json);
  // The vocabulary spells bytes in the alphabet of GPT-2.
  bool byte_level() const { return byte_level_; }
  // Precondition: valid UTF-8.
  void apply(std::string_view text, Place place, Pieces& out) const;

 private:
  enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
  enum class Prepend { kNever, kFirst, kAlways };
  struct Step {
    std::optional<TextPattern> split;
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;
    // Metaspace and ByteLevel first mark the beginning and, for Metaspace, write its sign for every space.
    Prepend prepend = Prepend::kNever;
    std::string sign = " ";
    bool replace_spaces = false;
  };
  base::Status add(const Fields& fields, int depth);
  base::Status add_split(const Fields& fields);
  base::Status add_metaspace(const Fields& fields);
  base::Status add_regex(std::string_view source, Behavior behavior, bool invert = false);
  static base::Expected<Behavior> behavior(const Fields& fields);
  static void split(const Step& step, std::string_view text, std::vector<std::string_view>& out);
  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace sgl::tokenizer
