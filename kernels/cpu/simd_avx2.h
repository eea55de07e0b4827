// Eight lanes: AVX2 with FMA and F16C. See vector_kernels.h for the contract.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

struct Simd {
  using V = __m256;
  static constexpr std::size_t kWidth = 8;
  // 12 accumulators, 3 weights and 1 input: all 16 registers.
  static constexpr int kTileRows = 4, kTileCols = 3;
  // Of the many-row product: 12 accumulators, 2 weights and 1 input.
  static constexpr int kOuterRows = 6, kOuterVectors = 2;

  static V zero() { return _mm256_setzero_ps(); }
  static V set(float a) { return _mm256_set1_ps(a); }
  static __m256i lanes_below(std::size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static V load_n(const float* p, std::size_t n) { return _mm256_maskload_ps(p, lanes_below(n)); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static void store_n(float* p, V v, std::size_t n) { _mm256_maskstore_ps(p, lanes_below(n), v); }
  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  static V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static V div(V a, V b) { return _mm256_div_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V max(V a, V b) { return _mm256_max_ps(a, b); }
  static V round(V v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static V pow2(V n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }
  static V times_pow2(V v, V n) { return mul(v, pow2(n)); }  // exact unless the result is subnormal
  static V keep_if_ge(V v, V x, V limit) { return _mm256_and_ps(v, _mm256_cmp_ps(x, limit, _CMP_GE_OQ)); }
  static float sum(V v) {
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
  }
  static std::uint32_t ge_bits(V x, V limit) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, limit, _CMP_GE_OQ)));
  }
  // −infinity where the lane's bit is 0.
  static V keep(V x, std::uint32_t bits) {
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i open = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), lane);
    return _mm256_blendv_ps(set(-__builtin_inff()), x, _mm256_castsi256_ps(_mm256_cmpeq_epi32(open, lane)));
  }
  // Sums in double over i % 8; v holds the elements from `at` on, a multiple of 8.
  struct Sum8 {
    __m256d low = _mm256_setzero_pd(), high = _mm256_setzero_pd();
    void add(V v, std::size_t) {
      low = _mm256_add_pd(low, _mm256_cvtps_pd(_mm256_castps256_ps128(v)));
      high = _mm256_add_pd(high, _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)));
    }
    double total() const {
      const __m256d a = _mm256_add_pd(low, high);
      const __m128d b = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
      return _mm_cvtsd_f64(b) + _mm_cvtsd_f64(_mm_unpackhi_pd(b, b));
    }
  };
  // Lane i is the sum of a[i]'s lanes, for each in the same order: halves, pairs, neighbours.
  [[gnu::always_inline]] static V sums(const V (&a)[8]) {
    // Where the steps below leave their sums: an involution, undone by choosing the inputs' places.
    constexpr int kPlace[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    V h[4], p[2];
    for (int i = 0; i < 4; ++i) {
      const V x = a[kPlace[i]], y = a[kPlace[i + 4]];
      h[i] = _mm256_add_ps(_mm256_permute2f128_ps(x, y, 0x20), _mm256_permute2f128_ps(x, y, 0x31));
    }
    for (int i = 0; i < 2; ++i) {
      p[i] = _mm256_add_ps(_mm256_shuffle_ps(h[i], h[i + 2], 0x44), _mm256_shuffle_ps(h[i], h[i + 2], 0xEE));
    }
    return _mm256_add_ps(_mm256_shuffle_ps(p[0], p[1], 0x88), _mm256_shuffle_ps(p[0], p[1], 0xDD));
  }
  // Lane j of a[i] becomes lane i of a[j].
  static void transpose(V (&a)[8]) {
    V pair[8], quad[8];
    for (int i = 0; i < 8; i += 2) {
      pair[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
      pair[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
      quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
      quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
      quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
    }
    for (int j = 0; j < 4; ++j) {
      a[j] = _mm256_permute2f128_ps(quad[j], quad[4 + j], 0x20);
      a[4 + j] = _mm256_permute2f128_ps(quad[j], quad[4 + j], 0x31);
    }
  }
  static float max_lane(V v) {
    __m128 a = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
  }
  static V widen_bf16(__m128i bits) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16)); }
  static __m128i load_16(const std::uint16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static __m128i load_16_n(const std::uint16_t* p, std::size_t n) {
    alignas(16) std::uint16_t part[8] = {};
    for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
    return _mm_load_si128(reinterpret_cast<const __m128i*>(part));
  }
  static V load_bf16(const std::uint16_t* p) { return widen_bf16(load_16(p)); }
  static V load_bf16_n(const std::uint16_t* p, std::size_t n) { return widen_bf16(load_16_n(p, n)); }
  static void store_f16(std::uint16_t* p, V v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }
  static V load_i8(const std::int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static V load_i8_n(const std::int8_t* p, std::size_t n) {
    std::int8_t part[kWidth] = {};
    for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
    return load_i8(part);
  }
  static V load_f16(const std::uint16_t* p) { return _mm256_cvtph_ps(load_16(p)); }
  static V load_f16_n(const std::uint16_t* p, std::size_t n) { return _mm256_cvtph_ps(load_16_n(p, n)); }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
