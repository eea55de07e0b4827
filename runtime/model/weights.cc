#include "runtime/model/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "kernels/embedding.h"
#include "kernels/quant.h"
#include "runtime/model/safetensors.h"

namespace sgl::model {
namespace {

using base::Expected;
using base::invalid;
using kernels::DType;
using kernels::Matrix;

class SafetensorsSource final : public TensorSource {
 public:
  SafetensorsSource(WeightFiles files, WeightFormat stored) : files_(std::move(files)), stored_(stored) {}

  Expected<SourceTensor> find(const std::string& name, std::span<const std::uint64_t> shape) override {
    const TensorView* view = files_.find(name);
    if (view == nullptr) return invalid(fmt::format("the weights have no tensor '{}'", name));
    if (stored_ != WeightFormat::kAsStored && shape.size() == 2 && view->dtype == "U8") {
      return packed(*view, name, shape);
    }
    if (!std::equal(shape.begin(), shape.end(), view->shape.begin(), view->shape.end())) {
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
    return aligned(*view, type, kernels::dtype_bytes(type));
  }

 private:
  Expected<SourceTensor> packed(const TensorView& view, const std::string& name, std::span<const std::uint64_t> shape) {
    const DType type = quantized_type(stored_);
    const std::size_t bytes = kernels::packed_bytes(type, shape[0], shape[1]);
    if (view.bytes.size() != bytes) {
      return invalid(fmt::format("tensor '{}' has {} bytes, but [{}] in the format {} needs {}", name,
                                 view.bytes.size(), fmt::join(shape, ", "), format_name(stored_), bytes));
    }
    return aligned(view, type, 64);
  }

  // Where the file has the tensor at an odd address, a copy of it.
  Expected<SourceTensor> aligned(const TensorView& view, DType type, std::size_t alignment) {
    const std::byte* data = view.bytes.data();
    if (reinterpret_cast<std::uintptr_t>(data) % alignment != 0) {
      std::byte* copy = copies_.allocate(view.bytes.size());
      if (copy == nullptr) return base::Error{base::ErrorKind::kUnavailable, "no memory for the weights"};
      std::memcpy(copy, data, view.bytes.size());
      data = copy;
    }
    return SourceTensor{data, type};
  }

  WeightFiles files_;
  WeightFormat stored_;
  PackedMemory copies_;
};

class Loader {
 public:
  Loader(Weights& weights, const Config& config, WeightFormat format, base::ThreadPool& pool)
      : w_(weights), c_(config), format_(format), pool_(pool) {}

  base::Status load() {
    SGL_TRY(w_.embedding, matrix("model.embed_tokens.weight", c_.vocab_size, c_.hidden));
    SGL_TRY_STATUS(vector("model.norm.weight", c_.hidden, w_.final_norm));
    w_.head = w_.embedding;
    if (!c_.tied_embeddings) {
      SGL_TRY(w_.head, matrix("lm_head.weight", c_.vocab_size, c_.hidden));
    }
    for (std::size_t i = 0; i < c_.layers; ++i) SGL_TRY_STATUS(layer(fmt::format("model.layers.{}.", i)));
    if (!points_into_source_) w_.source.reset();
    return {};
  }

 private:
  base::Status layer(const std::string& prefix) {
    LayerWeights& l = w_.layers.emplace_back();
    const std::size_t q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    SGL_TRY_STATUS(vector(prefix + "input_layernorm.weight", c_.hidden, l.input_norm));
    SGL_TRY_STATUS(vector(prefix + "post_attention_layernorm.weight", c_.hidden, l.post_norm));
    const std::string attention = prefix + "self_attn.", mlp = prefix + "mlp.";
    SGL_TRY_STATUS(linear(attention + "q_proj", q, c_.hidden, c_.qkv_bias, l.q, l.q_bias));
    SGL_TRY_STATUS(linear(attention + "k_proj", kv, c_.hidden, c_.qkv_bias, l.k, l.k_bias));
    SGL_TRY_STATUS(linear(attention + "v_proj", kv, c_.hidden, c_.qkv_bias, l.v, l.v_bias));
    SGL_TRY_STATUS(linear(attention + "o_proj", c_.hidden, q, c_.o_bias, l.o, l.o_bias));
    SGL_TRY_STATUS(linear(mlp + "gate_proj", c_.intermediate, c_.hidden, c_.mlp_bias, l.gate, l.gate_bias));
    SGL_TRY_STATUS(linear(mlp + "up_proj", c_.intermediate, c_.hidden, c_.mlp_bias, l.up, l.up_bias));
    SGL_TRY_STATUS(linear(mlp + "down_proj", c_.hidden, c_.intermediate, c_.mlp_bias, l.down, l.down_bias));
    if (c_.qk_norm) {
      SGL_TRY_STATUS(vector(attention + "q_norm.weight", c_.head_dim, l.q_norm));
      SGL_TRY_STATUS(vector(attention + "k_norm.weight", c_.head_dim, l.k_norm));
    }
    return {};
  }

  base::Status linear(const std::string& name, std::size_t n, std::size_t k, bool has_bias, Matrix& weight,
                      std::vector<float>& bias) {
    SGL_TRY(weight, matrix(name + ".weight", n, k));
    if (has_bias) SGL_TRY_STATUS(vector(name + ".bias", n, bias));
    return {};
  }

  Expected<Matrix> matrix(const std::string& name, std::size_t n, std::size_t k) {
    const std::uint64_t shape[] = {n, k};
    SGL_TRY(const SourceTensor found, w_.source->find(name, shape));
    Matrix out{found.data, found.type, n, k};
    if (format_ == WeightFormat::kAsStored || out.type == quantized_type(format_)) {
      points_into_source_ = true;
    } else if (kernels::is_quantized(out.type)) {
      return invalid(
          fmt::format("the model is quantised already; tensor '{}' cannot be made {}", name, format_name(format_)));
    } else {
      const DType type = quantized_type(format_);
      std::byte* packed = w_.packed.allocate(kernels::packed_bytes(type, n, k));
      if (packed == nullptr) return base::Error{base::ErrorKind::kUnavailable, "no memory for the quantised weights"};
      pack_matrix(out, type, packed, pool_);
      out = {packed, type, n, k};
    }
    w_.matrices.emplace_back(name, out);
    return out;
  }

  base::Status vector(const std::string& name, std::size_t n, std::vector<float>& out) {
    const std::uint64_t shape[] = {n};
    SGL_TRY(const SourceTensor found, w_.source->find(name, shape));
    out.resize(n);
    kernels::to_f32(found.data, found.type, n, out.data());
    w_.vectors.emplace_back(name, out);
    return {};
  }

  Weights& w_;
  const Config& c_;
  WeightFormat format_;
  base::ThreadPool& pool_;
  bool points_into_source_ = false;
};

}  // namespace

Expected<std::unique_ptr<TensorSource>> open_safetensors(const std::filesystem::path& folder, const Config& config) {
  SGL_TRY(WeightFiles files, WeightFiles::open(folder));
  return std::unique_ptr<TensorSource>(std::make_unique<SafetensorsSource>(std::move(files), config.stored));
}

Expected<Weights> load_weights(std::unique_ptr<TensorSource> source, const Config& config, WeightFormat format,
                               base::ThreadPool& pool) {
  Weights weights;
  weights.source = std::move(source);
  SGL_TRY_STATUS(Loader(weights, config, format, pool).load());
  return weights;
}

}  // namespace sgl::model
