// The quantised part of kernels::matmul. Internal to kernels/cpu and its tests.
#pragma once

#include <span>

#include "kernels/cpu/quant/ops.h"
#include "kernels/matmul.h"

namespace sgl::kernels::cpu {

// As kernels::matmul, for targets that are all quantised, with the given instruction set.
void quant_matmul(const QuantOps& ops, std::span<const MatmulTarget> targets, const float* x, std::size_t rows,
                  base::ThreadPool& pool);

}  // namespace sgl::kernels::cpu
