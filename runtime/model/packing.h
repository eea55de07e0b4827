// Quantising whole matrices in memory. Private to runtime/model.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "kernels/tensor.h"
#include "runtime/base/thread_pool.h"
#include "runtime/model/formats.h"

namespace sgl::model {

struct FreeBytes {
  void operator()(std::byte* p) const { std::free(p); }
};
// Packed weights (kernels/quant.h), aligned to 64 bytes.
using PackedBytes = std::unique_ptr<std::byte, FreeBytes>;

// Uninitialised memory, in large pages where the system has them. nullptr: there is none.
PackedBytes allocate_packed(std::size_t bytes);

// The quantised type of a format. Precondition: not kAsStored.
kernels::DType quantized_type(WeightFormat format);

// Quantises `source` (F32, F16 or BF16) into `out`, packed_bytes(type, n, k) long, in parallel by blocks of rows; needs
// a few rows of memory per thread besides. What is written does not depend on the threads. O(n · k).
void pack_matrix(const kernels::Matrix& source, kernels::DType type, std::byte* out, base::ThreadPool& pool);

}  // namespace sgl::model
