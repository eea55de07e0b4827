#define SGL_SIMD_NAMESPACE quant_neon_set
#include "kernels/cpu/quant/lanes_neon.h"
// After its Lanes:
#include "kernels/cpu/quant/vector_quant.h"

namespace sgl::kernels::cpu {

const QuantOps& quant_neon_ops() {
  return quant_neon_set::kQuantOps;
}

}  // namespace sgl::kernels::cpu
