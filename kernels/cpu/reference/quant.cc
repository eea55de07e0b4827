#include "kernels/quant.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/cpu/reference/reference.h"

namespace sgl::kernels::reference {
namespace {

// The layout written out once more, straight from its description in kernels/quant.h.
struct Element {
  int q;
  float scale, min;
};

Element read(const Matrix& w, std::size_t row, std::size_t j) {
  const std::size_t header = w.type == DType::kQ4A ? 128 : 64, weights = w.type == DType::kQ8 ? 1024 : 512;
  const std::size_t blocks = (w.k + 63) / 64, group = j % 64 / 32, step = j % 32 / 4, lane = row % 16;
  const auto* block = static_cast<const std::uint8_t*>(w.data) + (row / 16 * blocks + j / 64) * (header + weights);
  const auto half = [&](std::size_t at) {
    std::uint16_t bits;
    std::memcpy(&bits, block + at + (group * 16 + lane) * 2, 2);
    return element(&bits, DType::kF16, 0);
  };
  const std::uint8_t* part = block + header + group * (weights / 2);
  Element out{0, half(0), w.type == DType::kQ4A ? half(64) : 0.0F};
  if (w.type == DType::kQ8) {
    out.q = static_cast<std::int8_t>(part[step * 64 + lane * 4 + j % 4]);
  } else {
    const std::uint8_t byte = part[step % 4 * 64 + lane * 4 + j % 4];
    out.q = step < 4 ? byte & 15 : byte >> 4;
    if (w.type == DType::kQ4) out.q -= 8;
  }
  return out;
}

struct Activation {
  std::vector<int> q;
  std::vector<float> scale;
};

Activation quantize(const float* x, std::size_t k) {
  const std::size_t groups = (quant_groups(k) + 1) / 2 * 2;  // whole blocks
  Activation out{std::vector<int>(groups * kQuantGroup), std::vector<float>(groups)};
  for (std::size_t g = 0; g < out.scale.size(); ++g) {
    float largest = 0.0F;
    bool finite = true;
    for (std::size_t j = g * kQuantGroup; j < k && j < (g + 1) * kQuantGroup; ++j) {
      finite = finite && std::isfinite(x[j]);
      largest = std::fmax(largest, std::fabs(x[j]));
    }
    out.scale[g] = !finite ? std::numeric_limits<float>::quiet_NaN() : (largest < 1e-30F ? 0.0F : largest / 127.0F);
    for (std::size_t j = g * kQuantGroup; finite && largest >= 1e-30F && j < k && j < (g + 1) * kQuantGroup; ++j) {
      out.q[j] = static_cast<int>(std::nearbyint(x[j] * (127.0F / largest)));
    }
  }
  return out;
}

}  // namespace

double packed_element(const Matrix& w, std::size_t row, std::size_t j) {
  const Element e = read(w, row, j);
  return static_cast<double>(e.scale) * e.q + e.min;
}

void quant_matmul(const Matrix& w, const float* x, std::size_t rows, float* y) {
  for (std::size_t r = 0; r < rows; ++r) {
    const Activation a = quantize(x + r * w.k, w.k);
    for (std::size_t c = 0; c < w.n; ++c) {
      float acc = 0.0F;
      for (std::size_t g = 0; g < a.scale.size(); ++g) {
        int sum = 0, total = 0;
        Element e{};
        for (std::size_t j = g * kQuantGroup; j < (g + 1) * kQuantGroup; ++j) {
          e = read(w, c, j);
          sum += a.q[j] * e.q;
          total += a.q[j];
        }
        acc = std::fmaf(static_cast<float>(sum), e.scale * a.scale[g], acc);
        if (w.type == DType::kQ4A) acc = std::fmaf(e.min, a.scale[g] * static_cast<float>(total), acc);
      }
      y[r * w.n + c] = acc;
    }
  }
}

}  // namespace sgl::kernels::reference
