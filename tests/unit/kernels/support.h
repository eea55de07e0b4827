// What the kernel tests share: random data, weights of every type, closeness, the instruction sets of this machine.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/cpu/ops.h"
#include "kernels/quant.h"

namespace sgl::kernels::test {

inline std::vector<cpu::Isa> available_isas() {
  std::vector<cpu::Isa> out;
  for (cpu::Isa isa : cpu::kIsas) {
    if (cpu::ops_for(isa) != nullptr) out.push_back(isa);
  }
  return out;
}

inline std::vector<float> random_floats(std::size_t n, std::uint32_t seed, float spread = 1.0F) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> uniform(-spread, spread);
  std::vector<float> out(n);
  for (float& v : out) v = uniform(rng);
  return out;
}

// Random weights of a type; the 16-bit ones from random bits without infinities and NaNs and with small exponents.
struct Weights {
  std::vector<float> f32;
  std::vector<std::uint16_t> half;
  Matrix matrix;
  Weights(DType type, std::size_t n, std::size_t k, std::uint32_t seed) {
    if (type == DType::kF32) {
      f32 = random_floats(n * k, seed);
    } else {
      std::mt19937 rng(seed);
      half.resize(n * k);
      for (auto& h : half) {
        const std::uint32_t bits = rng();
        h = static_cast<std::uint16_t>(type == DType::kBF16 ? (bits & 0x80FFU) | 0x3F00U : bits & 0xBFFFU);
      }
    }
    matrix = {type == DType::kF32 ? static_cast<const void*>(f32.data()) : half.data(), type, n, k};
  }
};

constexpr DType kQuantTypes[] = {DType::kQ8, DType::kQ4, DType::kQ4A};

// Row-major x [n, k] quantised, and packed with the alignment that the layout promises.
struct QuantWeights {
  std::vector<std::int8_t> q;
  std::vector<std::uint16_t> scale, min;
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> packed;
  Matrix matrix;
  QuantWeights(DType type, std::size_t n, std::size_t k, const std::vector<float>& x)
      : q(n * k),
        scale(n * quant_groups(k)),
        min(n * quant_groups(k)),
        packed(packed_bytes(type, n, k) / sizeof(Line)) {
    quantize_rows(type, x.data(), n, k, q.data(), scale.data(), min.data());
    pack_rows(type, n, k, 0, n, q.data(), scale.data(), min.data(), packed[0].bytes);
    matrix = {packed.data(), type, n, k};
  }
};

// The machine's own way of reading ahead again, once a test has been through all of them.
struct RestoreReadAhead {
  cpu::ReadAhead before = cpu::read_ahead();
  ~RestoreReadAhead() { cpu::set_read_ahead(before); }
};

inline bool close(float a, float b, float scale, float tolerance = 2e-6F) {
  return std::fabs(a - b) <= tolerance * (scale + std::fabs(b));
}

}  // namespace sgl::kernels::test
