// Causal attention over paged keys and values with an online softmax (Milakov and Gimelshein, 2018, arXiv:1805.02867;
// Kwon et al., 2023, arXiv:2309.06180).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/tensor.h"
#include "runtime/base/thread_pool.h"

namespace sgl::kernels {

// Positions per step of the online softmax. Blocks begin at absolute positions 0, 32, 64, …, so that a row's
// arithmetic depends only on its position: not on the page size, the chunking of the prefill or the batch. 32 keeps a
// block of K (32 · 128 · 4 bytes) in the first-level cache while all heads of a group read it.
constexpr std::size_t kAttentionBlock = 32;

// Rows that may share the copy of a block: bounds the state that waits between blocks, which is to stay in the
// second-level cache.
constexpr std::size_t kAttentionRows = 128;

// One query token: it sees positions max(0, position − window + 1) … position.
struct AttentionRow {
  const std::uint32_t* slots = nullptr;  // [position + 1]: slot of each position of the sequence, see KvView
  std::size_t position = 0;
};

struct AttentionShape {
  std::size_t heads = 0;  // query heads, a multiple of kv_heads; head h reads KV head h / (heads / kv_heads)
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  std::size_t window = 0;  // sliding window in tokens; 0: none
  float scale = 1.0F;      // of the scores, usually 1/sqrt(head_dim)
};

// The cache of keys and values of one layer, read only: vectors of head_dim elements. Vector slot + h · head_stride is
// KV head h's in a slot; with the heads of neighbouring slots far apart, what one thread reads lies together. F32, F16
// or, as kQ8, 8-bit integers with an F32 scale for every vector (plain arrays, not the packed layout of weights).
struct KvView {
  const void* k = nullptr;
  const void* v = nullptr;
  DType type = DType::kF32;
  std::size_t head_stride = 1;     // in vectors
  const float* k_scale = nullptr;  // only kQ8: one for every vector
  const float* v_scale = nullptr;
};

// `heads` vectors of `head_dim` floats in 8 bits: scale = max |x| / 127, q = x · (127 / max |x|) to the nearest, ties
// to even. A vector below 1e-30 is 0. One with a value that is not finite gets the scale NaN: as a value it shows in
// every row that sees it, as a key it has no weight, like a NaN in the other types. The same bits on every instruction
// set.
void quantize_heads(const float* x, std::size_t heads, std::size_t head_dim, std::int8_t* q, float* scale);

// out[r, h, :] = Σ_p softmax_p(scale · q[r, h, :]·k[slot_p, h', :]) · v[slot_p, h', :]
// q, out: [rows, heads, head_dim] F32, not overlapping. Arithmetic is in F32 for all types of the cache; the scales of
// 8 bits multiply the sums of a key and the weights of a value. O(rows · heads · positions · head_dim). The query heads
// of a KV head share its reads, and so do neighbouring rows of one sequence (the same `slots`, positions one after
// another) and neighbouring rows of different sequences that begin with the same slots, such as forks of one prefix.
// Bit-exact: a row depends on its position and on what the cache holds for its sequence, not on other rows, slots or
// threads.
void attention(const AttentionShape& shape, std::span<const AttentionRow> rows, const float* q, const KvView& kv,
               float* out, base::ThreadPool& pool);

}  // namespace sgl::kernels
