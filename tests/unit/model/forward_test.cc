#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "runtime/model/config.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/model.h"
#include "tests/unit/model/random_model.h"
#include "tests/unit/model/reference_model.h"
#include "tests/unit/model/run_model.h"

using namespace sgl;
using model::Model;
using model::Slice;
using test::deviation;
using test::random_tokens;
using test::run;

namespace {

std::vector<std::pair<std::string, test::RandomModelSpec>> variants() {
  std::vector<std::pair<std::string, test::RandomModelSpec>> out;
  const auto add = [&](const char* name, auto change) {
    test::RandomModelSpec spec;
    change(spec);
    out.emplace_back(name, spec);
  };
  add("llama", [](auto&) {});
  add("llama tied bf16", [](auto& s) { s.tied = true, s.dtype = "BF16"; });
  add("llama f16 sharded", [](auto& s) { s.dtype = "F16", s.shards = 3; });
  add("llama biases", [](auto& s) { s.attention_bias = s.mlp_bias = true; });
  add("llama linear", [](auto& s) { s.rope_scaling = R"({"type": "linear", "factor": 2.5})"; });
  add("llama3", [](auto& s) {
    s.head_dim = 32, s.rope_theta = 500000, s.rope_parameters = true;
    s.rope_scaling = R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 64})";
  });
  add("mistral window",
      [](auto& s) { s.architecture = "MistralForCausalLM", s.window = 7, s.heads = 6, s.kv_heads = 1; });
  add("qwen2", [](auto& s) { s.architecture = "Qwen2ForCausalLM", s.tied = true; });
  add("qwen2 yarn, window in the upper layer", [](auto& s) {
    s.architecture = "Qwen2ForCausalLM", s.window = 20, s.max_window_layers = 1, s.head_dim = 40;
    s.rope_scaling = R"({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32})";
  });
  add("qwen3", [](auto& s) { s.architecture = "Qwen3ForCausalLM", s.dtype = "BF16", s.head_dim = 32; });
  add("qwen3 bias", [](auto& s) { s.architecture = "Qwen3ForCausalLM", s.attention_bias = true; });
  return out;
}

}  // namespace

TEST_CASE("logits agree with a double-precision forward pass for every architecture and feature") {
  for (const auto& [name, spec] : variants()) {
    CAPTURE(name);
    const test::TemporaryFolder folder;
    const test::RandomModel random = test::write_random_model(spec, folder.path());
    const auto loaded = Model::load(folder.path());
    REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : loaded.error().message));
    const std::vector<std::int32_t> tokens = random_tokens(70, spec.vocab);
    CHECK(deviation(run(**loaded, tokens, 70, 1, false), test::reference_logits(random, tokens)) < 1e-4);
  }
}

TEST_CASE("logits are the same bits for any chunking, threads, slots and batch, in every format") {
  test::RandomModelSpec spec;
  spec.hidden = 160, spec.intermediate = 300, spec.heads = 8;  // large enough for the parallel paths
  std::vector<std::pair<const char*, model::LoadOptions>> cases{{"F32", {}}, {"BF16", {}}};
  for (const auto format : test::kQuantFormats) cases.push_back({"BF16", {.weights = format}});
  cases.push_back({"F32", {.kv = model::KvFormat::kF16}});
  cases.push_back({"BF16", {.weights = model::WeightFormat::kQ8, .kv = model::KvFormat::kF16}});
  cases.push_back({"F32", {.kv = model::KvFormat::kQ8}});
  cases.push_back({"BF16", {.weights = model::WeightFormat::kQ4, .kv = model::KvFormat::kQ8}});
  for (const auto& [dtype, options] : cases) {
    spec.dtype = dtype;
    const test::TemporaryFolder folder;
    test::write_random_model(spec, folder.path());
    const auto loaded = Model::load(folder.path(), options);
    REQUIRE(loaded.ok());
    const Model& m = **loaded;
    const std::vector<std::int32_t> a = random_tokens(67, spec.vocab, 1), b = random_tokens(41, spec.vocab, 2);
    const std::vector<float> whole = run(m, a, 67, 1, false);
    for (const std::size_t chunk : {1, 2, 5, 16, 33}) {
      const std::vector<float> parts = run(m, a, chunk, chunk % 2 == 0 ? 1 : 4, true);
      CHECK(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)) == 0);
    }
    // Two sequences in one batch; only the last logits of each.
    base::ThreadPool pool(4);
    const auto kv = m.make_kv(a.size() + b.size());
    std::vector<std::uint32_t> slots(a.size() + b.size());
    std::iota(slots.begin(), slots.end(), 0U);
    const Slice slices[] = {{b, 0, {slots.data(), b.size()}, 1}, {a, 0, {slots.data() + b.size(), a.size()}, 1}};
    std::vector<float> logits(2 * spec.vocab);
    REQUIRE(m.forward(slices, *kv, logits, pool).ok());
    const std::vector<float> alone = run(m, b, 3, 1, false);
    CHECK(std::memcmp(&logits[0], &alone[(b.size() - 1) * spec.vocab], spec.vocab * sizeof(float)) == 0);
    CHECK(std::memcmp(&logits[spec.vocab], &whole[(a.size() - 1) * spec.vocab], spec.vocab * sizeof(float)) == 0);
  }
}

TEST_CASE("a KV cache in F16 or 8 bits takes less memory and is near the one in F32") {
  const test::TemporaryFolder folder;
  const test::RandomModelSpec spec;
  const test::RandomModel random = test::write_random_model(spec, folder.path());
  const auto wide = Model::load(folder.path()), narrow = Model::load(folder.path(), {.kv = model::KvFormat::kF16}),
             least = Model::load(folder.path(), {.kv = model::KvFormat::kQ8});
  REQUIRE(wide.ok());
  REQUIRE(narrow.ok());
  REQUIRE(least.ok());
  CHECK((*wide)->kv_bytes_per_token() == 2 * (*narrow)->kv_bytes_per_token());
  CHECK((*least)->kv_bytes_per_token() ==
        (*wide)->kv_bytes_per_token() / 4 + 2 * spec.layers * spec.kv_heads * sizeof(float));
  // Left to the model: F16, but for weights of 32 bits.
  const auto stored = Model::load(folder.path(), {.kv = std::nullopt}),
             quantised = Model::load(folder.path(), {.weights = model::WeightFormat::kQ8, .kv = std::nullopt});
  REQUIRE(stored.ok());
  REQUIRE(quantised.ok());
  CHECK((*stored)->options().kv == model::KvFormat::kF32);
  CHECK((*quantised)->options().kv == model::KvFormat::kF16);
  const std::vector<std::int32_t> tokens = random_tokens(70, 300);
  CHECK(deviation(run(**narrow, tokens, 70, 1, false), test::reference_logits(random, tokens)) < 5e-3);
  CHECK(deviation(run(**least, tokens, 70, 1, false), test::reference_logits(random, tokens)) < 5e-2);
  // Copied slots have their scales too.
  const auto copied = (*least)->make_kv(8);
  base::ThreadPool two(2);
  std::vector<float> original(300), again(300);
  const std::vector<std::uint32_t> here{0, 1, 2, 3}, there{4, 5, 6, 3};
  const Slice begun{{tokens.data(), 3}, 0, std::span(here).first(3), 0}, next{{tokens.data() + 3, 1}, 3, here, 1},
      moved{{tokens.data() + 3, 1}, 3, there, 1};
  REQUIRE((*least)->forward({&begun, 1}, *copied, {}, two).ok());
  copied->copy_slots(0, 4, 3);
  REQUIRE((*least)->forward({&next, 1}, *copied, original, two).ok());
  REQUIRE((*least)->forward({&moved, 1}, *copied, again, two).ok());
  CHECK(original == again);
  // A store of the other kind is refused.
  base::ThreadPool pool(1);
  const auto kv = (*wide)->make_kv(4);
  const std::vector<std::uint32_t> slots{0};
  std::vector<float> logits(300);
  const Slice slice{{tokens.data(), 1}, 0, slots, 1};
  CHECK_FALSE((*narrow)->forward({&slice, 1}, *kv, logits, pool).ok());
}

TEST_CASE("pages in any order hold what one page holds") {
  const test::TemporaryFolder folder;
  test::write_random_model({}, folder.path());
  const std::vector<std::int32_t> tokens = random_tokens(70, 300);
  for (const auto format : {model::KvFormat::kF32, model::KvFormat::kF16, model::KvFormat::kQ8}) {
    const auto m = Model::load(folder.path(), {.kv = format});
    REQUIRE(m.ok());
    const std::vector<float> whole = run(**m, tokens, 70, 1, false);
    const auto kv = (*m)->make_kv(7, 16);
    std::vector<std::uint32_t> slots(tokens.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
      slots[i] = static_cast<std::uint32_t>((i / 16 * 3 + 5) % 7 * kv->stride() + i % 16);
    }
    base::ThreadPool pool(2);
    std::vector<float> logits(300);
    const Slice all{tokens, 0, slots, 1};
    REQUIRE((*m)->forward({&all, 1}, *kv, logits, pool).ok());
    CHECK(std::memcmp(logits.data(), &whole[69 * 300], 300 * sizeof(float)) == 0);
    // The last token again, behind a copy of the part of a page before it.
    const auto free_page = static_cast<std::uint32_t>((5 * 3 + 5) % 7 * kv->stride());
    kv->copy_slots(slots[64], free_page, 5);
    for (std::size_t i = 64; i < 70; ++i) slots[i] = free_page + static_cast<std::uint32_t>(i - 64);
    std::vector<float> again(300);
    const Slice last{std::span(tokens).last(1), 69, slots, 1};
    REQUIRE((*m)->forward({&last, 1}, *kv, again, pool).ok());
    CHECK(again == logits);
    // Between two pages there are no slots, and none behind the last.
    for (const std::size_t beyond : {kv->stride() - 1, std::size_t{16}, 7 * kv->stride()}) {
      slots[69] = static_cast<std::uint32_t>(beyond);
      CHECK_FALSE((*m)->forward({&last, 1}, *kv, again, pool).ok());
    }
  }
}

TEST_CASE("forward refuses what it cannot compute") {
  const test::TemporaryFolder folder;
  test::write_random_model({}, folder.path());
  const auto loaded = Model::load(folder.path());
  REQUIRE(loaded.ok());
  const Model& m = **loaded;
  base::ThreadPool pool(1);
  const auto kv = m.make_kv(4);
  const std::vector<std::uint32_t> slots{0, 1, 2, 9};
  std::vector<float> logits(m.config().vocab_size);
  const auto fails = [&](std::vector<std::int32_t> tokens, std::int64_t start, std::size_t n, std::size_t wanted) {
    const Slice slice{tokens, start, {slots.data(), n}, wanted};
    return !m.forward({&slice, 1}, *kv, logits, pool).ok();
  };
  CHECK_FALSE(fails({5}, 0, 1, 1));
  CHECK(fails({300}, 0, 1, 1));
  CHECK(fails({-1}, 0, 1, 1));
  CHECK(fails({5}, -1, 1, 1));
  CHECK(fails({5}, 0, 2, 1));
  CHECK(fails({5}, 3, 4, 1));
  CHECK(fails({5}, 0, 1, 2));
  CHECK(fails({5, 6}, 0, 2, 2));
  CHECK(m.kv_bytes_per_token() == 2 * 2 * 2 * 12 * 4);
}
