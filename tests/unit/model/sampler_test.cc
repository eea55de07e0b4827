#include "runtime/model/sampler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "runtime/model/philox.h"

using namespace sgl::model;

namespace {

std::int32_t pick(const SamplerSettings& s, std::vector<float> logits, std::uint64_t position = 0,
                  std::vector<std::uint64_t> mask = {}) {
  SampleRequest r;
  r.logits = logits;
  r.vocab = logits.size();
  r.mask = mask;
  r.seed = 42;
  r.position = position;
  const auto out = sample(s, r);
  REQUIRE(out.ok());
  return out->token;
}

std::map<std::int32_t, double> shares(const SamplerSettings& s, const std::vector<float>& logits) {
  std::map<std::int32_t, double> out;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) out[pick(s, logits, static_cast<std::uint64_t>(i))] += 1.0 / kDraws;
  return out;
}

}  // namespace

TEST_CASE("philox: the known answers of its authors") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("sampler: greedy, ties, mask, bias, padding") {
  SamplerSettings greedy;
  greedy.temperature = 0.0;
  CHECK(pick(greedy, {1, 3, 3, 2}) == 1);
  CHECK(pick(greedy, {1, 3, 3, 2}, 0, {0b1101}) == 2);
  const std::pair<std::int32_t, double> bias[] = {{0, 5.0}, {99, 1.0}};
  greedy.logit_bias = bias;
  CHECK(pick(greedy, {1, 3, 3, 2}) == 0);
  std::vector<float> logits{1, 2, 9};
  SampleRequest r;
  r.logits = logits;
  r.vocab = 2;
  CHECK(sample(SamplerSettings{.temperature = 0.0, .logit_bias = {}}, r)->token == 1);
  const std::vector<std::uint64_t> none{0};
  r.mask = none;
  CHECK_FALSE(sample(greedy, r).ok());
  std::vector<float> broken{std::nanf(""), std::nanf("")};
  SampleRequest b;
  b.logits = broken;
  b.vocab = 2;
  CHECK_FALSE(sample(SamplerSettings{.logit_bias = {}}, b).ok());
}

TEST_CASE("sampler: shares follow the distribution and its filters") {
  const std::vector<float> logits{std::log(0.5F), std::log(0.25F), std::log(0.15F), std::log(0.1F)};
  SamplerSettings s;
  auto all = shares(s, logits);
  CHECK(all[0] == doctest::Approx(0.5).epsilon(0.03));
  CHECK(all[3] == doctest::Approx(0.1).epsilon(0.1));
  s.top_k = 2;
  auto two = shares(s, logits);
  CHECK(two.size() == 2);
  CHECK(two[1] == doctest::Approx(1.0 / 3).epsilon(0.05));
  s.top_k = 0, s.top_p = 0.7;
  CHECK(shares(s, logits).size() == 2);
  s.top_p = 0.4;
  CHECK(shares(s, logits).size() == 1);
  s.top_p = 1.0, s.min_p = 0.25;
  CHECK(shares(s, logits).size() == 3);
  s.min_p = 0.0, s.top_k = 3, s.top_p = 0.8;  // of 0.9: 0.72 needs two
  CHECK(shares(s, logits).size() == 2);
  s = {};
  s.temperature = 0.5;  // squares: 0.25 of 0.345
  CHECK(shares(s, logits)[0] == doctest::Approx(0.25 / 0.345).epsilon(0.03));
  s.temperature = 1e-300;
  CHECK(shares(s, logits).size() == 1);
}

// Straight from the description: everything sorted, everything summed in order.
std::int32_t naive(const SamplerSettings& s, std::vector<float> logits, const std::vector<std::uint64_t>& mask,
                   std::uint64_t position) {
  std::vector<std::pair<double, std::int32_t>> all;
  double highest = -1e300;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!mask.empty() && (mask[i / 64] >> (i % 64) & 1U) == 0) continue;
    all.emplace_back(-static_cast<double>(logits[i]), static_cast<std::int32_t>(i));
    highest = std::max(highest, static_cast<double>(logits[i]));
  }
  const bool filtered = s.top_k > 0 || s.top_p < 1.0 || s.min_p > 0.0;
  if (filtered) std::sort(all.begin(), all.end());
  if (s.top_k > 0 && static_cast<std::size_t>(s.top_k) < all.size()) all.resize(static_cast<std::size_t>(s.top_k));
  std::vector<double> weight;
  double total = 0.0;
  for (const auto& [negative, id] : all) total += weight.emplace_back(std::exp((-negative - highest) / s.temperature));
  std::size_t size = 0;
  double sum = 0.0;
  while (size < all.size() && (size == 0 || (sum < s.top_p * total && weight[size] >= s.min_p))) sum += weight[size++];
  double reached = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    if ((reached += weight[i]) > uniform(42, position) * sum) return all[i].second;
  }
  return all[size - 1].second;
}

TEST_CASE("sampler: the same draws as sorting and summing everything, over vocabularies of all sizes") {
  std::size_t different = 0, draws = 0;
  for (const std::size_t n : {1, 3, 63, 64, 65, 130, 1000, 5003}) {
    for (const float spread : {0.5F, 4.0F, 60.0F}) {
      std::mt19937 rng(static_cast<std::uint32_t>(n));
      std::normal_distribution<float> normal(0.0F, spread);
      std::vector<float> logits(n);
      for (float& v : logits) v = normal(rng);
      std::vector<std::uint64_t> mask((n + 63) / 64);
      for (std::uint64_t& word : mask)
        word = (std::uint64_t{rng()} << 32 | rng()) & (rng() % 3 == 0 ? 0 : ~std::uint64_t{0});
      mask[0] |= 1;
      for (int i = 0; i < 60; ++i) {
        SamplerSettings s;
        s.temperature = i % 5 == 0 ? 0.7 : 1.0;
        s.top_k = i % 4 == 1 ? 7 : (i % 4 == 2 ? 200 : 0);
        s.top_p = i % 3 == 1 ? 0.9 : (i % 3 == 2 ? 0.999 : 1.0);
        s.min_p = i % 7 == 3 ? 0.05 : 0.0;
        const std::vector<std::uint64_t> closed = i % 2 == 0 ? std::vector<std::uint64_t>{} : mask;
        ++draws;
        different += pick(s, logits, static_cast<std::uint64_t>(i), closed) !=
                             naive(s, logits, closed, static_cast<std::uint64_t>(i))
                         ? 1
                         : 0;
      }
    }
  }
  // Weights in F32 are off by up to 1e-6, so a draw may fall on the other side of a border.
  CHECK(different * 500 <= draws);
}

TEST_CASE("sampler: penalties and logprobs") {
  TokenCounts counts;
  counts[1] = {2, true};
  counts[2] = {0, true};
  std::vector<float> logits{1.0F, 3.0F, 2.5F, -1.0F};
  SamplerSettings s;
  s.temperature = 0.0, s.frequency_penalty = 0.5, s.presence_penalty = 0.2;
  SampleRequest r;
  std::vector<float> row = logits;
  r.logits = row, r.vocab = 4, r.counts = &counts, r.logprob = true;
  const auto a = sample(s, r);
  CHECK(a->token == 2);
  CHECK(a->logprob == doctest::Approx(log_probability(logits, 2)));
  s.repetition_penalty = 3.0;
  row = logits;
  CHECK(sample(s, r)->token == 0);
  double total = 0.0;
  for (std::int32_t i = 0; i < 4; ++i) total += std::exp(log_probability(logits, i));
  CHECK(total == doctest::Approx(1.0));
}
