#include "kernels/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/cpu/reference/reference.h"
#include "tests/unit/kernels/support.h"

using namespace sgl::kernels;
using namespace sgl::kernels::test;

namespace {

struct Case {
  AttentionShape shape;
  std::size_t length;
  std::vector<float> q, k, v;
  std::vector<std::uint32_t> slots;
  Case(std::size_t heads, std::size_t kv_heads, std::size_t dim, std::size_t window, std::size_t tokens)
      : shape{heads, kv_heads, dim, window, 0.3F},
        length(tokens),
        q(random_floats(tokens * heads * dim, 1, 2.0F)),
        k(random_floats(2 * tokens * kv_heads * dim, 2, 2.0F)),
        v(random_floats(2 * tokens * kv_heads * dim, 3)),
        slots(2 * tokens) {
    std::iota(slots.begin(), slots.end(), 0U);
    std::shuffle(slots.begin(), slots.end(), std::mt19937(4));
    slots.resize(tokens);
  }
  std::vector<AttentionRow> rows() const {
    std::vector<AttentionRow> out;
    for (std::size_t p = 0; p < length; ++p) out.push_back({slots.data(), p});
    return out;
  }
};

}  // namespace

TEST_CASE("attention agrees with the reference: groups, head sizes, windows, lengths around the block") {
  for (const cpu::Isa isa : available_isas()) {
    CAPTURE(cpu::isa_name(isa));
    for (const auto& [heads, kv] : {std::pair<std::size_t, std::size_t>{1, 1}, {4, 2}, {7, 1}, {8, 2}, {3, 3}}) {
      for (const std::size_t dim : {2, 8, 20, 64}) {
        for (const std::size_t window : {0, 1, 5, 33}) {
          const Case c(heads, kv, dim, window, 67);
          const std::vector<AttentionRow> rows = c.rows();
          std::vector<float> want(c.q.size()), got(c.q.size());
          reference::attention(c.shape, rows, c.q.data(), c.k.data(), c.v.data(), want.data());
          for (std::size_t r = 0; r < rows.size(); ++r) {
            for (std::size_t h = 0; h < kv; ++h) {
              cpu::ops_for(isa)->attention(c.shape, rows[r], h, &c.q[r * heads * dim], c.k.data(), c.v.data(),
                                           &got[r * heads * dim]);
            }
          }
          bool good = true;
          for (std::size_t i = 0; i < got.size(); ++i) good &= close(got[i], want[i], 1.0F, 1e-5F);
          CHECK_MESSAGE(good, heads << "/" << kv << " dim " << dim << " window " << window);
        }
      }
    }
  }
}

TEST_CASE("attention: a row's bits do not depend on slots, batch or threads") {
  sgl::base::ThreadPool one(1), four(4);
  const Case a(8, 2, 64, 0, 100);
  const std::vector<AttentionRow> rows = a.rows();
  std::vector<float> together(a.q.size()), single(a.q.size()), moved(a.q.size());
  attention(a.shape, rows, a.q.data(), a.k.data(), a.v.data(), together.data(), four);
  const std::size_t width = 8 * 64, kv_width = 2 * 64;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    attention(a.shape, {&rows[r], 1}, &a.q[r * width], a.k.data(), a.v.data(), &single[r * width], one);
  }
  std::vector<float> k(100 * kv_width), v(100 * kv_width);
  std::vector<std::uint32_t> straight(100);
  for (std::uint32_t p = 0; p < 100; ++p) {
    straight[p] = p;
    std::copy_n(&a.k[a.slots[p] * kv_width], kv_width, &k[p * kv_width]);
    std::copy_n(&a.v[a.slots[p] * kv_width], kv_width, &v[p * kv_width]);
  }
  std::vector<AttentionRow> moved_rows;
  for (std::size_t p = 0; p < 100; ++p) moved_rows.push_back({straight.data(), p});
  attention(a.shape, moved_rows, a.q.data(), k.data(), v.data(), moved.data(), one);
  CHECK(std::memcmp(together.data(), single.data(), single.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(together.data(), moved.data(), moved.size() * sizeof(float)) == 0);
}
