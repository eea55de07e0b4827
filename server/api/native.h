// Answers of SGLang's native API.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api/error.h"
#include "server/api/generations.h"

namespace sgl::server {

constexpr std::size_t kMaxPrompts = 1024;  // of one request

struct NativeOptions {
  bool logprobs = false;
  int tops = 0;
  bool text = false;              // texts of tokens beside their log-probabilities
  std::size_t logprobs_from = 0;  // first prompt token whose log-probability is shown
  bool keep_stop = false;
};

// Text, tokens and facts of one generation as they become known; streamed answers are cumulative.
class NativeAnswer {
 public:
  NativeAnswer(std::string id, std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
               std::vector<engine::TokenId> prompt, const NativeOptions& options);
  void add(const GenerationEvent& event);
  // {"text", "output_ids", "meta_info"}; `seconds` since the request came.
  Json json(double seconds) const;

 private:
  Json finish_reason() const;
  std::string id_;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::vector<engine::TokenId> prompt_;
  NativeOptions options_;
  std::string text_;
  std::vector<engine::TokenId> tokens_;
  Json logprobs_ = Json::array(), tops_ = Json::array();
  std::optional<engine::Finished> finished_;
};

}  // namespace sgl::server
