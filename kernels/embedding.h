// Embedding lookup, and widening of small weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/tensor.h"

namespace sgl::kernels {

// out[i] = value of src[i] as F32, exactly, for i < n. Precondition: not quantised.
void to_f32(const void* src, DType type, std::size_t n, float* out);

// out[i] = src[i] in the nearest F16 (ties to even, infinite beyond its range), for i < n.
void to_f16(const float* src, std::size_t n, std::uint16_t* out);

// out[r, :] = table[ids[r], :] as F32; table [vocab, k], out [ids.size(), k]. Precondition: 0 <= id < vocab.
void embedding(const Matrix& table, std::span<const std::int32_t> ids, float* out);

}  // namespace sgl::kernels
