// How the columns of a group of products are divided among threads. Internal to kernels/cpu.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "runtime/base/numa.h"

namespace sgl::kernels::cpu {

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
