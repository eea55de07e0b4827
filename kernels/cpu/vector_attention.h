// Attention; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// Where the K (or V) vectors of one block's positions begin.
struct BlockRows {
  const float* row[kAttentionBlock];
  std::size_t count = 0;
};

inline void prefetch(const float* p, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 16) __builtin_prefetch(p + i);
}

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
    // Rows of one head lie far apart, where the hardware does not foresee them: ask for this block's values and the
    // next block's keys while the scores are computed.
    for (std::size_t j = 0; j < values.count; ++j) prefetch(values.row[j], dim);
    for (std::size_t j = stop; j < stop + kAttentionBlock && j < end; ++j) {
      prefetch(k + static_cast<std::size_t>(row.slots[j]) * stride + offset, dim);
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

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
