// How work is divided among threads. Internal to kernels/cpu.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include "runtime/base/numa.h"
#include "runtime/base/thread_pool.h"

namespace sgl::kernels::cpu {

// Multiply-adds below which waking the pool costs more (a few µs) than the work of one thread.
constexpr std::size_t kParallelWork = 1 << 16;
// Items per thread: a few, so that a thread which lost its core for a moment does not hold up the others.
constexpr std::size_t kRangesPerThread = 4;

// body(0) … body(count − 1), which are `work` multiply-adds in all.
inline void run(base::ThreadPool& pool, std::size_t count, std::size_t work,
                const std::function<void(std::size_t)>& body) {
  if (work < kParallelWork) {
    for (std::size_t i = 0; i < count; ++i) body(i);
  } else {
    pool.parallel_for(count, body);
  }
}

// Columns (or panels of them) [begin, end) of a target, out of `of`.
struct ColumnRange {
  std::size_t target = 0, begin = 0, end = 0, of = 1;
};

// With several nodes of memory: in the order of their places in their weights, so that the threads of a node get the
// same part of every weight, the one that they wrote when it was packed (runtime/base/work_queue.h).
inline void order_by_place(std::vector<ColumnRange>& ranges) {
  if (base::memory_nodes().size() < 2) return;
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const ColumnRange& a, const ColumnRange& b) { return a.begin * b.of < b.begin * a.of; });
}

}  // namespace sgl::kernels::cpu
