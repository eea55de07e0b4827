// Attention: which blocks are read for which rows; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/vector_attention_step.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

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
  const float* k_scale;
  const float* v_scale;
  std::size_t scale_stride;

  Cache(const KvView& kv, const AttentionShape& shape)
      : k(static_cast<const typename L::T*>(kv.k)),
        v(static_cast<const typename L::T*>(kv.v)),
        stride(shape.kv_heads * shape.head_dim),
        k_scale(kv.k_scale),
        v_scale(kv.v_scale),
        scale_stride(shape.kv_heads) {}
  // From the head `h` of these on.
  Cache from(std::size_t h, std::size_t dim) const {
    Cache out = *this;
    out.k += h * dim, out.v += h * dim;
    if constexpr (L::kScaled) out.k_scale += h, out.v_scale += h;
    return out;
  }
  // The scales of a slot into a block's place j.
  template <typename T>
  void scales(std::size_t slot, KvBlock<T>& block, std::size_t j) const {
    if constexpr (L::kScaled) {
      block.key_scale[j] = k_scale[slot * scale_stride];
      block.value_scale[j] = v_scale[slot * scale_stride];
    }
  }
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
    cache.scales(slots[p], block, p - first);
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

// A block of one head in F32 (without its scales) and close together. In the cache, vectors of a head lie a power of
// two apart and compete for a few sets of the first-level cache, where they do not stay for the second row.
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
    cache.scales(slots[p], block, i);
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
        block_step<LoadF32, kQueries, L::kScaled>(shape, block, all);
        r += kRows;
        continue;
      }
      if (low.end > b && low.begin < b + kAttentionBlock) {
        block.low = low.begin > b ? low.begin - b : 0;
        block.high = low.end - b < kAttentionBlock ? low.end - b : kAttentionBlock;
        Query* one[H];
        for (int h = 0; h < H; ++h) one[h] = &query[r][h];
        block_step<LoadF32, H, L::kScaled>(shape, block, one);
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
      find_block(cache.from(h, dim), row.slots, b, begin, end, after, block);
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
      block_step<LoadF32, kQueries, L::kScaled>(shape, common, all);
    }
    for (; r < count; ++r) {
      Query* one[H];
      heads_of(r, one);
      block_step<LoadF32, H, L::kScaled>(shape, common, one);
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
    const Cache<L> cache = Cache<L>(kv, shape).from(h, dim);
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
  if (count > 1 && dim > kPackedDim) {
    const std::size_t width = shape.heads * dim;
    for (std::size_t r = 0; r < count; ++r) {
      attention_typed<L>(shape, rows + r, 1, begin, end, q + r * width, kv, out + r * width);
    }
    return;
  }
  const std::size_t together = count > 1 || group > kRowHeads ? 1 : kRowHeads / group;
  for (std::size_t h = begin; h < end; h += together) {
    const Cache<L> cache = Cache<L>(kv, shape).from(h, dim);
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
  if (kv.type == DType::kQ8) return attention_typed<LoadI8>(shape, rows, count, kv_begin, kv_end, q, kv, out);
  attention_typed<LoadF32>(shape, rows, count, kv_begin, kv_end, q, kv, out);
}

void attention_shared(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t shared,
                      std::size_t kv_begin, std::size_t kv_end, const float* q, const KvView& kv, float* out) {
  if (kv.type == DType::kF16) return shared_typed<LoadF16>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out);
  if (kv.type == DType::kQ8) return shared_typed<LoadI8>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out);
  shared_typed<LoadF32>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out);
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
