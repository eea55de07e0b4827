// The quantised products, written once over `Lanes` and compiled once per instruction set. A translation unit defines
// SGL_SIMD_NAMESPACE, its Lanes, and includes this file after them. As in vector_kernels.h, no inline function of the
// standard library is called here.
//
// Lanes' contract: F and I hold kLanes floats and 32-bit integers; Bytes holds 4 · kLanes bytes, lane l's in 4l … 4l+3.
//   dot8(acc, w, x)    acc[l] + Σ_i w[4l+i] · x[4l+i], w signed. With kBiased, w counts as w + 128.
//   dot4(acc, w, x)    likewise, w in 0 … 15
//   fma                one rounding
// kRows × kPanels is the tile for which there are registers enough.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ask_evenly.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/quant/layout.h"
#include "kernels/cpu/quant/ops.h"
#include "kernels/cpu/quant/vector_weights.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

using F = Lanes::F;
using I = Lanes::I;
using Bytes = Lanes::Bytes;
constexpr std::size_t kLanes = Lanes::kLanes;
constexpr int kParts = static_cast<int>(kPanelRows / kLanes);  // vectors across a panel
constexpr std::size_t kPartBytes = 4 * kLanes;

// All lanes of v combined by max or sum.
inline std::int32_t max_of(const EightInts& v) {
  EightInts m = v, other = __builtin_shufflevector(m, m, 4, 5, 6, 7, 0, 1, 2, 3);
  m = m > other ? m : other;
  other = __builtin_shufflevector(m, m, 2, 3, 0, 1, 6, 7, 4, 5);
  m = m > other ? m : other;
  return m[0] > m[1] ? m[0] : m[1];
}
inline std::int32_t sum_of(const EightInts& v) {
  const EightInts m = v + __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  const EightInts n = m + __builtin_shufflevector(m, m, 2, 3, 0, 1, 6, 7, 4, 5);
  return n[0] + n[1];
}

// One group to 8 bits; returns Σ q and the scale.
inline std::int32_t quantize_group_of_x(const float* x, std::int8_t* q, float& scale) {
  Eight v[kEights];
  // One by one: all at once they go through the stack, in pieces of another width, for which the processor waits.
  for (std::size_t i = 0; i < kEights; ++i) __builtin_memcpy(&v[i], x + 8 * i, sizeof v[i]);
  // Magnitudes order like their bits, and every NaN lies above infinity.
  EightInts largest = {};
  for (const Eight& each : v) {
    const EightInts magnitude = __builtin_bit_cast(EightInts, each) & 0x7FFFFFFF;
    largest = magnitude > largest ? magnitude : largest;
  }
  const std::int32_t bits = max_of(largest);
  const auto amax = __builtin_bit_cast(float, bits);
  if (bits >= 0x7F800000 || amax < 1e-30F) {
    scale = bits >= 0x7F800000 ? __builtin_nanf("") : 0.0F;
    __builtin_memset(q, 0, kQuantGroup);
    return 0;
  }
  const float inverse = 127.0F / amax;
  EightInts sum = {};
  for (std::size_t i = 0; i < kEights; ++i) {
    // Adding 1.5 · 2^23 rounds to nearest even and leaves the integer in the low bits.
    const Eight shifted = v[i] * inverse + 12582912.0F;
    const EightInts value = __builtin_bit_cast(EightInts, shifted) - 0x4B400000;
    sum += value;
    const EightBytes bytes = __builtin_convertvector(value, EightBytes);
    __builtin_memcpy(q + 8 * i, &bytes, sizeof bytes);
  }
  scale = amax / 127.0F;
  return sum_of(sum);
}

void quantize_activations(const float* x, std::size_t k, const QuantRows& out, std::size_t row) {
  std::int8_t* part = out.row(row);
  for (std::size_t g = 0; g < out.groups; ++g, part += out.tile * kQuantGroup) {
    float scale = 0.0F;
    std::int32_t sum = 0;
    const std::size_t at = g * kQuantGroup;
    if (at + kQuantGroup <= k) {
      sum = quantize_group_of_x(x + at, part, scale);
    } else {
      float padded[kQuantGroup] = {};
      if (at < k) __builtin_memcpy(padded, x + at, (k - at) * sizeof(float));
      sum = quantize_group_of_x(padded, part, scale);
    }
    const std::size_t i = out.at(row) + g * out.tile;
    out.scale[i] = scale;
    out.scaled[i] = scale * static_cast<float>(sum);
    out.sum[i] = sum;
  }
}

// What the accumulators of a group begin with, so that they end with the exact sum.
template <DType T>
inline I start(std::int32_t sum) {
  if constexpr (T == DType::kQ8 && Lanes::kBiased) return Lanes::set(-128 * sum);
  if constexpr (T == DType::kQ4) return Lanes::set(-8 * sum);
  return Lanes::zero();
}

// The integer sums of one group: R rows by P panels.
template <DType T, int R, int P>
inline void group_sums(const std::byte* weights, std::size_t panel_bytes, const std::int8_t* q,
                       I (&acc)[R][P][kParts]) {
  constexpr int kSteps = T == DType::kQ8 ? 8 : 4;
#pragma GCC unroll 8
  for (int s = 0; s < kSteps; ++s) {
    Bytes w[P][kParts];
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      for (int h = 0; h < kParts; ++h) {
        w[p][h] = Lanes::load(weights + static_cast<std::size_t>(p) * panel_bytes +
                              static_cast<std::size_t>(s) * kStepBytes + static_cast<std::size_t>(h) * kPartBytes);
        if constexpr (T == DType::kQ8) w[p][h] = Lanes::prepare8(w[p][h]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const std::int8_t* x = q + static_cast<std::size_t>(r) * kQuantGroup + 4 * s;
      if constexpr (T == DType::kQ8) {
        const Bytes xv = Lanes::repeat4(x);
        for (int p = 0; p < P; ++p) {
          for (int h = 0; h < kParts; ++h) acc[r][p][h] = Lanes::dot8(acc[r][p][h], w[p][h], xv);
        }
      } else {
        const Bytes low = Lanes::repeat4(x), high = Lanes::repeat4(x + 4 * kSteps);
        for (int p = 0; p < P; ++p) {
          for (int h = 0; h < kParts; ++h) {
            acc[r][p][h] = Lanes::dot4(acc[r][p][h], Lanes::low_half(w[p][h]), low);
            acc[r][p][h] = Lanes::dot4(acc[r][p][h], Lanes::high_half(w[p][h]), high);
          }
        }
      }
    }
  }
}

// What is asked for beside a product, group by group: ask(the group's weights, rows of the tile).
struct AskNothing {
  void operator()(const std::byte*, int) const {}
};

// A single row has nothing else to do than to wait: from memory into the second-level cache, and from there into the
// first. Of 4-bit weights this reads 29 GB/s on two cores of an Intel where one request 2 KB ahead reads 26.5, and one
// 4 KB ahead 23.5. AMD's processors want something else (ReadAhead).
struct AskFarAhead {
  static constexpr std::size_t kFar = 3072, kNear = 512;
  std::size_t bytes;  // of a group
  void operator()(const std::byte* weights, int) const {
    for (std::size_t line = 0; line < bytes; line += 64) {
      __builtin_prefetch(weights + line + kNear);
      __builtin_prefetch(weights + line + kFar, 0, 2);
    }
  }
};

// A single row where one stream is read fastest with one hint (ReadAhead::kZen5).
struct AskForStream {
  std::size_t bytes;  // of a group
  void operator()(const std::byte* weights, int) const {
    for (std::size_t line = 0; line < bytes; line += 64) __builtin_prefetch(weights + line + kStreamAhead, 0, 2);
  }
};

// More rows ask for the panels that come next, over the last 16 to 31 rows; a step is a row's group.
struct AskNextPanels {
  AskEvenly lines;
  void operator()(const std::byte*, int rows) { lines(static_cast<std::size_t>(rows)); }
};

// R rows of one tile of x by P panels over all of k.
template <DType T, int R, int P, typename Ask>
inline void quant_tile(const std::byte* panel, const PackedLayout& layout, const QuantRows& x, std::size_t row,
                       F (&out)[R][P][kParts], Ask& ask) {
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      for (int h = 0; h < kParts; ++h) out[r][p][h] = Lanes::fzero();
    }
  }
  const std::int8_t* q = x.row(row);
  for (std::size_t g = 0; g < 2 * layout.blocks; ++g, q += x.tile * kQuantGroup) {
    const std::byte* block = panel + g / 2 * layout.block_bytes;
    const std::byte* weights = block + layout.header + g % 2 * layout.group_bytes;
    const std::size_t at = x.at(row) + g * x.tile;
    ask(weights, R);
    I acc[R][P][kParts];
    for (int r = 0; r < R; ++r) {
      const I begin = start<T>(x.sum[at + static_cast<std::size_t>(r)]);
      for (int p = 0; p < P; ++p) {
        for (int h = 0; h < kParts; ++h) acc[r][p][h] = begin;
      }
    }
    group_sums<T, R, P>(weights, layout.panel_bytes, q, acc);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      const std::byte* header = block + static_cast<std::size_t>(p) * layout.panel_bytes + g % 2 * 32;
      for (int h = 0; h < kParts; ++h) {
        const F scale = Lanes::load_f16(header + static_cast<std::size_t>(h) * kLanes * 2);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const F both = Lanes::mul(scale, Lanes::fset(x.scale[at + static_cast<std::size_t>(r)]));
          out[r][p][h] = Lanes::fma(Lanes::to_float(acc[r][p][h]), both, out[r][p][h]);
        }
        if constexpr (T == DType::kQ4A) {
          const F min = Lanes::load_f16(header + 64 + static_cast<std::size_t>(h) * kLanes * 2);
#pragma GCC unroll 16
          for (int r = 0; r < R; ++r) {
            out[r][p][h] = Lanes::fma(min, Lanes::fset(x.scaled[at + static_cast<std::size_t>(r)]), out[r][p][h]);
          }
        }
      }
    }
  }
}

struct QuantTarget {
  float* y;  // column 0 of the weight
  std::size_t ldy, n;
};

template <DType T, int R, int P, typename Ask>
inline void store_tile(const std::byte* panel, const PackedLayout& layout, const QuantRows& x, std::size_t row,
                       const QuantTarget& t, std::size_t column, Ask& ask) {
  F out[R][P][kParts];
  quant_tile<T, R, P>(panel, layout, x, row, out, ask);
  for (int r = 0; r < R; ++r) {
    float* y = t.y + (row + static_cast<std::size_t>(r)) * t.ldy;
    for (int p = 0; p < P; ++p) {
      for (int h = 0; h < kParts; ++h) {
        const std::size_t c = column + static_cast<std::size_t>(p) * kPanelRows + static_cast<std::size_t>(h) * kLanes;
        if (c + kLanes <= t.n) {
          Lanes::store(y + c, out[r][p][h]);
        } else if (c < t.n) {
          Lanes::store_n(y + c, out[r][p][h], t.n - c);
        }
      }
    }
  }
}

// The rows [row, rows) of one tile of x by P panels: full heights, then one of the remaining height.
template <DType T, int P, int R = Lanes::kRows, typename Ask>
inline void tile_rows(const std::byte* panel, const PackedLayout& layout, const QuantRows& x, std::size_t row,
                      std::size_t rows, const QuantTarget& t, std::size_t column, Ask& ask) {
  if constexpr (R > 0) {
    for (; rows - row >= static_cast<std::size_t>(R); row += static_cast<std::size_t>(R)) {
      store_tile<T, R, P>(panel, layout, x, row, t, column, ask);
    }
    if (row < rows) tile_rows<T, P, R - 1>(panel, layout, x, row, rows, t, column, ask);
  }
}

template <DType T, int P>
inline void all_tiles(const std::byte* panel, const PackedLayout& layout, const QuantRows& x, std::size_t rows,
                      const QuantTarget& t, std::size_t column, bool more) {
  const std::size_t lines = static_cast<std::size_t>(P) * layout.panel_bytes / 64;
  AskNothing nothing;
  std::size_t r = 0;
  for (; rows - r >= 2 * kTileRows; r += kTileRows) {
    tile_rows<T, P>(panel, layout, x, r, r + kTileRows, t, column, nothing);
  }
  AskNextPanels next{AskEvenly(panel + lines * 64, lines, (rows - r) * 2 * layout.blocks, more)};
  for (; r < rows; r += kTileRows) {
    tile_rows<T, P>(panel, layout, x, r, rows - r < kTileRows ? rows : r + kTileRows, t, column, next);
  }
}

// One row by the panels from `begin` to `end`. A function of its own: among the larger tiles the compiler keeps what
// this loop needs in memory (Q4A 55 instead of 73 GB/s).
template <DType T, typename Ask>
[[gnu::noinline]] void one_row(const std::byte* data, const PackedLayout& layout, const QuantRows& x,
                               const QuantTarget& t, std::size_t begin, std::size_t end, Ask ask) {
  for (std::size_t p = begin; p < end; ++p) {
    store_tile<T, 1, 1>(data + p * layout.panel_bytes, layout, x, 0, t, p * kPanelRows, ask);
  }
}

template <DType T>
inline void single_row(const std::byte* data, const PackedLayout& layout, const QuantRows& x, const QuantTarget& t,
                       std::size_t begin, std::size_t end) {
  const std::size_t group = layout.group_bytes + layout.header / 2;
  switch (read_ahead()) {
    case ReadAhead::kZen:
      return one_row<T>(data, layout, x, t, begin, end, AskNothing{});
    case ReadAhead::kZen5:
      // Of 8 bits, which take the least arithmetic a byte, nothing needs asking for (a token 10.5 to 10.8 ms, else 10.8
      // to 11.1; of 4 bits 7.1 to 7.5, else 6.6).
      if (T == DType::kQ8) return one_row<T>(data, layout, x, t, begin, end, AskNothing{});
      return one_row<T>(data, layout, x, t, begin, end, AskForStream{group});
    case ReadAhead::kHints:
      break;
  }
  if (begin >= end) return;
  // The beginning, which nobody has asked for.
  for (std::size_t line = 0; line < AskFarAhead::kFar; line += 64) {
    __builtin_prefetch(data + begin * layout.panel_bytes + line);
  }
  one_row<T>(data, layout, x, t, begin, end, AskFarAhead{group});
}

template <DType T>
inline void quant_typed(const Matrix& w, const QuantRows& x, std::size_t rows, float* y, std::size_t ldy,
                        std::size_t panel_begin, std::size_t panel_end) {
  const PackedLayout layout(T, w.k);
  const QuantTarget t{y, ldy, w.n};
  constexpr std::size_t kWide = Lanes::kPanels;
  std::size_t p = panel_begin;
  const std::byte* data = static_cast<const std::byte*>(w.data);
  if (rows == 1) return single_row<T>(data, layout, x, t, p, panel_end);
  for (; p + kWide <= panel_end; p += kWide) {
    all_tiles<T, Lanes::kPanels>(data + p * layout.panel_bytes, layout, x, rows, t, p * kPanelRows,
                                 p + kWide < panel_end);
  }
  for (; p < panel_end; ++p) {
    all_tiles<T, 1>(data + p * layout.panel_bytes, layout, x, rows, t, p * kPanelRows, p + 1 < panel_end);
  }
}

void quant_matmul(const Matrix& w, const QuantRows& x, std::size_t rows, float* y, std::size_t ldy,
                  std::size_t panel_begin, std::size_t panel_end) {
  if (w.type == DType::kQ8) return quant_typed<DType::kQ8>(w, x, rows, y, ldy, panel_begin, panel_end);
  if (w.type == DType::kQ4) return quant_typed<DType::kQ4>(w, x, rows, y, ldy, panel_begin, panel_end);
  quant_typed<DType::kQ4A>(w, x, rows, y, ldy, panel_begin, panel_end);
}

constexpr QuantOps kQuantOps{quantize_activations, quant_matmul, quantize_weights};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
