#include "kernels/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "kernels/cpu/buffer.h"
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
  std::vector<std::int8_t> k8, v8;
  std::vector<float> k_scale, v_scale;
  std::vector<std::uint32_t> slots;
  std::size_t head_stride = 1;
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
    for (std::uint32_t& slot : slots) slot *= static_cast<std::uint32_t>(kv_heads);
  }
  // Makes the cache of a type, and F32 keys and values those that it holds (for 8 bits to F32's precision).
  void round_to(DType type) {
    if (type == DType::kF16) round_to_f16(k, k16), round_to_f16(v, v16);
    if (type == DType::kQ8) round_to_q8(k, k8, k_scale), round_to_q8(v, v8, v_scale);
  }
  KvView view(DType type) const {
    if (type == DType::kF16) return {k16.data(), v16.data(), type, head_stride};
    if (type == DType::kQ8) return {k8.data(), v8.data(), type, head_stride, k_scale.data(), v_scale.data()};
    return {k.data(), v.data(), DType::kF32, head_stride};
  }
  // The same positions in the order of their slots, a head's vectors beside each other.
  Case by_head() const {
    Case out = *this;
    out.head_stride = length;
    for (std::size_t p = 0; p < length; ++p) {
      out.slots[p] = static_cast<std::uint32_t>(p);
      const auto move = [&](const auto& from, auto& to, std::size_t dim) {
        for (std::size_t h = 0; h < shape.kv_heads && !from.empty(); ++h) {
          std::copy_n(&from[(slots[p] + h) * dim], dim, &to[(p + h * length) * dim]);
        }
      };
      const std::size_t dim = shape.head_dim;
      move(k, out.k, dim), move(v, out.v, dim);
      move(k16, out.k16, dim), move(v16, out.v16, dim);
      move(k8, out.k8, dim), move(v8, out.v8, dim);
      move(k_scale, out.k_scale, 1), move(v_scale, out.v_scale, 1);
    }
    return out;
  }
  std::vector<AttentionRow> rows() const {
    std::vector<AttentionRow> out;
    for (std::size_t p = 0; p < length; ++p) out.push_back({slots.data(), p});
    return out;
  }

 private:
  static void round_to_f16(std::vector<float>& x, std::vector<std::uint16_t>& out) {
    out.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = from_f16(out[i] = to_f16(x[i]));
  }
  void round_to_q8(std::vector<float>& x, std::vector<std::int8_t>& out, std::vector<float>& scale) const {
    const std::size_t dim = shape.head_dim;
    out.resize(x.size()), scale.resize(x.size() / dim);
    quantize_heads(x.data(), scale.size(), dim, out.data(), scale.data());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(out[i]) * scale[i / dim];
  }
};

constexpr DType kCacheTypes[] = {DType::kF32, DType::kF16, DType::kQ8};

}  // namespace

TEST_CASE(
    "attention agrees with the reference: groups, head sizes, windows, lengths around the block, types of the cache") {
  for (const cpu::Isa isa : available_isas()) {
    CAPTURE(cpu::isa_name(isa));
    const cpu::Ops& ops = *cpu::ops_for(isa);
    cpu::Buffer buffer;
    auto* const room = reinterpret_cast<float*>(buffer.grow(ops.attention_room(264) * sizeof(float)));
    for (const auto& [heads, kv] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {4, 2}, {7, 1}, {8, 2}, {3, 3}, {70, 1}}) {
      for (const std::size_t dim : {2, 8, 20, 64, 128, 264}) {
        for (const std::size_t window : {0, 1, 5, 33}) {
          if (heads == 70 && dim != 20) continue;
          Case c(heads, kv, dim, window, dim == 128 ? 100 : dim == 64 ? 150 : 67);
          const DType type = kCacheTypes[(heads + dim / 2 + window) % 3];
          c.round_to(type);
          const std::vector<AttentionRow> rows = c.rows();
          std::vector<float> want(c.q.size()), got(c.q.size()), runs(c.q.size()), whole(c.q.size());
          reference::attention(c.shape, rows, c.q.data(), c.k.data(), c.v.data(), want.data());
          const std::size_t width = heads * dim;
          for (std::size_t h = 0; h < kv; ++h) {
            for (std::size_t r = 0; r < rows.size(); ++r) {
              ops.attention(c.shape, &rows[r], 1, h, h + 1, &c.q[r * width], c.view(type), &got[r * width], room);
            }
            if (h == 0) {
              for (std::size_t r = 0; r < rows.size(); ++r) {
                ops.attention(c.shape, &rows[r], 1, 0, kv, &c.q[r * width], c.view(type), &whole[r * width], room);
              }
            }
            for (std::size_t r = 0; r < rows.size();) {
              const std::size_t count = std::min<std::size_t>(1 + r * 7 % kAttentionRows, rows.size() - r);
              ops.attention(c.shape, &rows[r], count, h, h + 1, &c.q[r * width], c.view(type), &runs[r * width], room);
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
  for (const DType type : kCacheTypes) {
    Case a(8, 2, 64, 0, 100);
    a.round_to(type);
    const std::vector<AttentionRow> rows = a.rows();
    std::vector<float> together(a.q.size()), single(a.q.size()), moved(a.q.size());
    attention(a.shape, rows, a.q.data(), a.view(type), together.data(), four);
    const std::size_t width = 8 * 64;
    const RestoreReadAhead restore;
    for (const cpu::ReadAhead ahead : cpu::kReadAheads) {
      cpu::set_read_ahead(ahead);
      std::fill(single.begin(), single.end(), 99.0F);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        attention(a.shape, {&rows[r], 1}, &a.q[r * width], a.view(type), &single[r * width], one);
      }
      CHECK(std::memcmp(together.data(), single.data(), single.size() * sizeof(float)) == 0);
    }
    const Case b = a.by_head();
    attention(b.shape, b.rows(), a.q.data(), b.view(type), moved.data(), one);
    CHECK(std::memcmp(together.data(), moved.data(), moved.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("attention: rows of sequences that share a prefix have the bits they have alone") {
  sgl::base::ThreadPool one(1), four(4);
  // Query heads per KV head, head sizes and lengths that are no multiples; what follows the common part differs.
  for (const auto& [heads, dim] : {std::pair{8, 64}, {6, 40}, {2, 33}, {10, 16}}) {
    for (const DType type : kCacheTypes) {
      for (const std::size_t window : {0, 150, 400}) {
        Case a(static_cast<std::size_t>(heads), 2, static_cast<std::size_t>(dim), window, 400);
        a.round_to(type);
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
          attention(a.shape, rows, a.q.data(), a.view(type), together.data(), *pool);
          for (std::size_t r = 0; r < rows.size(); ++r) {
            attention(a.shape, {&rows[r], 1}, &a.q[r * width], a.view(type), &single[r * width], one);
          }
          CHECK(std::memcmp(together.data(), single.data(), single.size() * sizeof(float)) == 0);
        }
      }
    }
  }
}

TEST_CASE("attention: forks that go on with several tokens at once have the bits that each row has alone") {
  sgl::base::ThreadPool one(1), four(4);
  // Tokens of each fork behind a prefix that ends within a block, some of them too many to be read for together.
  constexpr std::size_t kTokens[] = {1, 3, 16, 1, 32, 33, 2, 40, 5, 16}, kShared = 300, kRoom = 40;
  for (const auto& [heads, dim] : {std::pair{8, 64}, {6, 40}, {2, 264}}) {
    for (const DType type : kCacheTypes) {
      for (const std::size_t window : {0, 310, 1000}) {
        Case c(static_cast<std::size_t>(heads), 2, static_cast<std::size_t>(dim), window,
               kShared + std::size(kTokens) * kRoom);
        c.round_to(type);
        std::vector<std::vector<std::uint32_t>> slots;
        std::vector<AttentionRow> rows;
        for (std::size_t f = 0; f < std::size(kTokens); ++f) {
          const auto own = c.slots.begin() + static_cast<std::ptrdiff_t>(kShared + f * kRoom);
          slots.emplace_back(c.slots.begin(), c.slots.begin() + kShared);
          slots.back().insert(slots.back().end(), own, own + kRoom);
        }
        for (std::size_t f = 0; f < std::size(kTokens); ++f) {
          for (std::size_t t = 0; t < kTokens[f]; ++t) rows.push_back({slots[f].data(), kShared + t});
        }
        const std::size_t width = c.shape.heads * c.shape.head_dim;
        std::vector<float> together(rows.size() * width), single(rows.size() * width);
        for (std::size_t r = 0; r < rows.size(); ++r) {
          attention(c.shape, {&rows[r], 1}, &c.q[r * width], c.view(type), &single[r * width], one);
        }
        for (sgl::base::ThreadPool* pool : {&one, &four}) {
          attention(c.shape, rows, c.q.data(), c.view(type), together.data(), *pool);
          CHECK_MESSAGE(std::memcmp(together.data(), single.data(), single.size() * sizeof(float)) == 0,
                        "dim " << dim << " window " << window << " type " << static_cast<int>(type));
        }
      }
    }
  }
}

TEST_CASE("attention: forks of a long prefix have the bits they have alone when several threads work on them") {
  sgl::base::ThreadPool one(1), four(4);
  constexpr std::size_t kForks = 24, kShared = 640, kOwn = 40;
  Case c(16, 8, 64, 0, kShared + kForks * kOwn);
  c.round_to(DType::kF16);
  std::vector<std::vector<std::uint32_t>> slots;
  std::vector<AttentionRow> rows;
  for (std::size_t f = 0; f < kForks; ++f) {
    const auto own = c.slots.begin() + static_cast<std::ptrdiff_t>(kShared + f * kOwn);
    slots.emplace_back(c.slots.begin(), c.slots.begin() + kShared);
    slots.back().insert(slots.back().end(), own, own + kOwn);
  }
  for (std::size_t f = 0; f < kForks; ++f) rows.push_back({slots[f].data(), kShared + f});
  const std::size_t width = 16 * 64;
  std::vector<float> together(kForks * width), single(kForks * width);
  for (std::size_t r = 0; r < kForks; ++r) {
    attention(c.shape, {&rows[r], 1}, &c.q[r * width], c.view(DType::kF16), &single[r * width], one);
  }
  for (int i = 0; i < 20; ++i) {
    attention(c.shape, rows, c.q.data(), c.view(DType::kF16), together.data(), four);
    CHECK(std::memcmp(together.data(), single.data(), single.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("attention: a damaged value of the cache shows in the rows that see it, and in no other") {
  sgl::base::ThreadPool one(1);
  Case c(4, 2, 64, 0, 100);
  c.round_to(DType::kQ8);
  constexpr std::size_t kDamaged = 45;
  for (std::size_t h = 0; h < 2; ++h) c.v_scale[c.slots[kDamaged] + h] = std::nanf("");
  std::vector<float> out(c.q.size());
  attention(c.shape, c.rows(), c.q.data(), c.view(DType::kQ8), out.data(), one);
  for (std::size_t r = 0; r < c.length; ++r) {
    const auto row = std::span(out).subspan(r * 256, 256);
    const auto wrong = std::count_if(row.begin(), row.end(), [](float v) { return !std::isfinite(v); });
    CHECK_MESSAGE(wrong == (r < kDamaged ? 0 : 256), "row " << r);
  }
}

TEST_CASE("vectors of heads in 8 bits are near, and the same in every instruction set") {
  constexpr std::size_t kHeads = 9, kDim = 37;
  std::vector<float> x = random_floats(kHeads * kDim, 9, 3.0F);
  for (std::size_t i = 0; i < kDim; ++i) x[i] = 0.0F;                                       // nothing
  for (std::size_t i = kDim; i < 2 * kDim; ++i) x[i] *= 1e-31F;                             // as good as nothing
  x[2 * kDim + 5] = std::nanf(""), x[3 * kDim + 36] = -INFINITY;                            // damage
  for (std::size_t i = 0; i < kDim; ++i) x[4 * kDim + i] = -63.5F + static_cast<float>(i);  // ties, scale 0.5
  std::vector<std::int8_t> first;
  for (const cpu::Isa isa : available_isas()) {
    std::vector<std::int8_t> q(x.size());
    std::vector<float> scale(kHeads);
    cpu::ops_for(isa)->quantize_heads(x.data(), kHeads, kDim, q.data(), scale.data());
    if (first.empty()) first = q;
    CHECK(q == first);
    CHECK(scale[0] == 0.0F);
    CHECK(scale[1] == 0.0F);
    CHECK(std::isnan(scale[2]));
    CHECK(std::isnan(scale[3]));
    CHECK(scale[4] == 0.5F);
    for (std::size_t i = 4 * kDim; i < x.size(); ++i) {
      const float s = scale[i / kDim];
      CHECK(std::fabs(static_cast<float>(q[i]) * s - x[i]) <= 0.5001F * s);
    }
    CHECK(q[4 * kDim] == -127);
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
