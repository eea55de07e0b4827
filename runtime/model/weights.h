// The decoder's weights with their shapes checked. Private to runtime/model.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <vector>

#include "kernels/tensor.h"
#include "runtime/base/expected.h"
#include "runtime/model/config.h"
#include "runtime/model/safetensors.h"

namespace sgl::model {

// Vectors (norms and biases) are widened to F32 at load; an absent bias is empty.
struct LayerWeights {
  std::vector<float> input_norm, post_norm, q_norm, k_norm;
  kernels::Matrix q, k, v, o, gate, up, down;
  std::vector<float> q_bias, k_bias, v_bias, o_bias, gate_bias, up_bias, down_bias;
};

struct Weights {
  WeightFiles files;                             // matrices point into these
  std::deque<std::vector<std::byte>> realigned;  // copies of matrices that a file stores at an odd address
  std::vector<std::shared_ptr<const void>> owned;  // whatever else matrices point into
  kernels::Matrix embedding, head;               // [vocab, hidden]
  std::vector<float> final_norm;
  std::vector<LayerWeights> layers;
};

// Errors: `invalid` or `not_found`, naming the tensor: absent, of another shape, of a type other than F32, F16, BF16.
base::Expected<Weights> load_weights(const std::filesystem::path& folder, const Config& config);

}  // namespace sgl::model
