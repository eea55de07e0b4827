// Four lanes: AArch64's NEON, which always has fused multiply-add and the conversions of F16. See vector_kernels.h for
// the contract.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Simd {
  using V = float32x4_t;
  static constexpr std::size_t kWidth = 4;
  // 24 accumulators, 6 weights and 1 input of 32 registers.
  static constexpr int kTileRows = 4, kTileCols = 6;
  // Of the many-row product: 24 accumulators, 2 weights and 1 input.
  static constexpr int kOuterRows = 12, kOuterVectors = 2;

  static V zero() { return vdupq_n_f32(0.0F); }
  static V set(float a) { return vdupq_n_f32(a); }
  static V load(const float* p) { return vld1q_f32(p); }
  static V load_n(const float* p, std::size_t n) {
    float part[kWidth] = {};
    for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
    return vld1q_f32(part);
  }
  static void store(float* p, V v) { vst1q_f32(p, v); }
  static void store_n(float* p, V v, std::size_t n) {
    float part[kWidth];
    vst1q_f32(part, v);
    for (std::size_t i = 0; i < n; ++i) p[i] = part[i];
  }
  static V add(V a, V b) { return vaddq_f32(a, b); }
  static V sub(V a, V b) { return vsubq_f32(a, b); }
  static V mul(V a, V b) { return vmulq_f32(a, b); }
  static V div(V a, V b) { return vdivq_f32(a, b); }
  static V fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
  // Not vmaxq_f32, which gives NaN where either is: the other sets give b.
  static V max(V a, V b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static V round(V v) { return vrndnq_f32(v); }
  static V pow2(V n) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23)); }
  static V times_pow2(V v, V n) { return mul(v, pow2(n)); }  // exact unless the result is subnormal
  // v where x >= limit, else 0.
  static V keep_if_ge(V v, V x, V limit) {
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), vcgeq_f32(x, limit)));
  }
  static float sum(V v) {
    const float32x2_t halves = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(vpadd_f32(halves, halves), 0);
  }
  static uint32x4_t lane_bits() {
    constexpr std::uint32_t kBits[4] = {1, 2, 4, 8};
    return vld1q_u32(kBits);
  }
  static std::uint32_t ge_bits(V x, V limit) { return vaddvq_u32(vandq_u32(vcgeq_f32(x, limit), lane_bits())); }
  // −infinity where the lane's bit is 0.
  static V keep(V x, std::uint32_t bits) {
    return vbslq_f32(vtstq_u32(vdupq_n_u32(bits), lane_bits()), x, set(-__builtin_inff()));
  }
  // Sums in double over i % 8; v holds the elements from `at` on, a multiple of 4.
  struct Sum8 {
    float64x2_t lanes[4] = {vdupq_n_f64(0.0), vdupq_n_f64(0.0), vdupq_n_f64(0.0), vdupq_n_f64(0.0)};
    void add(V v, std::size_t at) {
      float64x2_t* part = lanes + (at % 8 == 0 ? 0 : 2);
      part[0] = vaddq_f64(part[0], vcvt_f64_f32(vget_low_f32(v)));
      part[1] = vaddq_f64(part[1], vcvt_high_f64_f32(v));
    }
    double total() const { return vaddvq_f64(vaddq_f64(vaddq_f64(lanes[0], lanes[2]), vaddq_f64(lanes[1], lanes[3]))); }
  };
  // Lane i is the sum of a[i]'s lanes, for each in the order of sum().
  [[gnu::always_inline]] static V sums(const V (&a)[4]) {
    const V first = vaddq_f32(vcombine_f32(vget_low_f32(a[0]), vget_low_f32(a[1])),
                              vcombine_f32(vget_high_f32(a[0]), vget_high_f32(a[1])));
    const V second = vaddq_f32(vcombine_f32(vget_low_f32(a[2]), vget_low_f32(a[3])),
                               vcombine_f32(vget_high_f32(a[2]), vget_high_f32(a[3])));
    return vpaddq_f32(first, second);
  }
  // Lane j of a[i] becomes lane i of a[j].
  static void transpose(V (&a)[4]) {
    const float32x4x2_t first = vtrnq_f32(a[0], a[1]), second = vtrnq_f32(a[2], a[3]);
    a[0] = vcombine_f32(vget_low_f32(first.val[0]), vget_low_f32(second.val[0]));
    a[1] = vcombine_f32(vget_low_f32(first.val[1]), vget_low_f32(second.val[1]));
    a[2] = vcombine_f32(vget_high_f32(first.val[0]), vget_high_f32(second.val[0]));
    a[3] = vcombine_f32(vget_high_f32(first.val[1]), vget_high_f32(second.val[1]));
  }
  static float max_lane(V v) {
    float part[kWidth];
    vst1q_f32(part, v);
    float m = part[0];
    for (std::size_t i = 1; i < kWidth; ++i) m = part[i] > m ? part[i] : m;
    return m;
  }
  static V widen_bf16(uint16x4_t bits) { return vreinterpretq_f32_u32(vshll_n_u16(bits, 16)); }
  static V widen_f16(uint16x4_t bits) { return vcvt_f32_f16(vreinterpret_f16_u16(bits)); }
  static uint16x4_t load_16_n(const std::uint16_t* p, std::size_t n) {
    std::uint16_t part[kWidth] = {};
    for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
    return vld1_u16(part);
  }
  static V load_bf16(const std::uint16_t* p) { return widen_bf16(vld1_u16(p)); }
  static V load_bf16_n(const std::uint16_t* p, std::size_t n) { return widen_bf16(load_16_n(p, n)); }
  static V load_i8_n(const std::int8_t* p, std::size_t n) {
    std::int8_t part[8] = {};
    for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vld1_s8(part)))));
  }
  static V load_i8(const std::int8_t* p) {
    std::int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four))))));
  }
  static V load_f16(const std::uint16_t* p) { return widen_f16(vld1_u16(p)); }
  static V load_f16_n(const std::uint16_t* p, std::size_t n) { return widen_f16(load_16_n(p, n)); }
  static void store_f16(std::uint16_t* p, V v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
