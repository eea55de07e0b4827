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

// Many rows. kPackCols columns by kPackDepth of k are widened into a packed copy that stays in the second-level cache
// (512 KiB) while all rows pass; of x, a tile's rows are copied beside each other (24 KiB) and stay in the first-level
// cache while all those columns pass. Both copies lie in the order in which the products read them: rows a power of two
// apart would share a few sets of the cache. Where k is deeper, the accumulators wait in memory, so every element is
// still reduced by one vector over k in order.
constexpr std::size_t kPackDepth = 1024;
constexpr std::size_t kPackCols = 128;
// Rows at a time: their accumulators (kPackCols vectors each, 768 KiB) stay in the second-level cache as well.
constexpr std::size_t kPackRows = 96;
// Below, the copy is not worth its while.
constexpr std::size_t kPackMinRows = 16;
static_assert(kPackDepth % kW == 0);

struct PackBuffers {
  alignas(64) float weights[kPackCols * kPackDepth];
  alignas(64) float rows[Simd::kTileRows * kPackDepth];
  alignas(64) float acc[kPackRows * kPackCols * kW];
};

// A part of k: `steps` vectors of it.
struct PackedPart {
  std::size_t steps;
  bool first, last;
};

// Sums of all accumulators, as many at a time as a vector has lanes: one after the other they would take a fifth of a
// tile's time.
template <int R, int C>
inline void sum_tile(const V (&acc)[R][C], float* y, std::size_t ldy) {
  constexpr int kAll = R * C, kLanes = static_cast<int>(kW);
  alignas(64) float sums[(kAll + kLanes - 1) / kLanes * kLanes];
  for (int i = 0; i < kAll; i += kLanes) {
    V some[kLanes];
    for (int l = 0; l < kLanes; ++l) some[l] = i + l < kAll ? acc[(i + l) / C][(i + l) % C] : Simd::zero();
    Simd::store(sums + i, Simd::sums(some));
  }
  for (int r = 0; r < R; ++r) __builtin_memcpy(y + static_cast<std::size_t>(r) * ldy, sums + r * C, C * sizeof(float));
}

// R rows by C columns over one part. `w` and `x` hold C and R vectors for each step; `state` carries the accumulators
// of a tile from part to part; y gets the sums after the last.
template <int R, int C>
inline void packed_tile(const float* w, const float* x, const PackedPart& part, float* state, float* y,
                        std::size_t ldy) {
  V acc[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      acc[r][c] = part.first ? Simd::zero() : Simd::load(state + static_cast<std::size_t>(r * C + c) * kW);
    }
  }
  for (std::size_t j = 0; j < part.steps; ++j, w += C * kW, x += R * kW) {
    V wv[C];
    for (int c = 0; c < C; ++c) wv[c] = Simd::load(w + static_cast<std::size_t>(c) * kW);
    for (int r = 0; r < R; ++r) {
      const V xv = Simd::load(x + static_cast<std::size_t>(r) * kW);
      for (int c = 0; c < C; ++c) acc[r][c] = Simd::fma(xv, wv[c], acc[r][c]);
    }
  }
  if (part.last) return sum_tile<R, C>(acc, y, ldy);
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) Simd::store(state + static_cast<std::size_t>(r * C + c) * kW, acc[r][c]);
  }
}

// `count` columns (rows of w, or of x) of a part beside each other: a vector of each, then the next of each.
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

// R rows, `x` with its row length k, against all packed columns; fewer rows where less than R are left.
template <int R>
inline void packed_rows(PackBuffers& buffers, std::size_t cols, const float* x, std::size_t k, std::size_t rows,
                        std::size_t ahead, std::size_t depth, const PackedPart& part, float* state, float* y,
                        std::size_t ldy) {
  if constexpr (R > 0) {
    if (rows < static_cast<std::size_t>(R)) {
      return packed_rows<R - 1>(buffers, cols, x, k, rows, ahead, depth, part, state, y, ldy);
    }
    pack_beside<LoadF32>(x, k, R, depth, buffers.rows);
    constexpr std::size_t kWide = Simd::kTileCols;
    const float* w = buffers.weights;
    std::size_t c = 0;
    for (; c + kWide <= cols; c += kWide, w += kWide * part.steps * kW) {
      // Meanwhile the next tile's rows come nearer, a share with each group of columns.
      const std::size_t from = c * part.steps / cols, to = (c + kWide) * part.steps / cols;
      for (std::size_t r = R; r < 2 * R && r < ahead; ++r) {
        for (std::size_t j = from; j < to; ++j) __builtin_prefetch(x + r * k + j * kW, 0, 2);
      }
      packed_tile<R, Simd::kTileCols>(w, buffers.rows, part, state + c * R * kW, y + c, ldy);
    }
    for (; c < cols; ++c, w += part.steps * kW) {
      packed_tile<R, 1>(w, buffers.rows, part, state + c * R * kW, y + c, ldy);
    }
  }
}

template <typename L>
inline void matmul_packed(const typename L::T* w, std::size_t k, const float* x, std::size_t rows, float* y,
                          std::size_t ldy, std::size_t cols, PackBuffers& buffers) {
  constexpr std::size_t kTall = Simd::kTileRows, kWide = Simd::kTileCols;
  for (std::size_t at = 0; at < k || at == 0; at += kPackDepth) {
    const std::size_t depth = k - at < kPackDepth ? k - at : kPackDepth;
    const PackedPart part{(depth + kW - 1) / kW, at == 0, at + kPackDepth >= k};
    for (std::size_t c = 0; c < cols;) {
      const std::size_t width = cols - c < kWide ? 1 : kWide;
      pack_beside<L>(w + c * k + at, k, width, depth, buffers.weights + c * part.steps * kW);
      c += width;
    }
    for (std::size_t r = 0; r < rows; r += kTall) {
      packed_rows<Simd::kTileRows>(buffers, cols, x + r * k + at, k, rows - r < kTall ? rows - r : kTall, rows - r,
                                   depth, part, part.first && part.last ? nullptr : buffers.acc + r * kPackCols * kW,
                                   y + r * ldy, ldy);
    }
  }
}

template <typename L>
inline void matmul_typed(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy,
                         std::size_t col_begin, std::size_t col_end) {
  // One row: 8 weight rows at a time are enough independent sums to hide the latency of fma (4 cycles, 2 a cycle).
  constexpr int kNarrow = 8;
  const typename L::T* data = static_cast<const typename L::T*>(w.data);
  if (rows >= kPackMinRows) {
    PackBuffers buffers;  // 1.3 MiB with the widest vectors; worker stacks are megabytes
    const std::size_t height = w.k <= kPackDepth ? rows : kPackRows;
    for (std::size_t c = col_begin; c < col_end; c += kPackCols) {
      const std::size_t cols = col_end - c < kPackCols ? col_end - c : kPackCols;
      for (std::size_t r = 0; r < rows; r += height) {
        matmul_packed<L>(data + c * w.k, w.k, x + r * w.k, rows - r < height ? rows - r : height, y + r * ldy + c, ldy,
                         cols, buffers);
      }
    }
    return;
  }
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
