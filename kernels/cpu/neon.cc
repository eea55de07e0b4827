#define SGL_SIMD_NAMESPACE neon_set
#include "kernels/cpu/simd_neon.h"
// After its Simd:
#include "kernels/cpu/vector_kernels.h"

namespace sgl::kernels::cpu {

const Ops& neon_ops() {
  return neon_set::kOps;
}

}  // namespace sgl::kernels::cpu
