// Weights from F32 to 8 and 4 bits; part of vector_quant.h. Loops of fixed length over the compiler's own vectors,
// which become those of each instruction set; the results are the same in all of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

constexpr std::uint16_t kNan = 0x7E00;
constexpr float kLargestF16 = 65504.0F;

// Eight floats in the compiler's own vectors: whatever registers the instruction set has. Never passed by value, which
// would depend on the set.
typedef float Eight __attribute__((vector_size(32)));
typedef std::int32_t EightInts __attribute__((vector_size(32)));
typedef std::int8_t EightBytes __attribute__((vector_size(8)));
constexpr std::size_t kEights = kQuantGroup / 8;

inline float clamp(float v, float low, float high) {
  return v < low ? low : (v > high ? high : v);
}

// A group, padded to 32 with its first value so that the loops have a fixed length.
struct Group {
  Eight x[kEights];
  float low, high;  // extremes of x
  bool finite = true;

  Group(const float* src, std::size_t count) {
    float padded[kQuantGroup];
    for (std::size_t i = 0; i < kQuantGroup; ++i) padded[i] = i < count ? src[i] : src[0];
    __builtin_memcpy(x, padded, sizeof padded);
    Eight least = x[0], most = x[0];
    EightInts special = {};
    for (const Eight& v : x) {
      least = v < least ? v : least;
      most = v > most ? v : most;
      special |= (__builtin_bit_cast(EightInts, v) & 0x7F800000) == 0x7F800000;
    }
    low = least[0], high = most[0];
    for (int i = 0; i < 8; ++i) {
      low = least[i] < low ? least[i] : low;
      high = most[i] > high ? most[i] : high;
      finite &= special[i] == 0;
    }
  }
};

// A choice of scale and minimum (both exact in F16) with its squared error.
struct Fit {
  float scale = 0.0F, min = 0.0F;
  double error = 0.0;
};

inline float rounded(float v) {
  return from_f16(to_f16(clamp(v, -kLargestF16, kLargestF16))) + 0.0F;  // no negative zero
}

inline float inverse(float scale) {
  return scale != 0.0F ? 1.0F / scale : 0.0F;
}

// out = the nearest whole number from low to high of (x − min) · factor, ties to even: adding 1.5 · 2^23 leaves no room
// for a fraction, once the value is bounded.
inline void round_eight(const Eight& x, float min, float factor, float low, float high, Eight& out) {
  constexpr float kMagic = 12582912.0F;
  const Eight below = Eight{} + (low - 1.0F), above = Eight{} + (high + 1.0F);
  const Eight least = Eight{} + low, most = Eight{} + high;
  Eight v = (x - min) * factor;
  v = v < below ? below : v;
  v = v > above ? above : v;
  v = (v + kMagic) - kMagic;
  v = v < least ? least : v;
  out = v > most ? most : v;
}

// value = scale · q + min with the nearest q in low … high.
inline double error_of(const Group& g, float scale, float min, float low, float high) {
  const float factor = inverse(scale);
  Eight parts = {};
  for (const Eight& x : g.x) {
    Eight q;
    round_eight(x, min, factor, low, high, q);
    const Eight miss = x - (q * scale + min);
    parts += miss * miss;
  }
  double sum = 0.0;
  for (int i = 0; i < 8; ++i) sum += parts[i];
  return sum;
}

// The multiple of 1/8 of the value of largest magnitude with the least error: more than 8 steps of it clip the largest
// value for the sake of the others.
inline Fit fit_q4(const Group& g) {
  const float largest = g.high > -g.low ? g.high : g.low;
  Fit best;
  constexpr float kSteps[] = {-8.0F, -7.6F, -7.2F, -8.4F, -8.8F, -9.2F, -7.0F, 7.0F};
  for (const float steps : kSteps) {
    Fit fit{rounded(largest / steps), 0.0F, 0.0};
    fit.error = error_of(g, fit.scale, 0.0F, -8.0F, 7.0F);
    if (steps == -8.0F || fit.error < best.error) best = fit;
  }
  return best;
}

// Likewise for 15 steps between the extremes, shrunk towards the middle.
inline Fit fit_q4a(const Group& g) {
  const float range = g.high - g.low;
  Fit best;
  constexpr float kCuts[] = {0.0F, 0.02F, 0.04F, 0.06F, 0.08F, 0.1F};
  for (const float cut : kCuts) {
    Fit fit{rounded(range * (1.0F - 2.0F * cut) / 15.0F), rounded(g.low + range * cut), 0.0};
    fit.error = error_of(g, fit.scale, fit.min, 0.0F, 15.0F);
    if (cut == 0.0F || fit.error < best.error) best = fit;
  }
  return best;
}

inline void write_q(const Group& g, const Fit& fit, float low, float high, int offset, std::size_t count,
                    std::int8_t* q) {
  const float factor = inverse(fit.scale);
  std::int8_t all[kQuantGroup];
  for (std::size_t i = 0; i < kEights; ++i) {
    Eight v;
    round_eight(g.x[i], fit.min, factor, low, high, v);
    const EightBytes bytes = __builtin_convertvector(__builtin_convertvector(v, EightInts) + offset, EightBytes);
    __builtin_memcpy(all + 8 * i, &bytes, sizeof bytes);
  }
  __builtin_memcpy(q, all, count);
}

inline void quantize_group(DType type, const float* x, std::size_t count, std::int8_t* q, std::uint16_t* scale,
                           std::uint16_t* min) {
  const Group g(x, count);
  Fit fit;
  if (g.finite) {
    if (type == DType::kQ8) {
      fit.scale = rounded((g.high > -g.low ? g.high : -g.low) / 127.0F);
    } else {
      fit = type == DType::kQ4 ? fit_q4(g) : fit_q4a(g);
    }
  }
  if (!g.finite) {
    __builtin_memset(q, 0, count);
  } else if (type == DType::kQ8) {
    write_q(g, fit, -127.0F, 127.0F, 0, count, q);
  } else if (type == DType::kQ4) {
    write_q(g, fit, -8.0F, 7.0F, 8, count, q);
  } else {
    write_q(g, fit, 0.0F, 15.0F, 0, count, q);
  }
  *scale = g.finite ? to_f16(fit.scale) : kNan;
  if (type == DType::kQ4A) *min = to_f16(fit.min);
}

void quantize_weights(DType type, const float* x, std::size_t rows, std::size_t k, std::int8_t* q, std::uint16_t* scale,
                      std::uint16_t* min) {
  const std::size_t groups = quant_groups(k);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t at = r * k + g * kQuantGroup, i = r * groups + g;
      const std::size_t count = k - g * kQuantGroup < kQuantGroup ? k - g * kQuantGroup : kQuantGroup;
      quantize_group(type, x + at, count, q + at, scale + i, type == DType::kQ4A ? min + i : nullptr);
    }
  }
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
