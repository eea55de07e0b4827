#define SGL_SIMD_NAMESPACE portable_set
#include "kernels/cpu/simd_portable.h"
// After its Simd:
#include "kernels/cpu/vector_kernels.h"

namespace sgl::kernels::cpu {

const Ops& portable_ops() {
  return portable_set::kOps;
}

}  // namespace sgl::kernels::cpu
