// Log-probabilities of one generation: of its prompt's tokens and of what it generates. See engine.h.
#pragma once

#include <span>
#include <vector>

#include "runtime/engine/engine.h"

namespace sgl::engine {

class Logprobs {
 public:
  // `prompt_from`: first prompt position wanted, nullopt for none.
  Logprobs(const SamplingParams& params, std::optional<std::size_t> prompt_from, std::span<const TokenId> prompt);

  bool wanted() const { return wanted_; }
  std::size_t size() const { return values_.size(); }
  bool of_prompt() const { return prompt_from_ < prompt_size_; }
  // First position whose logits are needed for the prompt. Precondition: of_prompt().
  std::size_t prompt_logits_from() const { return prompt_from_ - 1; }

  // The row that tells about the prompt's token at `position`.
  void see_prompt(std::size_t position, TokenId token, std::span<const float> row);
  // The row that tells about the generated token number `index`, known already (it was forced).
  void see_forced(std::size_t index, TokenId token, std::span<const float> row);
  // The row that the next token is sampled from, before sampling changes it.
  void see_next(std::span<const float> row);
  // A token joins the generation.
  void add() {
    if (!wanted_) return;
    values_.push_back(0.0F);
    tops_.emplace_back();
  }
  // The token sampled from the row of see_next is number `index`.
  void sampled(std::size_t index, float logprob);
  void resize(std::size_t count);
  // What is known of tokens begin … end-1.
  std::span<const float> values(std::size_t begin, std::size_t end) const;
  TopLogprobs tops(std::size_t begin, std::size_t end) const;
  void take(Finished& out);

 private:
  std::vector<TokenLogprob> top(std::span<const float> row, double normaliser) const;

  bool wanted_;
  std::size_t top_count_;
  std::size_t prompt_from_, prompt_size_;
  std::vector<float> values_, prompt_values_;
  TopLogprobs tops_, prompt_tops_;
  std::vector<TokenLogprob> next_top_;
};

}  // namespace sgl::engine
