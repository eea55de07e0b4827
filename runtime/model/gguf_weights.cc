#include "runtime/model/gguf_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "kernels/quant.h"
#include "runtime/gguf/blocks.h"

namespace sgl::model {
namespace {

using base::Expected;
using base::invalid;
using gguf::Type;
using kernels::DType;

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

// What llama.cpp's converter calls a tensor of Hugging Face (gguf-py/gguf/tensor_mapping.py).
std::string stored_name(std::string name) {
  static constexpr std::pair<std::string_view, std::string_view> kParts[] = {{"model.embed_tokens.", "token_embd."},
                                                                             {"model.norm.", "output_norm."},
                                                                             {"lm_head.", "output."},
                                                                             {"model.layers.", "blk."},
                                                                             {"input_layernorm.", "attn_norm."},
                                                                             {"post_attention_layernorm.", "ffn_norm."},
                                                                             {"self_attn.q_proj.", "attn_q."},
                                                                             {"self_attn.k_proj.", "attn_k."},
                                                                             {"self_attn.v_proj.", "attn_v."},
                                                                             {"self_attn.o_proj.", "attn_output."},
                                                                             {"self_attn.q_norm.", "attn_q_norm."},
                                                                             {"self_attn.k_norm.", "attn_k_norm."},
                                                                             {"mlp.gate_proj.", "ffn_gate."},
                                                                             {"mlp.up_proj.", "ffn_up."},
                                                                             {"mlp.down_proj.", "ffn_down."}};
  for (const auto& [from, to] : kParts) {
    if (const std::size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

class GgufSource final : public TensorSource {
 public:
  GgufSource(gguf::File file, const Config& config, base::ThreadPool& pool)
      : file_(std::move(file)),
        turned_head_(config.architecture == Architecture::kLlama ? config.head_dim : 0),
        pool_(pool) {}

  Expected<SourceTensor> find(const std::string& name, std::span<const std::uint64_t> shape) override {
    const std::string stored = stored_name(name);
    const gguf::Tensor* tensor = file_.contents().tensor(stored);
    if (tensor == nullptr) return invalid(fmt::format("the file has no tensor '{}'", stored));
    if (!std::equal(shape.begin(), shape.end(), tensor->shape.begin(), tensor->shape.end())) {
      return invalid(fmt::format("tensor '{}' has the shape [{}], but the metadata asks for [{}]", stored,
                                 fmt::join(tensor->shape, ", "), fmt::join(shape, ", ")));
    }
    if (!gguf::readable(tensor->type)) {
      return invalid(
          fmt::format("tensor '{}' is stored as {}, which is not supported; supported are F32, F16, BF16, Q8_0, "
                      "Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K",
                      stored, gguf::facts(tensor->type).name));
    }
    const bool turned = stored.find(".attn_q.") != std::string::npos || stored.find(".attn_k.") != std::string::npos;
    const std::size_t head = turned ? turned_head_ : 0;
    if (shape.size() == 1) return vector(*tensor, shape[0], head);
    switch (tensor->type) {
      case Type::kF32:
        return plain(*tensor, DType::kF32, shape[0], shape[1], head);
      case Type::kF16:
        return plain(*tensor, DType::kF16, shape[0], shape[1], head);
      case Type::kBF16:
        return plain(*tensor, DType::kBF16, shape[0], shape[1], head);
      default:
        return packed(*tensor, shape[0], shape[1], head);
    }
  }

 private:
  // Memory that lives as long as this.
  Expected<std::byte*> memory(std::size_t bytes) {
    std::byte* made = memory_.allocate(bytes);
    if (made == nullptr) return base::Error{base::ErrorKind::kUnavailable, "no memory for the weights"};
    return made;
  }

  Expected<SourceTensor> vector(const gguf::Tensor& tensor, std::size_t n, std::size_t head) {
    std::vector<float> stored(n);
    gguf::dequantize(tensor.type, tensor.bytes.data(), n, stored.data());
    SGL_TRY(std::byte * out, memory(n * sizeof(float)));
    for (std::size_t i = 0; i < n; ++i)
      std::memcpy(out + i * sizeof(float), &stored[stored_row(i, head)], sizeof(float));
    return SourceTensor{out, DType::kF32};
  }

  Expected<SourceTensor> plain(const gguf::Tensor& tensor, DType type, std::size_t n, std::size_t k, std::size_t head) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % kernels::dtype_bytes(type) == 0;
    if (head == 0 && aligned) return SourceTensor{tensor.bytes.data(), type};
    const std::size_t row = k * kernels::dtype_bytes(type);
    SGL_TRY(std::byte * out, memory(n * row));
    for (std::size_t r = 0; r < n; ++r) {
      std::memcpy(out + r * row, tensor.bytes.data() + stored_row(r, head) * row, row);
    }
    base::MappedFile::release(tensor.bytes);
    return SourceTensor{out, type};
  }

  Expected<SourceTensor> packed(const gguf::Tensor& tensor, std::size_t n, std::size_t k, std::size_t head) {
    const DType type = packed_type(tensor.type);
    SGL_TRY(std::byte * out, memory(kernels::packed_bytes(type, n, k)));
    const std::size_t panels = (n + kernels::kPanelRows - 1) / kernels::kPanelRows;
    pool_.parallel_for(panels, [&](std::size_t p) { pack_panel(tensor, type, n, k, head, p, out); });
    base::MappedFile::release(tensor.bytes);
    return SourceTensor{out, type};
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

  gguf::File file_;
  std::size_t turned_head_;  // elements of a head whose halves are interleaved in the file; 0: none are
  base::ThreadPool& pool_;
  PackedMemory memory_;
};

}  // namespace

std::unique_ptr<TensorSource> open_gguf(gguf::File file, const Config& config, base::ThreadPool& pool) {
  return std::make_unique<GgufSource>(std::move(file), config, pool);
}

}  // namespace sgl::model
