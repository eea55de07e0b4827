// Writes one model with random weights in several formats, so that engines can be compared on the same numbers: a
// Hugging Face folder in BF16, and GGUF files in F16, Q8_0 and Q4_0. Nothing is downloaded; the tokenizer comes from a
// folder.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/base/half.h"
#include "runtime/base/thread_pool.h"
#include "runtime/gguf/blocks.h"
#include "runtime/gguf/writer.h"
#include "tests/unit/tokenizer/gguf_vocabulary.h"

using namespace sgl;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

struct Shape {
  std::size_t vocab, hidden, layers, heads, kv_heads, head_dim, inner;
};
// Qwen3-0.6B, and a small one to try things with.
const std::map<std::string, Shape> kShapes = {{"qwen3-0.6b", {151936, 1024, 28, 16, 8, 128, 3072}},
                                              {"tiny", {151936, 128, 2, 4, 2, 32, 256}}};

struct Weight {
  std::string name, gguf_name;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint16_t> bits;  // BF16
};

std::uint64_t mix(std::uint64_t z) {  // SplitMix64
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// About normal (a sum of four uniform numbers), standard deviation `spread`, rounded to BF16; norms are 1.
void fill(Weight& w, std::uint64_t seed, float spread, base::ThreadPool& pool) {
  constexpr std::size_t kChunk = 1 << 16;
  const std::size_t n = w.bits.size();
  pool.parallel_for((n + kChunk - 1) / kChunk, [&](std::size_t c) {
    for (std::size_t i = c * kChunk; i < std::min(n, (c + 1) * kChunk); ++i) {
      const std::uint64_t r = mix(seed + i * 0x9E3779B97F4A7C15);
      float sum = 0.0F;
      for (int part = 0; part < 4; ++part) sum += static_cast<float>(r >> (16 * part) & 0xFFFF) / 65536.0F - 0.5F;
      const float value = w.shape.size() == 1 ? 1.0F : sum * 1.732F * spread;
      w.bits[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
    }
  });
}

std::vector<Weight> make_weights(const Shape& s, base::ThreadPool& pool) {
  std::vector<Weight> out;
  const auto add = [&](const std::string& name, const std::string& gguf_name, std::vector<std::uint64_t> shape) {
    Weight& w = out.emplace_back(Weight{name + ".weight", gguf_name + ".weight", std::move(shape), {}});
    std::size_t n = 1;
    for (const std::uint64_t d : w.shape) n *= d;
    w.bits.resize(n);
    fill(w, mix(out.size()), 1.0F / std::sqrt(static_cast<float>(w.shape.back())), pool);
  };
  const std::size_t q = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
  add("model.embed_tokens", "token_embd", {s.vocab, s.hidden});
  add("model.norm", "output_norm", {s.hidden});
  for (std::size_t i = 0; i < s.layers; ++i) {
    const std::string p = fmt::format("model.layers.{}.", i), g = fmt::format("blk.{}.", i);
    add(p + "input_layernorm", g + "attn_norm", {s.hidden});
    add(p + "post_attention_layernorm", g + "ffn_norm", {s.hidden});
    add(p + "self_attn.q_proj", g + "attn_q", {q, s.hidden});
    add(p + "self_attn.k_proj", g + "attn_k", {kv, s.hidden});
    add(p + "self_attn.v_proj", g + "attn_v", {kv, s.hidden});
    add(p + "self_attn.o_proj", g + "attn_output", {s.hidden, q});
    add(p + "self_attn.q_norm", g + "attn_q_norm", {s.head_dim});
    add(p + "self_attn.k_norm", g + "attn_k_norm", {s.head_dim});
    add(p + "mlp.gate_proj", g + "ffn_gate", {s.inner, s.hidden});
    add(p + "mlp.up_proj", g + "ffn_up", {s.inner, s.hidden});
    add(p + "mlp.down_proj", g + "ffn_down", {s.hidden, s.inner});
  }
  return out;
}

bool write_folder(const Shape& s, const std::vector<Weight>& weights, const fs::path& tokenizer,
                  const fs::path& folder) {
  fs::create_directories(folder);
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
    if (fs::exists(tokenizer / name))
      fs::copy_file(tokenizer / name, folder / name, fs::copy_options::overwrite_existing);
  }
  const Json config = {{"architectures", {"Qwen3ForCausalLM"}},
                       {"vocab_size", s.vocab},
                       {"hidden_size", s.hidden},
                       {"intermediate_size", s.inner},
                       {"num_hidden_layers", s.layers},
                       {"num_attention_heads", s.heads},
                       {"num_key_value_heads", s.kv_heads},
                       {"head_dim", s.head_dim},
                       {"max_position_embeddings", 40960},
                       {"rms_norm_eps", 1e-6},
                       {"rope_theta", 1000000.0},
                       {"hidden_act", "silu"},
                       {"tie_word_embeddings", true},
                       {"torch_dtype", "bfloat16"}};
  std::ofstream(folder / "config.json") << config.dump(1) << "\n";
  Json header = Json::object();
  std::uint64_t at = 0;
  for (const Weight& w : weights) {
    header[w.name] = {{"dtype", "BF16"}, {"shape", w.shape}, {"data_offsets", {at, at + w.bits.size() * 2}}};
    at += w.bits.size() * 2;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t size = text.size();
  std::ofstream out(folder / "model.safetensors", std::ios::binary);
  out.write(reinterpret_cast<const char*>(&size), 8);
  out << text;
  for (const Weight& w : weights) {
    out.write(reinterpret_cast<const char*>(w.bits.data()), static_cast<std::streamsize>(w.bits.size() * 2));
  }
  return static_cast<bool>(out.flush());
}

// A weight in one of GGUF's formats, from its BF16 values.
std::vector<std::byte> stored(const Weight& w, gguf::Type type, base::ThreadPool& pool) {
  const gguf::TypeFacts f = gguf::facts(type);
  const std::size_t k = w.shape.back(), rows = w.bits.size() / k, row_bytes = k / f.block * f.bytes;
  std::vector<std::byte> out(rows * row_bytes);
  pool.parallel_for(rows, [&](std::size_t r) {
    std::vector<float> x(k);
    for (std::size_t i = 0; i < k; ++i)
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(w.bits[r * k + i]) << 16);
    std::byte* row = out.data() + r * row_bytes;
    if (type == gguf::Type::kF32) {
      std::memcpy(row, x.data(), k * sizeof(float));
    } else if (type == gguf::Type::kF16) {
      for (std::size_t i = 0; i < k; ++i) {
        const std::uint16_t bits = base::float_to_half(x[i]);
        std::memcpy(row + 2 * i, &bits, 2);
      }
    } else {
      gguf::quantize(type, x.data(), k, row);
    }
  });
  return out;
}

base::Status write_gguf(const Shape& s, const std::vector<Weight>& weights, const fs::path& tokenizer, gguf::Type type,
                        const fs::path& path, base::ThreadPool& pool) {
  gguf::Writer out;
  out.text("general.architecture", "qwen3");
  out.text("general.name", "random");
  const std::pair<const char*, std::size_t> counts[] = {{"embedding_length", s.hidden},
                                                        {"feed_forward_length", s.inner},
                                                        {"block_count", s.layers},
                                                        {"attention.head_count", s.heads},
                                                        {"attention.head_count_kv", s.kv_heads},
                                                        {"attention.key_length", s.head_dim},
                                                        {"attention.value_length", s.head_dim},
                                                        {"context_length", 40960}};
  for (const auto& [key, value] : counts) out.count(std::string("qwen3.") + key, static_cast<std::uint32_t>(value));
  out.number("qwen3.attention.layer_norm_rms_epsilon", 1e-6F);
  out.number("qwen3.rope.freq_base", 1e6F);
  std::ifstream in(tokenizer / "tokenizer.json");
  test::add_vocabulary(out, Json::parse(in), "gpt2", "qwen2", s.vocab);
  out.count("tokenizer.ggml.eos_token_id", 151645);
  out.count("tokenizer.ggml.bos_token_id", 151643);
  out.flag("tokenizer.ggml.add_bos_token", false);
  std::vector<std::vector<std::byte>> data;
  for (const Weight& w : weights) {
    const gguf::Type kind = w.shape.size() == 1 ? gguf::Type::kF32 : type;
    data.push_back(stored(w, kind, pool));
    out.tensor(w.gguf_name, kind, w.shape, data.back());
  }
  return out.write(path);
}

int usage() {
  fmt::print(stderr,
             "usage: bench_make_model OUT TOKENIZER [SHAPE [FORMAT…]]\n"
             "Writes OUT/bf16 (a Hugging Face folder) and OUT/FORMAT.gguf, all with the same random weights.\n"
             "  TOKENIZER  a folder with Qwen3's tokenizer.json (scripts/fetch_test_tokenizers.sh)\n"
             "  SHAPE      qwen3-0.6b (default) or tiny\n"
             "  FORMAT     f16, q8_0, q4_0; default: q8_0 q4_0\n"
             "example: bench_make_model /tmp/random build/test-tokenizers/qwen3\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return usage();
  const fs::path out = argv[1], tokenizer = argv[2];
  const auto shape = kShapes.find(argc > 3 ? argv[3] : "qwen3-0.6b");
  const std::map<std::string, gguf::Type> types = {
      {"f16", gguf::Type::kF16}, {"q8_0", gguf::Type::kQ8_0}, {"q4_0", gguf::Type::kQ4_0}};
  std::vector<std::string> formats(argv + std::min(argc, 4), argv + argc);
  if (formats.empty()) formats = {"q8_0", "q4_0"};
  for (const std::string& format : formats) {
    if (!types.contains(format)) return usage();
  }
  if (shape == kShapes.end() || !fs::exists(tokenizer / "tokenizer.json")) return usage();
  base::ThreadPool pool(0);
  const std::vector<Weight> weights = make_weights(shape->second, pool);
  if (!write_folder(shape->second, weights, tokenizer, out / "bf16")) {
    fmt::print(stderr, "bench_make_model: '{}' cannot be written\n", (out / "bf16").string());
    return 1;
  }
  for (const std::string& format : formats) {
    const auto status = write_gguf(shape->second, weights, tokenizer, types.at(format), out / (format + ".gguf"), pool);
    if (!status.ok()) {
      fmt::print(stderr, "bench_make_model: {}\n", status.error().message);
      return 1;
    }
  }
  return 0;
}
