// The public operations: shape checks, division among threads, dispatch to the active instruction set.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/buffer.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/quant/matmul.h"
#include "kernels/cpu/ranges.h"
#include "kernels/embedding.h"
#include "kernels/matmul.h"
#include "kernels/quant.h"
#include "kernels/residual.h"
#include "kernels/rmsnorm.h"
#include "kernels/rope.h"
#include "kernels/softmax.h"
#include "kernels/swiglu.h"
#include "runtime/base/check.h"

namespace sgl::kernels {
namespace {

using cpu::kParallelWork, cpu::kRangesPerThread, cpu::run;

// With many rows fewer ranges per thread, since each reads all rows.
constexpr std::size_t kWideRangesPerThread = 2;
// Rows from which on copies of both operands, in the order in which they are read, are worth their while: later where
// a tile's weights stay near while all rows pass. On two cores of a Zen 5 16 rows take 269 to 289 instead of 444 to 475
// us (6 MB in BF16 and F16, k from 1,024 to 4,096), 40 rows 587 to 699 instead of 750 to 826; in F32 only up to a k of
// 1,024.
constexpr std::size_t kManyRows = 16, kManyRowsOfShortWeights = 48;
bool is_short(const Matrix& w) {
  return w.k <= (w.type == DType::kF32 ? 1024 : 4096);
}
// Elements of an item of row-wise work.
constexpr std::size_t kRowItem = 4096;
// Ranges are multiples of this many columns, a multiple of every tile's width; with many rows, of every panel's.
constexpr std::size_t kColumnQuantum = 48, kPanelQuantum = 32;

// All rows as matmul_packed reads them; valid until this thread's next product.
const float* pack(const cpu::Ops& ops, const float* x, std::size_t rows, std::size_t k, base::ThreadPool& pool) {
  static thread_local cpu::Buffer buffer;
  const std::size_t stride = (k + ops.width - 1) / ops.width * ops.width;
  auto* const out = reinterpret_cast<float*>(buffer.grow(rows * stride * sizeof(float)));
  run(pool, (rows + ops.tile_rows - 1) / ops.tile_rows, rows * k, [&](std::size_t tile) {
    const std::size_t r = tile * ops.tile_rows;
    ops.pack_rows(x + r * k, std::min(ops.tile_rows, rows - r), k, out + r * stride);
  });
  return out;
}

}  // namespace

void matmul(std::span<const MatmulTarget> targets, const float* x, std::size_t rows, base::ThreadPool& pool) {
  if (rows == 0 || targets.empty()) return;
  const auto quantized = [](const MatmulTarget& t) { return is_quantized(t.w.type); };
  if (std::all_of(targets.begin(), targets.end(), quantized)) {
    return cpu::quant_matmul(cpu::quant_ops(), targets, x, rows, pool);
  }
  if (std::any_of(targets.begin(), targets.end(), quantized)) {  // a mixed file
    for (const MatmulTarget& t : targets) matmul({&t, 1}, x, rows, pool);
    return;
  }
  const std::size_t k = targets[0].w.k;
  std::size_t columns = 0;
  for (const MatmulTarget& t : targets) {
    SGL_ASSERT(t.w.k == k && t.y != nullptr && t.w.data != nullptr);
    columns += t.w.n;
  }
  const std::size_t work = columns * k * rows;
  const bool all_short =
      std::all_of(targets.begin(), targets.end(), [](const MatmulTarget& t) { return is_short(t.w); });
  const bool many = rows >= (all_short ? kManyRowsOfShortWeights : kManyRows);
  const std::size_t pieces = work < kParallelWork ? 1 : pool.size() * (many ? kWideRangesPerThread : kRangesPerThread);
  std::size_t step = (columns + pieces - 1) / pieces;
  const std::size_t quantum = many ? kPanelQuantum : kColumnQuantum;
  step = std::max<std::size_t>((step + quantum - 1) / quantum * quantum, quantum);
  std::vector<cpu::ColumnRange> ranges;
  ranges.reserve(pieces + targets.size());
  for (std::size_t t = 0; t < targets.size(); ++t) {
    for (std::size_t c = 0; c < targets[t].w.n; c += step) {
      ranges.push_back({t, c, std::min(c + step, targets[t].w.n), targets[t].w.n});
    }
  }
  cpu::order_by_place(ranges);
  const cpu::Ops& ops = cpu::ops();
  const float* packed = many ? pack(ops, x, rows, k, pool) : nullptr;
  run(pool, ranges.size(), work, [&](std::size_t i) {
    const cpu::ColumnRange& r = ranges[i];
    const MatmulTarget& t = targets[r.target];
    if (packed == nullptr) return ops.matmul(t.w, x, rows, t.y, t.w.n, r.begin, r.end);
    static thread_local cpu::Buffer weights;
    ops.matmul_packed(t.w, packed, rows, t.y, t.w.n, r.begin, r.end,
                      reinterpret_cast<float*>(weights.grow(ops.packed_weights(k) * sizeof(float))));
  });
}

void rmsnorm(const float* x, const float* weight, float eps, std::size_t rows, std::size_t k, float* y,
             base::ThreadPool& pool) {
  const cpu::Ops& ops = cpu::ops();
  // Heads are short rows: several to an item, of which handing out one costs as much as some hundred elements.
  const std::size_t height = std::max<std::size_t>(1, kRowItem / k);
  run(pool, (rows + height - 1) / height, rows * k, [&](std::size_t i) {
    for (std::size_t r = i * height; r < std::min(rows, (i + 1) * height); ++r) {
      ops.rmsnorm(x + r * k, weight, eps, k, y + r * k);
    }
  });
}

void rope(float* x, std::size_t heads, std::size_t head_dim, const float* cos, const float* sin) {
  SGL_ASSERT(head_dim % 2 == 0);
  cpu::ops().rope(x, heads, head_dim, cos, sin);
}

void swiglu(const float* gate, const float* up, std::size_t rows, std::size_t n, float* out, base::ThreadPool& pool) {
  const cpu::Ops& ops = cpu::ops();
  constexpr std::size_t kOperations = 8;  // of an element, most of them its exponential
  run(pool, rows, rows * n * kOperations, [&](std::size_t r) { ops.swiglu(gate + r * n, up + r * n, n, out + r * n); });
}

void add(float* x, const float* y, std::size_t n) {
  cpu::ops().add(x, y, n);
}

float max_value(const float* x, std::size_t n) {
  SGL_ASSERT(n > 0);
  return cpu::ops().max_value(x, n);
}

void exp_scaled(const float* x, std::size_t n, float shift, float scale, float* out) {
  cpu::ops().exp_scaled(x, n, shift, scale, out);
}

double log_sum_exp(const float* x, std::size_t n) {
  const float highest = max_value(x, n);
  if (std::isinf(highest)) return highest;
  constexpr std::size_t kChunk = 1024;  // elements: fits the stack and the first-level cache
  float part[kChunk], maxima[kChunk / kLogitBlock];
  double sums[kChunk / kLogitBlock], sum = 0.0;
  for (std::size_t i = 0; i < n; i += kChunk) {
    const std::size_t m = std::min(kChunk, n - i);
    block_maxima(x + i, m, maxima);
    exp_blocks(x + i, m, maxima, highest, 1.0F, part, sums);
    for (std::size_t b = 0; b < logit_blocks(m); ++b) sum += sums[b];
  }
  return static_cast<double>(highest) + std::log(sum);
}

void mask_maxima(float* x, std::size_t n, const std::uint64_t* allowed, float* out) {
  cpu::ops().mask_maxima(x, n, allowed, out);
}

void block_maxima(const float* x, std::size_t n, float* out) {
  cpu::ops().block_maxima(x, n, out);
}

void exp_blocks(const float* x, std::size_t n, const float* maxima, float shift, float scale, float* out,
                double* sums) {
  cpu::ops().exp_blocks(x, n, maxima, shift, scale, out, sums);
}

std::size_t collect(const float* x, std::size_t n, float least, std::int32_t* ids) {
  return cpu::ops().collect(x, n, least, ids);
}

void quantize_heads(const float* x, std::size_t heads, std::size_t head_dim, std::int8_t* q, float* scale) {
  cpu::ops().quantize_heads(x, heads, head_dim, q, scale);
}

void to_f32(const void* src, DType type, std::size_t n, float* out) {
  SGL_ASSERT(!is_quantized(type));
  cpu::ops().to_f32(src, type, n, out);
}

void to_f16(const float* src, std::size_t n, std::uint16_t* out) {
  cpu::ops().to_f16(src, n, out);
}

void embedding(const Matrix& table, std::span<const std::int32_t> ids, float* out) {
  const std::size_t stride = is_quantized(table.type) ? 0 : table.k * dtype_bytes(table.type);
  for (std::size_t r = 0; r < ids.size(); ++r) {
    SGL_ASSERT(ids[r] >= 0 && static_cast<std::size_t>(ids[r]) < table.n);
    if (is_quantized(table.type)) {
      dequantize_row(table, static_cast<std::size_t>(ids[r]), out + r * table.k);
      continue;
    }
    to_f32(static_cast<const char*>(table.data) + static_cast<std::size_t>(ids[r]) * stride, table.type, table.k,
           out + r * table.k);
  }
}

}  // namespace sgl::kernels
