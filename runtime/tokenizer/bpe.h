// Byte-pair encoding of one pre-token (Sennrich et al. 2016, as the `tokenizers` library does it): the pair of lowest
// rank merges first, the leftmost of equals. Private to runtime/tokenizer.
#pragma once

#include <array>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/tokenizer/json_fields.h"
#include "runtime/tokenizer/tokenizer.h"
#include "runtime/tokenizer/vocab.h"

namespace sgl::tokenizer {

// The alphabet of byte-level vocabularies (GPT-2): byte to code point, and back (-1 for other characters).
char32_t byte_level_char(unsigned char byte);
int byte_level_byte(char32_t c);
// The bytes that a spelling in this alphabet means; nullopt when a character is not of the alphabet.
std::optional<std::string> byte_level_bytes(std::string_view spelling);
// The byte that a spelling "<0xE2>" means, -1 for every other spelling.
int fallback_byte(std::string_view spelling);

// Highest token id accepted in files: the largest published vocabularies have a quarter of a million entries.
constexpr std::int64_t kMaxTokenId = (1 << 24) - 1;

class Bpe {
 public:
  // `model` is the field "model" of tokenizer.json. `byte_level`: pre-tokens are bytes spelled in the byte alphabet.
  static base::Expected<Bpe> from_json(const Fields& model, bool byte_level);

  // Appends the ids of one pre-token. O(n log n); O(1) for short pre-tokens that this thread met recently.
  void encode(std::string_view piece, std::vector<TokenId>& out) const;

  const StringPool& spellings() const { return spellings_; }  // by id, "" where unused
  std::int32_t find(std::string_view spelling) const { return by_spelling_.find(spellings_, spelling); }
  // The token of one byte on its own, -1 when there is none: by alphabet, or by fallback.
  TokenId byte_token(unsigned char byte) const { return byte_ids_[byte]; }
  TokenId unknown() const { return unknown_; }

 private:
  base::Status read_vocab(const Fields& model);
  base::Status read_merges(const Fields& model);
  base::Status add_merge(std::string_view left, std::string_view right, std::uint32_t rank, const std::string& where);
  void read_bytes();
  void symbols(std::string_view piece, std::vector<TokenId>& out) const;
  void encode_word(std::string_view word, std::vector<TokenId>& out) const;
  void encode_text(std::string_view piece, std::vector<TokenId>& out) const;
  void merge_all(std::vector<TokenId>& ids) const;
  bool joinable(char32_t a, char32_t b) const;
  TokenId char_token(std::string_view character) const;

  bool byte_level_ = false, byte_fallback_ = false, fuse_unknown_ = false, ignore_merges_ = false;
  bool splittable_ = false;  // characters never join across pairs that no merge rule joins, so text can be cut there
  TokenId unknown_ = -1;
  std::uint64_t instance_ = 0;    // key of the per-thread cache
  StringPool spellings_, bytes_;  // bytes_: what a byte-level spelling means
  StringIndex by_spelling_, by_bytes_;
  MergeTable merges_;
  std::array<TokenId, 256> byte_ids_{};
  std::array<TokenId, 128> ascii_ids_{};
  std::array<std::array<bool, 128>, 128> ascii_joins_{};
  std::vector<std::uint64_t> joins_;  // open addressing, 0: empty; pairs of other characters
};

}  // namespace sgl::tokenizer
