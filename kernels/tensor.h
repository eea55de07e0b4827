// Element types and the weight view that the operations share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sgl::kernels {

// How a weight is stored. Activations are always F32.
enum class DType : std::uint8_t { kF32, kF16 /* IEEE 754 binary16 */, kBF16 /* upper half of a binary32 */ };

constexpr std::size_t dtype_bytes(DType type) {
  return type == DType::kF32 ? 4 : 2;
}

// A row-major weight [n, k], contiguous, aligned to its element size; not owned.
struct Matrix {
  const void* data = nullptr;
  DType type = DType::kF32;
  std::size_t n = 0;  // rows: outputs
  std::size_t k = 0;  // columns: inputs
};

}  // namespace sgl::kernels
