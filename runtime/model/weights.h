// The decoder's weights with their shapes checked. Private to runtime/model.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/tensor.h"
#include "runtime/base/expected.h"
#include "runtime/base/thread_pool.h"
#include "runtime/model/config.h"
#include "runtime/model/packing.h"

namespace sgl::model {

// A tensor as its source holds it: row-major and aligned to its element, or packed (kernels/quant.h) and aligned to 64
// bytes. Valid as long as the source.
struct SourceTensor {
  const void* data = nullptr;
  kernels::DType type = kernels::DType::kF32;
};

// Where weights come from, by Hugging Face's names ("model.layers.0.self_attn.q_proj.weight").
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  // The tensor, whose shape is [n, k] or [n]; a tensor with one dimension is never quantised. Errors: `invalid` or
  // `not_found`, naming the tensor: absent, of another shape, of a type that cannot be read.
  virtual base::Expected<SourceTensor> find(const std::string& name, std::span<const std::uint64_t> shape) = 0;
};

// The safetensors files of a folder: F32, F16, BF16, and where config.json says so packed tensors.
base::Expected<std::unique_ptr<TensorSource>> open_safetensors(const std::filesystem::path& folder,
                                                               const Config& config);

// Vectors (norms and biases) are widened to F32 at load; an absent bias is empty.
struct LayerWeights {
  std::vector<float> input_norm, post_norm, q_norm, k_norm;
  kernels::Matrix q, k, v, o, gate, up, down;
  std::vector<float> q_bias, k_bias, v_bias, o_bias, gate_bias, up_bias, down_bias;
};

struct Weights {
  std::unique_ptr<TensorSource> source;  // matrices point into this; null where all of them were quantised at load
  PackedMemory packed;                   // … or into this
  kernels::Matrix embedding, head;       // [vocab, hidden]
  std::vector<float> final_norm;
  std::vector<LayerWeights> layers;
  // Everything above under the names of the files, in the order of loading (a tied head is not there).
  std::vector<std::pair<std::string, kernels::Matrix>> matrices;
  std::vector<std::pair<std::string, std::span<const float>>> vectors;
};

// Takes everything that `config` asks for from the source. With a format other than kAsStored, matrices are quantised
// as they are read; the source is let go when no matrix points into it. Errors: those of the source; `invalid` where
// the source is quantised already, in another format.
base::Expected<Weights> load_weights(std::unique_ptr<TensorSource> source, const Config& config, WeightFormat format,
                                     base::ThreadPool& pool);

}  // namespace sgl::model
