// Element types and the weight view that the operations share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sgl::kernels {

// How a weight is stored. Activations are always F32 outside the kernels.
enum class DType : std::uint8_t {
  kF32,
  kF16,   // IEEE 754 binary16
  kBF16,  // upper half of a binary32
  // Quantised, in the packed layout of kernels/quant.h:
  kQ8,   // 8-bit symmetric:  value = scale · q, q in −127 … 127
  kQ4,   // 4-bit symmetric:  value = scale · (q − 8), q in 0 … 15
  kQ4A,  // 4-bit asymmetric: value = scale · q + min, q in 0 … 15
};

constexpr bool is_quantized(DType type) {
  return type == DType::kQ8 || type == DType::kQ4 || type == DType::kQ4A;
}

// Bytes of one element. Precondition: not quantised (packed_bytes in kernels/quant.h says what those take).
constexpr std::size_t dtype_bytes(DType type) {
  return type == DType::kF32 ? 4 : 2;
}

// A weight [n, k]; not owned. F32, F16, BF16: row-major, contiguous, aligned to the element size. Quantised: packed as
// in kernels/quant.h and aligned to 64 bytes.
struct Matrix {
  const void* data = nullptr;
  DType type = DType::kF32;
  std::size_t n = 0;  // rows: outputs
  std::size_t k = 0;  // columns: inputs
};

}  // namespace sgl::kernels
