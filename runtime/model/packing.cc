#include "runtime/model/packing.h"

#include <algorithm>
#include <vector>

#include "kernels/embedding.h"
#include "kernels/quant.h"
#include "runtime/base/check.h"
#include "runtime/base/large_pages.h"

namespace sgl::model {
namespace {

// Rows of a block: whole panels, and enough work (milliseconds) for a thread to be worth waking.
constexpr std::size_t kBlockRows = 64;

// Bytes of a chunk; pages of it that are never written take no memory.
constexpr std::size_t kChunk = std::size_t{64} << 20;

}  // namespace

std::byte* PackedMemory::allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + 63) / 64 * 64;
  if (rounded > left_) {
    const std::size_t size = std::max(rounded, kChunk);
    auto* made = static_cast<std::byte*>(base::allocate_large(size, base::kLargePage));
    if (made == nullptr) return nullptr;
    chunks_.emplace_back(made);
    next_ = made;
    left_ = size;
  }
  std::byte* out = next_;
  next_ += rounded;
  left_ -= rounded;
  return out;
}

kernels::DType quantized_type(WeightFormat format) {
  SGL_ASSERT(format != WeightFormat::kAsStored);
  if (format == WeightFormat::kQ8) return kernels::DType::kQ8;
  return format == WeightFormat::kQ4 ? kernels::DType::kQ4 : kernels::DType::kQ4A;
}

void pack_matrix(const kernels::Matrix& source, kernels::DType type, std::byte* out, base::ThreadPool& pool) {
  SGL_ASSERT(!kernels::is_quantized(source.type));
  const std::size_t n = source.n, k = source.k, groups = kernels::quant_groups(k);
  const std::size_t row_bytes = k * kernels::dtype_bytes(source.type);
  pool.parallel_for((n + kBlockRows - 1) / kBlockRows, [&](std::size_t block) {
    const std::size_t begin = block * kBlockRows, rows = std::min(kBlockRows, n - begin);
    std::vector<float> x(rows * k);
    std::vector<std::int8_t> q(rows * k);
    std::vector<std::uint16_t> scale(rows * groups), min(rows * groups);
    kernels::to_f32(static_cast<const std::byte*>(source.data) + begin * row_bytes, source.type, rows * k, x.data());
    kernels::quantize_rows(type, x.data(), rows, k, q.data(), scale.data(), min.data());
    kernels::pack_rows(type, n, k, begin, rows, q.data(), scale.data(), min.data(), out);
  });
}

}  // namespace sgl::model
