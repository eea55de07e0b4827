// What sampling does over a row of logits; part of vector_kernels.h, which says how these files are compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/ops.h"

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

static_assert(kLogitBlock % kW == 0 && 64 % kW == 0);

void mask_out(float* x, std::size_t n, const std::uint64_t* allowed) {
  for (std::size_t i = 0; i < n; i += 64) {
    const std::uint64_t word = allowed[i / 64];
    if (word == ~std::uint64_t{0}) continue;
    std::size_t j = 0;
    for (; j < 64 && i + j + kW <= n; j += kW) Simd::blank(x + i + j, static_cast<std::uint32_t>(word >> j));
    for (; j < 64 && i + j < n; ++j) {
      if ((word >> j & 1U) == 0) x[i + j] = -__builtin_inff();
    }
  }
}

void block_maxima(const float* x, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + kLogitBlock <= n; i += kLogitBlock) {
    V best = Simd::load(x + i);
    for (std::size_t j = kW; j < kLogitBlock; j += kW) best = Simd::max(best, Simd::load(x + i + j));
    out[i / kLogitBlock] = Simd::max_lane(best);
  }
  if (i < n) {
    float best = x[i];
    for (std::size_t j = i + 1; j < n; ++j) best = x[j] > best ? x[j] : best;
    out[i / kLogitBlock] = best;
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
