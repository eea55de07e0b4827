// Addition of a block's output or of a bias.
#pragma once

#include <cstddef>

namespace sgl::kernels {

// x[i] += y[i] for i < n; F32. x and y do not overlap.
void add(float* x, const float* y, std::size_t n);

}  // namespace sgl::kernels
