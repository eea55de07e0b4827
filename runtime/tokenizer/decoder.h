// The decoder of tokenizer.json, reduced to what it does to one token and to the beginning of a text. Private to
// runtime/tokenizer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tokenizer/normalizer.h"

namespace sgl::tokenizer {

// ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip, Sequence.
class Decoder {
 public:
  // `json` null: tokens are joined as they are spelled. Errors name the field; a Strip that is not one character at the
  // beginning of a text, or a Replace after Fuse, is an error because a stream could not be decoded token by token.
  static base::Expected<Decoder> from_json(const Json* json);
  // What a token adds to the middle of a text.
  std::string bytes(std::string_view spelling) const;
  // A leading character that is dropped at the beginning of a text, '\0' for none.
  char leading() const { return leading_; }

 private:
  enum class Kind { kByteLevel, kReplace, kByteFallback, kStrip };
  struct Step {
    Kind kind = Kind::kByteLevel;
    std::optional<TextPattern> pattern;  // kReplace
    std::string text;                    // kReplace: by what; kStrip: the character
    std::int64_t start = 0, stop = 0;    // kStrip
  };
  base::Status add(const Fields& fields, int depth);
  base::Status add_strip(const Fields& fields);
  std::vector<Step> steps_;
  char leading_ = '\0';
  bool fused_ = false;
};

// Text with every maximal ill-formed part replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view bytes);

}  // namespace sgl::tokenizer
