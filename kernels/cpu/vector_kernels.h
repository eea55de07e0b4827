// The vectorised operations, written once over `Simd` and compiled once per instruction set. A translation unit defines
// SGL_SIMD_NAMESPACE, includes its simd_*.h and then this file.
//
// Simd's contract: V holds kWidth floats; *_n forms touch only the first n < kWidth elements and read the others as 0;
// sum() adds lanes in one fixed order; fma(a, b, c) is a·b + c, fused or not, but always the same within one set.
//
// No inline function of the standard library is called here: the linker keeps one copy of such a function for the whole
// program, and it could be the one compiled with instructions that the machine lacks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

using V = Simd::V;
constexpr std::size_t kW = Simd::kWidth;

// kScaled: what is loaded is still to be multiplied by a scale of its vector.
struct LoadF32 {
  using T = float;
  static constexpr bool kScaled = false;
  static V full(const T* p) { return Simd::load(p); }
  static V part(const T* p, std::size_t n) { return Simd::load_n(p, n); }
};
struct LoadBf16 {
  using T = std::uint16_t;
  static V full(const T* p) { return Simd::load_bf16(p); }
  static V part(const T* p, std::size_t n) { return Simd::load_bf16_n(p, n); }
};
struct LoadF16 {
  using T = std::uint16_t;
  static constexpr bool kScaled = false;
  static V full(const T* p) { return Simd::load_f16(p); }
  static V part(const T* p, std::size_t n) { return Simd::load_f16_n(p, n); }
};
struct LoadI8 {
  using T = std::int8_t;
  static constexpr bool kScaled = true;
  static V full(const T* p) { return Simd::load_i8(p); }
  static V part(const T* p, std::size_t n) { return Simd::load_i8_n(p, n); }
};

// ---- element-wise -----------------------------------------------------------------------------------------------

// e^v after Cephes' expf (Moshier): range reduction by multiples of ln 2 in two parts, then a polynomial of degree 6.
inline V exp_vector(V v) {
  const V lowest = Simd::set(-87.3F);  // below, the result would be subnormal: 0
  const V bounded = Simd::max(v, lowest);
  const V n = Simd::round(Simd::mul(bounded, Simd::set(1.44269504088896341F)));
  V r = Simd::fma(n, Simd::set(-0.693359375F), bounded);
  r = Simd::fma(n, Simd::set(2.12194440e-4F), r);
  V p = Simd::set(1.9875691500e-4F);
  p = Simd::fma(p, r, Simd::set(1.3981999507e-3F));
  p = Simd::fma(p, r, Simd::set(8.3334519073e-3F));
  p = Simd::fma(p, r, Simd::set(4.1665795894e-2F));
  p = Simd::fma(p, r, Simd::set(1.6666665459e-1F));
  p = Simd::fma(p, r, Simd::set(5.0000001201e-1F));
  p = Simd::fma(Simd::mul(p, r), r, Simd::add(r, Simd::set(1.0F)));
  return Simd::keep_if_ge(Simd::times_pow2(p, n), v, lowest);
}

template <typename F>
inline void for_chunks(std::size_t n, F body) {  // body(offset, count): count < kW only for the last chunk
  std::size_t i = 0;
  for (; i + kW <= n; i += kW) body(i, kW);
  if (i < n) body(i, n - i);
}
inline V load_some(const float* p, std::size_t n) {
  return n == kW ? Simd::load(p) : Simd::load_n(p, n);
}
inline void store_some(float* p, V v, std::size_t n) {
  if (n == kW) {
    Simd::store(p, v);
  } else {
    Simd::store_n(p, v, n);
  }
}

void rmsnorm(const float* x, const float* weight, float eps, std::size_t k, float* y) {
  V squares = Simd::zero();
  for_chunks(k, [&](std::size_t i, std::size_t n) {
    const V v = load_some(x + i, n);
    squares = Simd::fma(v, v, squares);
  });
  const float factor = 1.0F / __builtin_sqrtf(Simd::sum(squares) / static_cast<float>(k) + eps);
  const V scale = Simd::set(factor);
  for_chunks(k, [&](std::size_t i, std::size_t n) {
    store_some(y + i, Simd::mul(Simd::mul(load_some(x + i, n), scale), load_some(weight + i, n)), n);
  });
}

void rope(float* x, std::size_t heads, std::size_t head_dim, const float* cos, const float* sin) {
  const std::size_t half = head_dim / 2;
  for (std::size_t h = 0; h < heads; ++h) {
    float* first = x + h * head_dim;
    float* second = first + half;
    for_chunks(half, [&](std::size_t i, std::size_t n) {
      const V a = load_some(first + i, n), b = load_some(second + i, n);
      const V c = load_some(cos + i, n), s = load_some(sin + i, n);
      store_some(first + i, Simd::sub(Simd::mul(a, c), Simd::mul(b, s)), n);
      store_some(second + i, Simd::add(Simd::mul(b, c), Simd::mul(a, s)), n);
    });
  }
}

void swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const V one = Simd::set(1.0F), zero = Simd::zero(), highest = Simd::set(-88.0F);
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    const V g = load_some(gate + i, m);
    // Beyond 88 the denominator is as good as infinite; the bound keeps exp in range.
    const V e = exp_vector(Simd::sub(zero, Simd::max(g, highest)));
    store_some(out + i, Simd::mul(Simd::div(g, Simd::add(one, e)), load_some(up + i, m)), m);
  });
}

void add(float* x, const float* y, std::size_t n) {
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    store_some(x + i, Simd::add(load_some(x + i, m), load_some(y + i, m)), m);
  });
}

float max_value(const float* x, std::size_t n) {
  float best = x[0];
  std::size_t i = 0;
  if (n >= kW) {
    V lanes = Simd::load(x), others = lanes;  // two chains: each waits for its last maximum
    for (i = kW; i + 2 * kW <= n; i += 2 * kW) {
      lanes = Simd::max(lanes, Simd::load(x + i));
      others = Simd::max(others, Simd::load(x + i + kW));
    }
    for (; i + kW <= n; i += kW) lanes = Simd::max(lanes, Simd::load(x + i));
    lanes = Simd::max(lanes, others);
    best = Simd::max_lane(lanes);
  }
  for (; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

void exp_scaled(const float* x, std::size_t n, float shift, float scale, float* out) {
  const V s = Simd::set(shift), f = Simd::set(scale);
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    store_some(out + i, exp_vector(Simd::mul(Simd::sub(load_some(x + i, m), s), f)), m);
  });
}

template <typename L>
inline void widen(const void* src, std::size_t n, float* out) {
  const typename L::T* data = static_cast<const typename L::T*>(src);
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    store_some(out + i, m == kW ? L::full(data + i) : L::part(data + i, m), m);
  });
}

void to_f32(const void* src, DType type, std::size_t n, float* out) {
  switch (type) {
    case DType::kF32:
      return widen<LoadF32>(src, n, out);
    case DType::kBF16:
      return widen<LoadBf16>(src, n, out);
    case DType::kF16:
      return widen<LoadF16>(src, n, out);
    default:  // quantised weights have their own operations
      return;
  }
}

void to_f16(const float* src, std::size_t n, std::uint16_t* out) {
  for_chunks(n, [&](std::size_t i, std::size_t m) {
    if (m == kW) {
      Simd::store_f16(out + i, Simd::load(src + i));
    } else {
      std::uint16_t part[kW];
      Simd::store_f16(part, Simd::load_n(src + i, m));
      for (std::size_t j = 0; j < m; ++j) out[i + j] = part[j];
    }
  });
}

// Products and roundings one by one, which every instruction set does alike.
void quantize_heads(const float* x, std::size_t heads, std::size_t head_dim, std::int8_t* q, float* scale) {
  for (std::size_t h = 0; h < heads; ++h, x += head_dim, q += head_dim) {
    // Magnitudes order like their bits, and every NaN lies above infinity.
    std::int32_t bits = 0;
    for (std::size_t i = 0; i < head_dim; ++i) {
      const std::int32_t magnitude = __builtin_bit_cast(std::int32_t, x[i]) & 0x7FFFFFFF;
      bits = magnitude > bits ? magnitude : bits;
    }
    const auto largest = __builtin_bit_cast(float, bits);
    if (bits >= 0x7F800000 || largest < 1e-30F) {
      scale[h] = bits >= 0x7F800000 ? __builtin_nanf("") : 0.0F;
      __builtin_memset(q, 0, head_dim);
      continue;
    }
    const float inverse = 127.0F / largest;
    scale[h] = largest / 127.0F;
    for (std::size_t i = 0; i < head_dim; ++i) {
      // Adding 1.5 · 2^23 rounds to nearest even and leaves the integer in the low bits.
      const float shifted = x[i] * inverse + 12582912.0F;
      q[i] = static_cast<std::int8_t>(__builtin_bit_cast(std::int32_t, shifted) - 0x4B400000);
    }
  }
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE

// These use the names above.
#include "kernels/cpu/vector_attention.h"
#include "kernels/cpu/vector_matmul.h"
#include "kernels/cpu/vector_sampling.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

constexpr Ops kOps{matmul,
                   Simd::kOuterRows,
                   kW,
                   pack_rows,
                   packed_weights,
                   matmul_packed,
                   rmsnorm,
                   rope,
                   swiglu,
                   add,
                   max_value,
                   exp_scaled,
                   mask_maxima,
                   block_maxima,
                   exp_blocks,
                   collect,
                   attention_room,
                   attention,
                   attention_shared,
                   attention_rest,
                   to_f32,
                   to_f16,
                   quantize_heads};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
