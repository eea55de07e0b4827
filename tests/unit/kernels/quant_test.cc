#include "kernels/quant.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "kernels/cpu/quant/ops.h"
#include "kernels/cpu/reference/reference.h"
#include "kernels/embedding.h"
#include "tests/unit/kernels/support.h"

using namespace sgl::kernels;
using namespace sgl::kernels::test;

namespace {

double value(DType type, int q, std::uint16_t scale, std::uint16_t min) {
  const double s = from_f16(scale);
  return type == DType::kQ8 ? s * q : (type == DType::kQ4 ? s * (q - 8) : s * q + from_f16(min));
}

// Steps of the scale that a value may be off: half a step, and what rounding and clipping of the scale add.
double tolerated(DType type) {
  return type == DType::kQ8 ? 0.6 : 1.7;
}

}  // namespace

TEST_CASE("F16: every value converts back to itself, and ties go to even") {
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float f = from_f16(bits), want = reference::element(&bits, DType::kF16, 0);
    if (std::isnan(want)) {
      wrong += !std::isnan(f) || !std::isnan(from_f16(to_f16(f))) ? 1 : 0;
      continue;
    }
    wrong += f != want || to_f16(f) != bits ? 1 : 0;
    if ((i & 0x7FFFU) >= 0x7BFFU) continue;  // the next value is infinite
    const float next = from_f16(static_cast<std::uint16_t>(bits + 1)), middle = (f + next) / 2;
    wrong += to_f16(middle) != ((bits & 1U) == 0 ? bits : bits + 1) ? 1 : 0;
    wrong += to_f16(std::nextafter(middle, f)) != bits || to_f16(std::nextafter(middle, next)) != bits + 1 ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(to_f16(65519.9F) == 0x7BFF);
  CHECK(to_f16(65520.0F) == 0x7C00);
  CHECK(to_f16(-1e-30F) == 0x8000);
}

TEST_CASE("quantised rows come back within half a step, for all types and odd shapes") {
  for (const DType type : kQuantTypes) {
    for (const std::size_t k : {1, 2, 31, 32, 33, 63, 64, 65, 100, 172, 256}) {
      for (const std::size_t n : {1, 2, 15, 16, 17, 33}) {
        const std::vector<float> x = random_floats(n * k, static_cast<std::uint32_t>(n * 1000 + k), 0.1F);
        const QuantWeights w(type, n, k, x);
        std::size_t wrong = 0;
        std::vector<float> row(k);
        for (std::size_t r = 0; r < n; ++r) {
          dequantize_row(w.matrix, r, row.data());
          for (std::size_t j = 0; j < k; ++j) {
            const std::size_t g = r * quant_groups(k) + j / kQuantGroup;
            const double want = value(type, w.q[r * k + j], w.scale[g], w.min[g]);
            wrong += reference::packed_element(w.matrix, r, j) != want ? 1 : 0;
            wrong += row[j] != static_cast<float>(want) ? 1 : 0;
            const double step = std::fabs(from_f16(w.scale[g]));
            wrong += std::fabs(want - x[r * k + j]) > tolerated(type) * step + 5e-5 ? 1 : 0;
          }
        }
        CHECK_MESSAGE(wrong == 0, "k=" << k << " n=" << n << " type=" << static_cast<int>(type));
      }
    }
  }
}

TEST_CASE("values on the grid are kept exactly; special groups are what the header says") {
  std::vector<float> x(64);
  for (std::size_t i = 0; i < 32; ++i) x[i] = 0.5F * static_cast<float>(static_cast<int>(i) * 8 - 127);
  std::vector<std::int8_t> q(64);
  std::uint16_t scale[2], min[2];
  quantize_rows(DType::kQ8, x.data(), 1, 64, q.data(), scale, nullptr);
  CHECK(from_f16(scale[0]) == 0.5F);
  for (int i = 0; i < 32; ++i) CHECK(q[static_cast<std::size_t>(i)] == i * 8 - 127);
  CHECK(scale[1] == 0);
  for (std::size_t i = 0; i < 32; ++i) x[i] = 0.25F * static_cast<float>(static_cast<int>(i % 16) - 8);
  quantize_rows(DType::kQ4, x.data(), 1, 64, q.data(), scale, nullptr);
  for (std::size_t i = 0; i < 32; ++i) CHECK(from_f16(scale[0]) * static_cast<float>(q[i] - 8) == x[i]);
  for (std::size_t i = 0; i < 32; ++i) x[i] = 3.0F + 0.25F * static_cast<float>(i % 16);
  quantize_rows(DType::kQ4A, x.data(), 1, 64, q.data(), scale, min);
  for (std::size_t i = 0; i < 32; ++i) {
    CHECK(from_f16(scale[0]) * static_cast<float>(q[i]) + from_f16(min[0]) == x[i]);
  }
  for (const DType type : kQuantTypes) {
    CAPTURE(static_cast<int>(type));
    x.assign(64, 1.0F);
    x[3] = std::numeric_limits<float>::infinity();
    x[40] = std::numeric_limits<float>::quiet_NaN();
    quantize_rows(type, x.data(), 1, 64, q.data(), scale, min);
    CHECK(std::isnan(from_f16(scale[0])));
    CHECK(std::isnan(from_f16(scale[1])));
    x.assign(64, 1e30F);  // beyond F16: the largest scale there is
    x[1] = -1e30F;
    quantize_rows(type, x.data(), 1, 64, q.data(), scale, min);
    CHECK(std::fabs(from_f16(scale[0])) == 65504.0F);
  }
}

TEST_CASE("every instruction set quantises weights to the same bits") {
  const std::size_t rows = 7, k = 333, groups = quant_groups(k);
  const std::vector<float> x = random_floats(rows * k, 3);
  for (const DType type : kQuantTypes) {
    const QuantWeights want(type, rows, k, x);
    for (const cpu::QuantIsa isa : cpu::kQuantIsas) {
      const cpu::QuantOps* ops = cpu::quant_ops_for(isa);
      if (ops == nullptr) continue;
      std::vector<std::int8_t> q(rows * k);
      std::vector<std::uint16_t> scale(rows * groups), min(rows * groups);
      ops->quantize_weights(type, x.data(), rows, k, q.data(), scale.data(), min.data());
      CHECK_MESSAGE((q == want.q && scale == want.scale && min == want.min), cpu::isa_name(isa));
    }
  }
}

TEST_CASE("panels packed in any order and by parts are the same bytes; every byte is written") {
  for (const DType type : kQuantTypes) {
    const std::size_t n = 53, k = 75;
    const QuantWeights w(type, n, k, random_floats(n * k, 9));
    std::vector<std::byte> parts(packed_bytes(type, n, k), std::byte{0xEE});
    for (const std::size_t begin : {48, 0, 16}) {
      const std::size_t rows = begin == 48 ? 5 : (begin == 0 ? 16 : 32), g = begin * quant_groups(k);
      pack_rows(type, n, k, begin, rows, &w.q[begin * k], &w.scale[g], &w.min[g], parts.data());
    }
    CHECK(std::memcmp(parts.data(), w.matrix.data, parts.size()) == 0);
  }
}

TEST_CASE("embedding looks up packed rows") {
  for (const DType type : kQuantTypes) {
    const QuantWeights w(type, 20, 37, random_floats(20 * 37, 4));
    const std::vector<std::int32_t> ids{19, 0, 3, 3};
    std::vector<float> got(ids.size() * 37);
    embedding(w.matrix, ids, got.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i] ==
            static_cast<float>(reference::packed_element(w.matrix, static_cast<std::size_t>(ids[i / 37]), i % 37)));
    }
  }
}
