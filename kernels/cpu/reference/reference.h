// Plain implementations in double precision, one element at a time: what the fast kernels are tested against.
// Shapes as in the public headers of kernels/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/attention.h"
#include "kernels/tensor.h"

namespace sgl::kernels::reference {

// Element i of a weight that is not quantised, exactly.
float element(const void* data, DType type, std::size_t i);
void matmul(const Matrix& w, const float* x, std::size_t rows, float* y);
void rmsnorm(const float* x, const float* weight, float eps, std::size_t k, float* y);
void rope(float* x, std::size_t heads, std::size_t head_dim, const float* cos, const float* sin);
void swiglu(const float* gate, const float* up, std::size_t n, float* out);
double log_sum_exp(const float* x, std::size_t n);
void attention(const AttentionShape& shape, std::span<const AttentionRow> rows, const float* q, const float* k,
               const float* v, float* out);
void embedding(const Matrix& table, std::span<const std::int32_t> ids, float* out);

// Element (row, j) of a packed weight, exactly.
double packed_element(const Matrix& w, std::size_t row, std::size_t j);
// The quantised product as kernels/matmul.h defines it, to the bit.
void quant_matmul(const Matrix& w, const float* x, std::size_t rows, float* y);

}  // namespace sgl::kernels::reference
