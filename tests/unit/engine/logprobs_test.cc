// Log-probabilities of prompts and of the most likely tokens, stop tokens, and requests for no token at all.
#include <doctest/doctest.h>

#include <cmath>
#include <mutex>

#include "runtime/engine/engine.h"
#include "tests/unit/engine/support.h"

using namespace sgl;
using namespace sgl::engine;
using test::Client;
using test::greedy;
using test::make;
using test::random_tokens;

namespace {

using Tokens = std::vector<TokenId>;

}  // namespace

TEST_CASE("the prompt's log-probabilities are those that scoring gives, cold and warm, in chunks of any size") {
  const test::Rig rig = test::random_rig();
  const Tokens prompt = random_tokens(150, 1);
  for (const std::size_t chunk : {std::size_t{7}, std::size_t{256}}) {
    const auto engine = make(rig, {.threads = 1, .page_size = 4, .pages = 256, .prefill_chunk = chunk});
    Client client(*engine);
    ScoreRequest score;
    score.sequence = test::sequence_of({prompt[0]});
    score.continuations = {Tokens(prompt.begin() + 1, prompt.end())};
    score.per_token = true;
    const Finished expected = client.wait(client.score(score));
    for (const std::size_t from : {std::size_t{0}, std::size_t{60}, prompt.size() - 1}) {
      GenerateRequest request = greedy(prompt, 3);
      request.prompt_logprobs_from = from;
      request.sampling.logprobs = true;
      request.sampling.top_logprobs = 3;
      const Finished got = client.wait(client.generate(request));
      REQUIRE_FALSE(got.error);
      const std::size_t first = std::max<std::size_t>(from, 1);
      REQUIRE(got.prompt_logprobs.size() == prompt.size() - first);
      for (std::size_t i = 0; i < got.prompt_logprobs.size(); ++i) {
        CHECK(got.prompt_logprobs[i] == doctest::Approx(expected.logprobs[first - 1 + i]).epsilon(1e-5));
        REQUIRE(got.prompt_top_logprobs[i].size() == 3);
        CHECK(got.prompt_top_logprobs[i][0].logprob >= got.prompt_top_logprobs[i][1].logprob);
        CHECK(got.prompt_top_logprobs[i][0].logprob >= got.prompt_logprobs[i]);
      }
    }
  }
}

TEST_CASE("the most likely token is the one that greedy decoding takes; asking changes nothing") {
  const test::Rig rig = test::random_rig();
  const auto engine = make(rig);
  Client client(*engine);
  const Tokens prompt = random_tokens(20, 2);
  const Finished plain = client.wait(client.generate(greedy(prompt, 12)));
  GenerateRequest request = greedy(prompt, 12);
  request.sampling.logprobs = true;
  request.sampling.top_logprobs = 5;
  const Finished got = client.wait(client.generate(request));
  CHECK(got.tokens == plain.tokens);
  REQUIRE(got.top_logprobs.size() == got.tokens.size());
  for (std::size_t i = 0; i < got.tokens.size(); ++i) {
    CHECK(got.top_logprobs[i][0].token == got.tokens[i]);
    CHECK(got.top_logprobs[i][0].logprob == doctest::Approx(got.logprobs[i]));
    double sum = 0;
    for (const TokenLogprob& top : got.top_logprobs[i]) sum += std::exp(top.logprob);
    CHECK(sum <= 1.0001);
  }
}

TEST_CASE("tokens are streamed with their text and their log-probabilities") {
  const test::Rig rig = test::random_rig();
  const auto engine = make(rig);
  std::mutex mutex;
  std::condition_variable ended;
  Tokens streamed;
  std::vector<float> logprobs;
  std::optional<Finished> finished;
  GenerateRequest request = greedy(random_tokens(10, 3), 16);
  request.sampling.logprobs = true;
  Events events;
  events.on_tokens = [&](RequestId, std::span<const TokenId> tokens, std::span<const float> values,
                         const TopLogprobs&) {
    streamed.insert(streamed.end(), tokens.begin(), tokens.end());
    logprobs.insert(logprobs.end(), values.begin(), values.end());
  };
  events.on_finished = [&](Finished f) {
    const std::lock_guard lock(mutex);
    finished = std::move(f);
    ended.notify_all();
  };
  engine->generate(request, events);
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return finished.has_value(); });
  CHECK(streamed == finished->tokens);
  CHECK(logprobs == finished->logprobs);
}

TEST_CASE("stop tokens end a text and are not part of it") {
  const test::Rig rig = test::random_rig();
  const auto engine = make(rig);
  Client client(*engine);
  const Tokens prompt = random_tokens(20, 4);
  const Finished whole = client.wait(client.generate(greedy(prompt, 8)));
  REQUIRE(whole.tokens.size() == 8);
  GenerateRequest request = greedy(prompt, 8);
  request.sampling.stop_tokens = {whole.tokens[4]};
  const Finished cut = client.wait(client.generate(request));
  CHECK(cut.reason == FinishReason::kStop);
  CHECK(cut.stop_token == whole.tokens[4]);
  const auto first = std::find(whole.tokens.begin(), whole.tokens.end(), whole.tokens[4]);
  CHECK(cut.tokens == Tokens(whole.tokens.begin(), first));
}

TEST_CASE("no token at all: the prompt is computed, and cached") {
  const test::Rig rig = test::random_rig();
  const auto engine = make(rig);
  Client client(*engine);
  const Tokens prompt = random_tokens(40, 5);
  const Finished none = client.wait(client.generate(greedy(prompt, 0)));
  REQUIRE_FALSE(none.error);
  CHECK(none.reason == FinishReason::kLength);
  CHECK(none.tokens.empty());
  CHECK(none.usage.generated_tokens == 0);
  CHECK(none.usage.prefill_tokens == 40);
  const Finished warm = client.wait(client.generate(greedy(prompt, 1)));
  CHECK(warm.usage.cached_tokens == 39);
  engine->flush_cache(Namespace());
  const Finished cold = client.wait(client.generate(greedy(prompt, 1)));
  CHECK(cold.usage.cached_tokens == 0);
}
