// Four lanes of AArch64's NEON, with the dot products of FEAT_DotProd where the translation unit is compiled for them.
// See vector_quant.h for the contract.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Lanes {
  using F = float32x4_t;
  using I = int32x4_t;
  using Bytes = int8x16_t;
  static constexpr std::size_t kLanes = 4;
  static constexpr bool kBiased = false;  // the instructions multiply signed bytes
  // A panel is four vectors wide. 8 sums, 8 results, 4 weights and their halves, 2 inputs of 32 registers.
  static constexpr int kRows = 2, kPanels = 1;

  static I zero() { return vdupq_n_s32(0); }
  static I set(std::int32_t v) { return vdupq_n_s32(v); }
  static Bytes load(const std::byte* p) { return vld1q_s8(reinterpret_cast<const std::int8_t*>(p)); }
  static Bytes prepare8(Bytes w) { return w; }
  static Bytes low_half(Bytes w) { return vandq_s8(w, vdupq_n_s8(15)); }
  static Bytes high_half(Bytes w) { return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(w), 4)); }
  static Bytes repeat4(const std::int8_t* p) {
    std::int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return vreinterpretq_s8_s32(vdupq_n_s32(v));
  }
  static I dot8(I acc, Bytes w, Bytes x) {
#if defined(__ARM_FEATURE_DOTPROD)
    return vdotq_s32(acc, w, x);
#else
    // Products of pairs need 16 bits each: 127 · 127 twice does not fit, so they are widened before they are added.
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)));
    const int32x4_t high = vpaddlq_s16(vmull_high_s8(w, x));
    return vaddq_s32(acc, vpaddq_s32(low, high));
#endif
  }
  static I dot4(I acc, Bytes w, Bytes x) {
    return dot8(acc, w, x);
  }
  static F fzero() {
    return vdupq_n_f32(0.0F);
  }
  static F fset(float v) {
    return vdupq_n_f32(v);
  }
  static F to_float(I v) {
    return vcvtq_f32_s32(v);
  }
  static F load_f16(const std::byte* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(p))));
  }
  static F mul(F a, F b) {
    return vmulq_f32(a, b);
  }
  static F fma(F a, F b, F c) {
    return vfmaq_f32(c, a, b);
  }
  static void store(float* p, F v) {
    vst1q_f32(p, v);
  }
  static void store_n(float* p, F v, std::size_t n) {
    float part[kLanes];
    vst1q_f32(part, v);
    for (std::size_t i = 0; i < n; ++i) p[i] = part[i];
  }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
