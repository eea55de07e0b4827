// Root-mean-square normalisation (Zhang and Sennrich, 2019, arXiv:1910.07467).
#pragma once

#include <cstddef>

#include "runtime/base/thread_pool.h"

namespace sgl::kernels {

// y[r, i] = x[r, i] · weight[i] / sqrt(mean_i(x[r, i]²) + eps). x, y: [rows, k] F32; weight: [k] F32; k >= 1.
// y may be x. Bit-exact per row.
void rmsnorm(const float* x, const float* weight, float eps, std::size_t rows, std::size_t k, float* y,
             base::ThreadPool& pool);

}  // namespace sgl::kernels
