// How close the kernels come to the machine: measures read bandwidth and FMA peak, then each kernel's and a whole
// decode's share of them in the same run. Prints one JSON object.
//
// Weights must come from memory, not from a cache, for the share to mean anything: the models read over 1 GB per token
// (the largest last-level caches of today hold about half of that), and single kernels cycle through such a buffer.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "kernels/attention.h"
#include "kernels/cpu/ops.h"
#include "kernels/matmul.h"
#include "runtime/model/config.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/model.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace sgl;
using Json = nlohmann::json;
using kernels::DType;

namespace {

constexpr std::size_t kBufferBytes = std::size_t{3} << 29;  // 1.5 GiB

double seconds(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Best of several runs: what the machine can do when nobody else uses it.
double best_of(int runs, const std::function<void()>& body) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) best = std::min(best, seconds(body));
  return best;
}

// Reads the whole buffer with the widest loads there are (a maximum over it costs nothing beside them).
double read_bandwidth(const std::vector<std::uint64_t>& buffer, base::ThreadPool& pool) {
  const std::size_t parts = pool.size() * 8, step = buffer.size() / parts;
  std::vector<float> sink(parts);
  const double best = best_of(8, [&] {
    pool.parallel_for(parts, [&](std::size_t p) {
      sink[p] = kernels::cpu::ops().max_value(reinterpret_cast<const float*>(&buffer[p * step]), step * 2);
    });
  });
  return static_cast<double>(parts * step * 8) / best / 1e9;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float fma_avx512(std::size_t rounds) {
  __m512 acc[16];
  for (int i = 0; i < 16; ++i) acc[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
  for (std::size_t r = 0; r < rounds; ++r) {
    for (int i = 0; i < 16; ++i) acc[i] = _mm512_fmadd_ps(acc[i], a, b);
  }
  float out[16], sum = 0.0F;
  for (int i = 0; i < 16; ++i) {
    _mm512_storeu_ps(out, acc[i]);
    sum += out[0];
  }
  return sum;
}

__attribute__((target("avx2,fma"))) float fma_avx2(std::size_t rounds) {
  __m256 acc[12];
  for (int i = 0; i < 12; ++i) acc[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
  for (std::size_t r = 0; r < rounds; ++r) {
    for (int i = 0; i < 12; ++i) acc[i] = _mm256_fmadd_ps(acc[i], a, b);
  }
  float out[8], sum = 0.0F;
  for (int i = 0; i < 12; ++i) {
    _mm256_storeu_ps(out, acc[i]);
    sum += out[0];
  }
  return sum;
}
#endif

// GFLOP/s of fused multiply-adds in registers on all threads; 0 where not measured (other instruction sets).
double fma_peak(base::ThreadPool& pool) {
#if defined(__x86_64__)
  constexpr std::size_t kRounds = 20'000'000;
  const bool wide = kernels::cpu::active_isa() == kernels::cpu::Isa::kAvx512;
  if (!wide && kernels::cpu::active_isa() != kernels::cpu::Isa::kAvx2) return 0.0;
  std::vector<float> sink(pool.size());
  const double best = best_of(3, [&] {
    pool.parallel_for(pool.size(), [&](std::size_t i) { sink[i] = wide ? fma_avx512(kRounds) : fma_avx2(kRounds); });
  });
  const double lanes = wide ? 16.0 * 16.0 : 12.0 * 8.0;
  return static_cast<double>(pool.size()) * kRounds * lanes * 2.0 / best / 1e9;
#else
  (void)pool;
  return 0.0;
#endif
}

const char* type_name(DType type) {
  return type == DType::kF32 ? "F32" : (type == DType::kBF16 ? "BF16" : "F16");
}

// One-row products over a whole buffer of weights.
Json matvec(DType type, const std::vector<std::uint64_t>& buffer, base::ThreadPool& pool) {
  const std::size_t k = 4096, n = 4096, bytes = k * n * kernels::dtype_bytes(type), count = kBufferBytes / bytes;
  std::vector<float> x(k, 0.5F), y(n);
  const double best = best_of(3, [&] {
    for (std::size_t i = 0; i < count; ++i) {
      const kernels::Matrix w{reinterpret_cast<const char*>(buffer.data()) + i * bytes, type, n, k};
      const kernels::MatmulTarget t[] = {{w, y.data()}};
      kernels::matmul(t, x.data(), 1, pool);
    }
  });
  const double rate = static_cast<double>(bytes * count) / best / 1e9;
  return {{"kernel", fmt::format("matmul 1x{}x{} {}", k, n, type_name(type))}, {"gb_per_s", rate}};
}

Json many_rows(DType type, std::size_t rows, const std::vector<std::uint64_t>& buffer, double peak,
               base::ThreadPool& pool) {
  const std::size_t k = 2048, n = 2048;
  std::vector<float> x(rows * k, 0.5F), y(rows * n);
  const kernels::MatmulTarget t[] = {{{buffer.data(), type, n, k}, y.data()}};
  const double best = best_of(5, [&] { kernels::matmul(t, x.data(), rows, pool); });
  const double rate = 2.0 * static_cast<double>(rows * k * n) / best / 1e9;
  return {{"kernel", fmt::format("matmul {}x{}x{} {}", rows, k, n, type_name(type))},
          {"gflop_per_s", rate},
          {"share_of_fma_peak", peak > 0.0 ? rate / peak : 0.0}};
}

// One decoded token of each of many sequences, so that the KV read exceeds the caches.
Json attention(const std::vector<std::uint64_t>& buffer, base::ThreadPool& pool) {
  const kernels::AttentionShape shape{32, 8, 64, 0, 0.125F};
  const std::size_t width = shape.kv_heads * shape.head_dim, length = 8192, sequences = 32;
  std::vector<std::uint32_t> slots(length * sequences);
  std::iota(slots.begin(), slots.end(), 0U);
  std::vector<kernels::AttentionRow> rows;
  for (std::size_t s = 0; s < sequences; ++s) rows.push_back({&slots[s * length], length - 1});
  std::vector<float> q(sequences * 2048, 0.01F), out(q.size());
  const auto* k = reinterpret_cast<const float*>(buffer.data());
  const float* v = k + length * sequences * width;
  const double best = best_of(3, [&] { kernels::attention(shape, rows, q.data(), k, v, out.data(), pool); });
  const double rate = static_cast<double>(2 * length * sequences * width * 4) / best / 1e9;
  return {{"kernel", "attention 32 rows x 8192 positions, 32 heads over 8"}, {"gb_per_s", rate}};
}

// Writes a Llama folder with random weights (a repeated block of them: their values do not matter here).
void write_model(const std::filesystem::path& folder, DType type, std::size_t layers) {
  const std::size_t hidden = 2048, kv = 512, mid = 5632, vocab = 32000;
  const Json config = {{"architectures", {"LlamaForCausalLM"}},
                       {"vocab_size", vocab},
                       {"hidden_size", hidden},
                       {"intermediate_size", mid},
                       {"num_hidden_layers", layers},
                       {"num_attention_heads", 32},
                       {"num_key_value_heads", 8},
                       {"max_position_embeddings", 4096},
                       {"tie_word_embeddings", true}};
  std::ofstream(folder / "config.json") << config.dump();
  Json header;
  std::size_t at = 0;
  const auto add = [&](const std::string& name, std::vector<std::size_t> shape) {
    std::size_t bytes = kernels::dtype_bytes(type);
    for (const std::size_t d : shape) bytes *= d;
    header[name] = {{"dtype", type_name(type)}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  };
  add("model.embed_tokens.weight", {vocab, hidden});
  add("model.norm.weight", {hidden});
  for (std::size_t l = 0; l < layers; ++l) {
    const std::string p = fmt::format("model.layers.{}.", l);
    add(p + "input_layernorm.weight", {hidden});
    add(p + "post_attention_layernorm.weight", {hidden});
    add(p + "self_attn.q_proj.weight", {hidden, hidden});
    add(p + "self_attn.k_proj.weight", {kv, hidden});
    add(p + "self_attn.v_proj.weight", {kv, hidden});
    add(p + "self_attn.o_proj.weight", {hidden, hidden});
    add(p + "mlp.gate_proj.weight", {mid, hidden});
    add(p + "mlp.up_proj.weight", {mid, hidden});
    add(p + "mlp.down_proj.weight", {hidden, mid});
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin at a multiple of 8, as writers do
  std::ofstream out(folder / "model.safetensors", std::ios::binary);
  const std::uint64_t length = text.size();
  out.write(reinterpret_cast<const char*>(&length), 8);
  out << text;
  std::mt19937 rng(1);
  std::string block(1 << 20, '\0');
  std::uniform_real_distribution<float> uniform(-0.02F, 0.02F);
  for (std::size_t i = 0; i + 4 <= block.size(); i += 4) {
    const float v = uniform(rng);
    std::uint16_t halves[2];
    std::memcpy(halves, &v, 4);
    if (type != DType::kF32) halves[0] = halves[1];
    std::memcpy(block.data() + i, halves, 4);
  }
  for (std::size_t done = 0; done < at; done += block.size()) {
    out.write(block.data(), static_cast<std::streamsize>(std::min(block.size(), at - done)));
  }
}

Json decode(DType type, std::size_t layers, base::ThreadPool& pool) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("sgl-roofline-{}", ::getpid());
  std::filesystem::create_directories(folder);
  write_model(folder, type, layers);
  const auto m = model::Model::load(folder);
  if (!m.ok()) return {{"error", m.error().message}};
  const double bytes =
      static_cast<double>(kernels::dtype_bytes(type)) *
      static_cast<double>(32000 * 2048 + layers * (2 * 2048 * 2048 + 2 * 512 * 2048 + 3 * 2048 * 5632));
  constexpr std::size_t kContext = 128;
  const auto kv = (*m)->make_kv(kContext);
  std::vector<std::uint32_t> slots(kContext);
  std::iota(slots.begin(), slots.end(), 0U);
  std::vector<float> logits(32000);
  std::vector<std::int32_t> prompt(64, 7);
  bool good = true;
  const auto step = [&](std::size_t at, std::size_t n) {
    const model::Slice slice{{prompt.data(), n}, static_cast<std::int64_t>(at), {slots.data(), at + n}, 1};
    good = good && (*m)->forward({&slice, 1}, *kv, logits, pool).ok();
  };
  step(0, 64);  // also brings the file into memory
  const double prefill = best_of(2, [&] { step(0, 64); });
  std::size_t at = 64;
  const double token = best_of(12, [&] { step(at++, 1); });
  std::filesystem::remove_all(folder);
  return {{"kernel", fmt::format("decode of one sequence, {} weights", type_name(type))},
          {"weights_gb", bytes / 1e9},
          {"tokens_per_s", 1.0 / token},
          {"prefill_tokens_per_s", 64.0 / prefill},
          {"gb_per_s", bytes / token / 1e9},
          {"ok", good}};
}

}  // namespace

int main() {
  base::ThreadPool pool(0);
  // Values between 0 and 1 in every type, no subnormals.
  const std::vector<std::uint64_t> buffer(kBufferBytes / 8, 0x3C003C003C003C00U);
  const double before = read_bandwidth(buffer, pool), peak = fma_peak(pool);
  Json kernels_json = Json::array();
  for (const DType type : {DType::kF32, DType::kBF16, DType::kF16}) {
    kernels_json.push_back(matvec(type, buffer, pool));
  }
  for (const std::size_t rows : {8, 64, 256}) kernels_json.push_back(many_rows(DType::kF32, rows, buffer, peak, pool));
  kernels_json.push_back(many_rows(DType::kBF16, 256, buffer, peak, pool));
  kernels_json.push_back(attention(buffer, pool));
  kernels_json.push_back(decode(DType::kF32, 6, pool));
  kernels_json.push_back(decode(DType::kBF16, 12, pool));
  // On a shared machine the bandwidth changes while this runs: the better of two measurements is the machine's.
  const double bandwidth = std::max(before, read_bandwidth(buffer, pool));
  for (Json& k : kernels_json) {
    if (k.contains("gb_per_s")) k["share_of_bandwidth"] = k["gb_per_s"].get<double>() / bandwidth;
  }
  const Json out = {{"benchmark", "roofline"},
                    {"threads", pool.size()},
                    {"isa", kernels::cpu::isa_name(kernels::cpu::active_isa())},
                    {"read_bandwidth_gb_per_s", bandwidth},
                    {"fma_peak_gflop_per_s", peak},
                    {"kernels", kernels_json}};
  fmt::print("{}\n", out.dump(2));
  return 0;
}
