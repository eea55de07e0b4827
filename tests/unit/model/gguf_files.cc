#include "tests/unit/model/gguf_files.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <nlohmann/json.hpp>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/half.h"
#include "runtime/gguf/blocks.h"

namespace sgl::test {
namespace {

std::string replaced(std::string name) {
  const std::pair<const char*, const char*> parts[] = {
      {"model.embed_tokens", "token_embd"},
      {"model.norm", "output_norm"},
      {"lm_head", "output"},
      {"model.layers.", "blk."},
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"self_attn.q_norm", "attn_q_norm"},
      {"self_attn.k_norm", "attn_k_norm"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},
  };
  for (const auto& [from, to] : parts) {
    if (const std::size_t at = name.find(from); at != std::string::npos) name.replace(at, std::strlen(from), to);
  }
  return name;
}

// The converter's `permute`: the halves of every head, interleaved.
std::vector<float> interleaved(const std::vector<float>& values, std::size_t head, std::size_t rows) {
  std::vector<float> out(values.size());
  const std::size_t k = values.size() / rows, half = head / 2;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t to = r / head * head + r % head % half * 2 + r % head / half;
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(r * k), k,
                out.begin() + static_cast<std::ptrdiff_t>(to * k));
  }
  return out;
}

std::vector<std::byte> stored(const std::vector<float>& values, gguf::Type type) {
  const gguf::TypeFacts f = gguf::facts(type);
  std::vector<std::byte> out(values.size() / f.block * f.bytes);
  for (std::size_t i = 0; i < values.size() && f.block == 1; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    const auto half =
        type == gguf::Type::kF16 ? base::float_to_half(values[i]) : static_cast<std::uint16_t>(bits >> 16);
    type == gguf::Type::kF32 ? std::memcpy(&out[i * 4], &bits, 4) : std::memcpy(&out[i * 2], &half, 2);
  }
  if (f.block > 1) gguf::quantize(type, values.data(), values.size(), out.data());
  return out;
}

void add_scaling(gguf::Writer& out, const RandomModelSpec& s, const std::string& prefix,
                 std::deque<std::vector<std::byte>>& data) {
  if (s.rope_scaling.empty()) return;
  const auto scaling = nlohmann::json::parse(s.rope_scaling);
  if (scaling.value("type", "") == "linear") {
    // As files were written over time: the factor alone, under two names, then with its type.
    const std::string age = scaling.value("gguf", "new");
    if (age == "new") out.text(prefix + "rope.scaling.type", "linear");
    out.number(prefix + (age == "oldest" ? "rope.scale_linear" : "rope.scaling.factor"),
               scaling["factor"].get<float>());
    return;
  }
  SGL_ASSERT(scaling.value("rope_type", "") == "llama3");
  const double factor = scaling["factor"], low = scaling["low_freq_factor"], high = scaling["high_freq_factor"];
  const double original = scaling["original_max_position_embeddings"];
  out.number(prefix + "rope.scaling.factor", static_cast<float>(factor));  // means nothing beside the divisors
  std::vector<float> divisors;
  for (std::size_t i = 0; i < s.head_dim / 2; ++i) {
    const double frequency = std::pow(s.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(s.head_dim));
    const double turns = original * frequency / (2 * 3.14159265358979323846);
    const double share = std::min(1.0, std::max(0.0, (turns - low) / (high - low)));
    divisors.push_back(static_cast<float>(1.0 / ((1.0 - share) / factor + share)));
  }
  out.tensor("rope_freqs.weight", gguf::Type::kF32, {divisors.size()},
             data.emplace_back(stored(divisors, gguf::Type::kF32)));
}

}  // namespace

void write_gguf(const RandomModel& model, gguf::Type type, const std::filesystem::path& path) {
  const RandomModelSpec& s = model.spec;
  const std::string name = s.architecture[0] == 'Q' ? (s.architecture[4] == '2' ? "qwen2" : "qwen3") : "llama";
  const std::string prefix = name + ".";
  gguf::Writer out;
  std::deque<std::vector<std::byte>> data;
  out.text("general.architecture", name);
  const std::pair<const char*, std::size_t> counts[] = {{"embedding_length", s.hidden},
                                                        {"feed_forward_length", s.intermediate},
                                                        {"block_count", s.layers},
                                                        {"attention.head_count", s.heads},
                                                        {"attention.head_count_kv", s.kv_heads},
                                                        {"attention.key_length", s.head_dim},
                                                        {"attention.value_length", s.head_dim},
                                                        {"context_length", s.context}};
  for (const auto& [key, value] : counts) out.count(prefix + key, static_cast<std::uint32_t>(value));
  if (s.window != 0) out.count(prefix + "attention.sliding_window", static_cast<std::uint32_t>(s.window));
  out.number(prefix + "attention.layer_norm_rms_epsilon", 1e-5F);
  out.number(prefix + "rope.freq_base", static_cast<float>(s.rope_theta));
  add_scaling(out, s, prefix, data);
  for (const auto& [tensor, t] : model.tensors) {
    const bool turned =
        name == "llama" && (tensor.find("q_proj") != std::string::npos || tensor.find("k_proj") != std::string::npos);
    const std::vector<float> values = turned ? interleaved(t.values, s.head_dim, t.shape[0]) : t.values;
    const gguf::Type kind = t.shape.size() == 1 ? gguf::Type::kF32 : type;
    out.tensor(replaced(tensor), kind, {t.shape.begin(), t.shape.end()}, data.emplace_back(stored(values, kind)));
  }
  SGL_ASSERT(out.write(path).ok());
}

}  // namespace sgl::test
