#include "bench/roofline_models.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "kernels/quant.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/model.h"

namespace sgl::bench {
namespace {

using Json = nlohmann::json;
using model::KvFormat;
using model::WeightFormat;

// Sizes of a decoder with a tied head.
struct Shape {
  const char* name;
  const char* architecture;
  std::size_t hidden, intermediate, layers, heads, kv_heads, head_dim, vocab;

  std::size_t layer_weights() const {
    return hidden * head_dim * (2 * heads + 2 * kv_heads) + 3 * hidden * intermediate;
  }
  std::size_t weights() const { return vocab * hidden + layers * layer_weights(); }
};

constexpr Shape kLlama{"a Llama of 0.35 billion weights", "LlamaForCausalLM", 2048, 5632, 6, 32, 8, 64, 32000};
constexpr Shape kQwen{"Qwen3-0.6B's shape", "Qwen3ForCausalLM", 1024, 3072, 28, 16, 8, 128, 151936};

Json config_of(const Shape& s) {
  return {{"architectures", {s.architecture}},   {"vocab_size", s.vocab},         {"hidden_size", s.hidden},
          {"intermediate_size", s.intermediate}, {"num_hidden_layers", s.layers}, {"num_attention_heads", s.heads},
          {"num_key_value_heads", s.kv_heads},   {"head_dim", s.head_dim},        {"max_position_embeddings", 4096},
          {"tie_word_embeddings", true}};
}

// Name and shape of every tensor.
std::vector<std::pair<std::string, std::vector<std::size_t>>> tensors_of(const Shape& s) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> out;
  out.push_back({"model.embed_tokens.weight", {s.vocab, s.hidden}});
  out.push_back({"model.norm.weight", {s.hidden}});
  for (std::size_t l = 0; l < s.layers; ++l) {
    const std::string p = fmt::format("model.layers.{}.", l);
    const std::size_t q = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
    out.push_back({p + "input_layernorm.weight", {s.hidden}});
    out.push_back({p + "post_attention_layernorm.weight", {s.hidden}});
    out.push_back({p + "self_attn.q_proj.weight", {q, s.hidden}});
    out.push_back({p + "self_attn.k_proj.weight", {kv, s.hidden}});
    out.push_back({p + "self_attn.v_proj.weight", {kv, s.hidden}});
    out.push_back({p + "self_attn.o_proj.weight", {s.hidden, q}});
    out.push_back({p + "mlp.gate_proj.weight", {s.intermediate, s.hidden}});
    out.push_back({p + "mlp.up_proj.weight", {s.intermediate, s.hidden}});
    out.push_back({p + "mlp.down_proj.weight", {s.hidden, s.intermediate}});
    if (std::strcmp(s.architecture, "Qwen3ForCausalLM") == 0) {
      out.push_back({p + "self_attn.q_norm.weight", {s.head_dim}});
      out.push_back({p + "self_attn.k_norm.weight", {s.head_dim}});
    }
  }
  return out;
}

// A block of random values, repeated: their values do not matter here.
std::string random_block(bool bf16) {
  std::mt19937 rng(1);
  std::string block(1 << 20, '\0');
  std::uniform_real_distribution<float> uniform(-0.02F, 0.02F);
  for (std::size_t i = 0; i + 4 <= block.size(); i += 4) {
    const float v = uniform(rng);
    std::uint16_t halves[2];
    std::memcpy(halves, &v, 4);
    if (bf16) halves[0] = halves[1];
    std::memcpy(block.data() + i, halves, 4);
  }
  return block;
}

void write_model(const std::filesystem::path& folder, const Shape& shape, bool bf16) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config_of(shape).dump();
  Json header;
  std::size_t at = 0;
  for (const auto& [name, dims] : tensors_of(shape)) {
    std::size_t bytes = bf16 ? 2 : 4;
    for (const std::size_t d : dims) bytes *= d;
    header[name] = {{"dtype", bf16 ? "BF16" : "F32"}, {"shape", dims}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin at a multiple of 8, as writers do
  std::ofstream out(folder / "model.safetensors", std::ios::binary);
  const std::uint64_t length = text.size();
  out.write(reinterpret_cast<const char*>(&length), 8);
  out << text;
  const std::string block = random_block(bf16);
  for (std::size_t done = 0; done < at; done += block.size()) {
    out.write(block.data(), static_cast<std::streamsize>(std::min(block.size(), at - done)));
  }
}

double bytes_of(const Shape& s, bool bf16, WeightFormat format) {
  const auto weights = static_cast<double>(s.weights());
  switch (format) {
    case WeightFormat::kAsStored:
      return weights * (bf16 ? 2 : 4);
    case WeightFormat::kQ8:
      return weights * 8.5 / 8;
    case WeightFormat::kQ4:
      return weights * 4.5 / 8;
    case WeightFormat::kQ4A:
      return weights * 5.0 / 8;
  }
  return 0.0;
}

Json measure(const std::filesystem::path& folder, const Shape& shape, bool bf16, const model::LoadOptions& options,
             const std::function<double()>& bandwidth, base::ThreadPool& pool) {
  const auto started = std::chrono::steady_clock::now();
  const auto m = model::Model::load(folder, options);
  if (!m.ok()) return {{"error", m.error().message}};
  const double load = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  constexpr std::size_t kPrompt = 512, kTokens = 8, kRuns = 10, kSequences = 16;
  constexpr std::size_t kPageSize = 16;  // the engine's
  constexpr std::size_t kContext = (kPrompt + kTokens * (kRuns + 1) + kPageSize - 1) / kPageSize * kPageSize;
  const auto kv = (*m)->make_kv(kContext * kSequences / kPageSize, kPageSize);
  std::vector<std::uint32_t> slots(kContext * kSequences);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    slots[i] = static_cast<std::uint32_t>(i / kPageSize * kv->stride() + i % kPageSize);
  }
  std::vector<float> logits(kSequences * shape.vocab);
  const std::vector<std::int32_t> prompt(kPrompt, 7);
  bool good = true;
  // `n` tokens from `at` on, of each of `sequences`.
  const auto step = [&](std::size_t at, std::size_t n, std::size_t sequences) {
    std::vector<model::Slice> slices;
    for (std::size_t s = 0; s < sequences; ++s) {
      slices.push_back({{prompt.data(), n}, static_cast<std::int64_t>(at), {&slots[s * kContext], at + n}, 1});
    }
    good = good && (*m)->forward(slices, *kv, {logits.data(), sequences * shape.vocab}, pool).ok();
  };
  step(0, 16, kSequences);  // also brings the file into memory
  const double prefill = best_of(3, [&] { step(0, kPrompt, 1); });
  std::size_t at = kPrompt;
  // A token of one sequence reads all weights, and the keys and values of what comes before it.
  const double bytes = bytes_of(shape, bf16, options.weights);
  const double kv_bytes = static_cast<double>((*m)->kv_bytes_per_token() * kPrompt);
  // Some tokens one after another, as a sequence is decoded: the limit's reads leave nothing of the model in the
  // caches.
  const Rate token = rate_beside(kTokens * (bytes + kv_bytes), kRuns, bandwidth, [&] {
    for (std::size_t i = 0; i < kTokens; ++i) step(at++, 1, 1);
  });
  at = 16;
  const double batch = best_of(12, [&] { step(at++, 1, kSequences); });
  return {{"kernel", fmt::format("{}, {} stored, quantised to {}, KV in {}", shape.name, bf16 ? "BF16" : "F32",
                                 format_name(options.weights), format_name(*(*m)->options().kv))},
          {"weights_gb", bytes / 1e9},
          {"kv_gb", kv_bytes / 1e9},
          {"load_s", load},
          {"tokens_per_s", token.best * 1e9 / (bytes + kv_bytes)},
          {"tokens_per_s_of_16_sequences", kSequences / batch},
          {"prefill_tokens_per_s", kPrompt / prefill},
          {"gb_per_s", token.best},
          {"share_of_bandwidth", token.share},
          {"ok", good}};
}

}  // namespace

Json measure_models(const std::function<double()>& bandwidth, base::ThreadPool& pool) {
  Json out = Json::array();
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("sgl-roofline-{}", ::getpid());
  write_model(folder, kLlama, false);
  out.push_back(measure(folder, kLlama, false, {}, bandwidth, pool));
  write_model(folder, kQwen, true);
  out.push_back(measure(folder, kQwen, true, {}, bandwidth, pool));
  for (const WeightFormat format : {WeightFormat::kQ8, WeightFormat::kQ4, WeightFormat::kQ4A}) {
    out.push_back(measure(folder, kQwen, true, {.weights = format, .kv = KvFormat::kF16}, bandwidth, pool));
  }
  out.push_back(measure(folder, kQwen, true, {.weights = WeightFormat::kQ4, .kv = KvFormat::kQ8}, bandwidth, pool));
  std::filesystem::remove_all(folder);
  return out;
}

}  // namespace sgl::bench
