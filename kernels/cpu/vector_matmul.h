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

// Many rows: blocks of kPackCols columns by kPackDepth of k are widened into a packed copy (32 KiB: in the first-level
// cache beside the 12 KiB that six rows of x take, and free of the conflicts that rows a power of two apart have), which
// all rows then use. x is read from the second-level cache once per block of columns, so these are many. The
// accumulators wait in memory between the blocks of k, so every element is still reduced by one vector over k in order.
constexpr std::size_t kPackDepth = 512;
constexpr std::size_t kPackCols = 16;
// Rows at a time: their accumulators (kPackCols vectors each, 192 KiB) stay in the second-level cache.
constexpr std::size_t kPackRows = 192;
// Below, the copy is not worth its while.
constexpr std::size_t kPackMinRows = 16;
static_assert(kPackDepth % kW == 0);

struct PackBuffers {
  alignas(64) float weights[kPackCols * kPackDepth];
  alignas(64) float acc[kPackRows * kPackCols * kW];
};

// One block of k for R rows by C columns: acc[r][c] is carried in `state`, `depth` floats of each row and column.
template <int R, int C>
inline void packed_tile(const float* w, const float* x, std::size_t ldx, std::size_t depth, float* state, bool first) {
  V acc[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      acc[r][c] =
          first ? Simd::zero()
                : Simd::load(state + (static_cast<std::size_t>(r) * kPackCols + static_cast<std::size_t>(c)) * kW);
    }
  }
  std::size_t j = 0;
  for (; j + kW <= depth; j += kW) {
    V wv[C];
    for (int c = 0; c < C; ++c) wv[c] = Simd::load(w + static_cast<std::size_t>(c) * kPackDepth + j);
    for (int r = 0; r < R; ++r) {
      const V xv = Simd::load(x + static_cast<std::size_t>(r) * ldx + j);
      for (int c = 0; c < C; ++c) acc[r][c] = Simd::fma(xv, wv[c], acc[r][c]);
    }
  }
  if (j < depth) {
    for (int c = 0; c < C; ++c) {
      const V wv = Simd::load_n(w + static_cast<std::size_t>(c) * kPackDepth + j, depth - j);
      for (int r = 0; r < R; ++r) {
        acc[r][c] = Simd::fma(Simd::load_n(x + static_cast<std::size_t>(r) * ldx + j, depth - j), wv, acc[r][c]);
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      Simd::store(state + (static_cast<std::size_t>(r) * kPackCols + static_cast<std::size_t>(c)) * kW, acc[r][c]);
    }
  }
}

template <int R>
inline void packed_rows(const float* w, std::size_t cols, const float* x, std::size_t ldx, std::size_t rows,
                        std::size_t depth, float* state, bool first) {
  if constexpr (R > 0) {
    if (rows < static_cast<std::size_t>(R)) return packed_rows<R - 1>(w, cols, x, ldx, rows, depth, state, first);
    constexpr std::size_t kWide = Simd::kTileCols;
    std::size_t c = 0;
    for (; c + kWide <= cols; c += kWide) {
      packed_tile<R, Simd::kTileCols>(w + c * kPackDepth, x, ldx, depth, state + c * kW, first);
    }
    for (; c < cols; ++c) packed_tile<R, 1>(w + c * kPackDepth, x, ldx, depth, state + c * kW, first);
  }
}

template <typename L>
inline void matmul_packed(const typename L::T* w, std::size_t k, const float* x, std::size_t rows, float* y,
                          std::size_t ldy, std::size_t cols, PackBuffers& buffers) {
  constexpr std::size_t kTall = Simd::kTileRows;
  for (std::size_t at = 0; at < k || at == 0; at += kPackDepth) {
    const std::size_t depth = k - at < kPackDepth ? k - at : kPackDepth;
    for (std::size_t c = 0; c < cols; ++c) {
      const typename L::T* column = w + c * k + at;
      float* packed = buffers.weights + c * kPackDepth;
      std::size_t j = 0;
      for (; j + kW <= depth; j += kW) Simd::store(packed + j, L::full(column + j));
      if (j < depth) Simd::store_n(packed + j, L::part(column + j, depth - j), depth - j);
    }
    for (std::size_t r = 0; r < rows; r += kTall) {
      packed_rows<Simd::kTileRows>(buffers.weights, cols, x + r * k + at, k, rows - r < kTall ? rows - r : kTall, depth,
                                   buffers.acc + r * kPackCols * kW, at == 0);
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < cols; ++c) {
      y[r * ldy + c] = Simd::sum(Simd::load(buffers.acc + (r * kPackCols + c) * kW));
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
    PackBuffers buffers;  // 224 KiB with the widest vectors; worker stacks are megabytes
    for (std::size_t c = col_begin; c < col_end; c += kPackCols) {
      const std::size_t cols = col_end - c < kPackCols ? col_end - c : kPackCols;
      for (std::size_t r = 0; r < rows; r += kPackRows) {
        matmul_packed<L>(data + c * w.k, w.k, x + r * w.k, rows - r < kPackRows ? rows - r : kPackRows, y + r * ldy + c,
                         ldy, cols, buffers);
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
