// Generation under constraints: always valid, also at max_tokens; forced text is not decoded; seams are healed.
#include "runtime/constraint/constraint.h"

#include <doctest/doctest.h>

#include "runtime/engine/engine.h"
#include "tests/unit/engine/support.h"

using namespace sgl;
using namespace sgl::engine;
using test::Client;
using test::make;

namespace {

using Compiled = std::shared_ptr<const constraint::Constraint>;

Compiled regex(std::string_view pattern) {
  auto c = constraint::compile_regex(pattern);
  REQUIRE_MESSAGE(c.ok(), (c.ok() ? "" : c.error().message));
  return *c;
}

GenerateRequest constrained(const test::Rig& rig, Compiled c, int max_tokens, std::uint64_t seed = 0) {
  GenerateRequest r = test::greedy(rig.tokenizer->encode("What is it? "), max_tokens);
  r.sampling.temperature = 1.0;
  r.sampling.seed = seed;
  r.constraint = std::move(c);
  return r;
}

// Pieces of several characters, so that tokenisation matters.
test::Rig pieces_rig() {
  return test::random_rig({}, {"a", "b", "c", "e", "h", "m", "n", "t", "na", "nam", "name", "th", "the", "ab"});
}

}  // namespace

TEST_CASE("constrained text is valid for any budget that allows a text") {
  const test::Rig rig = pieces_rig();
  const auto e = make(rig);
  Client client(*e);
  for (const char* pattern : {"[a-z]{3,40}", "(yes|no|perhaps)", R"(\{"name": "[a-z]{0,30}", "age": [0-9]{1,9}\})",
                              "(ab)*c?", "[\\u00e4-\\u00f6]{2,9}"}) {
    CAPTURE(pattern);
    const Compiled c = regex(pattern);
    const auto shortest = static_cast<int>(constraint::min_length(*c));
    std::vector<RequestId> ids;
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      GenerateRequest r = constrained(rig, c, std::max(1, shortest) + static_cast<int>(seed % 6) * 4, seed);
      r.sampling.ignore_eos = seed % 5 == 0;
      r.sampling.min_tokens = seed % 3 == 0 ? 6 : 0;
      ids.push_back(client.generate(std::move(r)));
    }
    for (const RequestId id : ids) {
      const Finished f = client.wait(id);
      REQUIRE_MESSAGE(!f.error.has_value(), (f.error ? f.error->message : ""));
      CHECK_MESSAGE(constraint::accepts(*c, f.text), f.text);
      CHECK(client.streamed(id) == f.text);
      CHECK(rig.tokenizer->decode(f.tokens) == f.text);
    }
  }
}

TEST_CASE("a budget that no text fits is an error, and hurts nobody else") {
  const test::Rig rig = test::random_rig();
  const auto e = make(rig);
  Client client(*e);
  const RequestId bad = client.generate(constrained(rig, regex("[a-z]{10}"), 5));
  const RequestId good = client.generate(constrained(rig, regex("[a-z]{5}"), 5));
  CHECK(client.wait(bad).error->kind == base::ErrorKind::kLimit);
  CHECK(client.wait(good).text.size() == 5);
}

TEST_CASE("text without a choice is not decoded") {
  const test::Rig rig = pieces_rig();
  const auto e = make(rig);
  Client client(*e);
  const Compiled only = regex("name: the");
  Finished f = client.wait(client.generate(constrained(rig, only, 50)));
  CHECK(f.text == "name: the");
  CHECK(f.reason == FinishReason::kComplete);
  CHECK(f.usage.jump_tokens == f.usage.generated_tokens);
  CHECK(f.usage.prompt_tokens == 0);  // nothing was computed
  GenerateRequest r = constrained(rig, only, 50);
  r.sampling.logprobs = true;
  const Sequence prompt = r.sequence;
  f = client.wait(client.generate(std::move(r)));
  CHECK(f.text == "name: the");
  const Finished scored = client.wait(client.score({prompt, {f.tokens}, true, {}}));
  CHECK(f.logprobs == scored.logprobs);

  const Compiled record = regex(R"(\{"name": "[a-c]{1,5}", "then": [0-9]\})");
  for (const bool logprobs : {false, true}) {
    GenerateRequest g = constrained(rig, record, 60, 4);
    g.sampling.logprobs = logprobs;
    const Sequence before = g.sequence;
    f = client.wait(client.generate(std::move(g)));
    REQUIRE_FALSE(f.error.has_value());
    CHECK(constraint::accepts(*record, f.text));
    CHECK(f.usage.jump_tokens > 10);
    if (logprobs) CHECK(client.wait(client.score({before, {f.tokens}, true, {}})).logprobs == f.logprobs);
  }
}

TEST_CASE("constrained output does not depend on pages, pool, batch, threads or chunking") {
  const test::Rig rig = pieces_rig();
  const Compiled record = regex(R"(\{"name": "[a-h]{1,12}", "then": [0-9]{1,8}, "the": (true|false|null)\})");
  std::vector<std::vector<std::string>> all;
  std::int64_t preemptions = 0;
  for (const EngineOptions& options :
       {EngineOptions{.threads = 1, .pages = 512}, EngineOptions{.threads = 4, .page_size = 1, .pages = 4000},
        EngineOptions{.threads = 1, .page_size = 1, .pages = 110},
        EngineOptions{.threads = 1, .pages = 7, .prefill_chunk = 2, .prefix_cache = false},
        EngineOptions{.threads = 2, .pages = 512, .max_batch = 1}}) {
    const auto e = make(rig, options);
    Client client(*e);
    std::vector<RequestId> ids;
    for (std::uint64_t i = 0; i < 10; ++i) {
      GenerateRequest r = constrained(rig, record, 80, i);
      r.sampling.logprobs = i % 2 == 0;
      ids.push_back(client.generate(std::move(r)));
    }
    std::vector<std::string>& texts = all.emplace_back();
    for (const RequestId id : ids) {
      const Finished f = client.wait(id);
      REQUIRE_FALSE(f.error.has_value());
      CHECK(constraint::accepts(*record, f.text));
      texts.push_back(f.text);
      for (const TokenId t : f.tokens) texts.back() += " " + std::to_string(t);
      for (const float p : f.logprobs) texts.back() += " " + std::to_string(p);
    }
    preemptions += e->stats().preemptions;
  }
  for (const auto& texts : all) CHECK(texts == all[0]);
  CHECK(preemptions > 0);
}

TEST_CASE("token healing") {
  const test::Rig rig = pieces_rig();
  const auto e = make(rig);
  Client client(*e);
  const auto id = [&](const char* piece) { return *rig.tokenizer->token_id(piece); };
  std::vector<TokenId> prompt{10, 20, id("t")};
  const auto run = [&](TokenId wanted, Compiled c, bool heal) {
    GenerateRequest r = test::greedy(prompt, 4);
    r.sampling.logit_bias = {{wanted, 1000.0}};
    r.constraint = std::move(c);
    r.heal = heal;
    const RequestId request = client.generate(std::move(r));
    const Finished f = client.wait(request);
    REQUIRE_FALSE(f.error.has_value());
    CHECK(client.streamed(request) == f.text);
    std::string whole;
    for (const TokenId t : f.tokens) whole += rig.tokenizer->token_bytes(t);
    CHECK(whole == (f.healed_tokens > 0 ? "t" : "") + f.text);
    return f;
  };
  Finished f = run(id("the"), nullptr, true);
  CHECK(f.healed_tokens == 1);
  CHECK(f.tokens[0] == id("the"));
  CHECK(f.text.starts_with("he"));
  f = run(id("the"), nullptr, false);
  CHECK(f.healed_tokens == 0);
  CHECK(f.text.starts_with("the"));
  f = run(id("the"), regex("he|at"), true);
  CHECK(f.text == "he");
  CHECK(f.tokens == std::vector<TokenId>{id("the")});
  f = run('z' + 3, regex("he|at"), true);
  CHECK((f.text == "he" || f.text == "at"));
  prompt.back() = id("the");  // nothing extends it
  f = run(id("ab"), nullptr, true);
  CHECK(f.healed_tokens == 0);
  prompt = {id("t")};  // the only token stays
  f = run(id("ab"), nullptr, true);
  CHECK(f.healed_tokens == 0);
  // An end within the healed token leaves it as it was.
  GenerateRequest r = test::greedy({10, 20, id("th")}, 1);
  r.sampling.logit_bias = {{id("t"), 1000.0}};
  r.heal = true;
  f = client.wait(client.generate(std::move(r)));
  CHECK(f.reason == FinishReason::kLength);
  CHECK(f.text.empty());
  CHECK(f.tokens.empty());
  CHECK(f.healed_tokens == 0);
}

TEST_CASE("the first bytes of a stop string's character are not streamed as tokens") {
  const test::Rig rig = pieces_rig();
  const auto e = make(rig);
  Client client(*e);
  const auto byte = [](int b) { return static_cast<TokenId>(b + 3); };
  GenerateRequest r = test::greedy({10, 20}, 12);
  r.sampling.logit_bias = {{byte(0xC3), 1000.0}, {byte(0xA9), 1000.0}};
  r.sampling.stop = {"\u00e9"};
  r.constraint = regex("[b\u00e8\u00e9]{2,4}");  // so that neither byte is forced
  const RequestId id = client.generate(std::move(r));
  const Finished f = client.wait(id);
  CHECK(f.reason == FinishReason::kStop);
  CHECK(f.text.empty());
  CHECK(client.streamed_tokens(id) == f.tokens);
}
