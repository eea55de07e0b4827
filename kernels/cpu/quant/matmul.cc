#include "kernels/cpu/quant/matmul.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/buffer.h"
#include "kernels/cpu/quant/layout.h"
#include "kernels/cpu/ranges.h"
#include "runtime/base/check.h"

namespace sgl::kernels::cpu {
namespace {

// Multiply-adds below which waking the pool costs more (a few µs) than the work of one thread.
constexpr std::size_t kParallelProduct = 1 << 18;
// A few parts per thread and product, so that a thread which lost its core for a moment does not hold up the others,
// and more of a single row, whose products are short; wide tiles take two panels.
constexpr std::size_t kPartsPerThread = 4, kPartsOfOneRow = 8;
constexpr std::size_t kPanelQuantum = 2;
// Elements of x from which on several threads quantise them: some ten microseconds of one.
constexpr std::size_t kParallelRows = 1 << 15;

QuantRows make_rows(std::size_t rows, std::size_t k) {
  static thread_local Buffer buffer;  // zeros: rows that only fill a tile are read
  QuantRows out;
  out.groups = (quant_groups(k) + 1) / 2 * 2;
  out.tile = rows <= kFewRows ? rows : kTileRows;
  const std::size_t cells = (rows + out.tile - 1) / out.tile * out.tile * out.groups;
  const std::size_t q_bytes = cells * kQuantGroup, array = cells * 4;
  std::byte* at = buffer.grow(q_bytes + 3 * array);
  out.q = reinterpret_cast<std::int8_t*>(at);
  out.scale = reinterpret_cast<float*>(at + q_bytes);
  out.scaled = reinterpret_cast<float*>(at + q_bytes + array);
  out.sum = reinterpret_cast<std::int32_t*>(at + q_bytes + 2 * array);
  return out;
}

// Rows of x in 8 bits. Items share no cache lines of scales, which rows that are neighbours do: an item is a whole
// tile, or of a single tile a part of k.
void quantize_rows(const QuantOps& ops, const float* x, std::size_t rows, std::size_t k, const QuantRows& q,
                   base::ThreadPool& pool) {
  const std::size_t tiles = (rows + kTileRows - 1) / kTileRows;
  if (rows * k < kParallelRows) {
    for (std::size_t r = 0; r < rows; ++r) ops.quantize(x + r * k, k, q, r);
  } else if (tiles > 1) {
    pool.parallel_for(tiles, [&](std::size_t tile) {
      const std::size_t end = std::min(rows, (tile + 1) * kTileRows);
      for (std::size_t r = tile * kTileRows; r < end; ++r) ops.quantize(x + r * k, k, q, r);
    });
  } else {
    const std::size_t part = (q.groups + pool.size() - 1) / pool.size();
    pool.parallel_for((q.groups + part - 1) / part, [&](std::size_t i) {
      const std::size_t first = i * part, at = std::min(first * kQuantGroup, k);
      QuantRows own = q;
      own.groups = std::min(part, q.groups - first);
      own.q += first * q.tile * kQuantGroup;
      own.scale += first * q.tile, own.scaled += first * q.tile, own.sum += first * q.tile;
      const std::size_t count = std::min(own.groups * kQuantGroup, k - at);
      for (std::size_t r = 0; r < rows; ++r) ops.quantize(x + r * k + at, count, own, r);
    });
  }
}

}  // namespace

void quant_matmul(const QuantOps& ops, std::span<const MatmulTarget> targets, const float* x, std::size_t rows,
                  base::ThreadPool& pool) {
  if (rows == 0 || targets.empty()) return;
  const std::size_t k = targets[0].w.k;
  std::size_t panels = 0;
  for (const MatmulTarget& t : targets) {
    SGL_ASSERT(t.w.k == k && is_quantized(t.w.type) && t.y != nullptr && t.w.data != nullptr);
    panels += (t.w.n + kPanelRows - 1) / kPanelRows;
  }
  const QuantRows q = make_rows(rows, k);
  const bool parallel = panels * kPanelRows * k * rows >= kParallelProduct;
  quantize_rows(ops, x, rows, k, q, pool);
  const std::size_t parts = parallel ? pool.size() * (rows == 1 ? kPartsOfOneRow : kPartsPerThread) : 1;
  const std::size_t step = ((panels + parts - 1) / parts + kPanelQuantum - 1) / kPanelQuantum * kPanelQuantum;
  std::vector<ColumnRange> ranges;
  ranges.reserve(parts + targets.size());
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const std::size_t count = (targets[t].w.n + kPanelRows - 1) / kPanelRows;
    for (std::size_t p = 0; p < count; p += step) ranges.push_back({t, p, std::min(p + step, count), count});
  }
  order_by_place(ranges);
  const auto body = [&](std::size_t i) {
    const MatmulTarget& t = targets[ranges[i].target];
    ops.matmul(t.w, q, rows, t.y, t.w.n, ranges[i].begin, ranges[i].end);
  };
  if (parallel) {
    pool.parallel_for(ranges.size(), body);
  } else {
    for (std::size_t i = 0; i < ranges.size(); ++i) body(i);
  }
}

}  // namespace sgl::kernels::cpu
