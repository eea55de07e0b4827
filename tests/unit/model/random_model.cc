#include "tests/unit/model/random_model.h"

#include <unistd.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

namespace sgl::test {
namespace {

using Json = nlohmann::json;

// Rounds to a value that the type holds exactly (toward zero; the tests only need some value). Arithmetic, not bit
// masks: GCC 12.2 drops the mask from bit_cast<float>(bit_cast<uint32_t>(v) & mask).
float representable(float v, const std::string& dtype) {
  if (dtype == "F32") return v;
  const int digits = dtype == "BF16" ? 8 : 11;
  int exponent = 0;
  const float fraction = std::frexp(v, &exponent);
  if (dtype == "F16" && exponent < -13) return 0.0F;  // no subnormals
  return std::ldexp(std::trunc(std::ldexp(fraction, digits)), exponent - digits);
}

std::uint16_t half_bits(float v, const std::string& dtype) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  if (dtype == "BF16") return static_cast<std::uint16_t>(bits >> 16);
  if ((bits & 0x7FFFFFFFU) == 0) return static_cast<std::uint16_t>(bits >> 16);
  const std::uint32_t exponent = (bits >> 23 & 0xFFU) - 112;
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000U) | exponent << 10 | (bits >> 13 & 0x3FFU));
}

struct Builder {
  const RandomModelSpec& spec;
  RandomModel& model;
  std::mt19937 rng;
  void add(const std::string& name, std::vector<std::size_t> shape, double center, double spread) {
    std::uniform_real_distribution<float> uniform(static_cast<float>(center - spread),
                                                  static_cast<float>(center + spread));
    std::size_t n = 1;
    for (const std::size_t d : shape) n *= d;
    RandomTensor t{std::move(shape), std::vector<float>(n)};
    for (float& v : t.values) v = representable(uniform(rng), spec.dtype);
    model.tensors.emplace(name, std::move(t));
  }
  void linear(const std::string& name, std::size_t n, std::size_t k, bool bias) {
    add(name + ".weight", {n, k}, 0.0, spec.spread * 1.7 / std::sqrt(static_cast<double>(k)));
    if (bias) add(name + ".bias", {n}, 0.0, 0.3);
  }
};

void build(Builder& b) {
  const RandomModelSpec& s = b.spec;
  const bool qwen2 = s.architecture == "Qwen2ForCausalLM", qwen3 = s.architecture == "Qwen3ForCausalLM";
  const std::size_t q = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
  b.add("model.embed_tokens.weight", {s.vocab, s.hidden}, 0.0, 1.0);
  b.add("model.norm.weight", {s.hidden}, 1.0, 0.3);
  if (!s.tied) b.linear("lm_head", s.vocab, s.hidden, false);
  for (std::size_t l = 0; l < s.layers; ++l) {
    const std::string p = "model.layers." + std::to_string(l) + ".";
    b.add(p + "input_layernorm.weight", {s.hidden}, 1.0, 0.3);
    b.add(p + "post_attention_layernorm.weight", {s.hidden}, 1.0, 0.3);
    b.linear(p + "self_attn.q_proj", q, s.hidden, qwen2 || s.attention_bias);
    b.linear(p + "self_attn.k_proj", kv, s.hidden, qwen2 || s.attention_bias);
    b.linear(p + "self_attn.v_proj", kv, s.hidden, qwen2 || s.attention_bias);
    b.linear(p + "self_attn.o_proj", s.hidden, q, !qwen2 && s.attention_bias);
    b.linear(p + "mlp.gate_proj", s.intermediate, s.hidden, s.mlp_bias);
    b.linear(p + "mlp.up_proj", s.intermediate, s.hidden, s.mlp_bias);
    b.linear(p + "mlp.down_proj", s.hidden, s.intermediate, s.mlp_bias);
    if (qwen3) {
      b.add(p + "self_attn.q_norm.weight", {s.head_dim}, 1.0, 0.3);
      b.add(p + "self_attn.k_norm.weight", {s.head_dim}, 1.0, 0.3);
    }
  }
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// GPT-2's printable stand-in for a byte, as UTF-8.
std::string byte_piece(int byte) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "<0x%02X>", static_cast<unsigned>(byte));
  return buffer;
}

}  // namespace

std::string config_json(const RandomModelSpec& s) {
  Json j = {{"architectures", {s.architecture}},
            {"vocab_size", s.vocab},
            {"hidden_size", s.hidden},
            {"intermediate_size", s.intermediate},
            {"num_hidden_layers", s.layers},
            {"num_attention_heads", s.heads},
            {"num_key_value_heads", s.kv_heads},
            {"head_dim", s.head_dim},
            {"max_position_embeddings", s.context},
            {"rms_norm_eps", 1e-5},
            {"hidden_act", "silu"},
            {"tie_word_embeddings", s.tied},
            {"bos_token_id", 1},
            {"eos_token_id", 2}};
  if (s.attention_bias) j["attention_bias"] = true;
  if (s.mlp_bias) j["mlp_bias"] = true;
  Json rope = s.rope_scaling.empty() ? Json::object() : Json::parse(s.rope_scaling);
  if (s.rope_parameters) {
    rope["rope_theta"] = s.rope_theta;
    j["rope_parameters"] = rope;
  } else {
    j["rope_theta"] = s.rope_theta;
    if (!rope.empty()) j["rope_scaling"] = rope;
  }
  if (s.window != 0) {
    j["sliding_window"] = s.window;
    if (s.architecture[0] == 'Q') {
      j["use_sliding_window"] = true;
      j["max_window_layers"] = s.max_window_layers;
    }
  }
  return j.dump(1);
}

std::string safetensors_bytes(const std::map<std::string, RandomTensor>& tensors, const std::string& dtype) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& [name, t] : tensors) {
    const std::size_t begin = data.size();
    for (const float v : t.values) {
      if (dtype == "F32") {
        data.append(reinterpret_cast<const char*>(&v), sizeof v);
      } else {
        const std::uint16_t bits = half_bits(v, dtype);
        data.append(reinterpret_cast<const char*>(&bits), sizeof bits);
      }
    }
    header[name] = {{"dtype", dtype}, {"shape", t.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return out + text + data;
}

RandomModel write_random_model(const RandomModelSpec& spec, const std::filesystem::path& folder) {
  RandomModel model{spec, {}};
  Builder builder{model.spec, model, std::mt19937(spec.seed)};
  build(builder);
  std::filesystem::create_directories(folder);
  write(folder / "config.json", config_json(spec));
  if (spec.shards <= 1) {
    write(folder / "model.safetensors", safetensors_bytes(model.tensors, spec.dtype));
    return model;
  }
  std::vector<std::map<std::string, RandomTensor>> parts(spec.shards);
  Json index = {{"metadata", Json::object()}, {"weight_map", Json::object()}};
  std::size_t next = 0;
  for (const auto& [name, t] : model.tensors) {
    const std::size_t part = next++ % spec.shards;
    parts[part].emplace(name, t);
    index["weight_map"][name] = "part-" + std::to_string(part) + ".safetensors";
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    write(folder / ("part-" + std::to_string(i) + ".safetensors"), safetensors_bytes(parts[i], spec.dtype));
  }
  write(folder / "model.safetensors.index.json", index.dump());
  return model;
}

TemporaryFolder::TemporaryFolder() {
  static std::atomic<int> counter{0};
  path_ = std::filesystem::temp_directory_path() /
          ("sgl-test-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1)));
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // nothing sensible to do about a temporary file that stays
  std::filesystem::remove_all(path_, ignored);
}

std::string byte_tokenizer_json(const std::vector<std::string>& extra) {
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int b = 0; b < 256; ++b) vocab[byte_piece(b)] = b + 3;
  // Merges work on characters, so printable ASCII needs pieces of its own as soon as something is merged.
  Json merges = Json::array();
  int id = 259;
  for (const std::string& piece : extra) {
    if (!vocab.contains(piece)) vocab[piece] = id++;
    if (piece.size() > 1) merges.push_back(piece.substr(0, piece.size() - 1) + " " + piece.substr(piece.size() - 1));
  }
  Json added = Json::array();
  for (int i = 0; i < 3; ++i) {
    added.push_back({{"id", i},
                     {"content", i == 0 ? "<unk>" : (i == 1 ? "<s>" : "</s>")},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json out = {{"version", "1.0"},
                    {"truncation", nullptr},
                    {"padding", nullptr},
                    {"added_tokens", added},
                    {"normalizer", nullptr},
                    {"pre_tokenizer", nullptr},
                    {"post_processor", nullptr},
                    {"decoder", {{"type", "Sequence"}, {"decoders", {{{"type", "ByteFallback"}}, {{"type", "Fuse"}}}}}},
                    {"model",
                     {{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", "<unk>"},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", true},
                      {"byte_fallback", true},
                      {"ignore_merges", false},
                      {"vocab", vocab},
                      {"merges", merges}}}};
  return out.dump();
}

}  // namespace sgl::test
