// Whole models with random weights, for bench/roofline: how close decoding and prefill come to the machine.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/base/thread_pool.h"

namespace sgl::bench {

// Best of several runs, in seconds: what the machine can do when nobody else uses it.
inline double best_of(int runs, const std::function<void()>& body) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

struct Rate {
  double best = 0.0;   // units of work a second, in billions
  double share = 0.0;  // median share of the limit; 0 where that is not measured
};

// `runs` runs of `body`, each of `work` units, each between two short measurements of the machine's limit in the same
// unit: on a machine that others share, clock and bandwidth move by a tenth from second to second, and a run counts
// beside the limit of its own moment. `limit` gives 0 where it is not measured.
inline Rate rate_beside(double work, int runs, const std::function<double()>& limit,
                        const std::function<void()>& body) {
  Rate rate;
  std::vector<double> shares;
  body();
  double before = limit();
  for (int i = 0; i < runs; ++i) {
    const double now = work / best_of(1, body) / 1e9, after = limit();
    rate.best = std::max(rate.best, now);
    if (before > 0.0) shares.push_back(now * (1.0 / before + 1.0 / after) / 2.0);  // mean time of the two
    before = after;
  }
  if (shares.empty()) return rate;
  const auto middle = shares.begin() + static_cast<std::ptrdiff_t>(shares.size() / 2);
  std::nth_element(shares.begin(), middle, shares.end());
  rate.share = *middle;
  return rate;
}

// A list of measurements, each with "kernel" and, of decoding, "gb_per_s" and "share_of_bandwidth" beside
// `bandwidth` (GB/s of a short read). Writes models of up to 1.2 GB into the system's temporary folder and removes
// them.
nlohmann::json measure_models(const std::function<double()>& bandwidth, base::ThreadPool& pool);

}  // namespace sgl::bench
