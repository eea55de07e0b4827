// Four lanes in GCC's vector extension: SSE2 on x86-64, NEON on AArch64. See vector_kernels.h for the contract.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/quant.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Simd {
  typedef float V __attribute__((vector_size(16)));
  typedef std::int32_t I __attribute__((vector_size(16)));
  static constexpr std::size_t kWidth = 4;
  // Tile of a few rows: 8 accumulators, 2 weights and 1 input of 16 registers.
  static constexpr int kTileRows = 4, kTileCols = 2;
  // Of the many-row product: 12 accumulators, 2 weights and 1 input.
  static constexpr int kOuterRows = 6, kOuterVectors = 2;

  static V zero() { return V{0, 0, 0, 0}; }
  static V set(float a) { return V{a, a, a, a}; }
  static V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static V load_n(const float* p, std::size_t n) {
    V v = zero();
    for (std::size_t i = 0; i < n; ++i) v[i] = p[i];
    return v;
  }
  static void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static void store_n(float* p, V v, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) p[i] = v[i];
  }
  static V add(V a, V b) { return a + b; }
  static V sub(V a, V b) { return a - b; }
  static V mul(V a, V b) { return a * b; }
  static V div(V a, V b) { return a / b; }
  static V fma(V a, V b, V c) { return a * b + c; }
  static V max(V a, V b) {
    const I m = a > b;
    return reinterpret_cast<V>((reinterpret_cast<I>(a) & m) | (reinterpret_cast<I>(b) & ~m));
  }
  // Nearest integer for |v| < 2^22: adding 1.5 · 2^23 leaves no room for a fraction.
  static V round(V v) {
    const V magic = set(12582912.0F);
    return (v + magic) - magic;
  }
  // 2^n for integral n in [-126, 127].
  static V pow2(V n) { return reinterpret_cast<V>((__builtin_convertvector(n, I) + 127) << 23); }
  static V times_pow2(V v, V n) { return mul(v, pow2(n)); }  // exact unless the result is subnormal
  // v where x >= limit, else 0.
  static V keep_if_ge(V v, V x, V limit) {
    const I m = x >= limit;
    return reinterpret_cast<V>(reinterpret_cast<I>(v) & m);
  }
  static float sum(V v) { return (v[0] + v[2]) + (v[1] + v[3]); }
  static std::uint32_t ge_bits(V x, V limit) {
    std::uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) bits |= (x[i] >= limit[i] ? 1U : 0U) << i;
    return bits;
  }
  // −infinity where the lane's bit is 0.
  static V keep(V x, std::uint32_t bits) {
    for (int i = 0; i < 4; ++i) {
      if ((bits >> i & 1U) == 0) x[i] = -__builtin_inff();
    }
    return x;
  }
  // Sums in double over i % 8; v holds the elements from `at` on, a multiple of 4.
  struct Sum8 {
    double lanes[8] = {};
    void add(V v, std::size_t at) {
      for (int i = 0; i < 4; ++i) lanes[at % 8 + static_cast<std::size_t>(i)] += static_cast<double>(v[i]);
    }
    double total() const {
      return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    }
  };
  static V sums(const V (&a)[4]) { return V{sum(a[0]), sum(a[1]), sum(a[2]), sum(a[3])}; }
  // Lane j of a[i] becomes lane i of a[j].
  static void transpose(V (&a)[4]) {
    const V rows[4] = {a[0], a[1], a[2], a[3]};
    for (int i = 0; i < 4; ++i) a[i] = V{rows[0][i], rows[1][i], rows[2][i], rows[3][i]};
  }
  static float max_lane(V v) {
    float m = v[0];
    for (int i = 1; i < 4; ++i) m = v[i] > m ? v[i] : m;
    return m;
  }

  static float bf16(std::uint16_t bits) {
    const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
    float out;
    std::memcpy(&out, &wide, sizeof out);
    return out;
  }
  static float f16(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
    const std::uint32_t magnitude = bits & 0x7FFFU;
    std::uint32_t wide;
    if (magnitude >= 0x7C00U) {
      wide = 0x7F800000U | (magnitude & 0x3FFU) << 13;
      if ((magnitude & 0x3FFU) != 0) wide |= 0x400000U;  // a quiet NaN, as the hardware conversion gives
    } else if (magnitude >= 0x400U) {
      wide = (magnitude << 13) + (112U << 23);
    } else {                                                                       // zero and subnormals: exact in F32
      const float value = static_cast<float>(magnitude) * 5.9604644775390625e-8F;  // 2^-24
      std::memcpy(&wide, &value, sizeof wide);
    }
    wide |= sign;
    float out;
    std::memcpy(&out, &wide, sizeof out);
    return out;
  }
  static void store_f16(std::uint16_t* p, V v) {
    for (int i = 0; i < 4; ++i) p[i] = to_f16(v[i]);
  }
  static V load_bf16_n(const std::uint16_t* p, std::size_t n) {
    V v = zero();
    for (std::size_t i = 0; i < n; ++i) v[i] = bf16(p[i]);
    return v;
  }
  static V load_f16_n(const std::uint16_t* p, std::size_t n) {
    V v = zero();
    for (std::size_t i = 0; i < n; ++i) v[i] = f16(p[i]);
    return v;
  }
  static V load_i8(const std::int8_t* p) {
    return V{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]), static_cast<float>(p[3])};
  }
  static V load_i8_n(const std::int8_t* p, std::size_t n) {
    V v = zero();
    for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<float>(p[i]);
    return v;
  }
  static V load_bf16(const std::uint16_t* p) { return V{bf16(p[0]), bf16(p[1]), bf16(p[2]), bf16(p[3])}; }
  static V load_f16(const std::uint16_t* p) { return V{f16(p[0]), f16(p[1]), f16(p[2]), f16(p[3])}; }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
