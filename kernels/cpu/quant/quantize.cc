// Weights from F32 to 8 and 4 bits, and F16.

#include "kernels/cpu/quant/ops.h"
#include "kernels/quant.h"
#include "runtime/base/check.h"
#include "runtime/base/half.h"

namespace sgl::kernels {

void quantize_rows(DType type, const float* x, std::size_t rows, std::size_t k, std::int8_t* q, std::uint16_t* scale,
                   std::uint16_t* min) {
  SGL_ASSERT(is_quantized(type));
  cpu::quant_ops().quantize_weights(type, x, rows, k, q, scale, min);
}

std::uint16_t to_f16(float value) {
  return base::float_to_half(value);
}

float from_f16(std::uint16_t bits) {
  return base::half_to_float(bits);
}

}  // namespace sgl::kernels
