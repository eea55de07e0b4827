// One step of attention: the arithmetic; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// Every step takes one block of positions for a few queries, heads of one KV head; many rows go through
// vector_attention_packed.h, with the same sums. A query's arithmetic is the same in any company: its dot products run
// over the head in order and end in one fixed tree of additions, its softmax sums the block's 32 places in lanes, its
// values follow in order.

// Where the K and V vectors of one block's positions begin; [low, high) of them are seen.
template <typename T>
struct KvBlock {
  const T* key[kAttentionBlock];
  const T* value[kAttentionBlock];
  std::size_t low = 0, high = 0;
  // What multiplies them, for caches that have scales.
  float key_scale[kAttentionBlock], value_scale[kAttentionBlock];
  // Vectors that a later step needs, asked for beside the arithmetic of this one: [low, next).
  const T* next_key[kAttentionBlock];
  const T* next_value[kAttentionBlock];
  std::size_t next = 0;
  const bool to_second_cache = read_ahead() != ReadAhead::kHints;

  // The lines of a vector's elements [begin, end). Pages lie anywhere, so the hardware foresees little. A few lines at
  // a time: there are only so many in flight, and the arithmetic would wait behind them.
  void ask_for(const T* p, std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin; i < end; i += 64 / sizeof(T)) {
      if (to_second_cache) {
        __builtin_prefetch(p + i, 0, 2);
      } else {
        __builtin_prefetch(p + i);
      }
    }
  }
};

// One query head of one row, with the state of its online softmax.
struct Query {
  const float* q;
  float* out;  // unnormalised sum of values
  float highest, total;
};

// Queries of a full step: 16 sums of 4 queries by 4 keys fill half of AVX-512's registers and are added up together.
constexpr int kQueries = 4;

// scores[i][j] = q_i · k_j for the block's positions; other places stay as they are.
template <typename L, int Q>
inline void block_scores(const KvBlock<typename L::T>& block, Query* const (&query)[Q], std::size_t dim,
                         float (*scores)[kAttentionBlock]) {
  static_assert(kW % static_cast<std::size_t>(Q) == 0);
  constexpr std::size_t kKeys = kW / static_cast<std::size_t>(Q);
  for (std::size_t j = block.low; j < block.high; j += kKeys) {
    const typename L::T* key[kKeys];
    for (std::size_t m = 0; m < kKeys; ++m) key[m] = block.key[j + m < block.high ? j + m : block.high - 1];
    // As many of the later keys as this step has, evenly over its arithmetic.
    const std::size_t ask_until = j + kKeys < block.next ? j + kKeys : block.next;
    std::size_t asked = j, due = 0;
    V acc[kW];
    for (std::size_t i = 0; i < kW; ++i) acc[i] = Simd::zero();
    const auto add = [&](std::size_t at, auto load_key, auto load_query) {
      V keys[kKeys];
#pragma GCC unroll 16
      for (std::size_t m = 0; m < kKeys; ++m) keys[m] = load_key(key[m] + at);
#pragma GCC unroll 4
      for (int i = 0; i < Q; ++i) {
        const V q = load_query(query[i]->q + at);
#pragma GCC unroll 16
        for (std::size_t m = 0; m < kKeys; ++m) {
          V& sum = acc[static_cast<std::size_t>(i) * kKeys + m];
          sum = Simd::fma(q, keys[m], sum);
        }
      }
    };
    std::size_t at = 0;
    for (; at + kW <= dim; at += kW) {
      for (due += kKeys * kW; due >= dim && asked < ask_until; due -= dim) {
        block.ask_for(block.next_key[asked++], 0, dim);
      }
      add(
          at, [](const auto* p) { return L::full(p); }, [](const float* p) { return Simd::load(p); });
    }
    if (at < dim) {
      const std::size_t n = dim - at;
      add(
          at, [n](const auto* p) { return L::part(p, n); }, [n](const float* p) { return Simd::load_n(p, n); });
    }
    alignas(64) float sums[kW];
    Simd::store(sums, Simd::sums(acc));
    const std::size_t count = block.high - j;
    for (int i = 0; i < Q; ++i) {
      const float* from = sums + static_cast<std::size_t>(i) * kKeys;
      if (count >= kKeys) {
        std::memcpy(scores[i] + j, from, sizeof(float) * kKeys);
      } else {
        for (std::size_t m = 0; m < count; ++m) scores[i][j + m] = from[m];
      }
    }
  }
}

// table[i][j] · by[j] for the block's positions; other places stay as they are.
template <typename T, int Q>
inline void scale_places(const KvBlock<T>& block, const float* by, float (&table)[Q][kAttentionBlock]) {
  for (int i = 0; i < Q; ++i) {
    if (block.low == 0 && block.high == kAttentionBlock) {
      for (std::size_t p = 0; p < kAttentionBlock; p += kW) {
        Simd::store(table[i] + p, Simd::mul(Simd::load(table[i] + p), Simd::load(by + p)));
      }
    } else {
      for (std::size_t j = block.low; j < block.high; ++j) table[i][j] *= by[j];
    }
  }
}

// The block's weights e^(scale · score − highest) from its scores, and what earlier sums shrink by.
template <int Q>
inline void block_softmax(float scale, Query* const (&query)[Q], float (*scores)[kAttentionBlock], float* correction) {
  constexpr std::size_t kParts = kAttentionBlock / kW;
  const V factor = Simd::set(scale);
  float shift[kW] = {};
  for (int i = 0; i < Q; ++i) {
    V best = Simd::mul(Simd::load(scores[i]), factor);
    for (std::size_t p = 1; p < kParts; ++p) best = Simd::max(best, Simd::mul(Simd::load(scores[i] + p * kW), factor));
    const float block_best = Simd::max_lane(best);
    const float updated = block_best > query[i]->highest ? block_best : query[i]->highest;
    shift[i] = query[i]->highest - updated;  // −infinity in a row's first block: e^… is 0
    query[i]->highest = updated;
  }
  Simd::store(shift, exp_vector(Simd::load(shift)));
  for (int i = 0; i < Q; ++i) {
    correction[i] = shift[i];
    const V highest = Simd::set(query[i]->highest);
    V sum = Simd::zero();
    for (std::size_t p = 0; p < kParts; ++p) {
      const V weight = exp_vector(Simd::sub(Simd::mul(Simd::load(scores[i] + p * kW), factor), highest));
      Simd::store(scores[i] + p * kW, weight);
      sum = p == 0 ? weight : Simd::add(sum, weight);
    }
    query[i]->total = query[i]->total * shift[i] + Simd::sum(sum);
  }
}

// out_i = out_i · correction_i + Σ_j weight_ij · v_j, j in order, for C vectors of the head from `at` on.
template <typename L, int Q, int C, typename Load, typename LoadValue, typename Store>
inline void value_columns(const KvBlock<typename L::T>& block, Query* const (&query)[Q],
                          const float (*weights)[kAttentionBlock], const float* correction, std::size_t at, Load load,
                          LoadValue load_value, Store store) {
  V acc[Q][C];
  for (int i = 0; i < Q; ++i) {
    const V shrink = Simd::set(correction[i]);
    for (int c = 0; c < C; ++c) {
      acc[i][c] = Simd::mul(load(query[i]->out + at + static_cast<std::size_t>(c) * kW), shrink);
    }
  }
  for (std::size_t j = block.low; j < block.high; ++j) {
    if (j < block.next) block.ask_for(block.next_value[j], at, at + C * kW);
    V values[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) values[c] = load_value(block.value[j] + at + static_cast<std::size_t>(c) * kW);
#pragma GCC unroll 4
    for (int i = 0; i < Q; ++i) {
      const V weight = Simd::set(weights[i][j]);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) acc[i][c] = Simd::fma(weight, values[c], acc[i][c]);
    }
  }
  for (int i = 0; i < Q; ++i) {
    for (int c = 0; c < C; ++c) store(query[i]->out + at + static_cast<std::size_t>(c) * kW, acc[i][c]);
  }
}

template <typename L, int Q>
inline void block_values(const KvBlock<typename L::T>& block, Query* const (&query)[Q],
                         const float (*weights)[kAttentionBlock], const float* correction, std::size_t dim) {
  constexpr int kWide = Simd::kTileCols < 4 ? Simd::kTileCols : 4;
  const auto full = [](const float* p) { return Simd::load(p); };
  const auto full_value = [](const auto* p) { return L::full(p); };
  const auto put = [](float* p, V v) { Simd::store(p, v); };
  std::size_t at = 0;
  for (; at + kWide * kW <= dim; at += kWide * kW) {
    value_columns<L, Q, kWide>(block, query, weights, correction, at, full, full_value, put);
  }
  for (; at + kW <= dim; at += kW) {
    value_columns<L, Q, 1>(block, query, weights, correction, at, full, full_value, put);
  }
  if (at == dim) return;
  const std::size_t n = dim - at;
  value_columns<L, Q, 1>(
      block, query, weights, correction, at, [n](const float* p) { return Simd::load_n(p, n); },
      [n](const auto* p) { return L::part(p, n); }, [n](float* p, V v) { Simd::store_n(p, v, n); });
}

// S: the block has scales, which is so for every form of a cache that has them.
template <typename L, int Q, bool S = L::kScaled>
inline void block_step(const AttentionShape& shape, const KvBlock<typename L::T>& block, Query* const (&query)[Q]) {
  alignas(64) float scores[Q][kAttentionBlock];
  for (int i = 0; i < Q; ++i) {
    for (float& s : scores[i]) s = -__builtin_inff();
  }
  float correction[Q];
  block_scores<L, Q>(block, query, shape.head_dim, scores);
  if constexpr (S) scale_places(block, block.key_scale, scores);
  block_softmax<Q>(shape.scale, query, scores, correction);
  if constexpr (S) scale_places(block, block.value_scale, scores);
  block_values<L, Q>(block, query, scores, correction, shape.head_dim);
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
