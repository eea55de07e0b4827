// Whole models with random weights, for bench/roofline: how close decoding and prefill come to the machine.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

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

// A list of measurements, each with "kernel" and, of decoding, "gb_per_s". Writes models of up to 1.2 GB into the
// system's temporary folder and removes them.
nlohmann::json measure_models(base::ThreadPool& pool);

}  // namespace sgl::bench
