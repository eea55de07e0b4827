#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "kernels/cpu/quant/matmul.h"
#include "kernels/cpu/reference/reference.h"
#include "kernels/matmul.h"
#include "tests/unit/kernels/support.h"

using namespace sgl::kernels;
using namespace sgl::kernels::test;

namespace {

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<float> product(const cpu::QuantOps& ops, const Matrix& w, const std::vector<float>& x,
                           sgl::base::ThreadPool& pool) {
  std::vector<float> y(x.size() / w.k * w.n, 99.0F);
  const MatmulTarget target[] = {{w, y.data()}};
  cpu::quant_matmul(ops, target, x.data(), x.size() / w.k, pool);
  return y;
}

// Whether every instruction set gives the reference's bits.
void check_sets(const QuantWeights& w, std::size_t rows, sgl::base::ThreadPool& pool) {
  const std::size_t k = w.matrix.k, n = w.matrix.n;
  const std::vector<float> x = random_floats(rows * k, static_cast<std::uint32_t>(rows), 3.0F);
  std::vector<float> want(rows * n);
  reference::quant_matmul(w.matrix, x.data(), rows, want.data());
  const RestoreReadAhead restore;
  for (const cpu::QuantIsa isa : cpu::kQuantIsas) {
    const cpu::QuantOps* ops = cpu::quant_ops_for(isa);
    if (ops == nullptr) continue;
    for (const cpu::ReadAhead ahead : cpu::kReadAheads) {
      cpu::set_read_ahead(ahead);
      CHECK_MESSAGE(same(product(*ops, w.matrix, x, pool), want),
                    cpu::isa_name(isa) << " type=" << static_cast<int>(w.matrix.type) << " k=" << k << " n=" << n
                                       << " rows=" << rows << " ahead=" << static_cast<int>(ahead));
      if (rows > 1) break;  // which do not differ in it
    }
  }
}

}  // namespace

TEST_CASE("quantised products: every instruction set gives the reference's bits, over odd shapes") {
  sgl::base::ThreadPool one(1);
  for (const DType type : kQuantTypes) {
    for (const std::size_t k : {1, 31, 32, 33, 64, 100, 172, 1000, 1100}) {
      for (const std::size_t n : {1, 15, 16, 17, 33, 50}) {
        const QuantWeights w(type, n, k, random_floats(n * k, static_cast<std::uint32_t>(n + k), 0.2F));
        for (const std::size_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 19, 33}) {
          if (k > 200 && rows % 3 != 1) continue;
          check_sets(w, rows, one);
        }
      }
    }
  }
}

// More than a block of the AMX products each way (8 panels by 64 groups, from 17 rows on in 8 bits and 128 in 4), with
// something left over, in one thread's range of columns.
TEST_CASE("quantised products: several blocks of panels and of k, and many rows") {
  sgl::base::ThreadPool one(1);
  for (const DType type : kQuantTypes) {
    const std::size_t k = 2100, n = 597;
    const QuantWeights w(type, n, k, random_floats(n * k, 11, 0.2F));
    for (const std::size_t rows : {16, 17, 133}) check_sets(w, rows, one);
  }
}

TEST_CASE("quantised products are near the exact ones") {
  sgl::base::ThreadPool one(1);
  const std::size_t k = 512, n = 40, rows = 7;
  const std::vector<float> x = random_floats(rows * k, 1), f = random_floats(n * k, 2);
  for (const DType type : kQuantTypes) {
    const QuantWeights w(type, n, k, f);
    const std::vector<float> got = product(cpu::quant_ops(), w.matrix, x, one);
    double worst = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < n; ++c) {
        double want = 0.0;
        for (std::size_t j = 0; j < k; ++j) want += x[r * k + j] * reference::packed_element(w.matrix, c, j);
        worst = std::max(worst, std::fabs(want - got[r * n + c]));
      }
    }
    // Rounding x to steps of 1/127: an error of 0.0023 each, over 512 products with weights of 0.58.
    CHECK(worst < 5 * 0.0023 * 0.58 * std::sqrt(512.0));
  }
}

TEST_CASE("quantised products do not depend on rows, threads, groups or ranges") {
  sgl::base::ThreadPool one(1), three(3);
  for (const DType type : kQuantTypes) {
    const std::size_t k = 1120, n = 333, rows = 70;
    const QuantWeights w(type, n, k, random_floats(n * k, 5));
    const std::vector<float> x = random_floats(rows * k, 6);
    const std::vector<float> whole = product(cpu::quant_ops(), w.matrix, x, three);
    for (std::size_t height = 1; height <= 33; ++height) {
      std::vector<float> pieces;
      for (std::size_t r = 0; r < rows; r += height) {
        const std::size_t end = std::min(r + height, rows);
        const std::vector<float> part =
            product(cpu::quant_ops(), w.matrix,
                    {x.begin() + static_cast<std::ptrdiff_t>(r * k), x.begin() + static_cast<std::ptrdiff_t>(end * k)},
                    height % 2 == 0 ? one : three);
        pieces.insert(pieces.end(), part.begin(), part.end());
      }
      CHECK_MESSAGE(same(whole, pieces), "height " << height);
    }
    // In a group with another type, and with a weight that is not quantised.
    const QuantWeights other(type == DType::kQ8 ? DType::kQ4A : DType::kQ8, 20, k, random_floats(20 * k, 8));
    const Weights plain(DType::kF32, 30, k, 9);
    std::vector<float> a(rows * n), b(rows * 20), c(rows * 30), d(rows * n);
    const MatmulTarget quantized[] = {{other.matrix, b.data()}, {w.matrix, a.data()}};
    matmul(quantized, x.data(), rows, three);
    CHECK(same(whole, a));
    const MatmulTarget mixed[] = {{plain.matrix, c.data()}, {w.matrix, d.data()}};
    matmul(mixed, x.data(), rows, three);
    CHECK(same(whole, d));
  }
}

TEST_CASE("quantised products: a value that is not finite shows in its row and nowhere else") {
  sgl::base::ThreadPool one(1);
  for (const cpu::QuantIsa isa : cpu::kQuantIsas) {
    const cpu::QuantOps* ops = cpu::quant_ops_for(isa);
    if (ops == nullptr) continue;
    const QuantWeights w(DType::kQ8, 20, 64, random_floats(20 * 64, 5));
    std::vector<float> x = random_floats(20 * 64, 6);
    for (std::size_t j = 0; j < 64; ++j) x[10 * 64 + j] = 1e-35F;
    const std::vector<float> before = product(*ops, w.matrix, x, one);
    x[3 * 64 + 7] = std::numeric_limits<float>::quiet_NaN();
    x[5 * 64 + 40] = -std::numeric_limits<float>::infinity();
    const std::vector<float> after = product(*ops, w.matrix, x, one);
    std::size_t wrong = 0;
    for (std::size_t r = 0; r < 20; ++r) {
      for (std::size_t c = 0; c < 20; ++c) {
        const float v = after[r * 20 + c];
        wrong += r == 3 || r == 5 ? !std::isnan(v) : v != before[r * 20 + c] || (r == 10 && v != 0.0F);
      }
    }
    CHECK_MESSAGE(wrong == 0, cpu::isa_name(isa));
  }
}
