// The vectorised operations, written once over `Simd` and compiled once per instruction set. A translation unit defines
// SGL_SIMD_NAMESPACE, includes its simd_*.h and then this file.
//
// Simd's contract: V holds kWidth floats; *_n forms touch only the first n < kWidth elements and read the others as 0;
// sum() adds lanes in one fixed order; fma(a, b, c) is a·b + c, fused or not, but always the same within one set.
//
// No inline function of the standard library is called here: the linker keeps one copy of such a function for the whole
// program, and it could be the one compiled with instructions that the machine lacks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

using V = Simd::V;
constexpr std::size_t kW = Simd::kWidth;

struct LoadF32 {
  using T = float;
  static V full(const T* p) { return Simd::load(p); }
  static V part(const T* p, std::size_t n) { return Simd::load_n(p, n); }
};
struct LoadBf16 {
  using T = std::uint16_t;
  static V full(const T* p) { return Simd::load_bf16(p); }
  static V part(const T* p, std::size_t n) { return Simd::load_bf16_n(p, n); }
};
struct LoadF16 {
  using T = std::uint16_t;
  static V full(const T* p) { return Simd::load_f16(p); }
  static V part(const T* p, std::size_t n) { return Simd::load_f16_n(p, n); }
};

// ---- matmul -----------------------------------------------------------------------------------------------------
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
  }
}

// ---- element-wise -----------------------------------------------------------------------------------------------

// e^v after Cephes' expf (Moshier): range reduction by multiples of ln 2 in two parts, then a polynomial of degree 6.
inline V exp_vector(V v) {
  const V lowest = Simd::set(-87.3F);  // below, the result would be subnormal: 0
  const V bounded = Simd::max(v, lowest);
  const V n = Simd::round(Simd::mul(bounded, Simd::set(1.44269504088896341F)));
  V r = Simd::fma(n, Simd::set(-0.693359375F), bounded);
  r = Simd::fma(n, Simd::set(2.12194440e-4F), r);
  V p = Simd::set(1.9875691500e-4F);
  p = Simd::fma(p, r, Simd::set(1.3981999507e-3F));
  p = Simd::fma(p, r, Simd::set(8.3334519073e-3F));
  p = Simd::fma(p, r, Simd::set(4.1665795894e-2F));
  p = Simd::fma(p, r, Simd::set(1.6666665459e-1F));
  p = Simd::fma(p, r, Simd::set(5.0000001201e-1F));
  p = Simd::fma(Simd::mul(p, r), r, Simd::add(r, Simd::set(1.0F)));
  return Simd::keep_if_ge(Simd::mul(p, Simd::pow2(n)), v, lowest);
}

template <typename F>
inline void for_chunks(std::size_t n, F body) {  // body(offset, count): count < kW only for the last chunk
  std::size_t i = 0;
  for (; i + kW <= n; i += kW) body(i, kW);
  if (i < n) body(i, n - i);
}
inline V load_some(const float* p, std::size_t n) {
  return n == kW ? Simd::load(p) : Simd::load_n(p, n);
}
inline void store_some(float* p, V v, std::size_t n) {
  if (n == kW) {
    Simd::store(p, v);
  } else {
    Simd::store_n(p, v, n);
  }
}

void rmsnorm(const float* x, const float* weight, float eps, std::size_t k, float* y) {
  V squares = Simd::zero();
  for_chunks(k, [&](std::size_t i, std::size_t n) {
    const V v = load_some(x + i, n);
    squares = Simd::fma(v, v, squares);
  });
  const float factor = 1.0F / __builtin_sqrtf(Simd::sum(squares) / static_cast<float>(k) + eps);
  const V scale = Simd::set(factor);
  for_chunks(k, [&](std::size_t i, std::size_t n) {
    store_some(y + i, Simd::mul(Simd::mul(load_some(x + i, n), scale), load_some(weight + i, n)), n);
  });
}

void rope(float* x, std::size_t heads, std::size_t head_dim, const float* cos, const float* sin) {
  const std::size_t half = head_dim / 2;
  for (std::size_t h = 0; h < heads; ++h) {
    float* first = x + h * head_dim;
    float* second = first + half;
    for_chunks(half, [&](std::size_t i, std::size_t n) {
      const V a = load_some(first + i, n), b = load_some(second + i, n);
      const V c = load_some(cos + i, n), s = load_some(sin + i, n);
      store_some(first + i, Simd::sub(Simd::mul(a, c), Simd::mul(b, s)), n);
      store_some(second + i, Simd::add(Simd::mul(b, c), Simd::mul(a, s)), n);
    });
  }
}

void swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const V one = Simd::set(1.0F), zero = Simd::zero(), highest = Simd::set(-88.0F);
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    const V g = load_some(gate + i, m);
    // Beyond 88 the denominator is as good as infinite; the bound keeps exp in range.
    const V e = exp_vector(Simd::sub(zero, Simd::max(g, highest)));
    store_some(out + i, Simd::mul(Simd::div(g, Simd::add(one, e)), load_some(up + i, m)), m);
  });
}

void add(float* x, const float* y, std::size_t n) {
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    store_some(x + i, Simd::add(load_some(x + i, m), load_some(y + i, m)), m);
  });
}

float max_value(const float* x, std::size_t n) {
  float best = x[0];
  std::size_t i = 0;
  if (n >= kW) {
    V lanes = Simd::load(x);
    for (i = kW; i + kW <= n; i += kW) lanes = Simd::max(lanes, Simd::load(x + i));
    best = Simd::max_lane(lanes);
  }
  for (; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

void exp_scaled(const float* x, std::size_t n, float shift, float scale, float* out) {
  const V s = Simd::set(shift), f = Simd::set(scale);
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    store_some(out + i, exp_vector(Simd::mul(Simd::sub(load_some(x + i, m), s), f)), m);
  });
}

template <typename L>
inline void widen(const void* src, std::size_t n, float* out) {
  const typename L::T* data = static_cast<const typename L::T*>(src);
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    store_some(out + i, m == kW ? L::full(data + i) : L::part(data + i, m), m);
  });
}

void to_f32(const void* src, DType type, std::size_t n, float* out) {
  switch (type) {
    case DType::kF32:
      return widen<LoadF32>(src, n, out);
    case DType::kBF16:
      return widen<LoadBf16>(src, n, out);
    case DType::kF16:
      return widen<LoadF16>(src, n, out);
  }
}

// ---- attention --------------------------------------------------------------------------------------------------

// Where the K (or V) vectors of one block's positions begin.
struct BlockRows {
  const float* row[kAttentionBlock];
  std::size_t count = 0;
};

// scores[h][j] = scale · q[h]·k[j] for H heads at once, so that each K vector is read once for all of them.
template <int H>
inline void block_scores(const BlockRows& keys, const float* q, std::size_t dim, float scale,
                         float (*scores)[kAttentionBlock]) {
  for (std::size_t j = 0; j < keys.count; ++j) {
    V acc[H];
    for (int h = 0; h < H; ++h) acc[h] = Simd::zero();
    for_chunks(dim, [&](std::size_t i, std::size_t n) {
      const V kv = load_some(keys.row[j] + i, n);
      for (int h = 0; h < H; ++h) {
        acc[h] = Simd::fma(load_some(q + static_cast<std::size_t>(h) * dim + i, n), kv, acc[h]);
      }
    });
    for (int h = 0; h < H; ++h) scores[h][j] = Simd::sum(acc[h]) * scale;
  }
}

// out[h] = out[h] · correction[h] + Σ_j weight[h][j] · v[j], j in order.
template <int H>
inline void block_values(const BlockRows& values, const float (*weights)[kAttentionBlock], const float* correction,
                         std::size_t dim, float* out) {
  for_chunks(dim, [&](std::size_t i, std::size_t n) {
    V acc[H];
    for (int h = 0; h < H; ++h) {
      acc[h] = Simd::mul(load_some(out + static_cast<std::size_t>(h) * dim + i, n), Simd::set(correction[h]));
    }
    for (std::size_t j = 0; j < values.count; ++j) {
      const V value = load_some(values.row[j] + i, n);
      for (int h = 0; h < H; ++h) acc[h] = Simd::fma(Simd::set(weights[h][j]), value, acc[h]);
    }
    for (int h = 0; h < H; ++h) store_some(out + static_cast<std::size_t>(h) * dim + i, acc[h], n);
  });
}

// The online softmax of H neighbouring query heads over all positions of the row.
template <int H>
inline void attend(const AttentionShape& shape, const AttentionRow& row, std::size_t kv_head, const float* q,
                   const float* k, const float* v, float* out) {
  const std::size_t dim = shape.head_dim, stride = shape.kv_heads * dim, offset = kv_head * dim;
  const std::size_t end = row.position + 1;
  const std::size_t begin = shape.window != 0 && end > shape.window ? end - shape.window : 0;
  float highest[H], total[H], correction[H];
  for (int h = 0; h < H; ++h) {
    highest[h] = -__builtin_inff();
    total[h] = 0.0F;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(H) * dim; ++i) out[i] = 0.0F;
  float scores[H][kAttentionBlock];
  BlockRows keys, values;
  for (std::size_t p = begin; p < end;) {
    const std::size_t next = (p / kAttentionBlock + 1) * kAttentionBlock;
    const std::size_t stop = next < end ? next : end;
    keys.count = values.count = stop - p;
    for (std::size_t j = 0; j < keys.count; ++j) {
      const std::size_t at = static_cast<std::size_t>(row.slots[p + j]) * stride + offset;
      keys.row[j] = k + at;
      values.row[j] = v + at;
    }
    block_scores<H>(keys, q, dim, shape.scale, scores);
    for (int h = 0; h < H; ++h) {
      const float block_max = max_value(scores[h], keys.count);
      const float updated = block_max > highest[h] ? block_max : highest[h];
      // The first block has nothing to correct; e^(-inf - x) is 0 all the same.
      exp_scaled(highest + h, 1, updated, 1.0F, correction + h);
      exp_scaled(scores[h], keys.count, updated, 1.0F, scores[h]);
      float sum = 0.0F;
      for (std::size_t j = 0; j < keys.count; ++j) sum += scores[h][j];
      total[h] = total[h] * correction[h] + sum;
      highest[h] = updated;
    }
    block_values<H>(values, scores, correction, dim, out);
    p = stop;
  }
  for (int h = 0; h < H; ++h) {
    const V inverse = Simd::set(1.0F / total[h]);
    float* o = out + static_cast<std::size_t>(h) * dim;
    for_chunks(dim,
               [&](std::size_t i, std::size_t n) { store_some(o + i, Simd::mul(load_some(o + i, n), inverse), n); });
  }
}

void attention(const AttentionShape& shape, const AttentionRow& row, std::size_t kv_head, const float* q,
               const float* k, const float* v, float* out) {
  const std::size_t group = shape.heads / shape.kv_heads;
  std::size_t h = kv_head * group;
  const std::size_t last = h + group;
  while (h < last) {
    const float* qh = q + h * shape.head_dim;
    float* oh = out + h * shape.head_dim;
    if (last - h >= 4) {
      attend<4>(shape, row, kv_head, qh, k, v, oh);
      h += 4;
    } else if (last - h >= 2) {
      attend<2>(shape, row, kv_head, qh, k, v, oh);
      h += 2;
    } else {
      attend<1>(shape, row, kv_head, qh, k, v, oh);
      h += 1;
    }
  }
}

constexpr Ops kOps{matmul, rmsnorm, rope, swiglu, add, max_value, exp_scaled, attention, to_f32};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
