// Sixteen lanes with AVX-512 VNNI. See vector_quant.h for the contract.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Lanes {
  using F = __m512;
  using I = __m512i;
  using Bytes = __m512i;
  static constexpr std::size_t kLanes = 16;
  static constexpr bool kBiased = true;  // the instruction multiplies unsigned by signed bytes
  // 12 sums, 12 results, 2 weights, 1 input and constants of 32 registers.
  static constexpr int kRows = 6, kPanels = 2;

  static I zero() { return _mm512_setzero_si512(); }
  static I set(std::int32_t v) { return _mm512_set1_epi32(v); }
  static Bytes load(const std::byte* p) { return _mm512_load_si512(p); }
  static Bytes prepare8(Bytes w) { return _mm512_xor_si512(w, _mm512_set1_epi8(-128)); }
  static Bytes low_half(Bytes w) { return _mm512_and_si512(w, _mm512_set1_epi8(15)); }
  static Bytes high_half(Bytes w) { return _mm512_and_si512(_mm512_srli_epi16(w, 4), _mm512_set1_epi8(15)); }
  static Bytes repeat4(const std::int8_t* p) {
    std::int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return _mm512_set1_epi32(v);
  }
  static I dot8(I acc, Bytes w, Bytes x) { return _mm512_dpbusd_epi32(acc, w, x); }
  static I dot4(I acc, Bytes w, Bytes x) { return _mm512_dpbusd_epi32(acc, w, x); }
  static F fzero() { return _mm512_setzero_ps(); }
  static F fset(float v) { return _mm512_set1_ps(v); }
  static F to_float(I v) { return _mm512_cvtepi32_ps(v); }
  static F load_f16(const std::byte* p) {
    return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static void store_n(float* p, F v, std::size_t n) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << n) - 1U), v);
  }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
