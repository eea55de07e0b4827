// The tokenizer of a GGUF file, as the Hugging Face files that say the same. Private to runtime/tokenizer.
#pragma once

#include <nlohmann/json.hpp>

#include "runtime/base/expected.h"
#include "runtime/gguf/gguf.h"

namespace sgl::tokenizer {

struct TokenizerFiles {
  nlohmann::json tokenizer;   // tokenizer.json
  nlohmann::json config;      // tokenizer_config.json
  nlohmann::json generation;  // generation_config.json: eos_token_id
};

// Keys `tokenizer.ggml.*` as in docs/gguf.md of github.com/ggml-org/ggml. Models: `gpt2` (BPE over bytes; the pattern
// that divides texts is named by `tokenizer.ggml.pre`) and `llama` (SentencePiece BPE, whose merges follow from the
// scores). A generation ends with the file's end-of-text token, its end-of-turn and end-of-message tokens, and those
// control tokens that are known by their spelling to end a turn, as in llama.cpp. Errors: `invalid`, naming the key:
// missing, of another kind, ids out of range, a pattern's name that is not known.
base::Expected<TokenizerFiles> gguf_tokenizer(const gguf::Contents& file);

}  // namespace sgl::tokenizer
