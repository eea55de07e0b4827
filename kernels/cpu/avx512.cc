#define SGL_SIMD_NAMESPACE avx512_set
#include "kernels/cpu/simd_avx512.h"
// After its Simd:
#include "kernels/cpu/vector_kernels.h"

namespace sgl::kernels::cpu {

const Ops& avx512_ops() {
  return avx512_set::kOps;
}

}  // namespace sgl::kernels::cpu
