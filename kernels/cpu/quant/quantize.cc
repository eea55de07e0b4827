// Weights from F32 to 8 and 4 bits.
#include <bit>
#include <cstring>
#include <initializer_list>

#include "kernels/quant.h"
#include "runtime/base/check.h"

namespace sgl::kernels {
namespace {

constexpr std::uint16_t kNanF16 = 0x7E00;
constexpr float kLargestF16 = 65504.0F;

// Nearest integer, ties to even, for |v| < 2^22: adding 1.5 · 2^23 leaves no room for a fraction.
float round_even(float v) {
  constexpr float kMagic = 12582912.0F;
  return (v + kMagic) - kMagic;
}

float clamp(float v, float low, float high) {
  return v < low ? low : (v > high ? high : v);
}

// A group, padded to 32 with its first value so that the loops have a fixed length.
struct Group {
  float x[kQuantGroup];
  float low, high;  // extremes of x
  bool finite = true;

  Group(const float* src, std::size_t count) : low(src[0]), high(src[0]) {
    for (std::size_t i = 0; i < kQuantGroup; ++i) x[i] = i < count ? src[i] : src[0];
    for (const float v : x) {
      low = v < low ? v : low;
      high = v > high ? v : high;
      finite &= (std::bit_cast<std::uint32_t>(v) & 0x7F800000U) != 0x7F800000U;
    }
  }
};

// A choice of scale and minimum (both exact in F16) with its squared error.
struct Fit {
  float scale = 0.0F, min = 0.0F;
  double error = 0.0;
};

float rounded(float v) {
  return from_f16(to_f16(clamp(v, -kLargestF16, kLargestF16))) + 0.0F;  // no negative zero
}

float inverse(float scale) {
  return scale != 0.0F ? 1.0F / scale : 0.0F;
}

// value = scale · q + min with the nearest q in low … high.
double error_of(const Group& g, float scale, float min, float low, float high) {
  const float factor = inverse(scale);
  float parts[8] = {};  // independent sums, so that the loop can be vectorised
  for (std::size_t i = 0; i < kQuantGroup; ++i) {
    const float q = clamp(round_even(clamp((g.x[i] - min) * factor, low - 1.0F, high + 1.0F)), low, high);
    const float miss = g.x[i] - (q * scale + min);
    parts[i % 8] += miss * miss;
  }
  double sum = 0.0;
  for (const float p : parts) sum += p;
  return sum;
}

// The multiple of 1/8 of the value of largest magnitude with the least error: more than 8 steps of it clip the largest
// value for the sake of the others.
Fit fit_q4(const Group& g) {
  const float largest = g.high > -g.low ? g.high : g.low;
  Fit best;
  for (const float steps : {-8.0F, -7.6F, -7.2F, -8.4F, -8.8F, -9.2F, -7.0F, 7.0F}) {
    Fit fit{rounded(largest / steps), 0.0F, 0.0};
    fit.error = error_of(g, fit.scale, 0.0F, -8.0F, 7.0F);
    if (steps == -8.0F || fit.error < best.error) best = fit;
  }
  return best;
}

// Likewise for 15 steps between the extremes, shrunk towards the middle.
Fit fit_q4a(const Group& g) {
  const float range = g.high - g.low;
  Fit best;
  for (const float cut : {0.0F, 0.02F, 0.04F, 0.06F, 0.08F, 0.1F}) {
    Fit fit{rounded(range * (1.0F - 2.0F * cut) / 15.0F), rounded(g.low + range * cut), 0.0};
    fit.error = error_of(g, fit.scale, fit.min, 0.0F, 15.0F);
    if (cut == 0.0F || fit.error < best.error) best = fit;
  }
  return best;
}

void write_q(const Group& g, const Fit& fit, float low, float high, float offset, std::size_t count, std::int8_t* q) {
  const float factor = inverse(fit.scale);
  std::int8_t all[kQuantGroup];
  for (std::size_t i = 0; i < kQuantGroup; ++i) {
    const float v = clamp(round_even(clamp((g.x[i] - fit.min) * factor, low - 1.0F, high + 1.0F)), low, high);
    all[i] = static_cast<std::int8_t>(v + offset);
  }
  std::memcpy(q, all, count);
}

void quantize_group(DType type, const float* x, std::size_t count, std::int8_t* q, std::uint16_t* scale,
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
    std::memset(q, 0, count);
  } else if (type == DType::kQ8) {
    write_q(g, fit, -127.0F, 127.0F, 0.0F, count, q);
  } else if (type == DType::kQ4) {
    write_q(g, fit, -8.0F, 7.0F, 8.0F, count, q);
  } else {
    write_q(g, fit, 0.0F, 15.0F, 0.0F, count, q);
  }
  *scale = g.finite ? to_f16(fit.scale) : kNanF16;
  if (type == DType::kQ4A) *min = to_f16(fit.min);
}

}  // namespace

void quantize_rows(DType type, const float* x, std::size_t rows, std::size_t k, std::int8_t* q, std::uint16_t* scale,
                   std::uint16_t* min) {
  SGL_ASSERT(is_quantized(type));
  const std::size_t groups = quant_groups(k);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t at = r * k + g * kQuantGroup, i = r * groups + g;
      const std::size_t count = k - g * kQuantGroup < kQuantGroup ? k - g * kQuantGroup : kQuantGroup;
      quantize_group(type, x + at, count, q + at, scale + i, type == DType::kQ4A ? min + i : nullptr);
    }
  }
}

std::uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | kNanF16);
  if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // 65520 rounds to infinity
  if (magnitude < 0x38800000U) {  // under 2^-14, subnormal: the addition rounds to a multiple of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U));
  }
  const std::uint32_t rebiased = magnitude - 0x38000000U;
  return static_cast<std::uint16_t>(sign | ((rebiased + 0xFFFU + ((rebiased >> 13) & 1U)) >> 13));
}

float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t magnitude = bits & 0x7FFFU;
  if (magnitude < 0x400U) {  // zero and subnormals: exact in F32
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24F) | sign);
  }
  if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13);
  return std::bit_cast<float>(sign | ((magnitude << 13) + (112U << 23)));
}

}  // namespace sgl::kernels
