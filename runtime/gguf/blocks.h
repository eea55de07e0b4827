// The block formats of ggml (ggml-common.h and ggml-quants.c of github.com/ggml-org/ggml): reading all that models are
// shared in, writing the two simplest. Pure functions of bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/gguf/gguf.h"

namespace sgl::gguf {

// Whether `dequantize` reads the type (all but Q2_K and Q3_K).
bool readable(Type type);

// `k` elements (a multiple of the type's block) as F32, with the arithmetic of ggml. O(k).
void dequantize(Type type, const std::byte* row, std::size_t k, float* out);

// Q8_0, Q4_0, Q4_1 and Q4_K in groups of 32 as they are: value = scale·(q − zero) + min, where zero is 0 for Q8_0,
// 8 for Q4_0 and 0 for the others; min is written for Q4_1 and Q4_K only. scale and min are F16 bits, one per group; q
// has k entries. Exact but for Q4_K, whose scales and minima are products of an F16 and a 6-bit number and are rounded
// to F16 (a relative error of at most 2^-11 beside the 2^-5 of four bits).
void split_groups(Type type, const std::byte* row, std::size_t k, std::int8_t* q, std::uint16_t* scale,
                  std::uint16_t* min);

// `k` values (a multiple of 32) as Q8_0 or Q4_0; `row` has room for k / 32 blocks.
void quantize(Type type, const float* x, std::size_t k, std::byte* row);

}  // namespace sgl::gguf
