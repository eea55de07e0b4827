// The parts of a loaded tokenizer. Private to runtime/tokenizer.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/tokenizer/added_tokens.h"
#include "runtime/tokenizer/bpe.h"
#include "runtime/tokenizer/decoder.h"
#include "runtime/tokenizer/normalizer.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::tokenizer {

struct Tokenizer::Impl {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  Bpe bpe;
  Decoder decoder;
  std::vector<AddedToken> added;
  std::unordered_map<std::string_view, TokenId> added_ids;  // by content; views into `added`
  SpellingTrie raw_added, normalized_added;                 // values index `added`
  StringPool token_bytes;                                   // by id; the length is the vocabulary's size
  StringPool special_text;                                  // by id: what a special token decodes to when not skipped
  std::vector<bool> special;
  std::vector<TokenId> prefix, suffix;  // what the post-processor puts around a text
  std::optional<TokenId> bos;
  std::vector<TokenId> eos;
  std::string bos_text, eos_text;
  std::optional<std::string> chat_template;

  struct Request {
    bool parse_added = false;
    Place place;
    std::span<const ByteSpan> data;  // where no added token is recognised
  };
  // Precondition of all: valid UTF-8.
  void encode_valid(std::string_view text, const Request& request, std::vector<TokenId>& out) const;
  void encode_part(std::string_view text, const Request& request, std::vector<TokenId>& out) const;
  void encode_normalized(std::string_view text, Place place, std::vector<TokenId>& out) const;
  std::vector<ByteSpan> normalized_spans(std::string_view text, std::string_view normalized, bool marked,
                                         std::span<const ByteSpan> data) const;
};

}  // namespace sgl::tokenizer
