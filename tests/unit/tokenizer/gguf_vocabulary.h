// Writes a tokenizer.json as the metadata of a GGUF file, as llama.cpp's converter does. For tests and benchmarks.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/gguf/writer.h"

namespace sgl::test {

// Adds tokenizer.ggml.model, pre, tokens, token_type and merges (or scores) of a BPE tokenizer. `model`: gpt2 or llama;
// `pre`: what tokenizer.ggml.pre says, "" for none. Ids without a token become unused ones up to `vocabulary` tokens.
inline void add_vocabulary(gguf::Writer& out, const nlohmann::json& tokenizer, const std::string& model,
                           const std::string& pre, std::size_t vocabulary = 0) {
  std::vector<std::string> tokens(vocabulary);
  std::vector<std::int32_t> types(vocabulary, 5);
  const auto set = [&](std::size_t id, const std::string& spelling, std::int32_t type) {
    if (id >= tokens.size()) tokens.resize(id + 1), types.resize(id + 1, 5);
    tokens[id] = spelling;
    types[id] = type;
  };
  for (const auto& [spelling, id] : tokenizer.at("model").at("vocab").items()) {
    const bool byte = model == "llama" && spelling.size() == 6 && spelling.starts_with("<0x");
    set(id.get<std::size_t>(), spelling, byte ? 6 : 1);
  }
  for (const auto& token : tokenizer.at("added_tokens")) {
    set(token.at("id").get<std::size_t>(), token.at("content").get<std::string>(),
        token.at("special").get<bool>() ? 3 : 4);
  }
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (types[id] == 5) tokens[id] = "[PAD" + std::to_string(id) + "]";
  }
  out.text("tokenizer.ggml.model", model);
  if (!pre.empty()) out.text("tokenizer.ggml.pre", pre);
  out.texts("tokenizer.ggml.tokens", tokens);
  out.counts("tokenizer.ggml.token_type", types);
  std::vector<std::string> merges;
  std::vector<float> scores(tokens.size(), 0.0F);
  for (const auto& merge : tokenizer.at("model").at("merges")) {
    const std::string pair = merge.is_string() ? merge.get<std::string>()
                                               : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>();
    const std::size_t space = pair.find(' ');
    const std::string joined = pair.substr(0, space) + pair.substr(space + 1);
    // The earlier a rule, the higher the score of what it makes; the first rule of a token counts.
    const auto at = tokenizer.at("model").at("vocab").find(joined);
    float& score = scores[at->get<std::size_t>()];
    if (score == 0.0F) score = -static_cast<float>(merges.size() + 1);
    merges.push_back(pair);
  }
  if (model == "llama") {
    out.numbers("tokenizer.ggml.scores", scores);
  } else {
    out.texts("tokenizer.ggml.merges", merges);
  }
}

}  // namespace sgl::test
