// Four lanes in plain C++. See vector_quant.h for the contract.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Lanes {
  static constexpr std::size_t kLanes = 4;
  struct F {
    float v[kLanes];
  };
  struct I {
    std::int32_t v[kLanes];
  };
  struct Bytes {
    std::int8_t v[4 * kLanes];
  };
  static constexpr bool kBiased = false;
  static constexpr int kRows = 2, kPanels = 1;

  static I zero() { return set(0); }
  static I set(std::int32_t v) { return {{v, v, v, v}}; }
  static Bytes load(const std::byte* p) {
    Bytes out;
    __builtin_memcpy(&out, p, sizeof out);
    return out;
  }
  static Bytes prepare8(Bytes w) { return w; }
  static Bytes low_half(Bytes w) {
    for (std::int8_t& b : w.v) b = static_cast<std::int8_t>(b & 15);
    return w;
  }
  static Bytes high_half(Bytes w) {
    for (std::int8_t& b : w.v) b = static_cast<std::int8_t>(static_cast<std::uint8_t>(b) >> 4);
    return w;
  }
  static Bytes repeat4(const std::int8_t* p) {
    Bytes out;
    for (std::size_t l = 0; l < kLanes; ++l) __builtin_memcpy(out.v + 4 * l, p, 4);
    return out;
  }
  static I dot8(I acc, Bytes w, Bytes x) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      for (std::size_t i = 4 * l; i < 4 * l + 4; ++i) acc.v[l] += static_cast<std::int32_t>(w.v[i]) * x.v[i];
    }
    return acc;
  }
  static I dot4(I acc, Bytes w, Bytes x) { return dot8(acc, w, x); }
  static F fzero() { return fset(0.0F); }
  static F fset(float v) { return {{v, v, v, v}}; }
  static F to_float(I v) {
    F out;
    for (std::size_t l = 0; l < kLanes; ++l) out.v[l] = static_cast<float>(v.v[l]);
    return out;
  }
  static F load_f16(const std::byte* p) {
    F out;
    for (std::size_t l = 0; l < kLanes; ++l) {
      std::uint16_t bits;
      __builtin_memcpy(&bits, p + 2 * l, sizeof bits);
      out.v[l] = from_f16(bits);
    }
    return out;
  }
  static F mul(F a, F b) {
    for (std::size_t l = 0; l < kLanes; ++l) a.v[l] *= b.v[l];
    return a;
  }
  static F fma(F a, F b, F c) {
    for (std::size_t l = 0; l < kLanes; ++l) c.v[l] = __builtin_fmaf(a.v[l], b.v[l], c.v[l]);
    return c;
  }
  static void store(float* p, F v) { __builtin_memcpy(p, &v, sizeof v); }
  static void store_n(float* p, F v, std::size_t n) { __builtin_memcpy(p, &v, n * sizeof(float)); }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
