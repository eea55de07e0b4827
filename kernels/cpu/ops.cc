#include "kernels/cpu/ops.h"

#include <atomic>

#if defined(SGL_KERNELS_X86)
#include <cpuid.h>
#endif

namespace sgl::kernels::cpu {

namespace {

#if defined(SGL_KERNELS_X86)
// clang 14's __builtin_cpu_supports does not know "f16c".
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

ReadAhead read_ahead_of_machine() {
#if defined(SGL_KERNELS_X86)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__builtin_cpu_is("amd") == 0 || __get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return ReadAhead::kHints;
  // Base and extended family (AMD64 APM, volume 3, CPUID function 1): Zen 1 to 4 are 17h and 19h.
  const unsigned family = (eax >> 8 & 0xF) + (eax >> 20 & 0xFF);
  return family >= 0x1A ? ReadAhead::kZen5 : ReadAhead::kZen;
#else
  return ReadAhead::kHints;
#endif
}

std::atomic<ReadAhead>& active_read_ahead() {
  static std::atomic<ReadAhead> ahead{read_ahead_of_machine()};
  return ahead;
}

}  // namespace

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

ReadAhead read_ahead() {
  return active_read_ahead().load(std::memory_order_relaxed);
}

void set_read_ahead(ReadAhead ahead) {
  active_read_ahead().store(ahead, std::memory_order_relaxed);
}

const Ops& ops() {
  static const Ops& active = *ops_for(active_isa());
  return active;
}

}  // namespace sgl::kernels::cpu
