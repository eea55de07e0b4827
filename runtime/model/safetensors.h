// The safetensors file format (github.com/huggingface/safetensors): an 8-byte little-endian header length, a JSON
// header, raw tensors. The header comes from strangers: everything in it is checked before use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/file.h"

namespace sgl::model {

// Bounds of an untrusted header.
struct SafetensorsLimits {
  std::size_t max_header_bytes = 32 << 20;  // bytes; headers of the largest published models are under 10 MB
  std::size_t max_rank = 8;                 // dimensions; weights have 1 or 2
};

struct TensorView {
  std::string dtype;  // "F32", "BF16", …
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> bytes;  // into the file: product(shape) elements
};

using TensorMap = std::map<std::string, TensorView, std::less<>>;

// Views into `file`, which must outlive them. `label` names the file in messages.
// Errors: `invalid`: truncated file, header too long or not JSON, duplicate names, unknown dtype, sizes that overflow
// or disagree with the offsets, tensors that overlap, leave holes or end elsewhere than the file.
base::Expected<TensorMap> parse_safetensors(std::span<const std::byte> file, std::string_view label,
                                            const SafetensorsLimits& limits = {});

// The weights of a model folder: model.safetensors, or the shards that model.safetensors.index.json names.
class WeightFiles {
 public:
  static base::Expected<WeightFiles> open(const std::filesystem::path& folder);
  const TensorView* find(std::string_view name) const;

 private:
  std::vector<base::MappedFile> files_;
  TensorMap tensors_;
};

}  // namespace sgl::model
