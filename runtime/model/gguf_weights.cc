#include "runtime/model/gguf_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/quant.h"
#include "runtime/gguf/blocks.h"
#include "runtime/model/kv_store.h"

namespace sgl::model {
namespace {

using base::Expected;
using base::invalid;
using gguf::Type;
using kernels::DType;
using kernels::Matrix;

// Uninitialised memory for a packed weight, so that the threads that fill it are the first to touch it.
std::shared_ptr<std::byte> aligned_bytes(std::size_t bytes) {
  void* p = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  return {static_cast<std::byte*>(p), [](std::byte* q) { std::free(q); }};
}

DType packed_type(Type type) {
  switch (type) {
    case Type::kQ4_0:
      return DType::kQ4;
    case Type::kQ4_1:
    case Type::kQ4_K:
      return DType::kQ4A;
    default:
      return DType::kQ8;
  }
}

bool splits(Type type) {
  return type == Type::kQ8_0 || type == Type::kQ4_0 || type == Type::kQ4_1 || type == Type::kQ4_K;
}

// Row r of a weight as Hugging Face orders it, in the file: llama.cpp's converter puts the halves of each head, which
// the rotation pairs, one after the other (`permute` in convert_hf_to_gguf.py). head = 0: nothing was moved.
std::size_t stored_row(std::size_t r, std::size_t head) {
  if (head == 0) return r;
  const std::size_t in_head = r % head, half = head / 2;
  return r - in_head + in_head % half * 2 + in_head / half;
}

class Loader {
 public:
  Loader(Weights& weights, const gguf::Contents& file, const Config& config, base::ThreadPool& pool)
      : w_(weights), file_(file), c_(config), pool_(pool) {}

  base::Status load() {
    SGL_TRY(w_.embedding, matrix("token_embd.weight", c_.vocab_size, c_.hidden));
    SGL_TRY(w_.final_norm, vector("output_norm.weight", c_.hidden));
    w_.head = w_.embedding;
    if (!c_.tied_embeddings) {
      SGL_TRY(w_.head, matrix("output.weight", c_.vocab_size, c_.hidden));
    }
    for (std::size_t i = 0; i < c_.layers; ++i) SGL_TRY_STATUS(layer(fmt::format("blk.{}.", i)));
    return {};
  }

 private:
  base::Status layer(const std::string& prefix) {
    LayerWeights& l = w_.layers.emplace_back();
    const std::size_t q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    const std::size_t head = c_.architecture == Architecture::kLlama ? c_.head_dim : 0;
    SGL_TRY(l.input_norm, vector(prefix + "attn_norm.weight", c_.hidden));
    SGL_TRY(l.post_norm, vector(prefix + "ffn_norm.weight", c_.hidden));
    SGL_TRY_STATUS(linear(prefix + "attn_q", q, c_.hidden, c_.qkv_bias, l.q, l.q_bias, head));
    SGL_TRY_STATUS(linear(prefix + "attn_k", kv, c_.hidden, c_.qkv_bias, l.k, l.k_bias, head));
    SGL_TRY_STATUS(linear(prefix + "attn_v", kv, c_.hidden, c_.qkv_bias, l.v, l.v_bias));
    SGL_TRY_STATUS(linear(prefix + "attn_output", c_.hidden, q, c_.o_bias, l.o, l.o_bias));
    SGL_TRY_STATUS(linear(prefix + "ffn_gate", c_.intermediate, c_.hidden, c_.mlp_bias, l.gate, l.gate_bias));
    SGL_TRY_STATUS(linear(prefix + "ffn_up", c_.intermediate, c_.hidden, c_.mlp_bias, l.up, l.up_bias));
    SGL_TRY_STATUS(linear(prefix + "ffn_down", c_.hidden, c_.intermediate, c_.mlp_bias, l.down, l.down_bias));
    if (c_.qk_norm) {
      SGL_TRY(l.q_norm, vector(prefix + "attn_q_norm.weight", c_.head_dim));
      SGL_TRY(l.k_norm, vector(prefix + "attn_k_norm.weight", c_.head_dim));
    }
    return {};
  }

  base::Status linear(const std::string& name, std::size_t n, std::size_t k, bool has_bias, Matrix& weight,
                      std::vector<float>& bias, std::size_t head = 0) {
    SGL_TRY(weight, matrix(name + ".weight", n, k, head));
    if (has_bias) {
      SGL_TRY(bias, vector(name + ".bias", n, head));
    }
    return {};
  }

  Expected<const gguf::Tensor*> find(const std::string& name, const std::vector<std::uint64_t>& shape) const {
    const gguf::Tensor* tensor = file_.tensor(name);
    if (tensor == nullptr) return invalid(fmt::format("the file has no tensor '{}'", name));
    if (tensor->shape != shape) {
      return invalid(fmt::format("tensor '{}' has the shape [{}], but the metadata asks for [{}]", name,
                                 fmt::join(tensor->shape, ", "), fmt::join(shape, ", ")));
    }
    if (!gguf::readable(tensor->type)) {
      return invalid(
          fmt::format("tensor '{}' is stored as {}, which is not supported; supported are F32, F16, BF16, Q8_0, "
                      "Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K",
                      name, gguf::facts(tensor->type).name));
    }
    return tensor;
  }

  Expected<std::vector<float>> vector(const std::string& name, std::size_t n, std::size_t head = 0) const {
    SGL_TRY(const gguf::Tensor* tensor, find(name, {n}));
    std::vector<float> stored(n), out(n);
    gguf::dequantize(tensor->type, tensor->bytes.data(), n, stored.data());
    for (std::size_t i = 0; i < n; ++i) out[i] = stored[stored_row(i, head)];
    return out;
  }

  Expected<Matrix> matrix(const std::string& name, std::size_t n, std::size_t k, std::size_t head = 0) {
    SGL_TRY(const gguf::Tensor* tensor, find(name, {n, k}));
    switch (tensor->type) {
      case Type::kF32:
        return plain(*tensor, DType::kF32, n, k, head);
      case Type::kF16:
        return plain(*tensor, DType::kF16, n, k, head);
      case Type::kBF16:
        return plain(*tensor, DType::kBF16, n, k, head);
      default:
        return packed(*tensor, n, k, head);
    }
  }

  Expected<Matrix> plain(const gguf::Tensor& tensor, DType type, std::size_t n, std::size_t k, std::size_t head) {
    if (head == 0) return Matrix{tensor.bytes.data(), type, n, k};
    const std::size_t row = k * kernels::dtype_bytes(type);
    const auto copy = aligned_bytes(n * row);
    if (copy == nullptr) return no_memory();
    for (std::size_t r = 0; r < n; ++r) {
      std::memcpy(copy.get() + r * row, tensor.bytes.data() + stored_row(r, head) * row, row);
    }
    base::MappedFile::release(tensor.bytes);
    w_.owned.push_back(copy);
    return Matrix{copy.get(), type, n, k};
  }

  Expected<Matrix> packed(const gguf::Tensor& tensor, std::size_t n, std::size_t k, std::size_t head) {
    const DType type = packed_type(tensor.type);
    const auto out = aligned_bytes(kernels::packed_bytes(type, n, k));
    if (out == nullptr) return no_memory();
    const std::size_t panels = (n + kernels::kPanelRows - 1) / kernels::kPanelRows;
    pool_.parallel_for(panels, [&](std::size_t p) { pack_panel(tensor, type, n, k, head, p, out.get()); });
    base::MappedFile::release(tensor.bytes);
    w_.owned.push_back(out);
    return Matrix{out.get(), type, n, k};
  }

  // One panel of rows; runs on any thread.
  static void pack_panel(const gguf::Tensor& tensor, DType type, std::size_t n, std::size_t k, std::size_t head,
                         std::size_t panel, std::byte* out) {
    const std::size_t groups = k / kernels::kQuantGroup, first = panel * kernels::kPanelRows;
    const std::size_t rows = std::min(kernels::kPanelRows, n - first), row_bytes = tensor.bytes.size() / n;
    std::vector<std::int8_t> q(rows * k);
    std::vector<std::uint16_t> scale(rows * groups), min(rows * groups);
    std::vector<float> values(splits(tensor.type) ? 0 : k);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::byte* row = tensor.bytes.data() + stored_row(first + r, head) * row_bytes;
      std::int8_t* levels = q.data() + r * k;
      if (splits(tensor.type)) {
        gguf::split_groups(tensor.type, row, k, levels, scale.data() + r * groups, min.data() + r * groups);
      } else {
        gguf::dequantize(tensor.type, row, k, values.data());
        kernels::quantize_rows(type, values.data(), 1, k, levels, scale.data() + r * groups, nullptr);
      }
    }
    kernels::pack_rows(type, n, k, first, rows, q.data(), scale.data(), min.data(), out);
  }

  static base::Error no_memory() {
    return {base::ErrorKind::kUnavailable, "there is no memory for the model's weights"};
  }

  Weights& w_;
  const gguf::Contents& file_;
  const Config& c_;
  base::ThreadPool& pool_;
};

}  // namespace

Expected<Weights> load_gguf_weights(std::shared_ptr<const gguf::File> file, const Config& config,
                                    base::ThreadPool& pool) {
  Weights weights;
  SGL_TRY_STATUS(Loader(weights, file->contents(), config, pool).load());
  weights.owned.push_back(std::move(file));
  return weights;
}

}  // namespace sgl::model
