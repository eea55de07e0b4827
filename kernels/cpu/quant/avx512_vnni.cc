#define SGL_SIMD_NAMESPACE quant_avx512_set
#include "kernels/cpu/quant/lanes_avx512.h"
// After its Lanes:
#include "kernels/cpu/quant/vector_quant.h"

namespace sgl::kernels::cpu {

const QuantOps& quant_avx512_ops() {
  return quant_avx512_set::kQuantOps;
}

}  // namespace sgl::kernels::cpu
