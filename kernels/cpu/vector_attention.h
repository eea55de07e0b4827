// Attention: which blocks are read for which rows; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/vector_attention_packed.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// A block of one row's positions: it starts at `first`; [begin, end) of them are seen.
struct Block {
  std::size_t first, begin, end;
};
inline Block block_of(const Seen& seen, std::size_t first) {
  const std::size_t next = first + kAttentionBlock;
  return {first, first > seen.begin ? first : seen.begin, next < seen.end ? next : seen.end};
}

// Addresses of what is seen of a block.
template <typename L>
inline void find_block(const Cache<L>& cache, const std::uint32_t* slots, const Block& seen,
                       KvBlock<typename L::T>& block) {
  block.low = seen.begin - seen.first, block.high = seen.end - seen.first;
  for (std::size_t p = block.low; p < block.high; ++p) {
    const std::size_t slot = slots[seen.first + p], at = slot * cache.dim;
    block.key[p] = cache.k + at;
    block.value[p] = cache.v + at;
    cache.scales(slot, block.key_scale[p], block.value_scale[p]);
  }
}
// Addresses of what is asked for beside it, each in the place of the position whose arithmetic does so.
template <typename L>
inline void find_next(const Cache<L>& cache, const std::uint32_t* slots, const Block& seen,
                      KvBlock<typename L::T>& block) {
  block.next = block.low;
  for (std::size_t p = seen.begin; p < seen.end && block.next < kAttentionBlock; ++p) {
    const std::size_t at = static_cast<std::size_t>(slots[p]) * cache.dim;
    block.next_key[block.next] = cache.k + at;
    block.next_value[block.next++] = cache.v + at;
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
// and in it head by head, as pages hold them, so that memory is read in long runs; asked for is one head ahead. With a
// state, the positions before `from` are done.
template <typename L>
inline void attend_row(const AttentionShape& shape, const AttentionRow& row, std::size_t kv_heads, std::size_t group,
                       const float* q, const Cache<L>& cache, float* out, std::size_t from,
                       const AttentionState* state) {
  const std::size_t dim = shape.head_dim;
  Query query[kRowHeads];
  for (std::size_t h = 0; h < kv_heads * group; ++h) {
    if (state == nullptr) {
      begin_query(query[h], q + h * dim, out + h * dim, dim);
    } else {
      query[h] = go_on(q + h * dim, out + h * dim, state[h]);
    }
  }
  Seen seen = seen_by(shape, row.position);
  if (seen.begin < from) seen.begin = from;
  KvBlock<typename L::T> block;
  for (std::size_t b = seen.begin / kAttentionBlock * kAttentionBlock; b < seen.end; b += kAttentionBlock) {
    for (std::size_t h = 0; h < kv_heads; ++h) {
      const bool last = h + 1 == kv_heads;  // then comes the next block
      find_block(cache.from(h), row.slots, block_of(seen, b), block);
      find_next(cache.from(last ? 0 : h + 1), row.slots, block_of(seen, last ? b + kAttentionBlock : b), block);
      head_step<L>(shape, block, query + h * group, group);
    }
  }
  for (std::size_t h = 0; h < kv_heads * group; ++h) end_query(query[h], dim);
}

// A number of neighbouring query heads, as an argument.
template <int N>
struct Heads {
  static constexpr int kValue = N;
};
// Calls attend(Heads<4, 2 or 1>, KV head, first query head) for all query heads of the KV heads [begin, end).
template <typename Attend>
inline void by_heads(std::size_t group, std::size_t begin, std::size_t end, const Attend& attend) {
  for (std::size_t h = begin; h < end; ++h) {
    std::size_t i = h * group;
    const std::size_t last = i + group;
    for (; i + 4 <= last; i += 4) attend(Heads<4>{}, h, i);
    for (; i + 2 <= last; i += 2) attend(Heads<2>{}, h, i);
    if (i < last) attend(Heads<1>{}, h, i);
  }
}

// A few rows that have `shared` positions in common: those are read once for all of them.
template <typename L>
inline void shared_typed(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t shared,
                         std::size_t begin, std::size_t end, const float* q, const KvView& kv, float* out,
                         AttentionState* state, float* room) {
  const std::size_t dim = shape.head_dim;
  ManyQueries many(room, dim);
  by_heads(shape.heads / shape.kv_heads, begin, end, [&](auto heads, std::size_t h, std::size_t i) {
    constexpr std::size_t kHeads = decltype(heads)::kValue;
    attend_many<L, kHeads>(
        shape, rows[0].slots, count,
        [&](std::size_t) {
          return Seen{0, shared};
        },
        q + i * dim, Cache<L>(kv, shape).from(h), out + i * dim, nullptr, many);
    for (std::size_t n = 0; n < count * kHeads; ++n) {
      state[n / kHeads * shape.heads + i + n % kHeads] = {many.each[n].highest, many.each[n].total};
    }
  });
}

// A few rows of a prompt: bound by arithmetic. With a state, the positions from `from` on.
template <typename L>
inline void prompt_typed(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t begin,
                         std::size_t end, const float* q, const KvView& kv, float* out, std::size_t from,
                         const AttentionState* state, float* room) {
  const std::size_t dim = shape.head_dim;
  ManyQueries many(room, dim);
  by_heads(shape.heads / shape.kv_heads, begin, end, [&](auto heads, std::size_t h, std::size_t i) {
    constexpr std::size_t kHeads = decltype(heads)::kValue;
    const auto seen = [&](std::size_t r) {
      const Seen all = seen_by(shape, rows[0].position + r);
      return Seen{all.begin < from ? from : all.begin, all.end};
    };
    attend_many<L, kHeads>(shape, rows[0].slots, count, seen, q + i * dim, Cache<L>(kv, shape).from(h), out + i * dim,
                           state == nullptr ? nullptr : state + i, many);
    for (std::size_t n = 0; n < count * kHeads; ++n) end_query(many.each[n], dim);
  });
}

// One row; with a state, the positions from `from` on.
template <typename L>
inline void single_typed(const AttentionShape& shape, const AttentionRow& row, std::size_t begin, std::size_t end,
                         const float* q, const KvView& kv, float* out, std::size_t from, const AttentionState* state) {
  const std::size_t group = shape.heads / shape.kv_heads, dim = shape.head_dim;
  const auto state_of = [&](std::size_t i) { return state == nullptr ? nullptr : state + i; };
  const std::size_t together = group > kRowHeads ? 1 : kRowHeads / group;
  for (std::size_t h = begin; h < end; h += together) {
    const Cache<L> cache = Cache<L>(kv, shape).from(h);
    std::size_t i = h * group;
    const std::size_t last = i + group;
    if (group <= kRowHeads) {
      attend_row(shape, row, end - h < together ? end - h : together, group, q + i * dim, cache, out + i * dim, from,
                 state_of(i));
      continue;
    }
    for (; i < last; i += kRowHeads) {
      attend_row(shape, row, 1, last - i < kRowHeads ? last - i : kRowHeads, q + i * dim, cache, out + i * dim, from,
                 state_of(i));
    }
  }
}

// Rows of one sequence; with a state, the positions from `from` on.
template <typename L>
inline void attention_typed(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t begin,
                            std::size_t end, const float* q, const KvView& kv, float* out, std::size_t from,
                            const AttentionState* state, float* room) {
  if (count > 1 && shape.head_dim <= kPackedDim) {
    return prompt_typed<L>(shape, rows, count, begin, end, q, kv, out, from, state, room);
  }
  const std::size_t width = shape.heads * shape.head_dim;
  for (std::size_t r = 0; r < count; ++r) {
    single_typed<L>(shape, rows[r], begin, end, q + r * width, kv, out + r * width, from,
                    state == nullptr ? nullptr : state + r * shape.heads);
  }
}

std::size_t attention_room(std::size_t head_dim) {
  return ManyQueries::floats(head_dim);
}

void attention_rest(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t from,
                    std::size_t kv_begin, std::size_t kv_end, const float* q, const KvView& kv, float* out,
                    const AttentionState* state, float* room) {
  if (kv.type == DType::kF16) {
    return attention_typed<LoadF16>(shape, rows, count, kv_begin, kv_end, q, kv, out, from, state, room);
  }
  if (kv.type == DType::kQ8) {
    return attention_typed<LoadI8>(shape, rows, count, kv_begin, kv_end, q, kv, out, from, state, room);
  }
  attention_typed<LoadF32>(shape, rows, count, kv_begin, kv_end, q, kv, out, from, state, room);
}

void attention(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t kv_begin,
               std::size_t kv_end, const float* q, const KvView& kv, float* out, float* room) {
  attention_rest(shape, rows, count, 0, kv_begin, kv_end, q, kv, out, nullptr, room);
}

void attention_shared(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t shared,
                      std::size_t kv_begin, std::size_t kv_end, const float* q, const KvView& kv, float* out,
                      AttentionState* state, float* room) {
  if (kv.type == DType::kF16) {
    return shared_typed<LoadF16>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out, state, room);
  }
  if (kv.type == DType::kQ8) {
    return shared_typed<LoadI8>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out, state, room);
  }
  shared_typed<LoadF32>(shape, rows, count, shared, kv_begin, kv_end, q, kv, out, state, room);
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
