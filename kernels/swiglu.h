// The gated activation of the feed-forward layer (Shazeer, 2020, arXiv:2002.05202).
#pragma once

#include <cstddef>

#include "runtime/base/thread_pool.h"

namespace sgl::kernels {

// out[r, i] = silu(gate[r, i]) · up[r, i], silu(v) = v / (1 + e^−v). All [rows, n] F32; out may be gate or up.
void swiglu(const float* gate, const float* up, std::size_t rows, std::size_t n, float* out, base::ThreadPool& pool);

}  // namespace sgl::kernels
