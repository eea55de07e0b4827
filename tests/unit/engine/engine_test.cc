#include "runtime/engine/engine.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "runtime/base/file.h"
#include "runtime/model/config.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/sampler.h"
#include "tests/unit/engine/support.h"

using namespace sgl;
using namespace sgl::engine;
using test::Client;
using test::greedy;
using test::make;
using test::random_tokens;

namespace {

using Tokens = std::vector<TokenId>;

// The byte-level rig, and the stories model where it is present.
std::vector<test::Rig> rigs() {
  std::vector<test::Rig> out{test::random_rig()};
  const test::Rig stories = test::folder_rig("../shared/models/stories260k");
  if (stories.model != nullptr) {
    out.push_back(stories);
  } else {
    MESSAGE("stories260k is not here: random model only");
  }
  return out;
}

Tokens forked(const Tokens& prefix, std::uint32_t i) {
  Tokens t = prefix;
  t.push_back(static_cast<TokenId>(10 + i));
  const Tokens tail = random_tokens(i % 3, i);
  t.insert(t.end(), tail.begin(), tail.end());
  return t;
}

}  // namespace

TEST_CASE("16 requests forked from one prefix compute it exactly once") {
  for (const test::Rig& rig : rigs()) {
    for (const std::size_t page_size : {1, 16}) {
      for (const std::size_t chunk : {2, 256}) {
        const auto e =
            make(rig, {.threads = 1, .page_size = page_size, .pages = 4096 / page_size, .prefill_chunk = chunk});
        Client client(*e);
        const Tokens prefix = random_tokens(53, 1);
        std::vector<RequestId> ids;
        std::int64_t tails = 0;
        for (std::uint32_t i = 0; i < 16; ++i) {
          const Tokens t = forked(prefix, i);
          tails += static_cast<std::int64_t>(t.size() - prefix.size());
          ids.push_back(client.generate(greedy(t, 8)));
        }
        std::int64_t prefill = 0;
        for (std::uint32_t i = 0; i < 16; ++i) {
          const Finished f = client.wait(ids[i]);
          REQUIRE_FALSE(f.error.has_value());
          CHECK(f.usage.prompt_tokens == static_cast<std::int64_t>(forked(prefix, i).size()));
          CHECK(f.usage.prompt_tokens == f.usage.cached_tokens + f.usage.prefill_tokens);
          prefill += f.usage.prefill_tokens;
        }
        CHECK(prefill == 53 + tails);
        // The same again: only the last token, whose logits are needed. A longer one: only what is new.
        const Finished again = client.wait(client.generate(greedy(forked(prefix, 3), 8)));
        CHECK(again.usage.prefill_tokens == 1);
        Tokens longer = forked(prefix, 3);
        longer.insert(longer.end(), again.tokens.begin(), again.tokens.end());
        const std::size_t computed = longer.size() - 1;  // the last generated token's KV was never needed
        longer.push_back(77);
        const Finished next = client.wait(client.generate(greedy(longer, 2)));
        if (again.reason == FinishReason::kLength) {
          CHECK(next.usage.cached_tokens == static_cast<std::int64_t>(computed));
          CHECK(next.usage.prefill_tokens == 2);
        }
        // Another tenant finds nothing.
        GenerateRequest other = greedy(forked(prefix, 3), 1);
        other.ns = Namespace(9);
        CHECK(client.wait(client.generate(std::move(other))).usage.cached_tokens == 0);
      }
    }
  }
}

TEST_CASE("output does not depend on pages, pool, threads, batch, cache or chunking, in any format") {
  std::vector<test::Rig> all_rigs = rigs();
  for (const auto weights : {model::WeightFormat::kQ8, model::WeightFormat::kQ4, model::WeightFormat::kQ4A}) {
    all_rigs.push_back(test::random_rig({}, {}, {.weights = weights}));
  }
  all_rigs.push_back(test::random_rig({}, {}, {.kv = model::KvFormat::kF16}));
  all_rigs.push_back(test::random_rig({}, {}, {.weights = model::WeightFormat::kQ4, .kv = model::KvFormat::kF16}));
  all_rigs.push_back(test::random_rig({}, {}, {.kv = model::KvFormat::kQ8}));
  for (const test::Rig& rig : all_rigs) {
    std::vector<std::vector<Finished>> all;
    const auto run = [&](const EngineOptions& options) {
      const auto e = make(rig, options);
      Client client(*e);
      std::vector<RequestId> ids;
      for (std::uint32_t i = 0; i < 12; ++i) {
        GenerateRequest r = greedy(forked(random_tokens(20, i / 6), i), 40);
        r.sampling.temperature = i % 3 == 0 ? 0.0 : 0.9;
        r.sampling.top_p = i % 4 == 0 ? 0.8 : 1.0;
        r.sampling.top_k = i % 5 == 0 ? 20 : 0;
        r.sampling.repetition_penalty = i % 2 == 0 ? 1.1 : 1.0;
        r.sampling.seed = i;
        r.sampling.logprobs = i % 2 == 0;
        r.sampling.ignore_eos = true;
        ids.push_back(client.generate(std::move(r)));
      }
      std::vector<Finished> out;
      for (const RequestId id : ids) out.push_back(client.wait(id));
      for (std::size_t i = 0; i < out.size(); ++i) {
        REQUIRE_FALSE(out[i].error.has_value());
        CHECK(client.streamed(ids[i]) == out[i].text);
        CHECK(out[i].tokens.size() == 40);
      }
      all.push_back(std::move(out));
      return e->stats();
    };
    run({.threads = 1, .page_size = 16, .pages = 512});
    run({.threads = 1, .page_size = 1, .pages = 8192});
    run({.threads = 4, .page_size = 16, .pages = 512});
    run({.replicas = 3, .threads = 4, .page_size = 4, .pages = 4096});
    run({.threads = 1, .page_size = 16, .pages = 512, .max_batch = 1});
    run({.threads = 1, .page_size = 16, .pages = 512, .prefill_chunk = 2});
    run({.threads = 4, .page_size = 1, .pages = 8192, .prefill_chunk = 3, .prefix_cache = false});
    // The smallest pools that hold one sequence (23 + 40 - 1 tokens at most): preemption is certain.
    for (const std::size_t page_size : {1, 4, 16}) {
      for (const bool cache : {true, false}) {
        const EngineStats stats = run({.threads = 1,
                                       .page_size = page_size,
                                       .pages = 64 / page_size + (page_size == 1 ? 20 : 1),
                                       .prefix_cache = cache});
        CHECK(stats.preemptions > 0);
        CHECK(stats.total.recomputed_tokens > 0);
        CHECK(stats.total.prompt_tokens == stats.total.cached_tokens + stats.total.prefill_tokens);
      }
    }
    for (std::size_t i = 1; i < all.size(); ++i) {
      for (std::size_t k = 0; k < all[i].size(); ++k) {
        CHECK(all[i][k].tokens == all[0][k].tokens);
        CHECK(all[i][k].text == all[0][k].text);
        CHECK(all[i][k].logprobs == all[0][k].logprobs);
      }
    }
  }
}

TEST_CASE("stories260k through the engine: the reference continuations") {
  const test::Rig rig = test::folder_rig("../shared/models/stories260k");
  if (rig.model == nullptr) {
    MESSAGE("skipped: stories260k is not here");
    return;
  }
  const auto expected = nlohmann::json::parse(*base::read_file("../shared/models/stories260k/expected.json"));
  const auto e = make(rig);
  Client client(*e);
  for (const auto& c : expected["cases"]) {
    const auto prompt = c["prompt"].get<std::string>();
    const Tokens tokens = rig.tokenizer->encode(prompt, {.add_special = true});
    const int steps = expected["steps"].get<int>() + 1 - static_cast<int>(tokens.size());
    const Finished f = client.wait(client.generate(greedy(tokens, steps)));
    CHECK(prompt + f.text == c["text"].get<std::string>());
  }
}

TEST_CASE("score agrees with the model and computes the prefix once") {
  const test::Rig rig = test::random_rig();
  const std::size_t vocab = rig.model->config().vocab_size;
  for (const std::size_t page_size : {1, 16}) {
    const auto e = make(rig, {.threads = 1, .page_size = page_size, .pages = 1024 / page_size, .prefill_chunk = 7});
    Client client(*e);
    ScoreRequest r;
    const Tokens prefix = random_tokens(40, 5);
    r.sequence = test::sequence_of(prefix);
    for (std::uint32_t i = 0; i < 10; ++i) r.continuations.push_back(random_tokens(1 + i % 5 * 20, 50 + i));
    r.per_token = true;
    std::int64_t inner = 0;
    for (const Tokens& c : r.continuations) inner += static_cast<std::int64_t>(c.size()) - 1;
    const ScoreRequest copy = r;
    const Finished f = client.wait(client.score(std::move(r)));
    REQUIRE_FALSE(f.error.has_value());
    REQUIRE(f.scores.size() == 10);
    std::size_t at = 0;
    base::ThreadPool pool(1);
    for (std::size_t i = 0; i < 10; ++i) {
      Tokens all = prefix;
      all.insert(all.end(), copy.continuations[i].begin(), copy.continuations[i].end());
      const auto kv = rig.model->make_kv(all.size());
      std::vector<std::uint32_t> slots(all.size());
      std::iota(slots.begin(), slots.end(), 0U);
      std::vector<float> logits(all.size() * vocab);
      const model::Slice slice{all, 0, slots, all.size()};
      REQUIRE(rig.model->forward({&slice, 1}, *kv, logits, pool).ok());
      double sum = 0.0;
      for (std::size_t p = prefix.size(); p < all.size(); ++p) {
        const double one = model::log_probability(std::span(logits).subspan((p - 1) * vocab, vocab), all[p]);
        CHECK(f.logprobs[at++] == static_cast<float>(one));
        sum += one;
      }
      CHECK(f.scores[i] == doctest::Approx(sum));
    }
    CHECK(at == f.logprobs.size());
    CHECK(f.usage.prefill_tokens == 40 + inner);
    CHECK(f.usage.cached_tokens == 0);
    // Again: the prefix but its last token is cached, the continuations' rows must be computed.
    const Finished again = client.wait(client.score(copy));
    CHECK(again.usage.prefill_tokens == 1 + inner);
    CHECK(again.usage.cached_tokens == 39);
    CHECK(again.scores == f.scores);
  }
}

TEST_CASE("logprobs of a generation are those of score") {
  const test::Rig rig = test::random_rig();
  const auto e = make(rig);
  Client client(*e);
  const Tokens prompt = random_tokens(9, 3);
  GenerateRequest r = greedy(prompt, 12);
  r.sampling.temperature = 1.3;
  r.sampling.presence_penalty = 1.0;
  r.sampling.logprobs = true;
  r.sampling.ignore_eos = true;
  const Finished f = client.wait(client.generate(std::move(r)));
  REQUIRE(f.logprobs.size() == 12);
  const Finished s = client.wait(client.score({test::sequence_of(prompt), {f.tokens}, true, {}}));
  CHECK(s.logprobs == f.logprobs);
}

TEST_CASE("stop strings: across tokens, inside tokens, never streamed") {
  const test::Rig rig = test::random_rig({}, {"a", "b", "c", "ab", "abc"});
  const auto e = make(rig);
  Client client(*e);
  const Tokens prompt = random_tokens(6, 8);
  // The bias makes the text what the test wants: one token again and again.
  const auto run = [&](const char* piece, std::vector<std::string> stop, int min_tokens = 0) {
    GenerateRequest r = greedy(prompt, 20);
    r.sampling.logit_bias = {{*rig.tokenizer->token_id(piece), 1000.0}};
    r.sampling.stop = std::move(stop);
    r.sampling.min_tokens = min_tokens;
    r.sampling.logprobs = true;
    const RequestId id = client.generate(std::move(r));
    const Finished f = client.wait(id);
    CHECK(client.streamed(id) == f.text);
    CHECK(rig.tokenizer->decode(f.tokens) == f.text);
    return f;
  };
  Finished f = run("ab", {"baba"});
  CHECK(f.reason == FinishReason::kStop);
  CHECK(f.text == "a");
  CHECK(f.stop_text == "baba");
  CHECK(f.tokens == Tokens{*rig.tokenizer->token_id("a")});
  CHECK(f.logprobs.empty());
  f = run("abc", {"zz", "cabcabca", "cab"});
  CHECK(f.text == "ab");
  CHECK(f.stop_text == "cab");
  f = run("ab", {"ab"}, 3);
  CHECK(f.text == "abab");
  CHECK(f.tokens.size() == 2);
  CHECK(f.logprobs.size() == 2);
  CHECK(f.usage.generated_tokens == 3);
  f = run("ab", {"abx", "b!"});
  CHECK(f.reason == FinishReason::kLength);
  CHECK(f.text.size() == 40);
}

TEST_CASE("end tokens: eos, min_tokens, ignore_eos") {
  const test::Rig rig = test::random_rig();
  const auto e = make(rig);
  Client client(*e);
  GenerateRequest r = greedy(random_tokens(6, 8), 10);
  r.sampling.logit_bias = {{2, 1000.0}};
  Finished f = client.wait(client.generate(r));
  CHECK(f.reason == FinishReason::kEos);
  CHECK(f.tokens.empty());
  CHECK(f.usage.generated_tokens == 1);
  r.sampling.min_tokens = 4;
  f = client.wait(client.generate(r));
  CHECK(f.reason == FinishReason::kEos);
  CHECK(f.tokens.size() == 4);
  r.sampling.min_tokens = 0;
  r.sampling.ignore_eos = true;
  f = client.wait(client.generate(r));
  CHECK(f.reason == FinishReason::kLength);
  CHECK(f.tokens == Tokens(10, 2));
  CHECK(f.text.empty());
}

TEST_CASE("streamed text is whole characters") {
  const test::Rig rig = test::random_rig();
  const auto e = make(rig);
  Client client(*e);
  for (std::uint32_t i = 0; i < 20; ++i) {
    GenerateRequest r = greedy(random_tokens(5, i), 30);
    r.sampling.temperature = 1.0;
    r.sampling.seed = i;
    const RequestId id = client.generate(std::move(r));
    const Finished f = client.wait(id);
    CHECK(client.streamed(id) == f.text);
    CHECK(rig.tokenizer->decode(f.tokens) == f.text);
  }
}
