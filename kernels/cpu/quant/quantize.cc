// Weights from F32 to 8 and 4 bits, and F16.
#include <bit>

#include "kernels/cpu/quant/ops.h"
#include "kernels/quant.h"
#include "runtime/base/check.h"

namespace sgl::kernels {

void quantize_rows(DType type, const float* x, std::size_t rows, std::size_t k, std::int8_t* q, std::uint16_t* scale,
                   std::uint16_t* min) {
  SGL_ASSERT(is_quantized(type));
  cpu::quant_ops().quantize_weights(type, x, rows, k, q, scale, min);
}

std::uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);
  if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // 65520 rounds to infinity
  if (magnitude < 0x38800000U) {  // under 2^-14, subnormal: the addition rounds to a multiple of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U));
  }
  const std::uint32_t rebiased = magnitude - 0x38000000U;
  return static_cast<std::uint16_t>(sign | ((rebiased + 0xFFFU + ((rebiased >> 13) & 1U)) >> 13));
}

float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t magnitude = bits & 0x7FFFU;
  if (magnitude < 0x400U) {  // zero and subnormals: exact in F32
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24F) | sign);
  }
  if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13);
  return std::bit_cast<float>(sign | ((magnitude << 13) + (112U << 23)));
}

}  // namespace sgl::kernels
