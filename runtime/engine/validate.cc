#include "runtime/engine/validate.h"

#include <fmt/format.h>

#include <cmath>

namespace sgl::engine {
namespace {

using base::invalid;

// Bounds of what one request makes the engine thread do per token.
constexpr int kMaxTops = 20;                       // as in the OpenAI API
constexpr std::size_t kMaxBiases = 1 << 20;        // logit_bias entries: more than any vocabulary
constexpr std::size_t kMaxContinuations = 65'536;  // of a score request

base::Status in_range(const char* name, double value, double low, double high, bool open = false) {
  if (!(open ? value > low : value >= low) || !(value <= high)) {
    return invalid(fmt::format("{} must be {} {} and at most {}, not {}", name, open ? "greater than" : "at least", low,
                               high, value));
  }
  return {};
}

base::Status check_tokens(std::span<const TokenId> tokens, std::size_t vocab) {
  for (const TokenId t : tokens) {
    if (t < 0 || static_cast<std::size_t>(t) >= vocab) {
      return invalid(fmt::format("token {} is outside the model's vocabulary of {}", t, vocab));
    }
  }
  return {};
}

base::Status check_length(std::size_t tokens, const RequestLimits& limits) {
  if (tokens == 0) return invalid("the sequence is empty: there is nothing to continue");
  if (tokens > limits.capacity) {
    return base::over_limit(
        fmt::format("the sequence has {} tokens, more than the {} that fit", tokens, limits.capacity));
  }
  return {};
}

base::Status check_sampling(const SamplingParams& s, std::size_t vocab) {
  SGL_TRY_STATUS(in_range("temperature", s.temperature, 0.0, 100.0));
  SGL_TRY_STATUS(in_range("top_p", s.top_p, 0.0, 1.0, true));
  SGL_TRY_STATUS(in_range("min_p", s.min_p, 0.0, 1.0));
  SGL_TRY_STATUS(in_range("frequency_penalty", s.frequency_penalty, -2.0, 2.0));
  SGL_TRY_STATUS(in_range("presence_penalty", s.presence_penalty, -2.0, 2.0));
  SGL_TRY_STATUS(in_range("repetition_penalty", s.repetition_penalty, 0.0, 10.0, true));
  if (s.top_k < 0) return invalid(fmt::format("top_k must not be negative, but is {}", s.top_k));
  if (s.max_tokens < 0) return invalid(fmt::format("max_tokens must not be negative, but is {}", s.max_tokens));
  if (s.top_logprobs < 0 || s.top_logprobs > kMaxTops) {
    return invalid(fmt::format("top_logprobs must be from 0 to {}, but is {}", kMaxTops, s.top_logprobs));
  }
  if (s.stop_tokens.size() > kMaxStops) return invalid(fmt::format("there are more than {} stop tokens", kMaxStops));
  if (s.min_tokens < 0) return invalid(fmt::format("min_tokens must not be negative, but is {}", s.min_tokens));
  if (s.logit_bias.size() > kMaxBiases) return invalid("logit_bias has too many entries");
  for (const auto& [token, bias] : s.logit_bias) {
    SGL_TRY_STATUS(check_tokens({&token, 1}, vocab));
    SGL_TRY_STATUS(in_range("a logit_bias", bias, -1000.0, 1000.0));
  }
  if (s.stop.size() > kMaxStops) return invalid(fmt::format("stop has more than {} strings", kMaxStops));
  std::size_t bytes = 0;
  for (const std::string& stop : s.stop) {
    if (stop.empty()) return invalid("a stop string is empty");
    bytes += stop.size();
  }
  if (bytes > kMaxStopBytes) return invalid(fmt::format("the stop strings exceed {} bytes", kMaxStopBytes));
  return {};
}

}  // namespace

base::Status validate(const GenerateRequest& request, const RequestLimits& limits) {
  SGL_TRY_STATUS(in_range("weight", request.weight, 0.0, 1e6, true));
  SGL_TRY_STATUS(check_length(request.sequence.size(), limits));
  SGL_TRY_STATUS(check_tokens(request.sequence.tokens(), limits.vocab));
  if (request.heal && request.prompt_logprobs_from) {
    return invalid("log-probabilities of the prompt cannot be had together with token healing");
  }
  return check_sampling(request.sampling, limits.vocab);
}

base::Status validate(const ScoreRequest& request, const RequestLimits& limits) {
  SGL_TRY_STATUS(in_range("weight", request.weight, 0.0, 1e6, true));
  SGL_TRY_STATUS(check_length(request.sequence.size(), limits));
  SGL_TRY_STATUS(check_tokens(request.sequence.tokens(), limits.vocab));
  if (request.continuations.empty()) return invalid("there are no continuations to score");
  if (request.continuations.size() > kMaxContinuations) {
    return invalid(fmt::format("there are more than {} continuations to score", kMaxContinuations));
  }
  for (const std::vector<TokenId>& c : request.continuations) {
    if (c.empty()) return invalid("a continuation to score is empty");
    SGL_TRY_STATUS(check_tokens(c, limits.vocab));
    SGL_TRY_STATUS(check_length(request.sequence.size() + c.size() - 1, limits));
  }
  return {};
}

base::Status validate(const EngineOptions& o) {
  if (o.replicas < 1 || o.replicas > 64) return invalid("replicas must be from 1 to 64");
  if (o.threads > 1024) return invalid("threads must be at most 1024");
  if (o.page_size < 1 || o.page_size > 4096) return invalid("page_size must be from 1 to 4096");
  if (o.max_batch < 1 || o.max_batch > 65'536) return invalid("max_batch must be from 1 to 65536");
  if (o.prefill_chunk < 1 || o.prefill_chunk > 1 << 20) return invalid("prefill_chunk must be from 1 to 1048576");
  if (o.max_queue < 1) return invalid("max_queue must be at least 1");
  return {};
}

}  // namespace sgl::engine
