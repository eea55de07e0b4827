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

// Layout: [page][layer][K, V][token of the page][kv_heads · head_dim], F32, F16 or 8-bit integers; these have their
// scales behind all of them, [page][layer][K, V][token of the page][kv_heads] F32. What a page holds lies together, so
// that the system gives it in one piece when it is first written (it takes memory only then: an unused pool costs
// address space); in as many pieces as there are layers it cost a fork's steps a tenth of their time.
//
// Slot: the token's row in all of this, counted from its layer's K or V in the first page: page · stride() + token.
// Slots hold nothing defined before they are written.
struct KvStore {
  std::size_t pages = 0;
  std::size_t page_size = 0;  // tokens
  std::size_t heads = 0;      // of keys and values
  std::size_t width = 0;      // heads · head_dim
  std::size_t layers = 0;
  KvFormat format = KvFormat::kF32;
  Scratch scratch;

  // K or V of one token in one layer, without scales.
  std::size_t row_bytes() const { return width * (format == KvFormat::kF32 ? 4 : format == KvFormat::kF16 ? 2 : 1); }
  // Rows of a page.
  std::size_t stride() const { return 2 * layers * page_size; }
  bool has(std::size_t slot) const { return slot / stride() < pages && slot % stride() < page_size; }
  std::byte* k(std::size_t layer) { return data.get() + 2 * layer * page_size * row_bytes(); }
  std::byte* v(std::size_t layer) { return data.get() + (2 * layer + 1) * page_size * row_bytes(); }
  // The scales of a slot in a layer; nullptr where the format has none.
  float* k_scale(std::size_t layer, std::size_t slot) { return scale(2 * layer, slot); }
  float* v_scale(std::size_t layer, std::size_t slot) { return scale(2 * layer + 1, slot); }

  // Copies `count` token slots in every layer (a partially shared page): each range inside a page, not overlapping.
  void copy_slots(std::size_t from, std::size_t to, std::size_t count) {
    for (std::size_t l = 0; l < layers; ++l) {
      std::memcpy(k(l) + to * row_bytes(), k(l) + from * row_bytes(), count * row_bytes());
      std::memcpy(v(l) + to * row_bytes(), v(l) + from * row_bytes(), count * row_bytes());
      if (format != KvFormat::kQ8) continue;
      std::memcpy(k_scale(l, to), k_scale(l, from), count * heads * sizeof(float));
      std::memcpy(v_scale(l, to), v_scale(l, from), count * heads * sizeof(float));
    }
  }

  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data;

 private:
  float* scale(std::size_t part, std::size_t slot) {
    if (format != KvFormat::kQ8) return nullptr;
    // Behind the integers, at a multiple of four.
    const std::size_t begin = (pages * stride() * row_bytes() + 3) / 4 * 4;
    return reinterpret_cast<float*>(data.get() + begin) + (part * page_size + slot) * heads;
  }
};

}  // namespace sgl::model
