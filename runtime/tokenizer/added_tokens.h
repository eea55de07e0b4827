// Added tokens: spellings that are cut out of a text before it is tokenised. Private to runtime/tokenizer.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/tokenizer/tokenizer.h"

namespace sgl::tokenizer {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special = false;
  bool normalized = false;  // matched in the normalised text, by its normalised content
  bool single_word = false, lstrip = false, rstrip = false;
};

// A set of byte strings; finds the longest one at a position.
class SpellingTrie {
 public:
  void insert(std::string_view spelling, std::uint32_t value);  // the first value of a spelling stays
  bool empty() const { return nodes_ == 1; }
  struct Hit {
    std::size_t size = 0;  // 0: none
    std::uint32_t value = 0;
  };
  // Longest spelling that `text` begins with. O(length of the spelling).
  Hit longest(std::string_view text) const;
  // First position at or after `from` where a spelling may begin; text.size() when there is none.
  std::size_t candidate(std::string_view text, std::size_t from) const {
    while (from < text.size() && !first_[static_cast<unsigned char>(text[from])]) ++from;
    return from;
  }

 private:
  std::array<bool, 256> first_{};
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // node << 8 | byte
  std::unordered_map<std::uint32_t, std::uint32_t> values_;
  std::uint32_t nodes_ = 1;
};

// A part of a text: an added token, or text between two of them (id -1).
struct TextPart {
  std::string_view text;
  TokenId id = -1;
};

// Cuts `text` at the added tokens in `trie` (whose values index `tokens`), leftmost-longest. A spelling that touches a
// span of `data` is not recognised: what users write never becomes a control token.
std::vector<TextPart> cut_added_tokens(std::string_view text, const SpellingTrie& trie,
                                       std::span<const AddedToken> tokens, std::span<const ByteSpan> data);

}  // namespace sgl::tokenizer
