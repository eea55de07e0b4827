// The vectorised operations of one instruction set, and the choice among them. Internal to kernels/cpu and its tests.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/attention.h"
#include "kernels/softmax.h"
#include "kernels/tensor.h"

namespace sgl::kernels::cpu {

enum class Isa { kPortable, kNeon /* AArch64 */, kAvx2 /* AVX2, FMA, F16C */, kAvx512 /* F, BW, DQ, VL */ };
// The wider ones last.
constexpr Isa kIsas[] = {Isa::kPortable, Isa::kNeon, Isa::kAvx2, Isa::kAvx512};
const char* isa_name(Isa isa);

constexpr std::size_t kMaxSharedDim = 256;  // longest head for which a block is copied (vector_attention_packed.h)

// A query head's online softmax between two calls: the highest score, and the sum of the weights relative to it.
struct AttentionState {
  float highest, total;
};

// Each function works on the calling thread; shapes as in the public headers of kernels/.
struct Ops {
  // y[r·ldy + c] for r < rows and col_begin <= c < col_end; x is [rows, w.k].
  void (*matmul)(const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t ldy, std::size_t col_begin,
                 std::size_t col_end);
  // For many rows: `tile_rows` rows of x at a time are copied by pack_rows to out + row · stride, where stride is k
  // rounded up to a multiple of `width`; matmul_packed reads all of them there, and has `weights` for copies of
  // weights, packed_weights(k) floats. Both aligned to 64 bytes. The same bits as matmul.
  std::size_t tile_rows, width;
  void (*pack_rows)(const float* x, std::size_t rows, std::size_t k, float* out);
  std::size_t (*packed_weights)(std::size_t k);
  void (*matmul_packed)(const Matrix& w, const float* packed, std::size_t rows, float* y, std::size_t ldy,
                        std::size_t col_begin, std::size_t col_end, float* weights);
  void (*rmsnorm)(const float* x, const float* weight, float eps, std::size_t k, float* y);  // one row
  void (*rope)(float* x, std::size_t heads, std::size_t head_dim, const float* cos, const float* sin);
  void (*swiglu)(const float* gate, const float* up, std::size_t n, float* out);
  void (*add)(float* x, const float* y, std::size_t n);
  float (*max_value)(const float* x, std::size_t n);
  void (*exp_scaled)(const float* x, std::size_t n, float shift, float scale, float* out);
  void (*mask_maxima)(float* x, std::size_t n, const std::uint64_t* allowed, float* out);
  void (*block_maxima)(const float* x, std::size_t n, float* out);
  void (*exp_blocks)(const float* x, std::size_t n, const float* maxima, float shift, float scale, float* out,
                     double* sums);
  std::size_t (*collect)(const float* x, std::size_t n, float least, std::int32_t* ids);
  // Floats of `room` that the next three need for several rows, aligned to 64 bytes; for one row none.
  std::size_t (*attention_room)(std::size_t head_dim);
  // The KV heads [kv_begin, kv_end) and `count` <= kAttentionRows rows of one sequence at consecutive positions; q and
  // out point at the first row's first head.
  void (*attention)(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t kv_begin,
                    std::size_t kv_end, const float* q, const KvView& kv, float* out, float* room);
  // Likewise for `count` <= kAttentionRows rows of any sequences whose first `shared` positions (a multiple of
  // kAttentionBlock, all of which every row sees) have the same slots: only those, left as sums in `out` and `state`
  // [count, heads]. head_dim <= kMaxSharedDim.
  void (*attention_shared)(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t shared,
                           std::size_t kv_begin, std::size_t kv_end, const float* q, const KvView& kv, float* out,
                           AttentionState* state, float* room);
  // Of some of these rows, which are of one sequence, the positions from `from` on (`shared` of before), and the end of
  // the softmax.
  void (*attention_rest)(const AttentionShape& shape, const AttentionRow* rows, std::size_t count, std::size_t from,
                         std::size_t kv_begin, std::size_t kv_end, const float* q, const KvView& kv, float* out,
                         const AttentionState* state, float* room);
  void (*to_f32)(const void* src, DType type, std::size_t n, float* out);
  void (*to_f16)(const float* src, std::size_t n, std::uint16_t* out);
  void (*quantize_heads)(const float* x, std::size_t heads, std::size_t head_dim, std::int8_t* q, float* scale);
};

// nullptr when this machine or build lacks the instruction set; kPortable is always there.
const Ops* ops_for(Isa isa);
// The widest set of this machine, decided once.
Isa active_isa();
const Ops& ops();

// How this processor wants to be asked for what is read later, as measured (bench/RESULTS.md); decided once.
// - kHints: Intel, and what nobody has measured. Hints at two distances, and into the first-level cache.
// - kZen: AMD up to Zen 4. One long stream is read fastest without any: on two cores 59 GB/s of 4-bit weights and 62 of
//   8-bit ones, with the hints that serve Intel's best 39 and 56. What lies apart is better asked for into the
//   second-level cache, for the first one waits for few lines at a time: a row's keys and values in F16 21 to 24 GB/s
//   instead of 11 to 13.
// - kZen5: AMD from Zen 5 on. One long stream is read fastest with one hint far ahead, into the second-level cache: of
//   4-bit weights 80 GB/s, 72 without any and 62 with Intel's. Several streams at once, as of neighbouring rows, are
//   slower than one, whatever is asked for. What lies apart as on Zen 4.
enum class ReadAhead { kHints, kZen, kZen5 };
constexpr ReadAhead kReadAheads[] = {ReadAhead::kHints, ReadAhead::kZen, ReadAhead::kZen5};
ReadAhead read_ahead();
// For tests and measurements: what is computed does not depend on it.
void set_read_ahead(ReadAhead ahead);
// How far ahead the hint of kZen5 is, in bytes: of 4-bit weights 4, 6, 8, 12 KB give 76, 80, 79, 74 GB/s.
constexpr std::size_t kStreamAhead = 6144;

// One per translation unit that is compiled for an instruction set.
const Ops& portable_ops();
const Ops& neon_ops();
const Ops& avx2_ops();
const Ops& avx512_ops();

}  // namespace sgl::kernels::cpu
