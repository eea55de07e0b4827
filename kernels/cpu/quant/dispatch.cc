#include "kernels/cpu/quant/ops.h"

#if defined(SGL_KERNELS_X86)
#include <cpuid.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif
#endif

#if defined(SGL_KERNELS_ARM)
#include <sys/auxv.h>
#endif

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu {

#if defined(SGL_KERNELS_X86)
namespace {

// Bits of CPUID leaf 7 that compilers' builtins do not all know (Intel SDM, volume 2A, CPUID).
bool leaf7(unsigned subleaf, char reg, unsigned bit) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, subleaf, &eax, &ebx, &ecx, &edx) == 0) return false;
  return ((reg == 'a' ? eax : (reg == 'c' ? ecx : edx)) >> bit & 1U) != 0;
}

// Linux lets a process use the tile registers, 8 KiB of state per thread, only when it asked; the answer holds for all
// of its threads (Documentation/arch/x86/xstate.rst).
bool tiles_permitted() {
#if defined(__linux__)
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
#else
  return false;
#endif
}

bool has_avx512_vnni() {
  return ops_for(Isa::kAvx512) != nullptr && leaf7(0, 'c', 11);
}

}  // namespace
#endif

const char* isa_name(QuantIsa isa) {
  switch (isa) {
    case QuantIsa::kPortable:
      return "portable";
    case QuantIsa::kNeon:
      return "neon";
    case QuantIsa::kNeonDot:
      return "neon-dotprod";
    case QuantIsa::kAvx2:
      return "avx2";
    case QuantIsa::kAvxVnni:
      return "avx-vnni";
    case QuantIsa::kAvx512Vnni:
      return "avx512-vnni";
    case QuantIsa::kAmx:
      return "amx";
  }
  return "unknown";
}

const QuantOps* quant_ops_for(QuantIsa isa) {
  if (isa == QuantIsa::kPortable) return &quant_portable_ops();
#if defined(SGL_KERNELS_ARM)
  constexpr unsigned long kDotProducts = 1UL << 20;  // HWCAP_ASIMDDP (Documentation/arch/arm64/elf_hwcaps.rst)
  if (isa == QuantIsa::kNeon) return &quant_neon_ops();
  if (isa == QuantIsa::kNeonDot && (::getauxval(AT_HWCAP) & kDotProducts) != 0) return &quant_neon_dot_ops();
#endif
#if defined(SGL_KERNELS_X86)
  const bool avx2 = ops_for(Isa::kAvx2) != nullptr;
  if (isa == QuantIsa::kAvx2 && avx2) return &quant_avx2_ops();
  if (isa == QuantIsa::kAvxVnni && avx2 && leaf7(1, 'a', 4)) return &quant_avx_vnni_ops();
  if (isa == QuantIsa::kAvx512Vnni && has_avx512_vnni()) return &quant_avx512_ops();
  if (isa == QuantIsa::kAmx && has_avx512_vnni() && leaf7(0, 'd', 24) && leaf7(0, 'd', 25)) {
    static const bool permitted = tiles_permitted();
    if (permitted) return &quant_amx_ops();
  }
#endif
  return nullptr;
}

QuantIsa active_quant_isa() {
  static const QuantIsa isa = [] {
    QuantIsa best = QuantIsa::kPortable;
    for (const QuantIsa each : kQuantIsas) {
      if (quant_ops_for(each) != nullptr) best = each;
    }
    return best;
  }();
  return isa;
}

const QuantOps& quant_ops() {
  static const QuantOps& active = *quant_ops_for(active_quant_isa());
  return active;
}

}  // namespace sgl::kernels::cpu
