// KV storage of one engine, and the buffers that a step computes in.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace sgl::model {

// Activations of one step, kept between steps so that decoding allocates nothing. Rows grow to the largest step.
struct Scratch {
  std::vector<float> hidden, normed, q, k, v, attended, gate, up, cos, sin;
};

// Layout of K and of V: [layer][slot][kv_heads · head_dim], F32. Slots are filled on first use by the system, so an
// unused pool costs address space only.
struct KvStore {
  std::size_t slots = 0;
  std::size_t width = 0;  // kv_heads · head_dim
  std::size_t layers = 0;
  Scratch scratch;

  float* k(std::size_t layer) { return data.get() + layer * slots * width; }
  float* v(std::size_t layer) { return data.get() + (layers + layer) * slots * width; }

  // Copies `count` token slots in every layer (a partially shared page). The ranges must not overlap.
  void copy_slots(std::size_t from, std::size_t to, std::size_t count) {
    for (std::size_t l = 0; l < layers; ++l) {
      std::memcpy(k(l) + to * width, k(l) + from * width, count * width * sizeof(float));
      std::memcpy(v(l) + to * width, v(l) + from * width, count * width * sizeof(float));
    }
  }

  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data;
};

}  // namespace sgl::model
