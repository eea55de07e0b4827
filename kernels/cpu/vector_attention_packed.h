// Attention of many queries: blocks copied once for all of them; part of vector_kernels.h, which says how these files
// are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/vector_attention_step.h"
#include "kernels/cpu/vector_matmul.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// The cache of one layer, from some KV head on.
template <typename L>
struct Cache {
  const typename L::T* k;
  const typename L::T* v;
  std::size_t dim;          // elements of a vector
  std::size_t head_stride;  // vectors
  const float* k_scale;
  const float* v_scale;

  Cache(const KvView& kv, const AttentionShape& shape)
      : k(static_cast<const typename L::T*>(kv.k)),
        v(static_cast<const typename L::T*>(kv.v)),
        dim(shape.head_dim),
        head_stride(kv.head_stride),
        k_scale(kv.k_scale),
        v_scale(kv.v_scale) {}
  // From the head `h` of these on.
  Cache from(std::size_t h) const {
    Cache out = *this;
    const std::size_t vectors = h * head_stride;
    out.k += vectors * dim, out.v += vectors * dim;
    if constexpr (L::kScaled) out.k_scale += vectors, out.v_scale += vectors;
    return out;
  }
  // The scales of a slot, for caches that have them.
  void scales(std::size_t slot, float& key, float& value) const {
    if constexpr (L::kScaled) key = k_scale[slot], value = v_scale[slot];
  }
};

// The positions that a row sees: [begin, end).
struct Seen {
  std::size_t begin, end;
};
inline Seen seen_by(const AttentionShape& shape, std::size_t position) {
  const std::size_t end = position + 1;
  return {shape.window != 0 && end > shape.window ? end - shape.window : 0, end};
}

inline void begin_query(Query& query, const float* q, float* out, std::size_t dim) {
  query = {q, out, -__builtin_inff(), 0.0F};
  for (std::size_t i = 0; i < dim; ++i) out[i] = 0.0F;
}

inline Query go_on(const float* q, float* out, const AttentionState& state) {
  return {q, out, state.highest, state.total};
}

inline void end_query(const Query& query, std::size_t dim) {
  const V inverse = Simd::set(1.0F / query.total);
  for_chunks(dim, [&](std::size_t i, std::size_t n) {
    store_some(query.out + i, Simd::mul(load_some(query.out + i, n), inverse), n);
  });
}

// The lines of positions that are copied next, asked for one by one: the processor has only so many under way, and what
// comes after waits. Not further in than the second-level cache, since the first holds the block that is worked
// on.
template <typename L>
class Ahead {
 public:
  static constexpr std::size_t kLine = 64 / sizeof(typename L::T);

  // The positions [begin, end).
  Ahead(const Cache<L>& cache, const std::uint32_t* slots, std::size_t begin, std::size_t end, std::size_t dim)
      : cache_(cache),
        slots_(slots),
        position_(begin),
        end_(end > begin ? end : begin),
        vector_((dim + kLine - 1) / kLine),
        left_((end_ - begin) * vector_) {}

  std::size_t left() const { return left_; }
  // Asks for a line of a key and one of its value.
  void ask() {
    if (left_ == 0) return;
    --left_;
    const std::size_t at = static_cast<std::size_t>(slots_[position_]) * cache_.dim + line_ * kLine;
    if (++line_ == vector_) line_ = 0, ++position_;
    __builtin_prefetch(cache_.k + at, 0, 2);
    __builtin_prefetch(cache_.v + at, 0, 2);
  }

 private:
  const Cache<L>& cache_;
  const std::uint32_t* slots_;
  std::size_t position_, end_, vector_, left_, line_ = 0;
};

// What many queries of one KV head work with: a block of it in F32 (without its scales), and their own.
constexpr std::size_t kPackedDim = kMaxSharedDim;              // longest head that is copied
constexpr std::size_t kMostQueries = kAttentionRows * 4;       // of up to four heads
constexpr std::size_t kPanels = kAttentionBlock / kPanelCols;  // of keys
static_assert(kAttentionBlock % kPanelCols == 0);

inline std::size_t padded(std::size_t dim) {
  return (dim + kW - 1) / kW * kW;
}

struct ManyQueries {
  float* keys;                       // kPanels panels as pack_panel makes them
  float* values;                     // [kAttentionBlock, padded(dim)]
  float* packed;                     // of kOuterRows queries what pack_rows makes of them, then of the next
  float (*scores)[kAttentionBlock];  // then weights
  float* correction;                 // what earlier sums of a query shrink by
  Query* each;
  float scales[2][kAttentionBlock];  // of the block's keys and values

  static std::size_t key_floats(std::size_t dim) { return kPanels * kW * panel_stride(padded(dim) / kW); }
  static std::size_t floats(std::size_t dim) {
    return key_floats(dim) + kAttentionBlock * padded(dim) + kMostQueries * (padded(dim) + kAttentionBlock + 1) +
           (kMostQueries * sizeof(Query) + sizeof(float) - 1) / sizeof(float);
  }
  // `room`: floats(dim) of them, aligned to 64 bytes.
  ManyQueries(float* room, std::size_t dim)
      : keys(room),
        values(keys + key_floats(dim)),
        packed(values + kAttentionBlock * padded(dim)),
        scores(reinterpret_cast<float (*)[kAttentionBlock]>(packed + kMostQueries * padded(dim))),
        correction(scores[kMostQueries]),
        each(reinterpret_cast<Query*>(correction + kMostQueries)) {}
};

template <typename L>
inline void copy_vector(const typename L::T* from, std::size_t dim, float* to) {
  for_chunks(dim, [&](std::size_t i, std::size_t n) {
    store_some(to + i, n == kW ? L::full(from + i) : L::part(from + i, n), n);
  });
}

// `count` rows `width` apart, H neighbouring heads of each.
template <int H>
inline void pack_queries(const float* q, std::size_t count, std::size_t width, std::size_t dim, float* out) {
  alignas(64) float near[kOuterRows * kPackedDim];
  for (std::size_t first = 0; first < count * H; first += kOuterRows) {
    const std::size_t n = count * H - first < kOuterRows ? count * H - first : kOuterRows;
    for (std::size_t i = 0; i < n; ++i) {
      copy_vector<LoadF32>(q + (first + i) / H * width + (first + i) % H * dim, dim, near + i * dim);
    }
    pack_rows(near, n, dim, out + first * padded(dim));
  }
}

// The first `count` positions of the block that starts at `first`. Those before `begin` nobody sees: they are not read.
template <typename L>
inline void pack_block(const Cache<L>& cache, const std::uint32_t* slots, std::size_t begin, std::size_t first,
                       std::size_t count, std::size_t dim, ManyQueries& many) {
  const auto slot = [&](std::size_t p) {
    return static_cast<std::size_t>(slots[first + p > begin ? first + p : begin]);
  };
  for (std::size_t p = 0; p < count; p += kPanelCols) {
    pack_panel<L>([&](std::size_t c) { return cache.k + slot(p + c) * cache.dim; }, dim, count - p,
                  many.keys + p / kPanelCols * kW * panel_stride(padded(dim) / kW));
  }
  for (std::size_t p = 0; p < count; ++p) {
    copy_vector<L>(cache.v + slot(p) * cache.dim, dim, many.values + p * padded(dim));
    cache.scales(slot(p), many.scales[0][p], many.scales[1][p]);
  }
}

// out_i = out_i · correction_i + Σ_j weight_ij · v_j, j in order, for R queries and C vectors of the head from `at` on,
// each of kW elements, or with kPart of those that are left. Calls each_place for every j.
template <int R, int C, bool kPart, typename Each>
inline void weigh_tile(const ManyQueries& many, std::size_t first, std::size_t low, std::size_t high, std::size_t dim,
                       std::size_t at, const Each& each_place) {
  static_assert(!kPart || C == 1);
  const auto load = [&](const float* p) {
    if constexpr (kPart) {
      return Simd::load_n(p, dim - at);
    } else {
      return Simd::load(p);
    }
  };
  const Query* query = many.each + first;
  const float(*weights)[kAttentionBlock] = many.scores + first;
  V acc[R][C];
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) {
    const V shrink = Simd::set(many.correction[first + static_cast<std::size_t>(i)]);
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      acc[i][c] = Simd::mul(load(query[i].out + at + static_cast<std::size_t>(c) * kW), shrink);
    }
  }
  const float* value = many.values + low * padded(dim) + at;
  for (std::size_t j = low; j < high; ++j, value += padded(dim)) {
    each_place();
    V values[C];
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) values[c] = Simd::load(value + static_cast<std::size_t>(c) * kW);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const V weight = Simd::set(weights[i][j]);
#pragma GCC unroll 8
      for (int c = 0; c < C; ++c) acc[i][c] = Simd::fma(weight, values[c], acc[i][c]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      float* to = query[i].out + at + static_cast<std::size_t>(c) * kW;
      if constexpr (kPart) {
        Simd::store_n(to, acc[i][c], dim - at);
      } else {
        Simd::store(to, acc[i][c]);
      }
    }
  }
}

template <int R, typename Each>
inline void weigh(const ManyQueries& many, std::size_t first, std::size_t low, std::size_t high, std::size_t dim,
                  const Each& each_place) {
  constexpr int kWide = Simd::kTileCols;
  std::size_t at = 0;
  for (; at + kWide * kW <= dim; at += kWide * kW) {
    weigh_tile<R, kWide, false>(many, first, low, high, dim, at, each_place);
  }
  for (; at + kW <= dim; at += kW) weigh_tile<R, 1, false>(many, first, low, high, dim, at, [] {});
  if (at < dim) weigh_tile<R, 1, true>(many, first, low, high, dim, at, [] {});
}

// The weights of the queries [from, to) from their scores. Each query's arithmetic is its own (block_softmax).
inline void softmax_of(const AttentionShape& shape, ManyQueries& many, std::size_t from, std::size_t to) {
  std::size_t i = from;
  for (; i + kQueries <= to; i += kQueries) {
    Query* at = many.each + i;
    Query* four[kQueries] = {at, at + 1, at + 2, at + 3};
    block_softmax<kQueries>(shape.scale, four, many.scores + i, many.correction + i);
  }
  for (; i < to; ++i) {
    Query* one[1] = {many.each + i};
    block_softmax<1>(shape.scale, one, many.scores + i, many.correction + i);
  }
}

// Rows of one kind: [begin, end).
struct Rows {
  std::size_t begin, end;
};

// Of `count` rows those that see something that begins at `begin` or before and ends at `end` or later. What they see,
// seen(r), does not begin or end earlier from row to row.
template <typename See>
inline Rows rows_that_see(std::size_t count, std::size_t begin, std::size_t end, const See& seen) {
  Rows out{0, count};
  while (out.begin < count && seen(out.begin).end < end) ++out.begin;
  while (out.end > out.begin && seen(out.end - 1).begin > begin) --out.end;
  return out;
}

// The values for the queries [from, to), which see the whole block. Meanwhile what lies `ahead` comes nearer, a line
// now and a line then: few queries would otherwise ask for all of it faster than memory gives it.
template <typename L>
inline void weigh_whole(const ManyQueries& many, std::size_t from, std::size_t to, std::size_t dim, Ahead<L>& ahead) {
  constexpr std::size_t kTall = Simd::kTileRows, kWide = Simd::kTileCols * kW;
  const std::size_t places = (to - from) / kTall * (dim / kWide) * kAttentionBlock, lines = ahead.left();
  std::size_t due = 0;
  for (; from + kTall <= to; from += kTall) {
    weigh<Simd::kTileRows>(many, from, 0, kAttentionBlock, dim, [&] {
      for (due += lines; due >= places; due -= places) ahead.ask();
    });
  }
  for (; from + 2 <= to; from += 2) weigh<2>(many, from, 0, kAttentionBlock, dim, [] {});
  if (from < to) weigh<1>(many, from, 0, kAttentionBlock, dim, [] {});
}

// The block at `b`, packed, of which `there` positions are there, for H neighbouring query heads of `count` rows.
template <typename L, int H, typename See>
inline void many_queries_block(const AttentionShape& shape, std::size_t b, std::size_t there, std::size_t count,
                               const See& seen, ManyQueries& many, Ahead<L> ahead) {
  const std::size_t dim = shape.head_dim, all = count * H;
  const Rows some = rows_that_see(count, b + kAttentionBlock - 1, b + 1, seen),
             whole = rows_that_see(count, b, b + kAttentionBlock, seen);
  // Scores: a vector holds one lane of kW keys (outer_tile), and nothing is summed across a vector. The sums are those
  // of block_scores, and so are their bits.
  for (std::size_t i = some.begin * H / kOuterRows * kOuterRows; i < some.end * H; i += kOuterRows) {
    outer_rows<Simd::kOuterRows>(many.keys, there, many.packed + i * padded(dim), padded(dim) / kW,
                                 all - i < kOuterRows ? all - i : kOuterRows, many.scores[i], kAttentionBlock);
  }
  const auto places = [&](std::size_t r) {
    const Seen s = seen(r);
    return Rows{s.begin > b ? s.begin - b : 0, s.end - b < kAttentionBlock ? s.end - b : kAttentionBlock};
  };
  const auto scale = [&](const float* by) {
    for (std::size_t i = some.begin * H; L::kScaled && i < some.end * H; ++i) {
      const Rows p = places(i / H);
      for (std::size_t j = p.begin; j < p.end; ++j) many.scores[i][j] *= by[j];
    }
  };
  const auto for_partial = [&](const auto& body) {  // rows that see some of it, but not all
    for (std::size_t r = some.begin; r < some.end; ++r) {
      if (r < whole.begin || r >= whole.end) body(r, places(r));
    }
  };
  scale(many.scales[0]);
  for_partial([&](std::size_t r, Rows p) {
    for (std::size_t i = r * H; i < (r + 1) * H; ++i) {
      for (std::size_t j = 0; j < kAttentionBlock; ++j) {
        if (j < p.begin || j >= p.end) many.scores[i][j] = -__builtin_inff();
      }
    }
  });
  softmax_of(shape, many, some.begin * H, some.end * H);
  scale(many.scales[1]);
  for_partial([&](std::size_t r, Rows p) { weigh<H>(many, r * H, p.begin, p.end, dim, [] {}); });
  if (whole.begin < whole.end) weigh_whole(many, whole.begin * H, whole.end * H, dim, ahead);
}

// H neighbouring query heads of one KV head for rows that see positions of the same slots: row r sees seen(r), which
// does not begin or end earlier from row to row. Leaves sums in `out` and their state in `many.each`. With a state, of
// the first of these heads in rows of shape.heads, it goes on with both.
template <typename L, int H, typename See>
inline void attend_many(const AttentionShape& shape, const std::uint32_t* slots, std::size_t count, const See& seen,
                        const float* q, const Cache<L>& cache, float* out, const AttentionState* state,
                        ManyQueries& many) {
  const std::size_t dim = shape.head_dim, width = shape.heads * dim, last = seen(count - 1).end;
  for (std::size_t i = 0; i < count * H; ++i) {
    const std::size_t at = i / H * width + i % H * dim;
    if (state == nullptr) {
      begin_query(many.each[i], q + at, out + at, dim);
    } else {
      many.each[i] = go_on(q + at, out + at, state[i / H * shape.heads + i % H]);
    }
  }
  pack_queries<H>(q, count, width, dim, many.packed);
  const auto until = [&](std::size_t p) { return p < last ? p : last; };
  const std::size_t begin = seen(0).begin;
  for (std::size_t b = begin / kAttentionBlock * kAttentionBlock; b < last; b += kAttentionBlock) {
    const std::size_t next = until(b + kAttentionBlock);
    pack_block(cache, slots, begin, b, next - b, dim, many);
    many_queries_block<L, H>(shape, b, next - b, count, seen, many,
                             {cache, slots, next, until(next + kAttentionBlock), dim});
  }
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
