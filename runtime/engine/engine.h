// The engine: one thread owns scheduler, KV cache and step loop; callers hand it requests and get events. With several
// replicas there is one such thread with a cache and kernels' threads of its own for each, over the same weights; a
// request stays on the replica that it was given to (router.h), and its result does not depend on which that was.
// Every request gets exactly one terminal event (Finished), whatever happens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/ids.h"
#include "runtime/constraint/constraint.h"
#include "runtime/engine/sequence.h"
#include "runtime/model/model.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::engine {

using tokenizer::TokenId;
using RequestId = base::Id<struct RequestTag, std::uint64_t>;
// Cache namespace (tenant). Prefixes are shared only inside one.
using Namespace = base::Id<struct NamespaceTag>;

// As in the SGL language. Values out of range are refused by Engine::generate with `invalid`.
struct SamplingParams {
  double temperature = 1.0;         // 0 … 100; 0 is greedy
  double top_p = 1.0;               // (0, 1]
  int top_k = 0;                    // 0: off
  double min_p = 0.0;               // [0, 1]
  int max_tokens = 256;             // >= 0; 0 computes the prompt only
  int min_tokens = 0;               // eos and stop strings are held back before this many
  double frequency_penalty = 0.0;   // [-2, 2]; over tokens of this generation
  double presence_penalty = 0.0;    // [-2, 2]
  double repetition_penalty = 1.0;  // (0, 10]; over prompt and generation
  std::vector<std::pair<TokenId, double>> logit_bias;
  std::vector<std::string> stop;     // the text ends before the first of these; it is not part of the text
  std::uint64_t seed = 0;            // with the same everything: the same output
  std::vector<TokenId> stop_tokens;  // end the text as eos does, and are not part of it
  bool logprobs = false;             // log-probability of every generated token (of the unmodified distribution)
  int top_logprobs = 0;              // with logprobs: also those of the most likely tokens of each place, at most 20
  bool ignore_eos = false;
};

struct TokenLogprob {
  TokenId token = 0;
  float logprob = 0.0F;
};
using TopLogprobs = std::vector<std::vector<TokenLogprob>>;  // by place, the most likely token first

enum class FinishReason { kStop, kEos, kComplete /* constraint can take no more */, kLength, kError, kCancelled };

struct Usage {
  // prompt = cached + prefill, exactly. A token that a request waited for another request to compute is cached. A
  // request that ended early (cancelled, or a constraint that forces all of its text) counts the tokens it looked up or
  // computed. At least one prompt token is always computed, the last: its logits are not kept. For score() the prompt
  // is the sequence and all but the last token of each continuation; at least the sequence's last token and those are
  // computed.
  std::int64_t prompt_tokens = 0;
  std::int64_t cached_tokens = 0;   // KV found in the radix tree
  std::int64_t prefill_tokens = 0;  // computed for this request (recomputation after preemption counts in `recomputed`)
  std::int64_t generated_tokens = 0;
  std::int64_t jump_tokens = 0;  // those of generated_tokens that a constraint forced (not decoded)
  std::int64_t recomputed_tokens = 0;
};

struct Finished {
  RequestId id;
  FinishReason reason = FinishReason::kError;
  std::optional<base::Error> error;   // set iff reason is kError or kCancelled
  std::string text;                   // whole text of the generation, without stop string and eos
  std::vector<TokenId> tokens;        // exactly the tokens behind `text` (stop and eos cut off); the caller may append
                                      // them to its sequence, their KV is cached. When a stop string cut inside a
                                      // token, the rest is re-tokenised from `text`.
  std::string stop_text;              // the stop string that matched, or ""
  std::optional<TokenId> stop_token;  // the eos or stop token that ended it
  std::vector<float> logprobs;        // per generated token when asked for; where a stop string cut inside a token,
                                      // only of the tokens before it
  TopLogprobs top_logprobs;           // as `logprobs`
  // Of the prompt's tokens from GenerateRequest::prompt_logprobs_from on (from 1: the first has no predecessor).
  std::vector<float> prompt_logprobs;
  TopLogprobs prompt_top_logprobs;
  std::size_t healed_tokens = 0;  // tokens of the sequence's end that `tokens` replaces: 0, or 1 with healing
  std::vector<double> scores;     // score(): sum of log-probabilities per continuation
  Usage usage;
};

// Called on the engine thread (of the request's replica): must return quickly and must not call back into the engine
// except to submit or cancel.
struct Events {
  std::function<void(RequestId, std::string_view text)> on_text;  // newly complete UTF-8 text; may be empty function
  // Tokens whose text on_text gives next (or gave), with log-probabilities where they were asked for. May be empty.
  std::function<void(RequestId, std::span<const TokenId>, std::span<const float>, const TopLogprobs&)> on_tokens;
  std::function<void(Finished)> on_finished;  // exactly once
};

struct GenerateRequest {
  Sequence sequence;  // at least one token
  SamplingParams sampling;
  std::shared_ptr<const constraint::Constraint> constraint;  // null: free text
  // Token healing: the last token of the sequence is taken back and generated again, constrained to begin with its
  // bytes, where another token extends it. The healed bytes are not part of `text`; `healed_tokens` of the sequence's
  // end are replaced by Finished::tokens.
  Namespace ns;
  double weight = 1.0;  // of the namespace, where several wait: twice the weight gets twice the tokens
  int priority = 0;     // higher first; equal: namespaces take turns, inside one first come first served
  bool heal = false;    // token healing, see above; needs two tokens and text that ends a character
  // Log-probabilities of the prompt's tokens from this position on; these positions are computed, not taken from the
  // cache. Not together with healing.
  std::optional<std::size_t> prompt_logprobs_from;
};

// Log-probabilities of continuations of one prefix (select): the prefix is computed once.
struct ScoreRequest {
  Sequence sequence;
  std::vector<std::vector<TokenId>> continuations;  // each non-empty
  bool per_token = false;  // Finished::logprobs = all continuations' token logprobs, concatenated
  Namespace ns;
  double weight = 1.0;
  int priority = 0;
};

struct EngineOptions {
  std::size_t replicas = 1;  // 1 … 64; threads, pages, max_kv_bytes and max_queue are those of all, shared out evenly
  std::size_t threads = 0;   // kernels' threads; 0: physical cores
  std::size_t page_size = 16;  // tokens per KV page
  std::size_t pages = 0;       // 0: from max_kv_bytes
  std::size_t max_kv_bytes = std::size_t{1} << 30;
  std::size_t max_batch = 64;       // sequences decoded together
  std::size_t prefill_chunk = 256;  // prompt tokens per step, so that decoding sequences are not held up
  std::size_t max_queue = 100'000;  // waiting requests; more are refused with `unavailable`
  bool prefix_cache = true;
};

struct EngineStats {
  std::int64_t requests = 0, steps = 0, preemptions = 0, evicted_pages = 0;
  Usage total;
  double prefill_seconds = 0, decode_seconds = 0, step_seconds = 0;
  double kernel_seconds = 0;  // of step_seconds: the model's forward pass, masks and sampling
  std::size_t pages_total = 0, pages_free = 0, pages_cached = 0;
};

class Engine {
 public:
  // `vocabulary`: of the tokenizer; built here (half a second for 150,000 tokens) when the caller has none yet.
  static base::Expected<std::unique_ptr<Engine>> create(std::shared_ptr<const model::Model> model,
                                                        std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                                                        const EngineOptions& options = {},
                                                        std::shared_ptr<const constraint::Vocabulary> vocabulary = {});
  // Cancels what runs, delivers every outstanding terminal event, joins the thread.
  ~Engine();

  // Thread-safe, never block on a model step. A request that cannot be taken (bad parameter, prompt longer than the
  // context or the pool, queue full) still gets its one terminal event, on the engine thread.
  RequestId generate(GenerateRequest request, Events events);
  RequestId score(ScoreRequest request, Events events);
  // Takes effect within one step; the request ends with kCancelled unless it had ended already.
  void cancel(RequestId id);

  // Forgets the cached prefixes of one namespace that no running sequence uses. Takes effect within one step.
  void flush_cache(Namespace ns);

  EngineStats stats() const;     // a consistent copy of each replica's, added up
  std::size_t capacity() const;  // tokens of one sequence: the model's context or the KV pool, whichever is smaller
  const tokenizer::Tokenizer& tokenizer() const;
  std::shared_ptr<const tokenizer::Tokenizer> shared_tokenizer() const;
  std::shared_ptr<const constraint::Vocabulary> vocabulary() const;
  const model::Model& model() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sgl::engine
