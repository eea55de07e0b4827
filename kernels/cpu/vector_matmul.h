// The products; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// Every element of y has one vector accumulator that runs over k in order and one horizontal sum: the same arithmetic
// in tiles of any height and width, so that a row's result cannot depend on its batch.

template <typename L, int R, int C>
inline void tile(const typename L::T* w, std::size_t k, const float* x, float* y, std::size_t ldy) {
  V acc[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) acc[r][c] = Simd::zero();
  }
  std::size_t j = 0;
  for (; j + kW <= k; j += kW) {
    V wv[C];
    for (int c = 0; c < C; ++c) wv[c] = L::full(w + static_cast<std::size_t>(c) * k + j);
    if (R == 1 && j * sizeof(typename L::T) % 64 == 0) {
      // A single row waits for memory. Rows of weights are often too short (2 KB) for the hardware to foresee the next.
      for (int c = 0; c < C; ++c) __builtin_prefetch(w + static_cast<std::size_t>(C + c) * k + j);
    }
    for (int r = 0; r < R; ++r) {
      const V xv = Simd::load(x + static_cast<std::size_t>(r) * k + j);
      for (int c = 0; c < C; ++c) acc[r][c] = Simd::fma(xv, wv[c], acc[r][c]);
    }
  }
  if (j < k) {
    for (int c = 0; c < C; ++c) {
      const V wv = L::part(w + static_cast<std::size_t>(c) * k + j, k - j);
      for (int r = 0; r < R; ++r) {
        const V xv = Simd::load_n(x + static_cast<std::size_t>(r) * k + j, k - j);
        acc[r][c] = Simd::fma(xv, wv, acc[r][c]);
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c)
      y[static_cast<std::size_t>(r) * ldy + static_cast<std::size_t>(c)] = Simd::sum(acc[r][c]);
  }
}

// All rows of C neighbouring columns: full tiles, then one tile of the remaining height.
template <typename L, int C, int R>
inline void rows_below(const typename L::T* w, std::size_t k, const float* x, std::size_t rows, float* y,
                       std::size_t ldy) {
  if constexpr (R > 0) {
    if (rows == static_cast<std::size_t>(R)) {
      tile<L, R, C>(w, k, x, y, ldy);
    } else {
      rows_below<L, C, R - 1>(w, k, x, rows, y, ldy);
    }
  }
}

template <typename L, int C>
inline void all_rows(const typename L::T* w, std::size_t k, const float* x, std::size_t rows, float* y,
                     std::size_t ldy) {
  constexpr std::size_t kTall = Simd::kTileRows;
  std::size_t r = 0;
  for (; r + kTall <= rows; r += kTall) tile<L, Simd::kTileRows, C>(w, k, x + r * k, y + r * ldy, ldy);
  rows_below<L, C, Simd::kTileRows - 1>(w, k, x + r * k, rows - r, y + r * ldy, ldy);
}

// Many rows. Both operands are copied into the order in which the products read them: vectors of R rows of x beside
// each other, step by step of k, and likewise of C columns; rows a power of two apart would share a few sets of the
// cache. The rows are copied once for all columns and threads (pack_rows), and of the weights as many columns at a time
// as stay in the second-level cache while all rows pass. A part of a tile's rows (24 KiB) stays in the first-level
// cache while all those columns pass; between the parts of a deeper k the accumulators wait in memory, so every element
// is still reduced by one vector over k in order.
constexpr std::size_t kPackDepth = 1024;
constexpr std::size_t kPackFloats = std::size_t{192} * 1024;  // of weights: 768 KiB
constexpr std::size_t kPackCols = 192;
constexpr std::size_t kWeightsAhead = 6;  // steps
static_assert(kPackDepth % kW == 0);

// Columns whose sums are taken together: whole tiles, and whole vectors of sums.
constexpr std::size_t least_common_multiple(std::size_t a, std::size_t b) {
  std::size_t m = a;
  while (m % b != 0) m += a;
  return m;
}
constexpr std::size_t kSumCols = least_common_multiple(Simd::kTileCols, kW);

// The accumulators of a tile's rows, [row][column].
struct TileState {
  alignas(64) float all[Simd::kTileRows * kPackCols * kW];  // between the parts of k
  alignas(64) float last[Simd::kTileRows * kSumCols * kW];  // after the last one, of kSumCols columns
};

// `count` rows (of x or of the weights) beside each other: a vector of each, then the next of each.
template <typename L>
inline void pack_beside(const typename L::T* from, std::size_t stride, std::size_t count, std::size_t depth,
                        float* to) {
  for (std::size_t c = 0; c < count; ++c) {
    const typename L::T* p = from + c * stride;
    float* out = to + c * kW;
    std::size_t j = 0;
    for (; j + kW <= depth; j += kW, out += count * kW) Simd::store(out, L::full(p + j));
    if (j < depth) Simd::store(out, L::part(p + j, depth - j));
  }
}

void pack_rows(const float* x, std::size_t rows, std::size_t k, float* out) {
  pack_beside<LoadF32>(x, k, rows, k, out);
}

// Accumulators in memory: of row r and column c at data + (r · stride + c) · kW.
struct Accumulators {
  float* data;
  std::size_t stride;
  float* at(int r, int c) const {
    return data + (static_cast<std::size_t>(r) * stride + static_cast<std::size_t>(c)) * kW;
  }
};

// R rows by C columns over some steps. `w` and `x` hold C and R vectors for each step. The accumulators begin with 0 or
// with `before`, and go to `after`.
template <int R, int C, bool kFirst>
inline void packed_tile(const float* w, const float* x, std::size_t steps, Accumulators before, Accumulators after) {
  V acc[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      if constexpr (kFirst) {
        acc[r][c] = Simd::zero();
      } else {
        acc[r][c] = Simd::load(before.at(r, c));
      }
    }
  }
  for (std::size_t j = 0; j < steps; ++j, w += C * kW, x += R * kW) {
    V wv[C];
    // From the second-level cache, some 100 cycles ahead.
    for (int c = 0; c < C; ++c) __builtin_prefetch(w + (kWeightsAhead * C + c) * kW);
    for (int c = 0; c < C; ++c) wv[c] = Simd::load(w + static_cast<std::size_t>(c) * kW);
    for (int r = 0; r < R; ++r) {
      const V xv = Simd::load(x + static_cast<std::size_t>(r) * kW);
      for (int c = 0; c < C; ++c) acc[r][c] = Simd::fma(xv, wv[c], acc[r][c]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) Simd::store(after.at(r, c), acc[r][c]);
  }
}

// The sums of `count` columns of R rows, as many at a time as a vector has lanes: right after a tile's products they
// would wait for each other.
template <int R>
inline void sum_columns(Accumulators from, std::size_t count, float* y, std::size_t ldy) {
  for (int r = 0; r < R; ++r, y += ldy) {
    std::size_t c = 0;
    for (; c + kW <= count; c += kW) {
      V some[kW];
      for (std::size_t l = 0; l < kW; ++l) some[l] = Simd::load(from.at(r, static_cast<int>(c + l)));
      Simd::store(y + c, Simd::sums(some));
    }
    for (; c < count; ++c) y[c] = Simd::sum(Simd::load(from.at(r, static_cast<int>(c))));
  }
}

// R rows over a part of k by all packed columns. After the last part the sums go to y.
template <int R, bool kFirst, bool kLast>
inline void packed_part(const float* w, std::size_t cols, const float* x, std::size_t steps, TileState& state, float* y,
                        std::size_t ldy) {
  constexpr std::size_t kWide = Simd::kTileCols;
  const Accumulators sums{state.last, kSumCols};
  std::size_t c = 0, waiting = 0;  // columns whose sums are to be taken
  for (std::size_t wide = kWide; c < cols; c += wide, w += wide * steps * kW) {
    wide = c + kWide <= cols ? kWide : 1;
    const Accumulators all{state.all + c * kW, cols};
    const Accumulators after = kLast ? Accumulators{sums.data + waiting * kW, kSumCols} : all;
    if (wide == kWide) {
      packed_tile<R, Simd::kTileCols, kFirst>(w, x, steps, all, after);
    } else {
      packed_tile<R, 1, kFirst>(w, x, steps, all, after);
    }
    if constexpr (kLast) {
      waiting += wide;
      if (waiting == kSumCols || c + wide == cols) {
        sum_columns<R>(sums, waiting, y + c + wide - waiting, ldy);
        waiting = 0;
      }
    }
  }
}

// All packed columns by R rows; fewer rows where less than R are left. `x` is what pack_rows made of them.
template <int R>
inline void packed_rows(const float* w, std::size_t cols, const float* x, std::size_t k, std::size_t rows,
                        TileState& state, float* y, std::size_t ldy) {
  if constexpr (R > 0) {
    if (rows < static_cast<std::size_t>(R)) return packed_rows<R - 1>(w, cols, x, k, rows, state, y, ldy);
    constexpr std::size_t kSteps = kPackDepth / kW;
    const std::size_t steps = (k + kW - 1) / kW;
    if (steps <= kSteps) return packed_part<R, true, true>(w, cols, x, steps, state, y, ldy);
    packed_part<R, true, false>(w, cols, x, kSteps, state, y, ldy);
    std::size_t at = kSteps;
    for (; at + kSteps < steps; at += kSteps) {
      packed_part<R, false, false>(w + at * cols * kW, cols, x + at * R * kW, kSteps, state, y, ldy);
    }
    packed_part<R, false, true>(w + at * cols * kW, cols, x + at * R * kW, steps - at, state, y, ldy);
  }
}

// Columns that are packed at a time: whole vectors of sums.
inline std::size_t packed_columns(std::size_t k) {
  const std::size_t fit = kPackFloats / ((k + kW - 1) / kW * kW) / kW * kW;
  return fit < kW ? kW : fit > kPackCols ? kPackCols : fit;
}

template <typename L>
inline void matmul_packed_typed(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy,
                                std::size_t col_begin, std::size_t col_end, float* packed) {
  constexpr std::size_t kTall = Simd::kTileRows, kWide = Simd::kTileCols;
  const std::size_t k = w.k, all_steps = (k + kW - 1) / kW, width = packed_columns(k);
  const typename L::T* data = static_cast<const typename L::T*>(w.data);
  TileState state;
  for (std::size_t begin = col_begin; begin < col_end; begin += width) {
    const std::size_t cols = col_end - begin < width ? col_end - begin : width;
    float* to = packed;
    for (std::size_t at = 0; at < k; at += kPackDepth) {
      const std::size_t depth = k - at < kPackDepth ? k - at : kPackDepth;
      for (std::size_t c = 0; c < cols;) {
        const std::size_t beside = cols - c < kWide ? 1 : kWide;
        pack_beside<L>(data + (begin + c) * k + at, k, beside, depth, to);
        to += beside * ((depth + kW - 1) / kW) * kW;
        c += beside;
      }
    }
    for (std::size_t r = 0; r < rows; r += kTall) {
      packed_rows<Simd::kTileRows>(packed, cols, x + r * all_steps * kW, k, rows - r < kTall ? rows - r : kTall, state,
                                   y + r * ldy + begin, ldy);
    }
  }
}

std::size_t packed_weights(std::size_t k) {
  return packed_columns(k) * ((k + kW - 1) / kW) * kW;
}

void matmul_packed(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy, std::size_t col_begin,
                   std::size_t col_end, float* packed) {
  switch (w.type) {
    case DType::kF32:
      return matmul_packed_typed<LoadF32>(w, x, rows, y, ldy, col_begin, col_end, packed);
    case DType::kBF16:
      return matmul_packed_typed<LoadBf16>(w, x, rows, y, ldy, col_begin, col_end, packed);
    case DType::kF16:
      return matmul_packed_typed<LoadF16>(w, x, rows, y, ldy, col_begin, col_end, packed);
    default:  // quantised weights have their own operations
      return;
  }
}

template <typename L>
inline void matmul_typed(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy,
                         std::size_t col_begin, std::size_t col_end) {
  // One row: 8 weight rows at a time are enough independent sums to hide the latency of fma (4 cycles, 2 a cycle).
  constexpr int kNarrow = 8;
  const typename L::T* data = static_cast<const typename L::T*>(w.data);
  std::size_t c = col_begin;
  if (rows == 1) {
    for (; c + kNarrow <= col_end; c += kNarrow) tile<L, 1, kNarrow>(data + c * w.k, w.k, x, y + c, ldy);
  }
  constexpr std::size_t kWide = Simd::kTileCols;
  for (; c + kWide <= col_end; c += kWide) all_rows<L, Simd::kTileCols>(data + c * w.k, w.k, x, rows, y + c, ldy);
  for (; c < col_end; ++c) all_rows<L, 1>(data + c * w.k, w.k, x, rows, y + c, ldy);
}

void matmul(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy, std::size_t col_begin,
            std::size_t col_end) {
  switch (w.type) {
    case DType::kF32:
      return matmul_typed<LoadF32>(w, x, rows, y, ldy, col_begin, col_end);
    case DType::kBF16:
      return matmul_typed<LoadBf16>(w, x, rows, y, ldy, col_begin, col_end);
    case DType::kF16:
      return matmul_typed<LoadF16>(w, x, rows, y, ldy, col_begin, col_end);
    default:  // quantised weights have their own operations
      return;
  }
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
