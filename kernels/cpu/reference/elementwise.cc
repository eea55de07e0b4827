#include <algorithm>
#include <cmath>

#include "kernels/cpu/reference/reference.h"

namespace sgl::kernels::reference {

void rmsnorm(const float* x, const float* weight, float eps, std::size_t k, float* y) {
  double squares = 0.0;
  for (std::size_t i = 0; i < k; ++i) squares += static_cast<double>(x[i]) * x[i];
  const double factor = 1.0 / std::sqrt(squares / static_cast<double>(k) + eps);
  for (std::size_t i = 0; i < k; ++i) y[i] = static_cast<float>(x[i] * factor * weight[i]);
}

void rope(float* x, std::size_t heads, std::size_t head_dim, const float* cos, const float* sin) {
  const std::size_t half = head_dim / 2;
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t i = 0; i < half; ++i) {
      const double a = x[h * head_dim + i], b = x[h * head_dim + i + half];
      x[h * head_dim + i] = static_cast<float>(a * cos[i] - b * sin[i]);
      x[h * head_dim + i + half] = static_cast<float>(b * cos[i] + a * sin[i]);
    }
  }
}

void swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const double g = gate[i];
    out[i] = static_cast<float>(g / (1.0 + std::exp(-g)) * up[i]);
  }
}

double log_sum_exp(const float* x, std::size_t n) {
  const double highest = *std::max_element(x, x + n);
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += std::exp(x[i] - highest);
  return highest + std::log(sum);
}

}  // namespace sgl::kernels::reference
