// Quantising whole matrices in memory. Private to runtime/model.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "kernels/tensor.h"
#include "runtime/base/thread_pool.h"
#include "runtime/model/formats.h"

namespace sgl::model {

// Memory for packed weights (kernels/quant.h): they lie one after another in large pages where the system has them,
// since streaming through small pages costs an address translation every 4 KiB, and a matrix alone is often smaller than
// a large page. Not for several threads at once.
class PackedMemory {
 public:
  // Uninitialised, aligned to 64 bytes, for as long as this lives. nullptr: there is none.
  std::byte* allocate(std::size_t bytes);

 private:
  struct FreeBytes {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::vector<std::unique_ptr<std::byte, FreeBytes>> chunks_;
  std::byte* next_ = nullptr;  // in the last chunk
  std::size_t left_ = 0;
};

// The quantised type of a format. Precondition: not kAsStored.
kernels::DType quantized_type(WeightFormat format);

// Quantises `source` (F32, F16 or BF16) into `out`, packed_bytes(type, n, k) long, in parallel by blocks of rows; needs
// a few rows of memory per thread besides. What is written does not depend on the threads. O(n · k).
void pack_matrix(const kernels::Matrix& source, kernels::DType type, std::byte* out, base::ThreadPool& pool);

}  // namespace sgl::model
