// y = x · Wᵀ: every linear layer of the decoder.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/tensor.h"
#include "runtime/base/thread_pool.h"

namespace sgl::kernels {

// One product of a group: w is [n, k], y is [rows, n] F32.
struct MatmulTarget {
  Matrix w;
  float* y = nullptr;
};

// For every target: y[r, c] = Σ_j x[r, j] · w[c, j], x is [rows, k] F32; all targets have the same k and are computed
// in one parallel loop (Q, K, V; gate, up). No y overlaps x, a weight or another y.
// Bit-exact: each element is reduced in an order that depends on k alone, never on rows, on the target's place in the
// group or on threads. Weights are widened to F32 exactly; products and sums are F32.
// O(rows · n · k); with rows = 1 it is bound by reading the weights once.
void matmul(std::span<const MatmulTarget> targets, const float* x, std::size_t rows, base::ThreadPool& pool);

}  // namespace sgl::kernels
