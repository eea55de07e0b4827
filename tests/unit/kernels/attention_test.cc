#include "kernels/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "kernels/cpu/reference/reference.h"
#include "tests/unit/kernels/support.h"

using namespace sgl::kernels;
using namespace sgl::kernels::test;

namespace {

struct Case {
  AttentionShape shape;
  std::size_t length;
  std::vector<float> q, k, v;
  std::vector<std::uint16_t> k16, v16;
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
  // Makes keys and values exact in F16, so that both types of the cache hold the same.
  void round_to_f16() {
    for (auto [from, to] : {std::pair{&k, &k16}, {&v, &v16}}) {
      to->resize(from->size());
      for (std::size_t i = 0; i < from->size(); ++i) {
        (*to)[i] = to_f16((*from)[i]);
        (*from)[i] = from_f16((*to)[i]);
      }
    }
  }
  KvView view(bool f16) const {
    return f16 ? KvView{k16.data(), v16.data(), DType::kF16} : KvView{k.data(), v.data(), DType::kF32};
  }
  std::vector<AttentionRow> rows() const {
    std::vector<AttentionRow> out;
    for (std::size_t p = 0; p < length; ++p) out.push_back({slots.data(), p});
    return out;
  }
};

}  // namespace

TEST_CASE("attention agrees with the reference: groups, head sizes, windows, lengths around the block, F16") {
  for (const cpu::Isa isa : available_isas()) {
    CAPTURE(cpu::isa_name(isa));
    const cpu::Ops& ops = *cpu::ops_for(isa);
    for (const auto& [heads, kv] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {4, 2}, {7, 1}, {8, 2}, {3, 3}, {70, 1}}) {
      for (const std::size_t dim : {2, 8, 20, 64, 128, 264}) {
        for (const std::size_t window : {0, 1, 5, 33}) {
          if (heads == 70 && dim != 20) continue;
          Case c(heads, kv, dim, window, dim == 128 ? 100 : 67);
          const bool f16 = (heads + dim + window) % 2 == 0;
          if (f16) c.round_to_f16();
          const std::vector<AttentionRow> rows = c.rows();
          std::vector<float> want(c.q.size()), got(c.q.size()), runs(c.q.size()), whole(c.q.size());
          reference::attention(c.shape, rows, c.q.data(), c.k.data(), c.v.data(), want.data());
          const std::size_t width = heads * dim;
          for (std::size_t h = 0; h < kv; ++h) {
            for (std::size_t r = 0; r < rows.size(); ++r) {
              ops.attention(c.shape, &rows[r], 1, h, h + 1, &c.q[r * width], c.view(f16), &got[r * width]);
            }
            if (h == 0) {
              for (std::size_t r = 0; r < rows.size(); ++r) {
                ops.attention(c.shape, &rows[r], 1, 0, kv, &c.q[r * width], c.view(f16), &whole[r * width]);
              }
            }
            for (std::size_t r = 0; r < rows.size();) {
              const std::size_t count = std::min<std::size_t>(1 + r * 7 % kAttentionRows, rows.size() - r);
              ops.attention(c.shape, &rows[r], count, h, h + 1, &c.q[r * width], c.view(f16), &runs[r * width]);
              r += count;
            }
          }
          bool good = true;
          for (std::size_t i = 0; i < got.size(); ++i) good &= close(got[i], want[i], 1.0F, 1e-5F);
          CHECK_MESSAGE(good, heads << "/" << kv << " dim " << dim << " window " << window);
          CHECK(got == whole);
          CHECK_MESSAGE(std::memcmp(got.data(), runs.data(), got.size() * sizeof(float)) == 0,
                        "runs of rows: " << heads << "/" << kv << " dim " << dim << " window " << window);
        }
      }
    }
  }
}

TEST_CASE("attention: a row's bits do not depend on slots, batch or threads") {
  sgl::base::ThreadPool one(1), four(4);
  for (const bool f16 : {false, true}) {
    Case a(8, 2, 64, 0, 100);
    a.round_to_f16();
    const std::vector<AttentionRow> rows = a.rows();
    std::vector<float> together(a.q.size()), single(a.q.size()), moved(a.q.size());
    attention(a.shape, rows, a.q.data(), a.view(f16), together.data(), four);
    const std::size_t width = 8 * 64, kv_width = 2 * 64;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      attention(a.shape, {&rows[r], 1}, &a.q[r * width], a.view(f16), &single[r * width], one);
    }
    Case b = a;
    for (std::uint32_t p = 0; p < 100; ++p) {
      b.slots[p] = p;
      std::copy_n(&a.k[a.slots[p] * kv_width], kv_width, &b.k[p * kv_width]);
      std::copy_n(&a.v[a.slots[p] * kv_width], kv_width, &b.v[p * kv_width]);
    }
    b.round_to_f16();
    attention(b.shape, b.rows(), a.q.data(), b.view(f16), moved.data(), one);
    CHECK(std::memcmp(together.data(), single.data(), single.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(together.data(), moved.data(), moved.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("attention: rows of sequences that share a prefix have the bits they have alone") {
  sgl::base::ThreadPool one(1), four(4);
  // Query heads per KV head, head sizes and lengths that are no multiples; what follows the common part differs.
  for (const auto& [heads, dim] : {std::pair{8, 64}, {6, 40}, {2, 33}, {10, 16}}) {
    for (const bool f16 : {false, true}) {
      for (const std::size_t window : {0, 150, 400}) {
        Case a(static_cast<std::size_t>(heads), 2, static_cast<std::size_t>(dim), window, 400);
        a.round_to_f16();
        std::vector<std::vector<std::uint32_t>> slots;
        std::vector<AttentionRow> rows;
        const std::size_t common[] = {400, 300, 290, 257, 300, 130, 0, 200, 300},
                          positions[] = {299, 310, 289, 399, 256, 129, 310, 388, 301};
        for (std::size_t s = 0; s < std::size(common); ++s) {
          slots.push_back(a.slots);
          std::rotate(slots.back().begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(common[s], 400)),
                      slots.back().end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(s, 400 - common[s])),
                      slots.back().end());
        }
        for (std::size_t s = 0; s < std::size(common); ++s) rows.push_back({slots[s].data(), positions[s]});
        const std::size_t width = a.shape.heads * a.shape.head_dim;
        std::vector<float> together(rows.size() * width), single(rows.size() * width);
        for (sgl::base::ThreadPool* pool : {&one, &four}) {
          attention(a.shape, rows, a.q.data(), a.view(f16), together.data(), *pool);
          for (std::size_t r = 0; r < rows.size(); ++r) {
            attention(a.shape, {&rows[r], 1}, &a.q[r * width], a.view(f16), &single[r * width], one);
          }
          CHECK(std::memcmp(together.data(), single.data(), single.size() * sizeof(float)) == 0);
        }
      }
    }
  }
}

TEST_CASE("to_f16 is the nearest value in every instruction set") {
  std::vector<float> x = random_floats(1003, 8, 70000.0F);
  for (std::size_t i = 0; i < 500; ++i) x[i] *= 1e-9F;
  for (const cpu::Isa isa : available_isas()) {
    std::vector<std::uint16_t> got(x.size());
    cpu::ops_for(isa)->to_f16(x.data(), x.size(), got.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) wrong += got[i] != to_f16(x[i]) ? 1 : 0;
    CHECK(wrong == 0);
  }
}
