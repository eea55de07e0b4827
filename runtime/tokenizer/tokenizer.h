// Tokenizers as Hugging Face's `tokenizer.json` describes them: byte-level BPE (GPT-2, Qwen, Llama 3) and
// SentencePiece-style BPE with byte fallback (Llama 2, Gemma). Agrees with the `tokenizers` library id for id.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::tokenizer {

using TokenId = std::int32_t;  // as models count them: 0 … vocab_size-1

struct EncodeOptions {
  // Spellings of added tokens inside the text become those tokens (what Hugging Face does). False for all user text:
  // then `<|im_end|>` in it is just characters.
  bool parse_added_tokens = false;
  // Run the post-processor, which adds the beginning-of-text token and the like.
  bool add_special = false;
  // The text continues earlier text: normalisers that mark the beginning of a text (SentencePiece's "▁" prefix,
  // Metaspace prepend_scheme "first") do not act.
  bool continuation = false;
};

// Bytes begin … end-1 of a text.
struct ByteSpan {
  std::size_t begin = 0, end = 0;
  friend bool operator==(const ByteSpan&, const ByteSpan&) = default;
};

// Immutable after loading; every method may be called from any thread.
class Tokenizer {
 public:
  // `folder` holds tokenizer.json and, where present, tokenizer_config.json, generation_config.json, config.json; or it is
  // a GGUF file.
  // Errors: one sentence naming the file and the field; unknown component types are errors, never skipped.
  static base::Expected<std::shared_ptr<const Tokenizer>> load(const std::filesystem::path& folder);
  static base::Expected<std::shared_ptr<const Tokenizer>> from_json(std::string_view tokenizer_json,
                                                                    std::string_view tokenizer_config_json = "{}");
  ~Tokenizer();

  // O(n log n) in the text's length at worst. Invalid UTF-8 is encoded byte by byte where the vocabulary allows it.
  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options = {}) const;
  // As above, but an added token is recognised only where no byte of its spelling lies in one of the `data` spans
  // (ascending, disjoint): text and control tokens in one string, as chat templates make them.
  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options,
                              std::span<const ByteSpan> data) const;
  // The text of a sequence, by the file's decoder; special tokens are skipped on request. Ids out of range add nothing;
  // every maximal ill-formed part of UTF-8 becomes U+FFFD.
  std::string decode(std::span<const TokenId> ids, bool skip_special = true) const;

  std::size_t vocab_size() const;  // one more than the highest id, added tokens included
  // The exact bytes that a token appends in the middle of a text; empty for special tokens and unused ids.
  std::string_view token_bytes(TokenId id) const;
  // Bytes dropped at the beginning of a text by the decoder (the SentencePiece space), 0 or 1.
  std::size_t leading_strip() const;
  // The character that it drops (only this one), '\0' when it drops none.
  char leading_char() const;
  bool is_special(TokenId id) const;
  std::optional<TokenId> token_id(std::string_view content) const;  // exact vocabulary or added-token spelling
  std::optional<TokenId> bos() const;
  // Every token that ends a generation (eos_token of the tokenizer and eos_token_id of the configs).
  std::span<const TokenId> eos() const;
  // Jinja source of the chat template; nullopt when the tokenizer has none.
  std::optional<std::string_view> chat_template() const;
  // Spelling of bos_token / eos_token for templates, "" when there is none.
  std::string_view bos_text() const;
  std::string_view eos_text() const;

 private:
  friend class TokenizerLoader;
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Turns a stream of tokens into text that never ends inside a UTF-8 sequence.
class StreamDecoder {
 public:
  // `at_text_start`: the stream begins a text, so the SentencePiece space of its first token is dropped.
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool at_text_start = false);
  // Text that became complete with this token; may be empty.
  std::string push(TokenId id);
  // What is left; an incomplete sequence becomes U+FFFD. With `at_text_start`, all text together equals
  // Tokenizer::decode of the pushed ids.
  std::string finish();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string pending_;
  bool at_start_;
};

}  // namespace sgl::tokenizer
