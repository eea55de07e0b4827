// What it takes to draw a token from a row of logits, for every kind of filter, beside the same draw by a sort of the
// whole row and beside one read of the row. Prints one JSON object; microseconds, medians and least.
//
// The logits are a language model's: probabilities fall as a power of the rank, and the tokens stand in no order.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "kernels/softmax.h"
#include "runtime/model/sampler.h"

using namespace sgl;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kVocab = 151'936;
constexpr int kDraws = 300;

std::vector<float> logits_of(double exponent) {
  std::vector<std::size_t> rank(kVocab);
  std::iota(rank.begin(), rank.end(), 0);
  std::mt19937_64 random(1);
  std::shuffle(rank.begin(), rank.end(), random);
  std::vector<float> out(kVocab);
  for (std::size_t i = 0; i < kVocab; ++i)
    out[i] = static_cast<float>(20.0 - exponent * std::log(static_cast<double>(rank[i]) + 2.7));
  return out;
}

// top_p as one writes it down: all probabilities, sorted.
std::int32_t by_sorting(std::span<const float> logits, double top_p, double u) {
  std::vector<std::pair<double, std::int32_t>> all;
  all.reserve(logits.size());
  const float highest = *std::max_element(logits.begin(), logits.end());
  double total = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    all.emplace_back(-std::exp(logits[i] - highest), static_cast<std::int32_t>(i));
    total -= all.back().first;
  }
  std::sort(all.begin(), all.end());
  double sum = 0.0, reached = 0.0;
  std::size_t size = 0;
  while (size < all.size() && (size == 0 || sum < top_p * total)) sum -= all[size++].first;
  for (std::size_t i = 0; i < size; ++i) {
    if ((reached -= all[i].first) > u * sum) return all[i].second;
  }
  return all[size - 1].second;
}

template <typename Draw>
Json timed(const std::vector<float>& logits, int draws, const Draw& draw) {
  std::vector<float> row;
  std::vector<double> times;
  for (int i = 0; i < draws; ++i) {
    row = logits;  // a draw overwrites it
    const auto begin = Clock::now();
    draw(row, i);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  return {{"median_us", times[times.size() / 2]}, {"least_us", times.front()}};
}

Json sampled(const std::vector<float>& logits, const model::SamplerSettings& settings,
             std::span<const std::uint64_t> mask = {}) {
  return timed(logits, kDraws, [&](std::vector<float>& row, int i) {
    model::SampleRequest request;
    request.logits = row, request.vocab = row.size(), request.mask = mask;
    request.seed = 7, request.position = static_cast<std::uint64_t>(i);
    if (!model::sample(settings, request).ok()) std::abort();
  });
}

}  // namespace

int main() {
  const std::vector<float> usual = logits_of(1.5), flat = logits_of(0.05);
  std::vector<std::uint64_t> half(kVocab / 64 + 1), few(half.size());
  std::mt19937_64 random(2);
  for (std::uint64_t& word : half) word = random();
  for (int i = 0; i < 300; ++i) few[random() % few.size()] |= std::uint64_t{1} << random() % 64;

  Json out{{"benchmark", "sampling"}, {"vocab", kVocab}, {"draws", kDraws}};
  out["one read of the row"] = timed(usual, kDraws, [](std::vector<float>& row, int) {
    volatile float highest = kernels::max_value(row.data(), row.size());
    (void)highest;
  });
  out["greedy"] = sampled(usual, {.temperature = 0.0});
  out["greedy, half of the tokens allowed"] = sampled(usual, {.temperature = 0.0}, half);
  out["greedy, 300 tokens allowed"] = sampled(usual, {.temperature = 0.0}, few);
  out["temperature 0.8"] = sampled(usual, {.temperature = 0.8});
  out["top-k 40"] = sampled(usual, {.top_k = 40});
  out["min-p 0.05"] = sampled(usual, {.min_p = 0.05});
  out["top-p 0.9"] = sampled(usual, {.top_p = 0.9});
  out["top-p 0.9, half of the tokens allowed"] = sampled(usual, {.top_p = 0.9}, half);
  out["top-p 0.9, a flat distribution"] = sampled(flat, {.top_p = 0.9});
  out["top-p 0.9 by sorting the row"] =
      timed(usual, 20, [](std::vector<float>& row, int i) { (void)by_sorting(row, 0.9, (i + 0.5) / 20); });
  fmt::print("{}\n", out.dump(2));
}
