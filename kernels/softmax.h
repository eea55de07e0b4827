// The pieces of softmax that sampling needs over a row of logits.
#pragma once

#include <cstddef>

namespace sgl::kernels {

// Largest of x[0 … n); n >= 1; x holds no NaN.
float max_value(const float* x, std::size_t n);

// out[i] = e^((x[i] − shift) · scale), relative error under 1e-6; exactly 0 where the exponent is under −87.3 (also for
// −infinity). x, out: [n] F32, may be the same array. Exponents must not exceed 88.
void exp_scaled(const float* x, std::size_t n, float shift, float scale, float* out);

// log Σ e^x[i], summed in double in the order of i.
double log_sum_exp(const float* x, std::size_t n);

}  // namespace sgl::kernels
