#include "kernels/cpu/ops.h"

#if defined(SGL_KERNELS_X86)
#include <cpuid.h>
#endif

namespace sgl::kernels::cpu {

#if defined(SGL_KERNELS_X86)
namespace {

// clang 14's __builtin_cpu_supports does not know "f16c".
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

}  // namespace
#endif

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kNeon:
      return "neon";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "unknown";
}

const Ops* ops_for(Isa isa) {
  if (isa == Isa::kPortable) return &portable_ops();
#if defined(SGL_KERNELS_ARM)
  if (isa == Isa::kNeon) return &neon_ops();  // part of every AArch64 processor
#endif
#if defined(SGL_KERNELS_X86)
  // These builtins also check that the operating system saves the wide registers.
  if (isa == Isa::kAvx2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c()) {
    return &avx2_ops();
  }
  if (isa == Isa::kAvx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return &avx512_ops();
  }
#endif
  return nullptr;
}

Isa active_isa() {
  static const Isa isa = [] {
    Isa best = Isa::kPortable;
    for (const Isa each : kIsas) {
      if (ops_for(each) != nullptr) best = each;
    }
    return best;
  }();
  return isa;
}

bool reads_like_zen() {
#if defined(SGL_KERNELS_X86)
  static const bool amd = __builtin_cpu_is("amd") != 0;
  return amd;
#else
  return false;
#endif
}

const Ops& ops() {
  static const Ops& active = *ops_for(active_isa());
  return active;
}

}  // namespace sgl::kernels::cpu
