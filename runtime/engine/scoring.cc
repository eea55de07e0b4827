// score(): one sequence computes the prefix and gives every continuation's first token its probability; each longer
// continuation is a sequence of its own that finds the prefix in the cache.
#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "runtime/base/check.h"
#include "runtime/engine/task.h"
#include "runtime/model/sampler.h"

namespace sgl::engine {
namespace {

class Scoring final : public Task {
 public:
  Scoring(const Env& env, RequestId request_id, ScoreRequest request, Events listener)
      : Task(request_id, request.ns, request.priority, std::move(listener), request.weight),
        env_(env),
        prefix_(request.sequence.tokens()),
        continuations_(std::move(request.continuations)),
        per_token_(request.per_token),
        logprobs_(continuations_.size()) {
    for (std::size_t i = 0; i < continuations_.size(); ++i) logprobs_[i].resize(continuations_[i].size());
  }

  bool start(sched::Scheduler& scheduler, const NewSequence& new_sequence) override {
    root_ = new_sequence(*this);
    submit(scheduler, *root_, prefix_, prefix_.size());
    return false;
  }

  void consume(const Rows& rows) override {
    for (std::size_t i = 0; i < rows.rows; ++i) {
      const std::span<const float> row = rows.row(i, env_.model_vocab);
      if (rows.sequence == root_) {
        for (std::size_t c = 0; c < continuations_.size(); ++c) {
          logprobs_[c][0] = model::log_probability(row, continuations_[c][0], norm(row, c == 0));
        }
        continue;
      }
      const std::size_t which = children_.at(rows.sequence);
      // The row after position p tells about the token at p + 1.
      const std::size_t token = rows.begin + i + 1 - prefix_.size();
      logprobs_[which][token] = model::log_probability(row, continuations_[which][token]);
    }
  }

  bool advance(const Rows& rows, sched::Scheduler& scheduler, const NewSequence& new_sequence) override {
    if (rows.begin + rows.rows < scheduler.tokens(rows.sequence).size()) return false;  // more rows to come
    if (rows.sequence == root_) {
      take(scheduler, *root_, true);
      root_.reset();
    } else {
      take(scheduler, rows.sequence, false);
      children_.erase(rows.sequence);
    }
    submit_children(scheduler, new_sequence);
    return children_.empty();
  }

  Finished close(sched::Scheduler& scheduler, std::optional<base::Error> error) override {
    if (root_) take(scheduler, *root_, true);
    for (const auto& [sequence, which] : children_) take(scheduler, sequence, false);
    Finished out;
    out.id = id;
    out.usage = usage_;
    out.usage.prompt_tokens = usage_.cached_tokens + usage_.prefill_tokens;
    if (error) {
      out.reason = error->kind == base::ErrorKind::kCancelled ? FinishReason::kCancelled : FinishReason::kError;
      out.error = std::move(error);
      return out;
    }
    out.reason = FinishReason::kComplete;
    for (const std::vector<double>& of_one : logprobs_) {
      out.scores.push_back(std::accumulate(of_one.begin(), of_one.end(), 0.0));
      if (!per_token_) continue;
      for (const double p : of_one) out.logprobs.push_back(static_cast<float>(p));
    }
    return out;
  }

 private:
  // Enough to fill a batch: each has a copy of the prefix, and waits beside the sequences of others.
  static constexpr std::size_t kMostChildren = 64;

  void submit_children(sched::Scheduler& scheduler, const NewSequence& new_sequence) {
    for (; next_ < continuations_.size() && children_.size() < kMostChildren; ++next_) {
      const std::vector<TokenId>& continuation = continuations_[next_];
      if (continuation.size() == 1) continue;
      std::vector<TokenId> tokens = prefix_;
      tokens.insert(tokens.end(), continuation.begin(), continuation.end() - 1);
      const sched::SequenceId sequence = new_sequence(*this);
      children_.emplace(sequence, next_);
      submit(scheduler, sequence, std::move(tokens), prefix_.size() + 1);
    }
  }

  // `first_token`: index of the first token of the continuation whose predecessor's logits are not known yet.
  void submit(sched::Scheduler& scheduler, sched::SequenceId sequence, std::vector<TokenId> tokens,
              std::size_t first_token) {
    sched::Submission s{sequence, sched::Namespace(ns.value), priority, std::move(tokens), 0, first_token - 1};
    s.prompt = s.tokens.size();
    s.weight = weight;
    const base::Status accepted = scheduler.submit(std::move(s));
    SGL_ASSERT(accepted.ok());  // the length was validated
  }

  // A child's prefix was counted with the root: what it finds again is nothing new, what it computes again (after an
  // eviction) is recomputation.
  void take(sched::Scheduler& scheduler, sched::SequenceId sequence, bool root) {
    sched::Counts counts = scheduler.counts(sequence);
    if (!root) {
      const auto prefix = static_cast<std::int64_t>(prefix_.size());
      const std::int64_t again = std::max<std::int64_t>(0, prefix - counts.cached);
      const std::int64_t repeated = std::min(again, counts.prefill);
      counts.prefill -= repeated;
      counts.recomputed += repeated;
      counts.cached = 0;
    }
    add_counts(usage_, counts);
    scheduler.finish(sequence);
  }

  double norm(std::span<const float> row, bool fresh) {
    if (fresh) root_norm_ = model::log_normaliser(row);
    return root_norm_;
  }

  const Env& env_;
  const std::vector<TokenId> prefix_;
  const std::vector<std::vector<TokenId>> continuations_;
  const bool per_token_;
  std::vector<std::vector<double>> logprobs_;
  std::optional<sched::SequenceId> root_;
  std::unordered_map<sched::SequenceId, std::size_t> children_;  // not changed while `consume` runs
  std::size_t next_ = 0;                                         // continuation to begin
  double root_norm_ = 0.0;
  Usage usage_;
};

}  // namespace

std::unique_ptr<Task> make_scoring(const Env& env, RequestId id, ScoreRequest request, Events events) {
  return std::make_unique<Scoring>(env, id, std::move(request), std::move(events));
}

void add_counts(Usage& usage, const sched::Counts& counts) {
  usage.cached_tokens += counts.cached;
  usage.prefill_tokens += counts.prefill;
  usage.recomputed_tokens += counts.recomputed;
}

}  // namespace sgl::engine
