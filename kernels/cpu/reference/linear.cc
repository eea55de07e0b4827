#include <bit>
#include <cmath>
#include <limits>

#include "kernels/cpu/reference/reference.h"

namespace sgl::kernels::reference {
namespace {

float from_f16(std::uint16_t bits) {
  const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : static_cast<float>(sign) * std::numeric_limits<float>::infinity();
  }
  const double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return static_cast<float>(sign * value);
}

}  // namespace

float element(const void* data, DType type, std::size_t i) {
  switch (type) {
    case DType::kF32:
      return static_cast<const float*>(data)[i];
    case DType::kF16:
      return from_f16(static_cast<const std::uint16_t*>(data)[i]);
    case DType::kBF16:
      return std::bit_cast<float>(static_cast<std::uint32_t>(static_cast<const std::uint16_t*>(data)[i]) << 16);
    default:  // quantised: packed_element
      return 0.0F;
  }
}

void matmul(const Matrix& w, const float* x, std::size_t rows, float* y) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < w.n; ++c) {
      double sum = 0.0;
      for (std::size_t j = 0; j < w.k; ++j) {
        sum += static_cast<double>(x[r * w.k + j]) * static_cast<double>(element(w.data, w.type, c * w.k + j));
      }
      y[r * w.n + c] = static_cast<float>(sum);
    }
  }
}

void embedding(const Matrix& table, std::span<const std::int32_t> ids, float* out) {
  for (std::size_t r = 0; r < ids.size(); ++r) {
    for (std::size_t j = 0; j < table.k; ++j) {
      out[r * table.k + j] = element(table.data, table.type, static_cast<std::size_t>(ids[r]) * table.k + j);
    }
  }
}

}  // namespace sgl::kernels::reference
