// Sixteen lanes: AVX-512 F, BW, DQ and VL. See vector_kernels.h for the contract.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Simd {
  using V = __m512;
  static constexpr std::size_t kWidth = 16;
  // 24 accumulators, 4 weights and 1 input of 32 registers.
  static constexpr int kTileRows = 6, kTileCols = 4;
  // Of the many-row product: 24 accumulators, 2 weights and 1 input.
  static constexpr int kOuterRows = 12, kOuterVectors = 2;

  static V zero() { return _mm512_setzero_ps(); }
  static V set(float a) { return _mm512_set1_ps(a); }
  static __mmask16 lanes_below(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static V load_n(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(lanes_below(n), p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static void store_n(float* p, V v, std::size_t n) { _mm512_mask_storeu_ps(p, lanes_below(n), v); }
  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static V div(V a, V b) { return _mm512_div_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V max(V a, V b) { return _mm512_max_ps(a, b); }
  static V round(V v) { return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static V times_pow2(V v, V n) { return _mm512_scalef_ps(v, n); }
  static V keep_if_ge(V v, V x, V limit) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_GE_OQ), v); }
  static float sum(V v) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
  }
  static std::uint32_t ge_bits(V x, V limit) { return _mm512_cmp_ps_mask(x, limit, _CMP_GE_OQ); }
  // −infinity where the lane's bit is 0.
  static V keep(V x, std::uint32_t bits) {
    return _mm512_mask_mov_ps(set(-__builtin_inff()), static_cast<__mmask16>(bits), x);
  }
  // Sums in double over i % 8; v holds the elements from `at` on, a multiple of 16.
  struct Sum8 {
    __m512d lanes = _mm512_setzero_pd();
    void add(V v, std::size_t) {
      lanes = _mm512_add_pd(lanes, _mm512_cvtps_pd(_mm512_castps512_ps256(v)));
      lanes = _mm512_add_pd(lanes, _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)));
    }
    double total() const {
      const __m256d a = _mm256_add_pd(_mm512_castpd512_pd256(lanes), _mm512_extractf64x4_pd(lanes, 1));
      const __m128d b = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
      return _mm_cvtsd_f64(b) + _mm_cvtsd_f64(_mm_unpackhi_pd(b, b));
    }
  };
  // Lane i is the sum of a[i]'s lanes, for each in the same order: halves, quarters, pairs, neighbours.
  // Inline, or all of a would go through memory.
  [[gnu::always_inline]] static V sums(const V (&a)[16]) {
    // Where the steps below leave their sums: an involution, undone by choosing the inputs' places.
    constexpr int kPlace[16] = {0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15};
    V h[8], q[4], p[2];
    // The first and third step by one shuffle and a blend: shuffles of whole vectors share one port.
    for (int i = 0; i < 8; ++i) {
      const V x = a[kPlace[i]], y = a[kPlace[i + 8]];
      h[i] = _mm512_add_ps(_mm512_mask_blend_ps(0xFF00, x, y), _mm512_shuffle_f32x4(x, y, 0x4E));
    }
    for (int i = 0; i < 4; ++i) {
      q[i] = _mm512_add_ps(_mm512_shuffle_f32x4(h[i], h[i + 4], 0x88), _mm512_shuffle_f32x4(h[i], h[i + 4], 0xDD));
    }
    for (int i = 0; i < 2; ++i) {
      p[i] = _mm512_add_ps(_mm512_mask_blend_ps(0xCCCC, q[i], q[i + 2]), _mm512_shuffle_ps(q[i], q[i + 2], 0x4E));
    }
    return _mm512_add_ps(_mm512_shuffle_ps(p[0], p[1], 0x88), _mm512_shuffle_ps(p[0], p[1], 0xDD));
  }
  // Lane j of a[i] becomes lane i of a[j].
  static void transpose(V (&a)[16]) {
    V pair[16], quad[16];
    for (int i = 0; i < 16; i += 2) {
      pair[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
      pair[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
      quad[i] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0x44);
      quad[i + 1] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0xEE);
      quad[i + 2] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
      quad[i + 3] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
    }
    // quad[4·i + j] holds, in its quarter q, the elements 4·q + j of a[4·i … 4·i + 3].
    for (int j = 0; j < 4; ++j) {
      const V low = _mm512_shuffle_f32x4(quad[j], quad[4 + j], 0x88),
              high = _mm512_shuffle_f32x4(quad[8 + j], quad[12 + j], 0x88);
      const V low_odd = _mm512_shuffle_f32x4(quad[j], quad[4 + j], 0xDD),
              high_odd = _mm512_shuffle_f32x4(quad[8 + j], quad[12 + j], 0xDD);
      a[j] = _mm512_shuffle_f32x4(low, high, 0x88);
      a[8 + j] = _mm512_shuffle_f32x4(low, high, 0xDD);
      a[4 + j] = _mm512_shuffle_f32x4(low_odd, high_odd, 0x88);
      a[12 + j] = _mm512_shuffle_f32x4(low_odd, high_odd, 0xDD);
    }
  }
  static float max_lane(V v) {
    const __m256 half = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 a = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
  }
  static V widen_bf16(__m256i bits) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)); }
  static __m256i load_16(const std::uint16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static __m256i load_16_n(const std::uint16_t* p, std::size_t n) {
    return _mm256_maskz_loadu_epi16(lanes_below(n), p);
  }
  static V load_bf16(const std::uint16_t* p) { return widen_bf16(load_16(p)); }
  static V load_bf16_n(const std::uint16_t* p, std::size_t n) { return widen_bf16(load_16_n(p, n)); }
  static void store_f16(std::uint16_t* p, V v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  static V load_i8(const std::int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static V load_i8_n(const std::int8_t* p, std::size_t n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes_below(n), p)));
  }
  static V load_f16(const std::uint16_t* p) { return _mm512_cvtph_ps(load_16(p)); }
  static V load_f16_n(const std::uint16_t* p, std::size_t n) { return _mm512_cvtph_ps(load_16_n(p, n)); }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
