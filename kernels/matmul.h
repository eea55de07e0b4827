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
//
// F32, F16, BF16: each element is reduced in an order that depends on k alone, never on rows, on the target's place in
// the group or on threads. Weights are widened to F32 exactly; products and sums are F32. Instruction sets differ in
// the order, so their results differ in rounding.
//
// Quantised: x is quantised per row and group of 32 to 8 bits, once per call, and the result is the same to the bit on
// every instruction set. For a group with a = max |x|: scale = a / 127, q = round(x · (127 / a)), ties to even; a group
// with a < 1e-30 is 0, and one with a value that is not finite makes the whole row of y NaN. Then, groups in order:
//   sum  = Σ q_x · q_w, exactly (q_w − 8 for kQ4)
//   acc  = fma(sum, scale_w · scale_x, acc)
//   acc  = fma(min_w, scale_x · Σ q_x, acc)        kQ4A only
// with F32 products and fma, acc = 0 before the first group. Padding groups take part (their scales are 0).
// O(rows · n · k); with rows = 1 it is bound by reading the weights once.
void matmul(std::span<const MatmulTarget> targets, const float* x, std::size_t rows, base::ThreadPool& pool);

}  // namespace sgl::kernels
