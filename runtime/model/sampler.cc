#include "runtime/model/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_map>
#include <vector>

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

// What `mask` does not allow becomes −infinity; the highest logit of each block.
void apply_mask(std::span<const std::uint64_t> mask, std::span<float> logits, std::vector<float>& maxima) {
  const std::size_t covered = std::min(logits.size(), mask.size() * 64);
  kernels::mask_maxima(logits.data(), covered, mask.data(), maxima.data());
  std::fill(logits.begin() + static_cast<std::ptrdiff_t>(covered), logits.end(), kNever);
  std::fill(maxima.begin() + static_cast<std::ptrdiff_t>(kernels::logit_blocks(covered)), maxima.end(), kNever);
}

base::Error no_token() {
  return {base::ErrorKind::kInternal, "the model gave no finite logit to any allowed token"};
}

// Memory of a thread that samples, kept between tokens.
struct Scratch {
  std::vector<float> maxima, weights;  // by block; by token: e^((logit - max) / temperature)
  std::vector<double> sums;            // of weights, by block
  std::vector<std::int32_t> ids;
  std::vector<float> values;
};

struct Candidate {
  float weight;
  float order;  // what the filters rank by: the logit where only few weights are computed, else the weight
  std::int32_t id;
  // Most probable first, lowest id on ties: a total order, so that sorting is deterministic.
  bool operator<(const Candidate& other) const { return order != other.order ? order > other.order : id < other.id; }
};

// The row as the filters see it.
struct Row {
  std::span<const float> logits;
  float highest, scale;  // weight = e^((logit - highest) * scale)
  Scratch& s;

  // All weights, and their sum.
  double weigh() const {
    s.weights.resize(logits.size());
    s.sums.resize(s.maxima.size());
    kernels::exp_blocks(logits.data(), logits.size(), s.maxima.data(), highest, scale, s.weights.data(), s.sums.data());
    double total = 0.0;
    for (const double sum : s.sums) total += sum;
    return total;
  }
  // Ids of the values that are at least `least`.
  std::span<const std::int32_t> at_least(std::span<const float> values, float least) const {
    s.ids.resize(values.size());
    return std::span(s.ids).first(kernels::collect(values.data(), values.size(), least, s.ids.data()));
  }
};

// Position in the order of ids, block by block: within a block the sum is made again token by token.
std::int32_t draw_from_all(const Row& row, double u) {
  const double target = u * row.weigh();
  const Scratch& s = row.s;
  double sum = 0.0;
  std::size_t block = 0, last = 0;
  for (; block < s.sums.size(); ++block) {
    if (s.sums[block] == 0.0) continue;
    last = block;
    if (sum + s.sums[block] > target) break;
    sum += s.sums[block];
  }
  std::int32_t chosen = 0;
  if (block == s.sums.size()) {  // u · total rounded up to total
    block = last;
    sum -= s.sums[last];
  }
  const std::size_t begin = block * kernels::kLogitBlock;
  for (std::size_t i = begin; i < std::min(begin + kernels::kLogitBlock, s.weights.size()); ++i) {
    if (s.weights[i] == 0.0F) continue;
    chosen = static_cast<std::int32_t>(i);
    if ((sum += s.weights[i]) > target) break;
  }
  return chosen;
}

// Weights from the logits in `order`.
void weigh_few(const Row& row, std::vector<Candidate>& top) {
  row.s.values.resize(top.size());
  for (std::size_t i = 0; i < top.size(); ++i) row.s.values[i] = top[i].order;
  kernels::exp_scaled(row.s.values.data(), top.size(), row.highest, row.scale, row.s.values.data());
  for (std::size_t i = 0; i < top.size(); ++i) top[i].weight = row.s.values[i];
}

// The k highest logits, in order.
std::vector<Candidate> highest_logits(const Row& row, std::size_t k) {
  // The k-th highest of the blocks' maxima is a bound that k tokens reach, and few others.
  float bound = std::numeric_limits<float>::lowest();
  if (k <= row.s.maxima.size()) {
    row.s.values = row.s.maxima;
    const auto kth = row.s.values.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(row.s.values.begin(), kth, row.s.values.end(), std::greater<>());
    bound = std::max(bound, *kth);
  }
  std::vector<Candidate> top;
  for (const std::int32_t id : row.at_least(row.logits, bound)) {
    top.push_back({0.0F, row.logits[static_cast<std::size_t>(id)], id});
  }
  if (k < top.size()) {
    std::nth_element(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(k), top.end());
    top.resize(k);
  }
  std::sort(top.begin(), top.end());
  weigh_few(row, top);
  return top;
}

// The tokens whose weight is at least `least` > 0, not in order; few weights are computed beside them.
std::vector<Candidate> near_highest(const Row& row, double least) {
  // A little below where the weight would be exactly that.
  const double bound = row.highest + (std::log(least) - 1e-3) / row.scale;
  std::vector<Candidate> top;
  for (const std::int32_t id : row.at_least(row.logits, static_cast<float>(bound))) {
    top.push_back({0.0F, row.logits[static_cast<std::size_t>(id)], id});
  }
  weigh_few(row, top);
  std::erase_if(top, [&](const Candidate& c) { return c.weight < least; });
  return top;
}

// The tokens whose weight is at least `least`, not in order, and the sum of their weights. Blocks whose highest logit
// says that they have none are not looked at.
double heavy(const Row& row, double least, std::vector<Candidate>& top) {
  const auto bound = static_cast<float>(row.highest + (std::log(least) - 1e-3) / row.scale);
  const std::span<const float> weights = row.s.weights;
  row.s.ids.resize(kernels::kLogitBlock);
  double sum = 0.0;
  top.clear();
  for (std::size_t block = 0; block < row.s.maxima.size(); ++block) {
    if (row.s.maxima[block] < bound) continue;
    const std::size_t begin = block * kernels::kLogitBlock;
    const std::size_t size = std::min(kernels::kLogitBlock, weights.size() - begin);
    const std::size_t found =
        kernels::collect(weights.data() + begin, size, static_cast<float>(least), row.s.ids.data());
    for (const std::int32_t at : std::span(row.s.ids).first(found)) {
      const float weight = weights[begin + static_cast<std::size_t>(at)];
      if (weight <= 0.0F || weight < least) continue;
      top.push_back({weight, weight, static_cast<std::int32_t>(begin) + at});
      sum += weight;
    }
  }
  return sum;
}

// The tokens of which the most probable ones reach `enough`, none lighter than `least`, not in order. A model is mostly
// sure of itself: a few heavy tokens are enough, and lighter ones are looked for only when they are not.
std::vector<Candidate> nucleus(const Row& row, double least, double enough) {
  constexpr double kFirst = 1.0 / 128, kNext = 1.0 / 16;
  constexpr double kRounding = 1.0 + 1e-9;  // they are added up in another order later
  std::vector<Candidate> top;
  for (double bound = std::max(kFirst, least); heavy(row, bound, top) < enough * kRounding && bound > least;)
    bound = std::max(bound * kNext, least);
  return top;
}

// Draws among the first candidates that reach `enough`; `sorted` of them are in order already, others are brought into
// order as far as they are needed.
std::int32_t draw_in_order(std::vector<Candidate>& top, std::size_t sorted, double enough, double u) {
  double sum = 0.0;
  std::size_t size = 0;
  while (size < top.size() && (size == 0 || sum < enough)) {
    if (size == sorted) {
      const std::size_t more = std::min(top.size(), std::max<std::size_t>(256, 4 * sorted));
      const auto from = top.begin() + static_cast<std::ptrdiff_t>(sorted);
      const auto to = top.begin() + static_cast<std::ptrdiff_t>(more);
      std::nth_element(from, to == top.end() ? to - 1 : to, top.end());
      std::sort(from, to);
      sorted = more;
    }
    sum += top[size++].weight;
  }
  const double target = u * sum;
  double reached = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    reached += top[i].weight;
    if (reached > target) return top[i].id;
  }
  return top[size - 1].id;
}

std::int32_t draw_from_top(const SamplerSettings& settings, const Row& row, double u) {
  const auto k = static_cast<std::size_t>(std::max(settings.top_k, 0));
  std::vector<Candidate> top;
  double total = 0.0;
  if (k > 0 && k < row.logits.size()) {
    top = highest_logits(row, k);
    for (const Candidate& c : top) total += c.weight;  // top_p is relative to what top_k left
    const auto light = [&](const Candidate& c) { return c.weight == 0.0F || c.weight < settings.min_p; };
    top.erase(std::find_if(top.begin() + 1, top.end(), light), top.end());
    return draw_in_order(top, top.size(), settings.top_p * total, u);
  }
  if (settings.top_p >= 1.0 && settings.min_p > 0.0) {
    top = near_highest(row, settings.min_p);
    return draw_in_order(top, 0, std::numeric_limits<double>::infinity(), u);
  }
  total = row.weigh();
  // Tokens under this weight sum to less than 1 - top_p of the whole, so top_p never reaches them; min_p cuts at a
  // fraction of the best weight, which is 1.
  const double least =
      std::max(settings.min_p, (1.0 - settings.top_p) * total / static_cast<double>(row.logits.size()));
  top = nucleus(row, least, settings.top_p * total);
  return draw_in_order(top, 0, settings.top_p * total, u);
}

// Logits that penalties and biases change, as they were: for the log-probability of the token that is chosen.
class Originals {
 public:
  Originals(const SamplerSettings& settings, const SampleRequest& request) : logits_(request.logits) {
    if (!request.logprob) return;
    norm_ = log_normaliser(logits_);
    if (request.counts != nullptr) {
      for (const auto& [token, count] : *request.counts) keep(token);
    }
    for (const auto& [token, bias] : settings.logit_bias) keep(token);
  }
  float log_probability(std::int32_t token) const {
    const auto kept = changed_.find(token);
    const float logit = kept != changed_.end() ? kept->second : logits_[static_cast<std::size_t>(token)];
    return static_cast<float>(static_cast<double>(logit) - norm_);
  }

 private:
  void keep(std::int32_t token) {
    if (token >= 0 && static_cast<std::size_t>(token) < logits_.size()) {
      changed_.emplace(token, logits_[static_cast<std::size_t>(token)]);
    }
  }
  std::span<const float> logits_;
  double norm_ = 0.0;
  std::unordered_map<std::int32_t, float> changed_;
};

std::int32_t first_highest(std::span<const float> logits, std::span<const float> maxima, float highest) {
  const auto block = static_cast<std::size_t>(std::find(maxima.begin(), maxima.end(), highest) - maxima.begin());
  const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(block * kernels::kLogitBlock);
  return static_cast<std::int32_t>(std::find(begin, logits.end(), highest) - logits.begin());
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
  static thread_local Scratch scratch;
  std::span<float> logits = request.logits;
  const Originals originals(settings, request);
  if (request.counts != nullptr) penalise(settings, *request.counts, logits);
  for (const auto& [token, bias] : settings.logit_bias) {
    if (token >= 0 && static_cast<std::size_t>(token) < logits.size()) {
      float& value = logits[static_cast<std::size_t>(token)];
      value = static_cast<float>(value + bias);
    }
  }
  logits = logits.first(std::min(request.vocab, logits.size()));
  for (const std::int32_t id : request.forbidden) {
    if (id >= 0 && static_cast<std::size_t>(id) < logits.size()) logits[static_cast<std::size_t>(id)] = kNever;
  }
  if (logits.empty()) return no_token();
  scratch.maxima.resize(kernels::logit_blocks(logits.size()));
  if (request.mask.empty()) {
    kernels::block_maxima(logits.data(), logits.size(), scratch.maxima.data());
  } else {
    apply_mask(request.mask, logits, scratch.maxima);
  }
  const float highest = kernels::max_value(scratch.maxima.data(), scratch.maxima.size());
  if (!std::isfinite(highest)) return no_token();

  Sampled out;
  if (settings.temperature == 0.0) {
    out.token = first_highest(logits, scratch.maxima, highest);
  } else {
    // Bounded so that 0 · scale stays 0: temperatures that small are greedy up to exact ties.
    const Row row{logits, highest, static_cast<float>(std::min(1.0 / settings.temperature, 1e30)), scratch};
    const double u = uniform(request.seed, request.position);
    const bool filtered = settings.top_k > 0 || settings.top_p < 1.0 || settings.min_p > 0.0;
    out.token = filtered ? draw_from_top(settings, row, u) : draw_from_all(row, u);
  }
  if (request.logprob) out.logprob = originals.log_probability(out.token);
  return out;
}

}  // namespace sgl::model
