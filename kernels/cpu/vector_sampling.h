// What sampling does over a row of logits; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

static_assert(kLogitBlock % kW == 0 && 64 % kW == 0);

inline float block_maximum(const float* x, std::size_t n) {
  if (n == kLogitBlock) {
    V best = Simd::load(x);
    for (std::size_t j = kW; j < kLogitBlock; j += kW) best = Simd::max(best, Simd::load(x + j));
    return Simd::max_lane(best);
  }
  float best = x[0];
  for (std::size_t j = 1; j < n; ++j) best = x[j] > best ? x[j] : best;
  return best;
}

void block_maxima(const float* x, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; i += kLogitBlock)
    out[i / kLogitBlock] = block_maximum(x + i, n - i < kLogitBlock ? n - i : kLogitBlock);
}

// A block has the bits of one word.
void mask_maxima(float* x, std::size_t n, const std::uint64_t* allowed, float* out) {
  static_assert(kLogitBlock == 64);
  const V never = Simd::set(-__builtin_inff());
  for (std::size_t i = 0; i < n; i += 64) {
    const std::uint64_t word = allowed[i / 64];
    const std::size_t count = n - i < 64 ? n - i : 64;
    if (word == ~std::uint64_t{0} || count < 64) {
      for (std::size_t j = 0; j < count && word != ~std::uint64_t{0}; ++j) {
        if ((word >> j & 1U) == 0) x[i + j] = -__builtin_inff();
      }
      out[i / 64] = block_maximum(x + i, count);
      continue;
    }
    V best = never;
    for (std::size_t j = 0; j < 64; j += kW) {
      const V kept = word == 0 ? never : Simd::keep(Simd::load(x + i + j), static_cast<std::uint32_t>(word >> j));
      Simd::store(x + i + j, kept);
      best = Simd::max(best, kept);
    }
    out[i / 64] = word == 0 ? -__builtin_inff() : Simd::max_lane(best);
  }
}

void exp_blocks(const float* x, std::size_t n, const float* maxima, float shift, float scale, float* out,
                double* sums) {
  const V s = Simd::set(shift), f = Simd::set(scale);
  for (std::size_t i = 0; i < n; i += kLogitBlock) {
    const std::size_t count = n - i < kLogitBlock ? n - i : kLogitBlock;
    double& sum = sums[i / kLogitBlock];
    if ((maxima[i / kLogitBlock] - shift) * scale < -87.3F) {  // all of them are 0
      for (std::size_t j = 0; j < count; ++j) out[i + j] = 0.0F;
      sum = 0.0;
      continue;
    }
    typename Simd::Sum8 lanes;
    for_chunks(count, [&](std::size_t j, std::size_t m) {
      const V e = exp_vector(Simd::mul(Simd::sub(load_some(x + i + j, m), s), f));
      store_some(out + i + j, e, m);
      if (m == kW) {
        lanes.add(e, j);
      } else {
        float part[kW] = {};
        for (std::size_t l = 0; l < m; ++l) part[l] = out[i + j + l];
        lanes.add(Simd::load(part), j);
      }
    });
    sum = lanes.total();
  }
}

std::size_t collect(const float* x, std::size_t n, float least, std::int32_t* ids) {
  const V limit = Simd::set(least);
  std::size_t found = 0, i = 0;
  for (; i + kW <= n; i += kW) {
    for (std::uint32_t bits = Simd::ge_bits(Simd::load(x + i), limit); bits != 0; bits &= bits - 1) {
      ids[found++] = static_cast<std::int32_t>(i + static_cast<std::size_t>(__builtin_ctz(bits)));
    }
  }
  for (; i < n; ++i) {
    if (x[i] >= least) ids[found++] = static_cast<std::int32_t>(i);
  }
  return found;
}

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
