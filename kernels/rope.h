// Rotary position embedding (Su et al., 2021, arXiv:2104.09864), in Hugging Face's half-split layout.
#pragma once

#include <cstddef>

namespace sgl::kernels {

// Rotates one token's heads in place: for each head h and i < head_dim/2, with a = x[h, i], b = x[h, i + head_dim/2]:
// x[h, i] = a·cos[i] − b·sin[i], x[h, i + head_dim/2] = b·cos[i] + a·sin[i].
// x: [heads, head_dim] F32; cos, sin: [head_dim / 2] F32 of the token's position, not overlapping x; head_dim even.
void rope(float* x, std::size_t heads, std::size_t head_dim, const float* cos, const float* sin);

}  // namespace sgl::kernels
