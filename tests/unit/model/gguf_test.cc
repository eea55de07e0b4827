// Models out of GGUF files against the same weights as a Hugging Face folder.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "runtime/model/config.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/model.h"
#include "tests/unit/model/gguf_files.h"

using namespace sgl;
using model::Model;

namespace {

std::vector<float> logits_of(const std::filesystem::path& path) {
  const auto m = Model::load(path);
  REQUIRE_MESSAGE(m.ok(), m.error().message);
  base::ThreadPool pool(2);
  std::mt19937 rng(5);
  std::vector<std::int32_t> tokens(40);
  for (auto& t : tokens) t = static_cast<std::int32_t>(rng() % (*m)->config().vocab_size);
  std::vector<std::uint32_t> slots(tokens.size());
  std::iota(slots.begin(), slots.end(), 0U);
  const auto kv = (*m)->make_kv(tokens.size());
  const model::Slice slice{tokens, 0, slots, tokens.size()};
  std::vector<float> out(tokens.size() * (*m)->config().vocab_size);
  REQUIRE((*m)->forward({&slice, 1}, *kv, out, pool).ok());
  return out;
}

std::string error_of(const std::filesystem::path& path) {
  const auto m = Model::load(path);
  return m.ok() ? "" : m.error().message;
}

// Root mean square of the difference, relative to that of the logits.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0.0, square = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2.0);
    square += std::pow(static_cast<double>(b[i]), 2.0);
  }
  return std::sqrt(difference / square);
}

struct Variant {
  const char* name;
  gguf::Type type;
  test::RandomModelSpec spec;
};

std::vector<Variant> variants() {
  std::vector<Variant> out;
  const auto add = [&](const char* name, gguf::Type type, auto change) {
    test::RandomModelSpec spec;
    change(spec);
    out.push_back({name, type, spec});
  };
  add("llama", gguf::Type::kF32, [](auto&) {});
  add("llama tied bf16", gguf::Type::kBF16, [](auto& s) { s.tied = true, s.dtype = "BF16"; });
  add("llama f16, biases", gguf::Type::kF16, [](auto& s) { s.dtype = "F16", s.attention_bias = s.mlp_bias = true; });
  add("llama linear", gguf::Type::kF32, [](auto& s) { s.rope_scaling = R"({"type": "linear", "factor": 2.5})"; });
  add("llama linear, older", gguf::Type::kF32,
      [](auto& s) { s.rope_scaling = R"({"type": "linear", "factor": 2.5, "gguf": "old"})"; });
  add("llama linear, oldest", gguf::Type::kF32,
      [](auto& s) { s.rope_scaling = R"({"type": "linear", "factor": 2.5, "gguf": "oldest"})"; });
  add("qwen2", gguf::Type::kF32, [](auto& s) { s.architecture = "Qwen2ForCausalLM", s.tied = true; });
  add("qwen3", gguf::Type::kBF16,
      [](auto& s) { s.architecture = "Qwen3ForCausalLM", s.dtype = "BF16", s.head_dim = 32; });
  return out;
}

}  // namespace

TEST_CASE("unquantised files give the bits of the same model as a folder") {
  for (const Variant& v : variants()) {
    CAPTURE(v.name);
    const test::TemporaryFolder folder;
    const test::RandomModel random = test::write_random_model(v.spec, folder.path());
    test::write_gguf(random, v.type, folder.path() / "model.gguf");
    const auto want = logits_of(folder.path()), got = logits_of(folder.path() / "model.gguf");
    REQUIRE(want.size() == got.size());
    CHECK(std::memcmp(want.data(), got.data(), want.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("Llama 3's scaling arrives as divisors of the frequencies") {
  test::RandomModelSpec spec;
  spec.head_dim = 32, spec.rope_theta = 500000;
  spec.rope_scaling = R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                          "original_max_position_embeddings": 64})";
  const test::TemporaryFolder folder;
  test::write_gguf(test::write_random_model(spec, folder.path()), gguf::Type::kF32, folder.path() / "m.gguf");
  // The file's divisors are F32.
  CHECK(distance(logits_of(folder.path() / "m.gguf"), logits_of(folder.path())) < 1e-4);
}

TEST_CASE("quantised files are near the model that they were made from") {
  for (const auto& [type, bound] : {std::pair(gguf::Type::kQ8_0, 0.03), {gguf::Type::kQ4_0, 0.4}}) {
    for (const char* architecture : {"LlamaForCausalLM", "Qwen3ForCausalLM"}) {
      test::RandomModelSpec spec;
      spec.architecture = architecture;
      spec.hidden = 64, spec.intermediate = 96, spec.heads = 4, spec.head_dim = 16;
      const test::TemporaryFolder folder;
      test::write_gguf(test::write_random_model(spec, folder.path()), type, folder.path() / "m.gguf");
      const double d = distance(logits_of(folder.path() / "m.gguf"), logits_of(folder.path()));
      CHECK(d > 0.0);
      CHECK(d < bound);
    }
  }
}

TEST_CASE("what a file lacks is named") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "m.gguf";
  gguf::Writer writer;
  const std::vector<std::byte> data(64 * 4);
  REQUIRE(writer.write(path).ok());
  CHECK(error_of(path) == "the file has no metadata 'general.architecture'");
  writer.text("general.architecture", "mamba");
  REQUIRE(writer.write(path).ok());
  CHECK(error_of(path).find("architecture 'mamba' is not supported") != std::string::npos);
  gguf::Writer llama;
  llama.text("general.architecture", "llama");
  llama.tensor("token_embd.weight", gguf::Type::kF32, {8, 8}, data);
  llama.count("llama.embedding_length", 8);
  REQUIRE(llama.write(path).ok());
  CHECK(error_of(path) == "the file has no metadata 'llama.feed_forward_length'");
  for (const char* key : {"feed_forward_length", "block_count", "attention.head_count", "context_length"}) {
    llama.count(std::string("llama.") + key, 2);
  }
  REQUIRE(llama.write(path).ok());
  CHECK(error_of(path) == "the file has no tensor 'output_norm.weight'");
  llama.count("llama.expert_count", 8);
  REQUIRE(llama.write(path).ok());
  CHECK(error_of(path).find("mixtures of experts") != std::string::npos);
}
