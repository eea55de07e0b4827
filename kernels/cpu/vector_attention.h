// Attention; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// Every step takes one block of positions for a few queries (heads of one KV head, and rows of a sequence where they
// see the whole block). A query's arithmetic is the same in any company: its dot products run over the head in order
// and end in one fixed tree of additions, its softmax sums the block's 32 places in lanes, its values follow in order.

// Where the K and V vectors of one block's positions begin; [low, high) of them are seen.
template <typename T>
struct KvBlock {
  const T* key[kAttentionBlock];
  const T* value[kAttentionBlock];
  std::size_t low = 0, high = 0;
  // Vectors that the next block needs, asked for beside the arithmetic of this one.
  const T* next_key[kAttentionBlock];
  const T* next_value[kAttentionBlock];
  std::size_t next = 0;
};

// Pages lie anywhere, so the hardware foresees little. A few lines at a time: there are only so many in flight, and the
// arithmetic would wait behind them.
template <typename T>
inline void prefetch(const T* p, std::size_t dim) {
  for (std::size_t i = 0; i < dim; i += 64 / sizeof(T)) __builtin_prefetch(p + i);
}

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
    for (std::size_t m = j; m < j + kKeys && m < block.next; ++m) prefetch(block.next_key[m], dim);
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
      add(
          at, [](const auto* p) { return L::full(p); }, [](const float* p) { return Simd::load(p); });
    }
    if (at < dim) {
      const std::size_t n = dim - at;
      add(
          at, [n](const auto* p) { return L::part(p, n); }, [n](const float* p) { return Simd::load_n(p, n); });
    }
    float sums[kW];
    Simd::store(sums, Simd::sums(acc));
    for (int i = 0; i < Q; ++i) {
      for (std::size_t m = 0; m < kKeys && j + m < block.high; ++m) {
        scores[i][j + m] = sums[static_cast<std::size_t>(i) * kKeys + m];
      }
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
                          const float (*weights)[kAttentionBlock], const float* correction, std::size_t dim,
                          std::size_t at, Load load, LoadValue load_value, Store store) {
  V acc[Q][C];
  for (int i = 0; i < Q; ++i) {
    const V shrink = Simd::set(correction[i]);
    for (int c = 0; c < C; ++c) {
      acc[i][c] = Simd::mul(load(query[i]->out + at + static_cast<std::size_t>(c) * kW), shrink);
    }
  }
  for (std::size_t j = block.low; j < block.high; ++j) {
    if (at == 0 && j < block.next) prefetch(block.next_value[j], dim);
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
    value_columns<L, Q, kWide>(block, query, weights, correction, dim, at, full, full_value, put);
  }
  for (; at + kW <= dim; at += kW) {
    value_columns<L, Q, 1>(block, query, weights, correction, dim, at, full, full_value, put);
  }
  if (at == dim) return;
  const std::size_t n = dim - at;
  value_columns<L, Q, 1>(
      block, query, weights, correction, dim, at, [n](const float* p) { return Simd::load_n(p, n); },
      [n](const auto* p) { return L::part(p, n); }, [n](float* p, V v) { Simd::store_n(p, v, n); });
}

template <typename L, int Q>
inline void block_step(const AttentionShape& shape, const KvBlock<typename L::T>& block, Query* const (&query)[Q]) {
  alignas(64) float scores[Q][kAttentionBlock];
  for (int i = 0; i < Q; ++i) {
    for (float& s : scores[i]) s = -__builtin_inff();
  }
  float correction[Q];
  block_scores<L, Q>(block, query, shape.head_dim, scores);
  block_softmax<Q>(shape.scale, query, scores, correction);
  block_values<L, Q>(block, query, scores, correction, shape.head_dim);
}

// The positions that a row sees: [begin, end).
struct Seen {
  std::size_t begin, end;
};
inline Seen seen_by(const AttentionShape& shape, std::size_t position) {
  const std::size_t end = position + 1;
  return {shape.window != 0 && end > shape.window ? end - shape.window : 0, end};
}

// The cache of one layer, from some KV head on.
template <typename L>
struct Cache {
  const typename L::T* k;
  const typename L::T* v;
  std::size_t stride;  // elements between slots
};

// Addresses of the positions [begin, end) of the block that starts at `first`, and of those up to `after` of the next.
template <typename L>
inline void find_block(const Cache<L>& cache, const std::uint32_t* slots, std::size_t first, std::size_t begin,
                       std::size_t end, std::size_t after, KvBlock<typename L::T>& block) {
  block.low = begin - first, block.high = end - first;
  for (std::size_t p = begin; p < end; ++p) {
    const std::size_t at = static_cast<std::size_t>(slots[p]) * cache.stride;
    block.key[p - first] = cache.k + at;
    block.value[p - first] = cache.v + at;
  }
  block.next = 0;
  for (std::size_t p = first + kAttentionBlock; p < after; ++p) {
    const std::size_t at = static_cast<std::size_t>(slots[p]) * cache.stride;
    block.next_key[block.next] = cache.k + at;
    block.next_value[block.next++] = cache.v + at;
  }
}

inline void begin_query(Query& query, const float* q, float* out, std::size_t dim) {
  query = {q, out, -__builtin_inff(), 0.0F};
  for (std::size_t i = 0; i < dim; ++i) out[i] = 0.0F;
}

inline void end_query(const Query& query, std::size_t dim) {
  const V inverse = Simd::set(1.0F / query.total);
  for_chunks(dim, [&](std::size_t i, std::size_t n) {
    store_some(query.out + i, Simd::mul(load_some(query.out + i, n), inverse), n);
  });
}

// A block of one head in F32 and close together. In the cache, vectors of a head lie a power of two apart and compete
// for a few sets of the first-level cache, where they do not stay for the second row.
constexpr std::size_t kPackedDim = kMaxSharedDim;  // longest head that is copied
struct PackedBlock {
  alignas(64) float key[kAttentionBlock * (kPackedDim + 16)];
  alignas(64) float value[kAttentionBlock * (kPackedDim + 16)];
};

template <typename L>
inline void copy_vector(const typename L::T* from, std::size_t dim, float* to) {
  for_chunks(dim, [&](std::size_t i, std::size_t n) {
    store_some(to + i, n == kW ? L::full(from + i) : L::part(from + i, n), n);
  });
}

template <typename L>
inline void pack_block(const Cache<L>& cache, const std::uint32_t* slots, std::size_t first, std::size_t begin,
                       std::size_t end, std::size_t dim, PackedBlock& packed, KvBlock<float>& block) {
  const std::size_t stride = dim + 16;  // a line more than a power of two
  for (std::size_t p = begin; p < end; ++p) {
    const std::size_t at = static_cast<std::size_t>(slots[p]) * cache.stride, i = p - first;
    copy_vector<L>(cache.k + at, dim, packed.key + i * stride);
    copy_vector<L>(cache.v + at, dim, packed.value + i * stride);
    block.key[i] = packed.key + i * stride;
    block.value[i] = packed.value + i * stride;
  }
}

// Asks for the positions [begin, end), which are copied next: not further in than the second-level cache, since the
// first holds the block that is worked on.
template <typename L>
inline void foresee(const Cache<L>& cache, const std::uint32_t* slots, std::size_t begin, std::size_t end,
                    std::size_t dim) {
  for (std::size_t p = begin; p < end; ++p) {
    const std::size_t at = static_cast<std::size_t>(slots[p]) * cache.stride;
    for (std::size_t i = 0; i < dim; i += 64 / sizeof(typename L::T)) {
      __builtin_prefetch(cache.k + at + i, 0, 2);
      __builtin_prefetch(cache.v + at + i, 0, 2);
    }
  }
}

// H neighbouring query heads of one KV head, for a few rows of a prompt: bound by arithmetic.
template <typename L, int H>
inline void attend_rows(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, const float* q,
                        const Cache<L>& cache, float* out) {
  static_assert(kQueries % H == 0);
  constexpr std::size_t kRows = kQueries / H;  // of a full step
  const std::size_t width = shape.heads * shape.head_dim, first = rows[0].position, last = first + count;
  Query query[kAttentionRows][H];
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t h = 0; h < static_cast<std::size_t>(H); ++h) {
      const std::size_t at = r * width + h * shape.head_dim;
      begin_query(query[r][h], q + at, out + at, shape.head_dim);
    }
  }
  PackedBlock packed;
  KvBlock<float> block;
  const std::size_t begin = seen_by(shape, first).begin;
  for (std::size_t b = begin / kAttentionBlock * kAttentionBlock; b < last; b += kAttentionBlock) {
    pack_block(cache, rows[0].slots, b, b > begin ? b : begin, b + kAttentionBlock < last ? b + kAttentionBlock : last,
               shape.head_dim, packed, block);
    const std::size_t next = b + kAttentionBlock;
    const std::size_t left = next >= last ? 0 : (last - next < kAttentionBlock ? last - next : kAttentionBlock);
    std::size_t asked = 0;
    for (std::size_t r = 0; r < count;) {
      // The next block comes nearer meanwhile, a share with each step.
      const std::size_t share = left * (r + kRows) / count < left ? left * (r + kRows) / count : left;
      foresee(cache, rows[0].slots, next + asked, next + share, shape.head_dim);
      asked = share;
      const Seen low = seen_by(shape, first + r);
      const bool group =
          r + kRows <= count && low.end >= b + kAttentionBlock && seen_by(shape, first + r + kRows - 1).begin <= b;
      if (group) {
        block.low = 0, block.high = kAttentionBlock;
        Query* all[kQueries];
        for (std::size_t i = 0; i < kQueries; ++i) all[i] = &query[r + i / H][i % H];
        block_step<LoadF32, kQueries>(shape, block, all);
        r += kRows;
        continue;
      }
      if (low.end > b && low.begin < b + kAttentionBlock) {
        block.low = low.begin > b ? low.begin - b : 0;
        block.high = low.end - b < kAttentionBlock ? low.end - b : kAttentionBlock;
        Query* one[H];
        for (int h = 0; h < H; ++h) one[h] = &query[r][h];
        block_step<LoadF32, H>(shape, block, one);
      }
      ++r;
    }
  }
  for (std::size_t r = 0; r < count; ++r) {
    for (const Query& each : query[r]) end_query(each, shape.head_dim);
  }
}

// One block for `count` query heads of one KV head.
template <typename L>
inline void head_step(const AttentionShape& shape, const KvBlock<typename L::T>& block, Query* query,
                      std::size_t count) {
  std::size_t h = 0;
  for (; h + 4 <= count; h += 4) {
    Query* four[4] = {query + h, query + h + 1, query + h + 2, query + h + 3};
    block_step<L, 4>(shape, block, four);
  }
  for (; h + 2 <= count; h += 2) {
    Query* two[2] = {query + h, query + h + 1};
    block_step<L, 2>(shape, block, two);
  }
  if (h < count) {
    Query* one[1] = {query + h};
    block_step<L, 1>(shape, block, one);
  }
}

// Query heads whose state a row keeps at a time.
constexpr std::size_t kRowHeads = 64;

// One row, `kv_heads` neighbouring KV heads and `group` query heads of each: bound by reading the cache. Block by block
// and in it head by head, so that memory is read in long runs.
template <typename L>
inline void attend_row(const AttentionShape& shape, const AttentionRow& row, std::size_t kv_heads, std::size_t group,
                       const float* q, const Cache<L>& cache, float* out) {
  const std::size_t dim = shape.head_dim;
  Query query[kRowHeads];
  for (std::size_t h = 0; h < kv_heads * group; ++h) begin_query(query[h], q + h * dim, out + h * dim, dim);
  const Seen seen = seen_by(shape, row.position);
  KvBlock<typename L::T> block;
  for (std::size_t b = seen.begin / kAttentionBlock * kAttentionBlock; b < seen.end; b += kAttentionBlock) {
    const std::size_t begin = b > seen.begin ? b : seen.begin, next = b + kAttentionBlock;
    const std::size_t end = next < seen.end ? next : seen.end;
    const std::size_t after = next + kAttentionBlock < seen.end ? next + kAttentionBlock : seen.end;
    for (std::size_t h = 0; h < kv_heads; ++h) {
      const Cache<L> head{cache.k + h * dim, cache.v + h * dim, cache.stride};
      find_block(head, row.slots, b, begin, end, after, block);
      head_step<L>(shape, block, query + h * group, group);
    }
  }
  for (std::size_t h = 0; h < kv_heads * group; ++h) end_query(query[h], dim);
}

// H neighbouring query heads of one KV head, for a few rows of different sequences that have `shared` positions in
// common: those are read once for all of them, then each row goes on by itself.
template <typename L, int H>
inline void attend_shared(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t shared,
                          const float* q, const Cache<L>& cache, float* out) {
  constexpr std::size_t kRows = kQueries / H;  // of a full step
  const std::size_t dim = shape.head_dim, width = shape.heads * dim;
  Query query[kAttentionRows][H];
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t h = 0; h < static_cast<std::size_t>(H); ++h) {
      begin_query(query[r][h], q + r * width + h * dim, out + r * width + h * dim, dim);
    }
  }
  const auto heads_of = [&](std::size_t r, Query** all) {
    for (std::size_t h = 0; h < static_cast<std::size_t>(H); ++h) all[h] = &query[r][h];
  };
  PackedBlock packed;
  KvBlock<float> common;
  common.low = 0, common.high = kAttentionBlock;
  for (std::size_t b = 0; b < shared; b += kAttentionBlock) {
    pack_block(cache, rows[0].slots, b, b, b + kAttentionBlock, dim, packed, common);
    const std::size_t next = b + kAttentionBlock, left = next < shared ? kAttentionBlock : 0;
    std::size_t r = 0;
    for (; r + kRows <= count; r += kRows) {
      foresee(cache, rows[0].slots, next + left * r / count, next + left * (r + kRows) / count, dim);
      Query* all[kQueries];
      for (std::size_t i = 0; i < kRows; ++i) heads_of(r + i, all + i * H);
      block_step<LoadF32, kQueries>(shape, common, all);
    }
    for (; r < count; ++r) {
      Query* one[H];
      heads_of(r, one);
      block_step<LoadF32, H>(shape, common, one);
    }
  }
  for (std::size_t r = 0; r < count; ++r) {
    Query* one[H];
    heads_of(r, one);
    KvBlock<typename L::T> block;
    const std::size_t last = rows[r].position + 1;
    for (std::size_t b = shared; b < last; b += kAttentionBlock) {
      const std::size_t next = b + kAttentionBlock, end = next < last ? next : last;
      const std::size_t after = next + kAttentionBlock < last ? next + kAttentionBlock : last;
      find_block(cache, rows[r].slots, b, b, end, after, block);
      block_step<L, H>(shape, block, one);
    }
    for (const Query& each : query[r]) end_query(each, dim);
  }
}

template <typename L>
inline void shared_typed(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t shared,
                         std::size_t begin, std::size_t end, const float* q, const KvView& kv, float* out) {
  const std::size_t group = shape.heads / shape.kv_heads, dim = shape.head_dim;
  for (std::size_t h = begin; h < end; ++h) {
    const Cache<L> cache{static_cast<const typename L::T*>(kv.k) + h * dim,
                         static_cast<const typename L::T*>(kv.v) + h * dim, shape.kv_heads * dim};
    std::size_t i = h * group;
    const std::size_t last = i + group;
    for (; i + 4 <= last; i += 4) attend_shared<L, 4>(shape, rows, count, shared, q + i * dim, cache, out + i * dim);
    for (; i + 2 <= last; i += 2) attend_shared<L, 2>(shape, rows, count, shared, q + i * dim, cache, out + i * dim);
    if (i < last) attend_shared<L, 1>(shape, rows, count, shared, q + i * dim, cache, out + i * dim);
  }
}

template <typename L>
inline void attention_typed(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t begin,
                            std::size_t end, const float* q, const KvView& kv, float* out) {
  const std::size_t group = shape.heads / shape.kv_heads, dim = shape.head_dim;
  const auto* keys = static_cast<const typename L::T*>(kv.k);
  const auto* values = static_cast<const typename L::T*>(kv.v);
  if (count > 1 && dim > kPackedDim) {
    const std::size_t width = shape.heads * dim;
    for (std::size_t r = 0; r < count; ++r) {
      attention_typed<L>(shape, rows + r, 1, begin, end, q + r * width, kv, out + r * width);
    }
    return;
  }
  const std::size_t together = count > 1 || group > kRowHeads ? 1 : kRowHeads / group;
  for (std::size_t h = begin; h < end; h += together) {
    const Cache<L> cache{keys + h * dim, values + h * dim, shape.kv_heads * dim};
    std::size_t i = h * group;
    const std::size_t last = i + group;
    if (count > 1) {
      for (; i + 4 <= last; i += 4) attend_rows<L, 4>(shape, rows, count, q + i * dim, cache, out + i * dim);
      for (; i + 2 <= last; i += 2) attend_rows<L, 2>(shape, rows, count, q + i * dim, cache, out + i * dim);
      if (i < last) attend_rows<L, 1>(shape, rows, count, q + i * dim, cache, out + i * dim);
    } else if (group <= kRowHeads) {
      attend_row(shape, rows[0], end - h < together ? end - h : together, group, q + i * dim, cache, out + i * dim);
    } else {
      for (; i < last; i += kRowHeads) {
        attend_row(shape, rows[0], 1, last - i < kRowHeads ? last - i : kRowHeads, q + i * dim, cache, out + i * dim);
      }
    }
  }
}

void attention(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t kv_begin,
               std::size_t kv_end, const float* q, const KvView& kv, float* out) {
  if (kv.type == DType::kF16) return attention_typed<LoadF16>(shape, rows, count, kv_begin, kv_end, q, kv, out);
  attention_typed<LoadF32>(shape, rows, count, kv_begin, kv_end, q, kv, out);
}

void attention_shared(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t shared,
                      std::size_t kv_begin, std::size_t kv_end, const float* q, const KvView& kv, float* out) {
  if (kv.type == DType::kF16) return shared_typed<LoadF16>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out);
  shared_typed<LoadF32>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out);
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
