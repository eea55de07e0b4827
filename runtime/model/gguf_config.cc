#include "runtime/model/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "runtime/gguf/blocks.h"

namespace sgl::model {
namespace {

using base::Expected;
using base::invalid;

class Reader {
 public:
  explicit Reader(const gguf::Contents& file) : file_(file) {}

  Expected<Config> read() {
    SGL_TRY_STATUS(architecture());
    SGL_TRY_STATUS(sizes());
    SGL_TRY_STATUS(rotation());
    c_.tied_embeddings = file_.tensor("output.weight") == nullptr;
    c_.qkv_bias = file_.tensor("blk.0.attn_q.bias") != nullptr;
    c_.o_bias = file_.tensor("blk.0.attn_output.bias") != nullptr;
    c_.mlp_bias = file_.tensor("blk.0.ffn_gate.bias") != nullptr;
    c_.qk_norm = c_.architecture == Architecture::kQwen3;
    SGL_TRY(const auto window, file_.count(key("attention.sliding_window")));
    c_.window.assign(c_.layers, window.value_or(0));
    return std::move(c_);
  }

 private:
  std::string key(std::string_view rest) const { return fmt::format("{}.{}", prefix_, rest); }

  base::Status architecture() {
    SGL_TRY(const auto name, file_.text("general.architecture"));
    if (!name) return invalid("the file has no metadata 'general.architecture'");
    prefix_ = *name;
    c_.architecture_name = *name;
    if (*name == "llama") {
      c_.architecture = Architecture::kLlama;
    } else if (*name == "qwen2") {
      c_.architecture = Architecture::kQwen2;
    } else if (*name == "qwen3") {
      c_.architecture = Architecture::kQwen3;
    } else {
      return invalid(
          fmt::format("architecture '{}' is not supported in GGUF files (supported: llama, qwen2, qwen3)", *name));
    }
    SGL_TRY(const auto experts, file_.count(key("expert_count")));
    if (experts.value_or(0) > 0) return invalid("mixtures of experts ('expert_count') are not supported");
    return {};
  }

  // A whole number from 1 to `most`; `otherwise` (0: none) where the key is absent.
  Expected<std::size_t> size(std::string_view rest, std::uint64_t most, std::size_t otherwise = 0) {
    const std::string name = key(rest);
    SGL_TRY(const auto found, file_.count(name));
    if (!found && otherwise > 0) return otherwise;
    if (!found) return invalid(fmt::format("the file has no metadata '{}'", name));
    if (*found < 1 || *found > most) return invalid(fmt::format("the metadata '{}' must be from 1 to {}", name, most));
    return static_cast<std::size_t>(*found);
  }

  Expected<double> positive(std::string_view rest, double otherwise) {
    const std::string name = key(rest);
    SGL_TRY(const auto found, file_.number(name));
    if (found && !(*found > 0.0))
      return invalid(fmt::format("the metadata '{}' must be a number greater than 0", name));
    return found.value_or(otherwise);
  }

  base::Status sizes() {
    const gguf::Tensor* embedding = file_.tensor("token_embd.weight");
    if (embedding == nullptr || embedding->shape.size() != 2)
      return invalid("the file has no tensor 'token_embd.weight'");
    c_.vocab_size = embedding->shape[0];
    SGL_TRY(c_.hidden, size("embedding_length", kMaxDimension));
    SGL_TRY(c_.intermediate, size("feed_forward_length", kMaxDimension));
    SGL_TRY(c_.layers, size("block_count", kMaxLayers));
    SGL_TRY(c_.heads, size("attention.head_count", kMaxHeads));
    SGL_TRY(c_.kv_heads, size("attention.head_count_kv", kMaxHeads, c_.heads));
    if (c_.vocab_size > kMaxDimension)
      return invalid(fmt::format("the vocabulary may have at most {} tokens", kMaxDimension));
    if (c_.heads % c_.kv_heads != 0) {
      return invalid(
          fmt::format("the file has {} heads, which is not a multiple of its {} KV heads", c_.heads, c_.kv_heads));
    }
    SGL_TRY(c_.head_dim, size("attention.key_length", kMaxHeads, std::max<std::size_t>(1, c_.hidden / c_.heads)));
    SGL_TRY(const std::size_t values, size("attention.value_length", kMaxHeads, c_.head_dim));
    if (c_.head_dim % 2 != 0 || values != c_.head_dim) {
      return invalid(
          fmt::format("heads of {} (keys) and {} (values) elements are not supported: they must be equal and even",
                      c_.head_dim, values));
    }
    SGL_TRY(const std::size_t rotated, size("rope.dimension_count", kMaxHeads, c_.head_dim));
    if (rotated != c_.head_dim)
      return invalid("heads that are rotated in part ('rope.dimension_count') are not supported");
    SGL_TRY(c_.context, size("context_length", std::uint64_t{1} << 31));
    SGL_TRY(c_.rms_eps, positive("attention.layer_norm_rms_epsilon", 1e-6));
    return {};
  }

  base::Status rotation() {
    SGL_TRY(c_.rope_theta, positive("rope.freq_base", 10000.0));
    RopeScaling& rope = c_.rope;
    SGL_TRY(const auto type, file_.text(key("rope.scaling.type")));
    // Older files have only a factor, which is linear, under one name or the other; Llama 3's have divisors instead.
    const bool linear = type ? *type == "linear" : file_.tensor("rope_freqs.weight") == nullptr;
    SGL_TRY(const double old, positive("rope.scale_linear", 1.0));
    SGL_TRY(rope.factor, positive("rope.scaling.factor", old));
    if (linear && rope.factor != 1.0) {
      rope.kind = RopeScaling::Kind::kLinear;
    } else if (type == "yarn") {
      rope.kind = RopeScaling::Kind::kYarn;
      SGL_TRY(rope.original_context, positive("rope.scaling.original_context_length", static_cast<double>(c_.context)));
      SGL_TRY(rope.beta_fast, positive("rope.scaling.yarn_beta_fast", 32.0));
      SGL_TRY(rope.beta_slow, positive("rope.scaling.yarn_beta_slow", 1.0));
      SGL_TRY(const double attention, positive("rope.scaling.attn_factor", 1.0));
      rope.attention_factor = attention * (rope.factor > 1.0 ? 0.1 * std::log(rope.factor) + 1.0 : 1.0);
    } else if (type && *type != "none" && *type != "linear") {
      return invalid(fmt::format("rope scaling '{}' is not supported (supported: none, linear, yarn)", *type));
    }
    return divisors();
  }

  // Llama 3's scaling is a tensor: what each frequency is divided by.
  base::Status divisors() {
    const gguf::Tensor* tensor = file_.tensor("rope_freqs.weight");
    if (tensor == nullptr) return {};
    if (tensor->type != gguf::Type::kF32 || tensor->shape != std::vector<std::uint64_t>{c_.head_dim / 2} ||
        c_.rope.kind != RopeScaling::Kind::kNone) {
      return invalid("the tensor 'rope_freqs.weight' does not fit the heads, or stands beside another rope scaling");
    }
    std::vector<float> values(c_.head_dim / 2);
    gguf::dequantize(tensor->type, tensor->bytes.data(), values.size(), values.data());
    for (const float v : values) {
      if (!std::isfinite(v) || !(v > 0.0F)) return invalid("the tensor 'rope_freqs.weight' must hold positive numbers");
    }
    c_.rope.kind = RopeScaling::Kind::kDivisors;
    c_.rope.divisors.assign(values.begin(), values.end());
    return {};
  }

  // As in config.cc: far beyond any model that exists.
  static constexpr std::uint64_t kMaxDimension = 1 << 24, kMaxLayers = 4096, kMaxHeads = 1 << 16;

  const gguf::Contents& file_;
  std::string prefix_;
  Config c_;
};

}  // namespace

Expected<Config> gguf_config(const gguf::Contents& file) {
  return Reader(file).read();
}

}  // namespace sgl::model
