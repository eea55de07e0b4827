// KV storage of one engine, and the buffers that a step computes in.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "runtime/base/large_pages.h"
#include "runtime/model/formats.h"

namespace sgl::model {

// Cache lines: a vector load that straddles two costs twice (a fifth of the speed of a many-row product).
constexpr std::size_t kAlignment = 64;

// In large pages from half of one on: the neighbouring rows of a tile lie in pages of their own, and their addresses
// would be translated again and again (an eighth of the speed of a quantised product of a long prompt).
using Floats = std::vector<float, base::LargePages<float, base::kLargePage / 2>>;

// Activations of one step, kept between steps so that decoding allocates nothing. Rows grow to the largest step.
struct Scratch {
  Floats hidden, normed, q, k, v, attended, gate, up, cos, sin;
};

// Layout: vectors [page][layer][kv_head][K, V][token of the page], each of head_dim F32, F16 or 8-bit integers; these
// have their scales behind all of them, one F32 a vector in the same order. What a page holds lies together, so that
// the system gives it in one piece when it is first written (it takes memory only then: an unused pool costs address
// space); in as many pieces as there are layers it cost a fork's steps a tenth of their time. What a head has in a page
// lies together, keys and then values, and heads lie beside each other: a thread, which takes some of the heads, reads
// one run of tens of kilobytes in order, which the hardware foresees best (bench/RESULTS.md, "On an AMD Zen 4").
//
// Slot: the vector of a token's first head, counted from its layer's K or V in the first page: page · stride() + token.
// Slots hold nothing defined before they are written.
struct KvStore {
  std::size_t pages = 0;
  std::size_t page_size = 0;  // tokens
  std::size_t heads = 0;      // of keys and values
  std::size_t head_dim = 0;
  std::size_t layers = 0;
  KvFormat format = KvFormat::kF32;
  Scratch scratch;

  std::size_t element_bytes() const { return format == KvFormat::kF32 ? 4 : format == KvFormat::kF16 ? 2 : 1; }
  std::size_t vector_bytes() const { return head_dim * element_bytes(); }
  // Vectors of a page.
  std::size_t stride() const { return 2 * layers * heads * page_size; }
  bool has(std::size_t slot) const { return slot / stride() < pages && slot % stride() < page_size; }
  // Vectors from a KV head to the next.
  std::size_t head_stride() const { return 2 * page_size; }
  // K (part 0) or V (1) of a layer in the first page.
  std::byte* vectors(std::size_t layer, std::size_t part) { return data.get() + first(layer, part) * vector_bytes(); }
  // Their scales; nullptr where the format has none.
  float* scales(std::size_t layer, std::size_t part) {
    if (format != KvFormat::kQ8) return nullptr;
    // Behind the integers, at a multiple of four.
    const std::size_t begin = (pages * stride() * vector_bytes() + 3) / 4 * 4;
    return reinterpret_cast<float*>(data.get() + begin) + first(layer, part);
  }

  // Copies `count` token slots in every layer (a partially shared page): each range inside a page, not overlapping.
  void copy_slots(std::size_t from, std::size_t to, std::size_t count) {
    const std::size_t bytes = vector_bytes();
    for (std::size_t part = 0; part < 2 * layers; ++part) {
      std::byte* const all = vectors(part / 2, part % 2);
      float* const factors = scales(part / 2, part % 2);
      for (std::size_t h = 0; h < heads; ++h) {
        const std::size_t source = from + h * head_stride(), target = to + h * head_stride();
        std::memcpy(all + target * bytes, all + source * bytes, count * bytes);
        if (factors != nullptr) std::memcpy(factors + target, factors + source, count * sizeof(float));
      }
    }
  }

  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data;

 private:
  std::size_t first(std::size_t layer, std::size_t part) const { return (2 * layer * heads + part) * page_size; }
};

}  // namespace sgl::model
