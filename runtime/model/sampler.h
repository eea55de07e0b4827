// From a row of logits to a token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::model {

// How often a token occurred; kept by the caller while a generation with penalties runs.
struct TokenCount {
  std::int32_t generated = 0;  // in this generation: frequency and presence penalty
  bool seen = false;           // in prompt or generation: repetition penalty
};
using TokenCounts = std::unordered_map<std::int32_t, TokenCount>;

// Ranges as in engine::SamplingParams, checked by the engine.
struct SamplerSettings {
  double temperature = 1.0;  // 0: the highest logit, the lowest id on ties
  double top_p = 1.0;
  int top_k = 0;
  double min_p = 0.0;
  double frequency_penalty = 0.0, presence_penalty = 0.0, repetition_penalty = 1.0;
  std::span<const std::pair<std::int32_t, double>> logit_bias = {};
};

struct SampleRequest {
  // One row; overwritten. Ids from `vocab` on (padding of the model's table) are never chosen.
  std::span<float> logits;
  std::size_t vocab = 0;
  // One bit per id; empty: all allowed. Ids beyond its end are not allowed.
  std::span<const std::uint64_t> mask;
  std::span<const std::int32_t> forbidden;  // further ids that may not be chosen now (end tokens before min_tokens)
  const TokenCounts* counts = nullptr;
  std::uint64_t seed = 0, position = 0;  // the draw depends on these two alone
  bool logprob = false;
};

struct Sampled {
  std::int32_t token = 0;
  float logprob =
      0.0F;  // of the token in the unmodified distribution (no penalty, bias, mask or temperature), if asked
};

// In this order: repetition, frequency and presence penalties, logit_bias, mask, temperature, top_k, top_p, min_p,
// draw. top_p keeps the fewest most probable tokens that reach it. Deterministic. Errors: kInternal where no allowed
// token has a finite logit (weights with NaN, or an empty mask). O(vocab), and O(n log n) in the number of tokens that
// top_k or top_p may keep.
base::Expected<Sampled> sample(const SamplerSettings& settings, const SampleRequest& request);

// log Σ e^logit of one row; the log-probability of a token is its logit minus this.
double log_normaliser(std::span<const float> logits);
// log softmax(logits)[token] of one row, unmodified; `normaliser` where it is known already.
double log_probability(std::span<const float> logits, std::int32_t token);
double log_probability(std::span<const float> logits, std::int32_t token, double normaliser);

}  // namespace sgl::model
