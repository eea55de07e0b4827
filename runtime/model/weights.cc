#include "runtime/model/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <optional>
#include <string>

#include "kernels/embedding.h"

namespace sgl::model {
namespace {

using base::Expected;
using base::invalid;
using kernels::DType;
using kernels::Matrix;

class Loader {
 public:
  Loader(Weights& weights, const Config& config) : w_(weights), c_(config) {}

  base::Status load() {
    SGL_TRY(w_.embedding, matrix("model.embed_tokens.weight", c_.vocab_size, c_.hidden));
    SGL_TRY(w_.final_norm, vector("model.norm.weight", c_.hidden));
    w_.head = w_.embedding;
    if (!c_.tied_embeddings) {
      SGL_TRY(w_.head, matrix("lm_head.weight", c_.vocab_size, c_.hidden));
    }
    for (std::size_t i = 0; i < c_.layers; ++i) SGL_TRY_STATUS(layer(fmt::format("model.layers.{}.", i)));
    return {};
  }

 private:
  base::Status layer(const std::string& prefix) {
    LayerWeights& l = w_.layers.emplace_back();
    const std::size_t q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    SGL_TRY(l.input_norm, vector(prefix + "input_layernorm.weight", c_.hidden));
    SGL_TRY(l.post_norm, vector(prefix + "post_attention_layernorm.weight", c_.hidden));
    const std::string attention = prefix + "self_attn.", mlp = prefix + "mlp.";
    SGL_TRY_STATUS(linear(attention + "q_proj", q, c_.hidden, c_.qkv_bias, l.q, l.q_bias));
    SGL_TRY_STATUS(linear(attention + "k_proj", kv, c_.hidden, c_.qkv_bias, l.k, l.k_bias));
    SGL_TRY_STATUS(linear(attention + "v_proj", kv, c_.hidden, c_.qkv_bias, l.v, l.v_bias));
    SGL_TRY_STATUS(linear(attention + "o_proj", c_.hidden, q, c_.o_bias, l.o, l.o_bias));
    SGL_TRY_STATUS(linear(mlp + "gate_proj", c_.intermediate, c_.hidden, c_.mlp_bias, l.gate, l.gate_bias));
    SGL_TRY_STATUS(linear(mlp + "up_proj", c_.intermediate, c_.hidden, c_.mlp_bias, l.up, l.up_bias));
    SGL_TRY_STATUS(linear(mlp + "down_proj", c_.hidden, c_.intermediate, c_.mlp_bias, l.down, l.down_bias));
    if (c_.qk_norm) {
      SGL_TRY(l.q_norm, vector(attention + "q_norm.weight", c_.head_dim));
      SGL_TRY(l.k_norm, vector(attention + "k_norm.weight", c_.head_dim));
    }
    return {};
  }

  base::Status linear(const std::string& name, std::size_t n, std::size_t k, bool has_bias, Matrix& weight,
                      std::vector<float>& bias) {
    SGL_TRY(weight, matrix(name + ".weight", n, k));
    if (has_bias) {
      SGL_TRY(bias, vector(name + ".bias", n));
    }
    return {};
  }

  struct Found {
    const void* data;
    DType type;
  };

  Expected<Found> find(const std::string& name, const std::vector<std::uint64_t>& shape) {
    const TensorView* view = w_.files.find(name);
    if (view == nullptr) return invalid(fmt::format("the weights have no tensor '{}'", name));
    if (view->shape != shape) {
      return invalid(fmt::format("tensor '{}' has the shape [{}], but config.json asks for [{}]", name,
                                 fmt::join(view->shape, ", "), fmt::join(shape, ", ")));
    }
    DType type;
    if (view->dtype == "F32") {
      type = DType::kF32;
    } else if (view->dtype == "F16") {
      type = DType::kF16;
    } else if (view->dtype == "BF16") {
      type = DType::kBF16;
    } else {
      return invalid(fmt::format("tensor '{}' has the type {}; supported are F32, F16 and BF16", name, view->dtype));
    }
    const std::byte* data = view->bytes.data();
    if (reinterpret_cast<std::uintptr_t>(data) % kernels::dtype_bytes(type) != 0) {
      data = w_.realigned.emplace_back(view->bytes.begin(), view->bytes.end()).data();
    }
    return Found{data, type};
  }

  Expected<Matrix> matrix(const std::string& name, std::size_t n, std::size_t k) {
    SGL_TRY(const Found found, find(name, {n, k}));
    return Matrix{found.data, found.type, n, k};
  }

  Expected<std::vector<float>> vector(const std::string& name, std::size_t n) {
    SGL_TRY(const Found found, find(name, {n}));
    std::vector<float> out(n);
    kernels::to_f32(found.data, found.type, n, out.data());
    return out;
  }

  Weights& w_;
  const Config& c_;
};

}  // namespace

Expected<Weights> load_weights(const std::filesystem::path& folder, const Config& config) {
  Weights weights;
  SGL_TRY(weights.files, WeightFiles::open(folder));
  SGL_TRY_STATUS(Loader(weights, config).load());
  return weights;
}

}  // namespace sgl::model
