#include "runtime/model/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/softmax.h"
#include "runtime/model/philox.h"

namespace sgl::model {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void penalise(const SamplerSettings& s, const TokenCounts& counts, std::span<float> logits) {
  for (const auto& [token, count] : counts) {  // each entry touches its own logit only: the order does not matter
    if (token < 0 || static_cast<std::size_t>(token) >= logits.size()) continue;
    double value = logits[static_cast<std::size_t>(token)];
    if (count.seen && s.repetition_penalty != 1.0) {
      value = value > 0.0 ? value / s.repetition_penalty : value * s.repetition_penalty;
    }
    if (count.generated > 0) value -= s.frequency_penalty * count.generated + s.presence_penalty;
    logits[static_cast<std::size_t>(token)] = static_cast<float>(value);
  }
}

void apply_mask(std::span<const std::uint64_t> mask, std::span<float> logits) {
  for (std::size_t word = 0; word * 64 < logits.size(); ++word) {
    std::uint64_t closed = word < mask.size() ? ~mask[word] : ~std::uint64_t{0};
    const std::size_t n = std::min<std::size_t>(64, logits.size() - word * 64);
    if (n < 64) closed &= (std::uint64_t{1} << n) - 1;
    if (closed == ~std::uint64_t{0}) {
      std::fill_n(logits.begin() + static_cast<std::ptrdiff_t>(word * 64), 64, kNever);
      continue;
    }
    for (; closed != 0; closed &= closed - 1) {
      logits[word * 64 + static_cast<std::size_t>(__builtin_ctzll(closed))] = kNever;
    }
  }
}

base::Error no_token() {
  return {base::ErrorKind::kInternal, "the model gave no finite logit to any allowed token"};
}

struct Candidate {
  float weight;  // e^((logit - max) / temperature)
  std::int32_t id;
  // Most probable first, lowest id on ties: a total order, so that sorting is deterministic.
  bool operator<(const Candidate& other) const {
    return weight != other.weight ? weight > other.weight : id < other.id;
  }
};

std::int32_t draw_from_all(std::span<const float> weights, double u) {
  double total = 0.0;
  for (const float w : weights) total += w;
  const double target = u * total;
  double sum = 0.0;
  std::int32_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0.0F) continue;
    sum += weights[i];
    last = static_cast<std::int32_t>(i);
    if (sum > target) return last;
  }
  return last;  // u · total rounded up to total
}

std::int32_t draw_from_top(const SamplerSettings& s, std::span<const float> weights, double u) {
  std::vector<Candidate> top;
  const auto k = s.top_k > 0 ? static_cast<std::size_t>(s.top_k) : weights.size();
  double total = 0.0;
  for (const float w : weights) total += w;
  // Tokens under this weight sum to less than 1 - top_p of the whole, so top_p never reaches them; min_p cuts at a
  // fraction of the best weight, which is 1.
  double least = s.min_p;
  if (k >= weights.size()) least = std::max(least, (1.0 - s.top_p) * total / static_cast<double>(weights.size()));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0.0F && weights[i] >= least) top.push_back({weights[i], static_cast<std::int32_t>(i)});
  }
  if (k < top.size()) {
    std::nth_element(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(k), top.end());
    top.resize(k);
  }
  std::sort(top.begin(), top.end());
  if (k < weights.size()) {  // top_p is relative to what top_k left; min_p may have taken some of those already
    std::vector<float> kept(weights.begin(), weights.end());
    std::nth_element(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(k), kept.end(), std::greater<>());
    std::sort(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(k), std::greater<>());
    total = 0.0;
    for (std::size_t i = 0; i < k; ++i) total += kept[i];
  }
  double sum = 0.0;
  std::size_t size = 0;
  while (size < top.size() && (size == 0 || sum < s.top_p * total)) sum += top[size++].weight;
  const double target = u * sum;
  double reached = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    reached += top[i].weight;
    if (reached > target) return top[i].id;
  }
  return top[size - 1].id;
}

}  // namespace

double log_normaliser(std::span<const float> logits) {
  return kernels::log_sum_exp(logits.data(), logits.size());
}

double log_probability(std::span<const float> logits, std::int32_t token, double normaliser) {
  return static_cast<double>(logits[static_cast<std::size_t>(token)]) - normaliser;
}

double log_probability(std::span<const float> logits, std::int32_t token) {
  return log_probability(logits, token, log_normaliser(logits));
}

base::Expected<Sampled> sample(const SamplerSettings& settings, const SampleRequest& request) {
  std::span<float> logits = request.logits;
  std::vector<float> original;
  double norm = 0.0;
  if (request.logprob) {
    norm = log_normaliser(logits);
    original.assign(logits.begin(), logits.end());
  }
  if (request.counts != nullptr) penalise(settings, *request.counts, logits);
  for (const auto& [token, bias] : settings.logit_bias) {
    if (token >= 0 && static_cast<std::size_t>(token) < logits.size()) {
      float& value = logits[static_cast<std::size_t>(token)];
      value = static_cast<float>(value + bias);
    }
  }
  logits = logits.first(std::min(request.vocab, logits.size()));
  if (!request.mask.empty()) apply_mask(request.mask, logits);
  for (const std::int32_t id : request.forbidden) {
    if (id >= 0 && static_cast<std::size_t>(id) < logits.size()) logits[static_cast<std::size_t>(id)] = kNever;
  }
  if (logits.empty()) return no_token();
  const float highest = kernels::max_value(logits.data(), logits.size());
  if (!std::isfinite(highest)) return no_token();

  Sampled out;
  if (settings.temperature == 0.0) {
    out.token = static_cast<std::int32_t>(std::find(logits.begin(), logits.end(), highest) - logits.begin());
  } else {
    // Bounded so that 0 · scale stays 0: temperatures that small are greedy up to exact ties.
    const auto scale = static_cast<float>(std::min(1.0 / settings.temperature, 1e30));
    kernels::exp_scaled(logits.data(), logits.size(), highest, scale, logits.data());
    const double u = uniform(request.seed, request.position);
    const bool filtered = settings.top_k > 0 || settings.top_p < 1.0 || settings.min_p > 0.0;
    out.token = filtered ? draw_from_top(settings, logits, u) : draw_from_all(logits, u);
  }
  if (request.logprob) {
    out.logprob = static_cast<float>(static_cast<double>(original[static_cast<std::size_t>(out.token)]) - norm);
  }
  return out;
}

}  // namespace sgl::model
