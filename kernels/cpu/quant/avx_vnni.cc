#define SGL_SIMD_NAMESPACE quant_avx_vnni_set
#include "kernels/cpu/quant/lanes_avx2.h"
// After its Lanes:
#include "kernels/cpu/quant/vector_quant.h"

namespace sgl::kernels::cpu {

const QuantOps& quant_avx_vnni_ops() {
  return quant_avx_vnni_set::kQuantOps;
}

}  // namespace sgl::kernels::cpu
