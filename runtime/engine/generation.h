// One generate request: from logits to tokens to text. See task.h for the threads its methods run on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/logprobs.h"
#include "runtime/engine/stop_text.h"
#include "runtime/engine/task.h"
#include "runtime/model/sampler.h"

namespace sgl::engine {

class Generation final : public Task {
 public:
  Generation(const Env& env, RequestId request_id, GenerateRequest request, Events listener);

  bool start(sched::Scheduler& scheduler, const NewSequence& new_sequence) override;
  void consume(const Rows& rows) override;
  bool advance(const Rows& rows, sched::Scheduler& scheduler, const NewSequence& new_sequence) override;
  Finished close(sched::Scheduler& scheduler, std::optional<base::Error> error) override;

 private:
  // Why the generation is over, once it is.
  struct End {
    FinishReason reason;
    std::optional<base::Error> error;
  };

  void take_back_last_token();
  // The token for the row of the last known token, or `end_` when there can be none.
  void sample(std::span<float> logits);
  // Tokens allowed next; nullptr when all are. Sets `end_` when none is.
  const constraint::TokenMask* allowed();
  bool only_ends(const constraint::TokenMask& mask) const;
  bool is_eos(TokenId token) const;
  bool is_stop(TokenId token) const;
  bool hold_back_eos() const;

  // Takes one token into the generation and looks whether it ends it. `accepted`: the matcher knows it already.
  void push(TokenId token, bool accepted);
  void extend_text(TokenId token);
  // Appends the tokens that the constraint forces next, if that is possible within the budget.
  void jump();
  std::vector<TokenId> forced_tokens();
  std::int64_t budget() const { return max_tokens_ - static_cast<std::int64_t>(tokens_.size()); }

  // Text that is certain, and the tokens behind it of the first `known` ones.
  void emit(std::size_t known);
  void cut_at_stop(const StopText::Hit& hit);
  void fail(base::Error error);

  const Env& env_;
  SamplingParams params_;
  std::vector<TokenId> prompt_;  // as computed: without a healed token
  std::size_t healed_ = 0;
  std::string heal_rest_;       // bytes that must still come before free generation
  std::size_t heal_strip_ = 0;  // bytes of text still to be dropped: they belong to the healed token
  std::optional<constraint::Matcher> matcher_;
  std::optional<constraint::TokenMask> heal_mask_;
  std::shared_ptr<const constraint::TokenMask> mask_;
  tokenizer::StreamDecoder decoder_;
  StopText stops_;
  model::TokenCounts counts_;
  bool uses_counts_ = false;
  std::int64_t max_tokens_ = 0;

  std::optional<sched::SequenceId> sequence_;
  std::vector<TokenId> tokens_;        // generated, eos excluded
  std::vector<std::size_t> text_end_;  // per token: complete text after it
  std::vector<bool> clean_;            // per token: no incomplete character was left after it
  Logprobs logprobs_;
  std::string text_;
  std::string raw_tail_;        // bytes of an incomplete character
  std::size_t stop_known_ = 0;  // text already searched for stop strings
  std::size_t emitted_ = 0;
  std::size_t tokens_emitted_ = 0;
  std::optional<TokenId> stop_token_;
  std::string stop_text_;
  std::optional<End> end_;
  bool draining_ = false;  // over, but log-probabilities of forced tokens are still to be computed
  std::optional<model::Sampled> sampled_;
  std::int64_t jumped_ = 0, extra_tokens_ = 0;  // extra: sampled tokens that are not in tokens_ (eos)
};

}  // namespace sgl::engine
