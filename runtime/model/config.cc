#include "runtime/model/config.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernels/quant.h"

namespace sgl::model {
namespace {

using Json = nlohmann::json;
using base::Expected;
using base::invalid;

// Upper bounds far beyond any model that exists; they keep products of two dimensions inside 64 bits.
constexpr std::int64_t kMaxDimension = 1 << 24;
constexpr std::int64_t kMaxLayers = 4096;

const Json* field(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Expected<std::size_t> count(const Json& object, const char* name, std::int64_t max,
                            std::optional<std::size_t> otherwise = std::nullopt) {
  const Json* value = field(object, name);
  if (value == nullptr) {
    if (otherwise) return *otherwise;
    return invalid(fmt::format("config.json has no field '{}'", name));
  }
  if (!value->is_number_integer() || (value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX) ||
      value->get<std::int64_t>() < 1 || value->get<std::int64_t>() > max) {
    return invalid(fmt::format("config.json: '{}' must be a whole number from 1 to {}", name, max));
  }
  return static_cast<std::size_t>(value->get<std::int64_t>());
}

// A finite number greater than `above`.
Expected<double> number(const Json& object, const char* name, double above, std::optional<double> otherwise) {
  const Json* value = field(object, name);
  if (value == nullptr) {
    if (otherwise) return *otherwise;
    return invalid(fmt::format("config.json has no field '{}'", name));
  }
  const double v = value->is_number() ? value->get<double>() : std::nan("");
  if (!std::isfinite(v) || !(v > above)) {
    return invalid(fmt::format("config.json: '{}' must be a number greater than {}", name, above));
  }
  return v;
}

Expected<bool> flag(const Json& object, const char* name, bool otherwise) {
  const Json* value = field(object, name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) return invalid(fmt::format("config.json: '{}' must be true or false", name));
  return value->get<bool>();
}

base::Status read_architecture(const Json& json, Config& c) {
  const Json* list = field(json, "architectures");
  if (list == nullptr || !list->is_array() || list->empty() || !(*list)[0].is_string()) {
    return invalid("config.json has no field 'architectures' with the name of the architecture");
  }
  c.architecture_name = (*list)[0].get<std::string>();
  if (c.architecture_name == "LlamaForCausalLM") {
    c.architecture = Architecture::kLlama;
  } else if (c.architecture_name == "MistralForCausalLM") {
    c.architecture = Architecture::kMistral;
  } else if (c.architecture_name == "Qwen2ForCausalLM") {
    c.architecture = Architecture::kQwen2;
  } else if (c.architecture_name == "Qwen3ForCausalLM") {
    c.architecture = Architecture::kQwen3;
  } else {
    return invalid(
        fmt::format("architecture '{}' is not supported (supported: LlamaForCausalLM, MistralForCausalLM, "
                    "Qwen2ForCausalLM, Qwen3ForCausalLM)",
                    c.architecture_name));
  }
  return {};
}

base::Status read_sizes(const Json& json, Config& c) {
  SGL_TRY(c.vocab_size, count(json, "vocab_size", kMaxDimension));
  SGL_TRY(c.hidden, count(json, "hidden_size", kMaxDimension));
  SGL_TRY(c.intermediate, count(json, "intermediate_size", kMaxDimension));
  SGL_TRY(c.layers, count(json, "num_hidden_layers", kMaxLayers));
  SGL_TRY(c.heads, count(json, "num_attention_heads", 1 << 16));
  SGL_TRY(c.kv_heads, count(json, "num_key_value_heads", 1 << 16, c.heads));
  if (c.heads % c.kv_heads != 0) {
    return invalid(
        fmt::format("config.json: 'num_attention_heads' ({}) must be a multiple of 'num_key_value_heads' ({})", c.heads,
                    c.kv_heads));
  }
  SGL_TRY(c.head_dim, count(json, "head_dim", 1 << 16, c.hidden / c.heads == 0 ? 1 : c.hidden / c.heads));
  if (c.head_dim % 2 != 0) return invalid(fmt::format("config.json: the head size ({}) must be even", c.head_dim));
  SGL_TRY(c.context, count(json, "max_position_embeddings", std::int64_t{1} << 31));
  SGL_TRY(c.rms_eps, number(json, "rms_norm_eps", 0.0, 1e-6));
  return {};
}

base::Status read_biases(const Json& json, Config& c) {
  SGL_TRY(const bool attention_bias, flag(json, "attention_bias", false));
  SGL_TRY(c.mlp_bias, flag(json, "mlp_bias", false));
  SGL_TRY(c.tied_embeddings, flag(json, "tie_word_embeddings", false));
  c.qk_norm = c.architecture == Architecture::kQwen3;
  if (c.architecture == Architecture::kQwen2) {
    c.qkv_bias = true;  // built into the architecture, without a field
  } else if (c.architecture != Architecture::kMistral) {
    c.qkv_bias = c.o_bias = attention_bias;
  }
  if (c.architecture != Architecture::kLlama) c.mlp_bias = false;
  const Json* act = field(json, "hidden_act");
  if (act != nullptr && *act != "silu") {
    return invalid("config.json: only the activation 'silu' is supported in 'hidden_act'");
  }
  return {};
}

// Only our own packed weights can be read, and only in the layout of this version.
base::Status read_quantization(const Json& json, Config& c) {
  const Json* quantization = field(json, "quantization_config");
  if (quantization == nullptr) return {};
  const auto text = [&](const char* name) -> std::string {
    const Json* value = quantization->is_object() ? field(*quantization, name) : nullptr;
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
  };
  if (text("quant_method") != kQuantMethod) {
    return invalid(fmt::format(
        "config.json: weights quantised by another program than sgl ('quant_method' is '{}') cannot be read",
        text("quant_method")));
  }
  SGL_TRY(c.stored, parse_weight_format(text("format")));
  SGL_TRY(const std::size_t version, count(*quantization, "layout_version", 1 << 16));
  if (version != static_cast<std::size_t>(kernels::kPackedLayoutVersion)) {
    return invalid(fmt::format(
        "config.json: the weights have layout {}, this version reads layout {}; quantise the original again", version,
        kernels::kPackedLayoutVersion));
  }
  return {};
}

base::Status read_windows(const Json& json, Config& c) {
  c.window.assign(c.layers, 0);
  if (c.architecture == Architecture::kLlama) return {};
  const bool mistral = c.architecture == Architecture::kMistral;
  SGL_TRY(const bool use, flag(json, "use_sliding_window", mistral));
  if (!use || field(json, "sliding_window") == nullptr) return {};
  SGL_TRY(const std::size_t window, count(json, "sliding_window", std::int64_t{1} << 31));
  if (const Json* types = field(json, "layer_types"); types != nullptr && !mistral) {
    if (!types->is_array() || types->size() != c.layers) {
      return invalid("config.json: 'layer_types' must name one kind per layer");
    }
    for (std::size_t i = 0; i < c.layers; ++i) {
      if ((*types)[i] == "sliding_attention") {
        c.window[i] = window;
      } else if ((*types)[i] != "full_attention") {
        return invalid("config.json: 'layer_types' may hold only 'full_attention' and 'sliding_attention'");
      }
    }
    return {};
  }
  std::size_t first = 0;  // Qwen: the layers from max_window_layers on slide
  if (const Json* from = field(json, "max_window_layers"); from != nullptr && !mistral) {
    if (!from->is_number_unsigned()) return invalid("config.json: 'max_window_layers' must be a whole number");
    first = static_cast<std::size_t>(std::min<std::uint64_t>(from->get<std::uint64_t>(), c.layers));
  }
  for (std::size_t i = first; i < c.layers; ++i) c.window[i] = window;
  return {};
}

// yarn's attention factor (Peng et al., 2023, arXiv:2309.00071, section 3.4; mscale as in DeepSeek's configurations).
base::Status read_attention_factor(const Json& scaling, RopeScaling& rope) {
  const auto magnitude = [&](double mscale) {
    return rope.factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(rope.factor) + 1.0;
  };
  double otherwise = magnitude(1.0);
  if (field(scaling, "mscale") != nullptr && field(scaling, "mscale_all_dim") != nullptr) {
    SGL_TRY(const double mscale, number(scaling, "mscale", -1.0, {}));
    SGL_TRY(const double all, number(scaling, "mscale_all_dim", -1.0, {}));
    if (mscale != 0.0 && all != 0.0) otherwise = magnitude(mscale) / magnitude(all);
  }
  SGL_TRY(rope.attention_factor, number(scaling, "attention_factor", 0.0, otherwise));
  return {};
}

base::Status read_scaling(const Json& scaling, Config& c) {
  const Json* type = field(scaling, "rope_type");
  if (type == nullptr) type = field(scaling, "type");
  if (type == nullptr || *type == "default") return {};
  if (!type->is_string()) return invalid("config.json: 'rope_type' must be a string");
  RopeScaling& rope = c.rope;
  const std::string name = type->get<std::string>();
  const auto context = static_cast<double>(c.context);
  SGL_TRY(rope.original_context, number(scaling, "original_max_position_embeddings", 0.0, context));
  if (name == "linear") {
    rope.kind = RopeScaling::Kind::kLinear;
    SGL_TRY(rope.factor, number(scaling, "factor", 0.0, {}));
  } else if (name == "llama3") {
    rope.kind = RopeScaling::Kind::kLlama3;
    SGL_TRY(rope.factor, number(scaling, "factor", 0.0, {}));
    SGL_TRY(rope.low_freq_factor, number(scaling, "low_freq_factor", 0.0, {}));
    SGL_TRY(rope.high_freq_factor, number(scaling, "high_freq_factor", rope.low_freq_factor, {}));
  } else if (name == "yarn") {
    rope.kind = RopeScaling::Kind::kYarn;
    SGL_TRY(rope.factor, number(scaling, "factor", 0.0, context / rope.original_context));
    SGL_TRY(rope.beta_fast, number(scaling, "beta_fast", 0.0, 32.0));
    SGL_TRY(rope.beta_slow, number(scaling, "beta_slow", 0.0, 1.0));
    SGL_TRY(rope.truncate, flag(scaling, "truncate", true));
    SGL_TRY_STATUS(read_attention_factor(scaling, rope));
  } else {
    return invalid(
        fmt::format("config.json: rope type '{}' is not supported (supported: default, linear, llama3, yarn)", name));
  }
  // Published configurations state the length before extension for linear, and before or after it for yarn.
  if (rope.kind == RopeScaling::Kind::kLinear || rope.kind == RopeScaling::Kind::kYarn) {
    const double base_length = rope.kind == RopeScaling::Kind::kLinear ? context : rope.original_context;
    const double extended = std::min(base_length * rope.factor, 2147483648.0);
    if (extended > context) c.context = static_cast<std::size_t>(extended);
  }
  return {};
}

base::Status read_rope(const Json& json, Config& c) {
  const Json* scaling = field(json, "rope_scaling");
  const Json* parameters = field(json, "rope_parameters");  // newer files: also holds rope_theta
  const Json* block = parameters != nullptr ? parameters : scaling;
  if (block != nullptr && !block->is_object()) {
    return invalid("config.json: 'rope_scaling' (or 'rope_parameters') must be an object");
  }
  SGL_TRY(c.rope_theta, number(json, "rope_theta", 1.0, 10000.0));
  if (block == nullptr) return {};
  SGL_TRY(c.rope_theta, number(*block, "rope_theta", 1.0, c.rope_theta));
  for (const Json* where : {&json, block}) {
    SGL_TRY(const double partial, number(*where, "partial_rotary_factor", 0.0, 1.0));
    if (partial != 1.0) return invalid("config.json: 'partial_rotary_factor' other than 1 is not supported");
  }
  return read_scaling(*block, c);
}

double yarn_correction(const Config& c, double rotations) {
  constexpr double kTwoPi = 6.283185307179586476925286766559;
  return static_cast<double>(c.head_dim) * std::log(c.rope.original_context / (rotations * kTwoPi)) /
         (2.0 * std::log(c.rope_theta));
}

}  // namespace

Expected<Config> parse_config(std::string_view json_text) {
  const Json json = Json::parse(json_text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return invalid("config.json is not a JSON object");
  Config c;
  SGL_TRY_STATUS(read_architecture(json, c));
  SGL_TRY_STATUS(read_sizes(json, c));
  SGL_TRY_STATUS(read_biases(json, c));
  SGL_TRY_STATUS(read_quantization(json, c));
  SGL_TRY_STATUS(read_windows(json, c));
  SGL_TRY_STATUS(read_rope(json, c));
  return c;
}

std::vector<double> rope_frequencies(const Config& c) {
  constexpr double kTwoPi = 6.283185307179586476925286766559;
  const std::size_t half = c.head_dim / 2;
  const RopeScaling& rope = c.rope;
  std::vector<double> out(half);
  double low = 0.0, high = 0.0;
  if (rope.kind == RopeScaling::Kind::kYarn) {
    low = yarn_correction(c, rope.beta_fast);
    high = yarn_correction(c, rope.beta_slow);
    if (rope.truncate) {
      low = std::floor(low);
      high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, static_cast<double>(c.head_dim) - 1.0);
    if (low == high) high += 0.001;
  }
  for (std::size_t i = 0; i < half; ++i) {
    const double plain = std::pow(c.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(c.head_dim));
    switch (rope.kind) {
      case RopeScaling::Kind::kNone:
        out[i] = plain;
        break;
      case RopeScaling::Kind::kLinear:
        out[i] = plain / rope.factor;
        break;
      case RopeScaling::Kind::kLlama3: {
        const double turns = rope.original_context * plain / kTwoPi;  // rotations over the original context
        const double smooth = (turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
        const double share = std::min(1.0, std::max(0.0, smooth));
        out[i] = (1.0 - share) * plain / rope.factor + share * plain;
        break;
      }
      case RopeScaling::Kind::kDivisors:
        out[i] = plain / rope.divisors[i];
        break;
      case RopeScaling::Kind::kYarn: {
        const double ramp = std::min(1.0, std::max(0.0, (static_cast<double>(i) - low) / (high - low)));
        out[i] = plain / rope.factor * ramp + plain * (1.0 - ramp);
        break;
      }
    }
  }
  return out;
}

}  // namespace sgl::model
