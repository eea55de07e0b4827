// Running a model by hand, without an engine.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "runtime/model/config.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/model.h"

namespace sgl::test {

constexpr model::WeightFormat kQuantFormats[] = {model::WeightFormat::kQ8, model::WeightFormat::kQ4,
                                                 model::WeightFormat::kQ4A};

inline std::vector<std::int32_t> random_tokens(std::size_t n, std::size_t vocab, std::uint32_t seed = 3) {
  std::mt19937 rng(seed);
  std::vector<std::int32_t> out(n);
  for (auto& t : out) t = static_cast<std::int32_t>(rng() % vocab);
  return out;
}

// All logits of one sequence, run in chunks of `chunk` tokens on `threads` threads with slots in the given order.
inline std::vector<float> run(const model::Model& m, const std::vector<std::int32_t>& tokens, std::size_t chunk,
                              std::size_t threads, bool shuffled) {
  base::ThreadPool pool(threads);
  const auto kv = m.make_kv(2 * tokens.size());
  std::vector<std::uint32_t> slots(2 * tokens.size());
  std::iota(slots.begin(), slots.end(), 0U);
  if (shuffled) std::shuffle(slots.begin(), slots.end(), std::mt19937(9));
  std::vector<float> out;
  for (std::size_t at = 0; at < tokens.size(); at += chunk) {
    const std::size_t n = std::min(chunk, tokens.size() - at);
    const model::Slice slice{{tokens.data() + at, n}, static_cast<std::int64_t>(at), {slots.data(), at + n}, n};
    std::vector<float> logits(n * m.config().vocab_size);
    REQUIRE(m.forward({&slice, 1}, *kv, logits, pool).ok());
    out.insert(out.end(), logits.begin(), logits.end());
  }
  return out;
}

// Largest deviation relative to the row's largest logit.
inline double deviation(const std::vector<float>& got, const std::vector<std::vector<double>>& want) {
  double worst = 0.0;
  for (std::size_t r = 0; r < want.size(); ++r) {
    double scale = 0.0;
    for (const double v : want[r]) scale = std::max(scale, std::fabs(v));
    for (std::size_t i = 0; i < want[r].size(); ++i) {
      worst = std::max(worst, std::fabs(got[r * want[r].size() + i] - want[r][i]) / scale);
    }
  }
  return worst;
}

}  // namespace sgl::test
