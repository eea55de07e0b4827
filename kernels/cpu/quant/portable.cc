#define SGL_SIMD_NAMESPACE quant_portable_set
#include "kernels/cpu/quant/lanes_portable.h"
// After its Lanes:
#include "kernels/cpu/quant/vector_quant.h"

namespace sgl::kernels::cpu {

const QuantOps& quant_portable_ops() {
  return quant_portable_set::kQuantOps;
}

}  // namespace sgl::kernels::cpu
