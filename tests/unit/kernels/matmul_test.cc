#include "kernels/matmul.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/cpu/buffer.h"
#include "kernels/cpu/reference/reference.h"
#include "kernels/embedding.h"
#include "tests/unit/kernels/support.h"

using namespace sgl::kernels;
using namespace sgl::kernels::test;

namespace {
constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kBF16};

// The path for many rows, on one thread.
void matmul_packed(const cpu::Ops& ops, const Matrix& w, const float* x, std::size_t rows, float* y, std::size_t begin,
                   std::size_t end) {
  const std::size_t stride = (w.k + ops.width - 1) / ops.width * ops.width;
  cpu::Buffer packed, weights;
  auto* const to = reinterpret_cast<float*>(packed.grow(rows * stride * sizeof(float)));
  for (std::size_t r = 0; r < rows; r += ops.tile_rows) {
    ops.pack_rows(x + r * w.k, std::min(ops.tile_rows, rows - r), w.k, to + r * stride);
  }
  auto* const copies = reinterpret_cast<float*>(weights.grow(ops.packed_weights(w.k) * sizeof(float)));
  ops.matmul_packed(w, to, rows, y, w.n, begin, end, copies);
}
}  // namespace

TEST_CASE("matmul: every instruction set agrees with the reference over odd shapes") {
  for (const cpu::Isa isa : available_isas()) {
    CAPTURE(cpu::isa_name(isa));
    for (const DType type : kTypes) {
      for (const std::size_t k : {1, 3, 15, 16, 17, 64, 100, 172, 400, 801}) {
        for (const std::size_t n : {1, 2, 3, 7, 8, 9, 31}) {
          const Weights w(type, n, k, static_cast<std::uint32_t>(k * 100 + n));
          for (const std::size_t rows : {1, 2, 3, 5, 6, 7, 13, 16, 19, 100}) {
            if (k > 200 && rows < 13) continue;
            const std::vector<float> x = random_floats(rows * k, 7);
            std::vector<float> expected(rows * n), got(rows * n, 99.0F);
            reference::matmul(w.matrix, x.data(), rows, expected.data());
            cpu::ops_for(isa)->matmul(w.matrix, x.data(), rows, got.data(), n, 0, n);
            bool good = true;
            for (std::size_t i = 0; i < got.size(); ++i) good &= close(got[i], expected[i], static_cast<float>(k));
            std::vector<float> packed(rows * n, 99.0F);
            matmul_packed(*cpu::ops_for(isa), w.matrix, x.data(), rows, packed.data(), 0, n);
            good &= std::memcmp(packed.data(), got.data(), got.size() * sizeof(float)) == 0;
            CHECK_MESSAGE(good, "k=" << k << " n=" << n << " rows=" << rows);
          }
        }
      }
    }
  }
}

TEST_CASE("matmul: a row's bits do not depend on the batch, the column range or the group") {
  const RestoreReadAhead restore;
  sgl::base::ThreadPool one(1), four(4);
  for (const cpu::Isa isa : available_isas()) {
    const cpu::Ops& ops = *cpu::ops_for(isa);
    for (const DType type : kTypes) {
      // Odd, in two and in three parts of k, and more columns than are packed at a time.
      for (const auto [k, n, rows] : {std::array<std::size_t, 3>{1103, 45, 205}, {2311, 203, 19}, {1024, 16, 6}}) {
        const Weights w(type, n, k, 5);
        const std::vector<float> x = random_floats(rows * k, 6);
        std::vector<float> whole(rows * n), single(rows * n), pieces(rows * n), packed(rows * n), parts(rows * n);
        ops.matmul(w.matrix, x.data(), rows, whole.data(), n, 0, n);
        matmul_packed(ops, w.matrix, x.data(), rows, packed.data(), 0, n);
        for (const cpu::ReadAhead ahead : cpu::kReadAheads) {
          cpu::set_read_ahead(ahead);
          std::fill(single.begin(), single.end(), 99.0F);
          for (std::size_t r = 0; r < rows; ++r) ops.matmul(w.matrix, &x[r * k], 1, &single[r * n], n, 0, n);
          CHECK(std::memcmp(whole.data(), single.data(), whole.size() * sizeof(float)) == 0);
        }
        for (std::size_t r = 0; r < rows;) {
          const std::size_t height = std::min<std::size_t>(1 + r % 23, rows - r);
          for (std::size_t c = 0; c < n; c += 11) {
            ops.matmul(w.matrix, &x[r * k], height, &pieces[r * n], n, c, std::min(n, c + 11));
            matmul_packed(ops, w.matrix, &x[r * k], height, &parts[r * n], c, std::min(n, c + 11));
          }
          r += height;
        }
        for (const auto* other : {&pieces, &packed, &parts}) {
          CHECK(std::memcmp(whole.data(), other->data(), whole.size() * sizeof(float)) == 0);
        }
      }
    }
  }
  // The public entry: 1 or 4 threads, alone or in a group.
  const Weights a(DType::kF32, 300, 128, 1), b(DType::kF32, 77, 128, 2);
  constexpr std::size_t kRows = 21;
  const std::vector<float> x = random_floats(kRows * 128, 3);
  std::vector<float> ya(kRows * 300), yb(kRows * 77), za(kRows * 300), zb(kRows * 77);
  const MatmulTarget group[] = {{a.matrix, ya.data()}, {b.matrix, yb.data()}};
  matmul(group, x.data(), kRows, four);
  for (std::size_t r = 0; r < kRows; ++r) {
    const MatmulTarget first[] = {{a.matrix, &za[r * 300]}}, second[] = {{b.matrix, &zb[r * 77]}};
    matmul(first, &x[r * 128], 1, one);
    matmul(second, &x[r * 128], 1, one);
  }
  CHECK(std::memcmp(ya.data(), za.data(), ya.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(yb.data(), zb.data(), yb.size() * sizeof(float)) == 0);
}

TEST_CASE("embedding and widening are exact, all 65536 halves included") {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  for (const cpu::Isa isa : available_isas()) {
    for (const DType type : {DType::kF16, DType::kBF16}) {
      std::vector<float> got(all.size() - 3);
      cpu::ops_for(isa)->to_f32(all.data(), type, got.size(), got.data());
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < got.size(); ++i) {
        const float want = reference::element(all.data(), type, i);
        if (std::isnan(want) ? !std::isnan(got[i])
                             : std::bit_cast<std::uint32_t>(want) != std::bit_cast<std::uint32_t>(got[i]))
          ++wrong;
      }
      CHECK(wrong == 0);
    }
  }
  const Weights table(DType::kBF16, 10, 37, 3);
  const std::vector<std::int32_t> ids{9, 0, 3, 3};
  std::vector<float> a(ids.size() * 37), b(ids.size() * 37);
  embedding(table.matrix, ids, a.data());
  reference::embedding(table.matrix, ids, b.data());
  CHECK(a == b);
}
