// The products; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ask_evenly.h"
#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// Every element of y has one vector accumulator that runs over k in order and one horizontal sum: the same arithmetic
// in tiles of any height and width, so that a row's result cannot depend on its batch.

template <typename L, int R, int C>
inline void tile(const typename L::T* w, std::size_t k, const float* x, float* y, std::size_t ldy, AskEvenly& ask) {
  V acc[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) acc[r][c] = Simd::zero();
  }
  std::size_t j = 0;
  for (; j + kW <= k; j += kW) {
    V wv[C];
    for (int c = 0; c < C; ++c) wv[c] = L::full(w + static_cast<std::size_t>(c) * k + j);
    if (R == 1 && j * sizeof(typename L::T) % 64 == 0) {
      // A single row waits for memory. Rows of weights are often too short (2 KB) for the hardware to foresee the next:
      // those come into the second-level cache, what is read soon from there into the first.
      constexpr std::size_t kSoon = 256 / sizeof(typename L::T);
      for (int c = 0; c < C; ++c) __builtin_prefetch(w + static_cast<std::size_t>(C + c) * k + j, 0, 2);
      for (int c = 0; c < C; ++c) __builtin_prefetch(w + static_cast<std::size_t>(c) * k + j + kSoon);
    }
    if (R > 1) ask(1);
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

// One row where a single stream is read fastest (ReadAhead::kZen5): weight row after weight row, in the order of
// memory. One sum at a time waits for its additions; the processor begins the next row meanwhile.
template <typename L>
inline void one_row(const typename L::T* w, std::size_t k, const float* x, float* y, std::size_t columns) {
  for (std::size_t c = 0; c < columns; ++c, w += k) {
    V acc = Simd::zero();
    std::size_t j = 0;
    for (; j + kW <= k; j += kW) {
      if (j * sizeof(typename L::T) % 64 == 0) __builtin_prefetch(w + j + kStreamAhead / sizeof(typename L::T), 0, 2);
      acc = Simd::fma(Simd::load(x + j), L::full(w + j), acc);
    }
    if (j < k) acc = Simd::fma(Simd::load_n(x + j, k - j), L::part(w + j, k - j), acc);
    y[c] = Simd::sum(acc);
  }
}

// All rows of C neighbouring columns: full tiles, then one tile of the remaining height.
template <typename L, int C, int R>
inline void rows_below(const typename L::T* w, std::size_t k, const float* x, std::size_t rows, float* y,
                       std::size_t ldy, AskEvenly& ask) {
  if constexpr (R > 0) {
    if (rows == static_cast<std::size_t>(R)) {
      tile<L, R, C>(w, k, x, y, ldy, ask);
    } else {
      rows_below<L, C, R - 1>(w, k, x, rows, y, ldy, ask);
    }
  }
}

template <typename L, int C>
inline void all_rows(const typename L::T* w, std::size_t k, const float* x, std::size_t rows, float* y, std::size_t ldy,
                     bool more) {
  constexpr std::size_t kTall = Simd::kTileRows;
  // The next columns, of which memory holds as many bytes as of these.
  const std::size_t lines = C * k * sizeof(typename L::T) / 64, steps = (rows + kTall - 1) / kTall * (k / kW);
  AskEvenly ask(w + C * k, lines, steps, more);
  std::size_t r = 0;
  for (; r + kTall <= rows; r += kTall) tile<L, Simd::kTileRows, C>(w, k, x + r * k, y + r * ldy, ldy, ask);
  rows_below<L, C, Simd::kTileRows - 1>(w, k, x + r * k, rows - r, y + r * ldy, ldy, ask);
}

// Many rows: the same sums as above, in an order that suits the registers. Lane l of an element's accumulator takes the
// terms l, l + kW, l + 2 kW, … of k, and the lanes are added in a fixed tree. Here a vector holds one lane of kW
// neighbouring columns: all terms of a lane for a tile of rows and columns, then the next lane, added up as the tree
// goes. Nothing is summed across a vector, a value of x counts for a whole vector of columns, and a weight that comes
// from the second-level cache for kOuterRows rows.
//
// Both operands are copied into the order in which they are read. The rows of x are copied once for all columns and
// threads (pack_rows); of the weights as many columns at a time as stay in the second-level cache while all rows pass.
constexpr std::size_t kOuterRows = Simd::kOuterRows, kOuterVectors = Simd::kOuterVectors;
constexpr std::size_t kPanelCols = kOuterVectors * kW;
constexpr std::size_t kPackFloats = std::size_t{192} * 1024;  // of weights: 768 KiB
constexpr std::size_t kPackCols = 192;
// Steps ahead for which weights and rows of x are asked for.
constexpr std::size_t kWeightsAhead = 8, kRowsAhead = 32;

// Floats between the lanes of a panel: a line more than its weights, or lanes would share a few sets of the cache.
inline std::size_t panel_stride(std::size_t steps) {
  return (steps * kOuterVectors + 1) * kW;
}

// out[lane][step][row] of `rows` <= kOuterRows rows.
void pack_rows(const float* x, std::size_t rows, std::size_t k, float* out) {
  const std::size_t steps = (k + kW - 1) / kW;
  for (std::size_t begin = 0; begin < rows; begin += kW) {
    const std::size_t count = rows - begin < kW ? rows - begin : kW;
    for (std::size_t s = 0; s < steps; ++s) {
      const std::size_t at = s * kW;
      V block[kW];
      for (std::size_t r = 0; r < kW; ++r) {
        const float* row = x + (begin + r) * k + at;
        block[r] = r >= count ? Simd::zero() : at + kW <= k ? Simd::load(row) : Simd::load_n(row, k - at);
      }
      Simd::transpose(block);
      for (std::size_t l = 0; l < kW; ++l) Simd::store_n(out + (l * steps + s) * rows + begin, block[l], count);
    }
  }
}

// out[lane][step][column] of kPanelCols columns, those from `cols` on as zeros; column c's k values are at column(c).
template <typename L, typename Column>
inline void pack_panel(const Column& column, std::size_t k, std::size_t cols, float* out) {
  const std::size_t steps = (k + kW - 1) / kW, stride = panel_stride(steps);
  for (std::size_t vector = 0; vector < kOuterVectors; ++vector) {
    for (std::size_t s = 0; s < steps; ++s) {
      const std::size_t at = s * kW;
      V block[kW];
      for (std::size_t i = 0; i < kW; ++i) {
        const std::size_t c = vector * kW + i;
        const typename L::T* row = column(c < cols ? c : 0) + at;
        __builtin_prefetch(row + 256 / sizeof(typename L::T));
        block[i] = c >= cols ? Simd::zero() : at + kW <= k ? L::full(row) : L::part(row, k - at);
      }
      Simd::transpose(block);
      for (std::size_t l = 0; l < kW; ++l) Simd::store(out + l * stride + (s * kOuterVectors + vector) * kW, block[l]);
    }
  }
}

// One lane of R rows by a panel's columns.
template <int R>
[[gnu::always_inline]] inline void lane_sums(const float* w, const float* x, std::size_t steps,
                                             V (&acc)[R][kOuterVectors]) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    for (std::size_t c = 0; c < kOuterVectors; ++c) acc[r][c] = Simd::zero();
  }
// Few enough rounds that the end of a lane is foreseen: 1,024 terms are 16.
#pragma GCC unroll 4
  for (std::size_t s = 0; s < steps; ++s, w += kPanelCols, x += R) {
    V wv[kOuterVectors];
    // From the second-level cache, where also x comes from: a panel and a tile's rows are more than the first holds.
    for (std::size_t c = 0; c < kOuterVectors; ++c) __builtin_prefetch(w + kWeightsAhead * kPanelCols + c * kW);
    __builtin_prefetch(x + kRowsAhead * R);
    for (std::size_t c = 0; c < kOuterVectors; ++c) wv[c] = Simd::load(w + c * kW);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const V xv = Simd::set(x[r]);
      for (std::size_t c = 0; c < kOuterVectors; ++c) acc[r][c] = Simd::fma(xv, wv[c], acc[r][c]);
    }
  }
}

constexpr int log2_of(std::size_t n) {
  return n < 2 ? 0 : 1 + log2_of(n / 2);
}

// y of R rows by the first `cols` columns of a panel.
template <int R>
inline void outer_tile(const float* panel, const float* x, std::size_t steps, float* y, std::size_t ldy,
                       std::size_t cols) {
  constexpr int kLevels = log2_of(kW);
  V waiting[kLevels][R][kOuterVectors];  // sums of 1, 2, 4, … lanes whose partners are still to come
  int depth = 0;
  V acc[R][kOuterVectors];
  for (std::size_t i = 0; i < kW; ++i) {
    // Lanes in the order of their bits reversed: 0 and kW/2, then kW/4 and kW·3/4, so that partners of the tree follow
    // each other.
    std::size_t lane = 0;
    for (int b = 0; b < kLevels; ++b) lane |= (i >> b & 1) << (kLevels - 1 - b);
    lane_sums<R>(panel + lane * panel_stride(steps), x + lane * steps * R, steps, acc);
    for (std::size_t done = i; done & 1; done >>= 1) {
      --depth;
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        for (std::size_t c = 0; c < kOuterVectors; ++c) acc[r][c] = Simd::add(waiting[depth][r][c], acc[r][c]);
      }
    }
    if (i + 1 == kW) break;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      for (std::size_t c = 0; c < kOuterVectors; ++c) waiting[depth][r][c] = acc[r][c];
    }
    ++depth;
  }
  for (int r = 0; r < R; ++r) {
    for (std::size_t c = 0; c < kOuterVectors && c * kW < cols; ++c) {
      float* to = y + static_cast<std::size_t>(r) * ldy + c * kW;
      if (cols - c * kW >= kW) {
        Simd::store(to, acc[r][c]);
      } else {
        Simd::store_n(to, acc[r][c], cols - c * kW);
      }
    }
  }
}

// All packed columns by R rows; fewer rows where less than R are left. `x` is what pack_rows made of them.
template <int R>
inline void outer_rows(const float* packed, std::size_t cols, const float* x, std::size_t steps, std::size_t rows,
                       float* y, std::size_t ldy) {
  if constexpr (R > 0) {
    if (rows < static_cast<std::size_t>(R)) return outer_rows<R - 1>(packed, cols, x, steps, rows, y, ldy);
    for (std::size_t c = 0; c < cols; c += kPanelCols, packed += kW * panel_stride(steps)) {
      outer_tile<R>(packed, x, steps, y + c, ldy, cols - c < kPanelCols ? cols - c : kPanelCols);
    }
  }
}

// Columns that are packed at a time: whole panels.
inline std::size_t packed_columns(std::size_t k) {
  const std::size_t fit = kPackFloats / ((k + kW - 1) / kW * kW) / kPanelCols * kPanelCols;
  return fit < kPanelCols ? kPanelCols : fit > kPackCols ? kPackCols : fit;
}

std::size_t packed_weights(std::size_t k) {
  return packed_columns(k) / kPanelCols * kW * panel_stride((k + kW - 1) / kW);
}

template <typename L>
inline void matmul_packed_typed(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy,
                                std::size_t col_begin, std::size_t col_end, float* packed) {
  const std::size_t steps = (w.k + kW - 1) / kW, width = packed_columns(w.k);
  const typename L::T* data = static_cast<const typename L::T*>(w.data);
  for (std::size_t begin = col_begin; begin < col_end; begin += width) {
    const std::size_t cols = col_end - begin < width ? col_end - begin : width;
    for (std::size_t c = 0; c < cols; c += kPanelCols) {
      const auto column = [&](std::size_t i) { return data + (begin + c + i) * w.k; };
      pack_panel<L>(column, w.k, cols - c, packed + c / kPanelCols * kW * panel_stride(steps));
    }
    for (std::size_t r = 0; r < rows; r += kOuterRows) {
      outer_rows<Simd::kOuterRows>(packed, cols, x + r * steps * kW, steps,
                                   rows - r < kOuterRows ? rows - r : kOuterRows, y + r * ldy + begin, ldy);
    }
  }
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

// The columns [c, col_end), C at a time. Returns the first that is left.
template <typename L, int C>
inline std::size_t by_columns(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy,
                              std::size_t c, std::size_t col_end) {
  const typename L::T* data = static_cast<const typename L::T*>(w.data);
  for (; c + C <= col_end; c += C) {
    all_rows<L, C>(data + c * w.k, w.k, x, rows, y + c, ldy, c + C < col_end);
  }
  return c;
}

template <typename L>
inline void matmul_typed(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy,
                         std::size_t col_begin, std::size_t col_end) {
  // One row: 8 weight rows at a time are enough independent sums to hide the latency of fma (4 cycles, 2 a cycle).
  constexpr int kNarrow = 8;
  const typename L::T* data = static_cast<const typename L::T*>(w.data);
  std::size_t c = col_begin;
  if (rows == 1) {
    if (read_ahead() == ReadAhead::kZen5) return one_row<L>(data + c * w.k, w.k, x, y + c, col_end - c);
    AskEvenly nothing(nullptr, 0, 0, false);
    for (; c + kNarrow <= col_end; c += kNarrow) tile<L, 1, kNarrow>(data + c * w.k, w.k, x, y + c, ldy, nothing);
  }
  // Two or three rows wait for memory too (two cores of a Zen 5, BF16, k of 3,072: 42 -> 50 GB/s).
  if (rows <= 3 && read_ahead() == ReadAhead::kZen5) {
    c = by_columns<L, 2>(w, x, rows, y, ldy, c, col_end);
  } else {
    c = by_columns<L, Simd::kTileCols>(w, x, rows, y, ldy, c, col_end);
  }
  by_columns<L, 1>(w, x, rows, y, ldy, c, col_end);
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
