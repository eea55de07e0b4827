// Eight lanes: AVX2 with FMA and F16C, with AVX-VNNI where the flags of the translation unit have it. See
// vector_quant.h for the contract.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Lanes {
  using F = __m256;
  using I = __m256i;
  using Bytes = __m256i;
  static constexpr std::size_t kLanes = 8;
  static constexpr int kRows = 3, kPanels = 1;

  static I zero() { return _mm256_setzero_si256(); }
  static I set(std::int32_t v) { return _mm256_set1_epi32(v); }
  static Bytes load(const std::byte* p) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(p)); }
  static Bytes low_half(Bytes w) { return _mm256_and_si256(w, _mm256_set1_epi8(15)); }
  static Bytes high_half(Bytes w) { return _mm256_and_si256(_mm256_srli_epi16(w, 4), _mm256_set1_epi8(15)); }
  static Bytes repeat4(const std::int8_t* p) {
    std::int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return _mm256_set1_epi32(v);
  }
#if defined(__AVXVNNI__)
  static constexpr bool kBiased = true;  // the instruction multiplies unsigned by signed bytes
  static Bytes prepare8(Bytes w) {
    return _mm256_xor_si256(w, _mm256_set1_epi8(-128));
  }
  static I dot8(I acc, Bytes w, Bytes x) {
    return _mm256_dpbusd_avx_epi32(acc, w, x);
  }
  static I dot4(I acc, Bytes w, Bytes x) {
    return _mm256_dpbusd_avx_epi32(acc, w, x);
  }
#else
  // maddubs saturates its sums of two products at 32767. None gets there: |w| <= 128 and |x| <= 127 give at most
  // 32512. The signs go to x, whose negation always fits.
  static constexpr bool kBiased = false;
  static Bytes prepare8(Bytes w) {
    return w;
  }
  static I dot8(I acc, Bytes w, Bytes x) {
    return dot4(acc, _mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
  }
  static I dot4(I acc, Bytes w, Bytes x) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
  }
#endif
  static F fzero() {
    return _mm256_setzero_ps();
  }
  static F fset(float v) {
    return _mm256_set1_ps(v);
  }
  static F to_float(I v) {
    return _mm256_cvtepi32_ps(v);
  }
  static F load_f16(const std::byte* p) {
    return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static F mul(F a, F b) {
    return _mm256_mul_ps(a, b);
  }
  static F fma(F a, F b, F c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static void store(float* p, F v) {
    _mm256_storeu_ps(p, v);
  }
  static void store_n(float* p, F v, std::size_t n) {
    const __m256i below =
        _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    _mm256_maskstore_ps(p, below, v);
  }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
