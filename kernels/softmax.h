// The pieces of softmax that sampling needs over a row of logits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sgl::kernels {

// Largest of x[0 … n); n >= 1; x holds no NaN.
float max_value(const float* x, std::size_t n);

// out[i] = e^((x[i] − shift) · scale), relative error under 1e-6; exactly 0 where the exponent is under −87.3 (also for
// −infinity). x, out: [n] F32, may be the same array. Exponents must not exceed 88.
void exp_scaled(const float* x, std::size_t n, float shift, float scale, float* out);

// log Σ e^x[i], summed in double, per block of 64 in 8 lanes, and the blocks in order.
double log_sum_exp(const float* x, std::size_t n);

// A row of logits in blocks: what is far below the maximum is skipped, and a draw looks into one block.
constexpr std::size_t kLogitBlock = 64;
constexpr std::size_t logit_blocks(std::size_t n) {
  return (n + kLogitBlock - 1) / kLogitBlock;
}

// out[b] = largest of block b; out: [logit_blocks(n)]; n >= 1; x holds no NaN.
void block_maxima(const float* x, std::size_t n, float* out);

// x[i] = −infinity where bit i % 64 of allowed[i / 64] is 0, for i < n; `allowed` has (n + 63) / 64 words. `out` as
// from block_maxima afterwards.
void mask_maxima(float* x, std::size_t n, const std::uint64_t* allowed, float* out);

// out[i] as exp_scaled, and sums[b] = Σ out[i] over block b in double, in 8 lanes (i % 8) that are added as
// ((0+4)+(2+6))+((1+5)+(3+7)) in every instruction set. maxima: of x, as above. scale >= 0. x and out may be
// the same array.
void exp_blocks(const float* x, std::size_t n, const float* maxima, float shift, float scale, float* out, double* sums);

// Writes the indices i with x[i] >= least in ascending order; returns how many. ids: [n].
std::size_t collect(const float* x, std::size_t n, float least, std::int32_t* ids);

}  // namespace sgl::kernels
