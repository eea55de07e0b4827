#define SGL_SIMD_NAMESPACE avx2_set
#include "kernels/cpu/simd_avx2.h"
// After its Simd:
#include "kernels/cpu/vector_kernels.h"

namespace sgl::kernels::cpu {

const Ops& avx2_ops() {
  return avx2_set::kOps;
}

}  // namespace sgl::kernels::cpu
