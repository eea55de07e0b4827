// The facts of a Hugging Face config.json that the forward pass needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/model/formats.h"

namespace sgl::model {

enum class Architecture { kLlama, kMistral, kQwen2, kQwen3 };

// Context extension; field names as in rope_scaling (or rope_parameters, the newer spelling).
struct RopeScaling {
  enum class Kind { kNone, kLinear, kLlama3, kYarn, kDivisors };
  Kind kind = Kind::kNone;
  double factor = 1.0;
  double original_context = 0.0;  // original_max_position_embeddings
  double low_freq_factor = 1.0;   // llama3
  double high_freq_factor = 4.0;  // llama3
  double beta_fast = 32.0;        // yarn
  double beta_slow = 1.0;         // yarn
  double attention_factor = 1.0;  // yarn: multiplies cos and sin, i.e. q and k each
  bool truncate = true;           // yarn: round the correction range to whole dimensions
  std::vector<double> divisors;   // divisors: one per pair, positive; each frequency is divided by its own (GGUF)
};

struct Config {
  Architecture architecture = Architecture::kLlama;
  std::string architecture_name;  // as spelt in the file
  std::size_t vocab_size = 0;
  std::size_t hidden = 0;
  std::size_t intermediate = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  std::size_t context = 0;  // tokens the model is made for, context extension included
  double rms_eps = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope;
  bool tied_embeddings = false;  // the head is the embedding table
  bool qkv_bias = false;
  bool o_bias = false;
  bool mlp_bias = false;
  bool qk_norm = false;  // RMS norm of every query and key head before the rotation
  // What the folder's packed tensors are (written by write_quantized, quantized_folder.h); kAsStored: it has none.
  WeightFormat stored = WeightFormat::kAsStored;
  std::vector<std::size_t> window;  // per layer: sliding window in tokens, 0 for none
};

// What 'quantization_config' has as 'quant_method' where this project wrote the weights.
constexpr std::string_view kQuantMethod = "sgl";

// Errors: `invalid`, one sentence naming the field: not JSON, missing or out-of-range field, unknown architecture,
// activation or rope type, weights quantised by other programs, packed weights of another layout.
base::Expected<Config> parse_config(std::string_view json_text);

// Rotation per position and pair i < head_dim/2, in radians, after scaling.
std::vector<double> rope_frequencies(const Config& config);

}  // namespace sgl::model
