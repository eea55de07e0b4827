// Model folders with packed weights: an ordinary Hugging Face folder whose matrices are U8 tensors in the layout of
// kernels/quant.h, so that loading one is mapping it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "runtime/base/expected.h"
#include "runtime/model/formats.h"

namespace sgl::model {

struct QuantizedSummary {
  std::uint64_t bytes = 0;       // of the new model.safetensors
  std::uint64_t parameters = 0;  // of the matrices
};

// Quantises the model in `source` into the folder `target`, which is created or empty: model.safetensors (packed
// matrices, 64-byte aligned; norms and biases in F32; the format and layout version as metadata), config.json with a
// 'quantization_config', and copies of the folder's other regular files but weights. What is written is complete or
// absent: config.json comes last. Needs memory for the quantised weights.
// Errors: those of Model::load; `invalid` for the format kAsStored and for a target that is not empty or not writable.
base::Expected<QuantizedSummary> write_quantized(const std::filesystem::path& source,
                                                 const std::filesystem::path& target, WeightFormat format);

}  // namespace sgl::model
