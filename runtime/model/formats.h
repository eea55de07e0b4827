// How a model is held in memory: what the caller may choose at load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/base/expected.h"

namespace sgl::model {

// Matrices of linear layers, the embedding table and the head. Norms and biases are always F32.
enum class WeightFormat : std::uint8_t {
  kAsStored,  // as the files have them
  kQ8,        // 8 bits, groups of 32, symmetric (kernels/quant.h): 8.5 bits per weight
  kQ4,        // 4 bits, symmetric: 4.5
  kQ4A,       // 4 bits with a minimum per group: 5
};

// Keys and values of the KV cache.
enum class KvFormat : std::uint8_t {
  kF32,
  kF16,
  kQ8,  // 8 bits with an F32 scale for every head's vector
};

// Bytes of K or of V of one token in one layer.
constexpr std::size_t kv_bytes(KvFormat format, std::size_t kv_heads, std::size_t head_dim) {
  if (format == KvFormat::kQ8) return kv_heads * (head_dim + sizeof(float));
  return kv_heads * head_dim * (format == KvFormat::kF32 ? 4 : 2);
}

struct LoadOptions {
  WeightFormat weights = WeightFormat::kAsStored;
  std::optional<KvFormat> kv = KvFormat::kF32;  // nullopt: F16, but F32 for weights of 32 bits
};

// "none", "q8", "q4", "q4a"; "f32", "f16", "q8", and "auto" for nullopt. Errors: `invalid`, listing what there is.
base::Expected<WeightFormat> parse_weight_format(std::string_view name);
base::Expected<std::optional<KvFormat>> parse_kv_format(std::string_view name);
std::string_view format_name(WeightFormat format);
std::string_view format_name(KvFormat format);

}  // namespace sgl::model
