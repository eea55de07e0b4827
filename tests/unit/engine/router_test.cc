#include "runtime/engine/router.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "tests/unit/engine/support.h"

using namespace sgl;
using namespace sgl::engine;

namespace {

std::vector<TokenId> run_of(std::size_t n, TokenId first) {
  std::vector<TokenId> out(n);
  std::iota(out.begin(), out.end(), first);
  return out;
}

}  // namespace

TEST_CASE("a request goes where its prefix was computed, others are spread") {
  Router router(3, 4);
  const std::size_t first = router.choose(Namespace(1), run_of(40, 0));
  std::set<std::size_t> places{first};
  places.insert(router.choose(Namespace(1), run_of(40, 100)));
  places.insert(router.choose(Namespace(1), run_of(40, 200)));
  CHECK(places.size() == 3);
  // The same 36 tokens and others after them.
  std::vector<TokenId> longer = run_of(36, 0);
  longer.resize(60, 7);
  CHECK(router.choose(Namespace(1), longer) == first);
  // Nothing is known of it for another tenant or with another first token.
  CHECK(router.choose(Namespace(2), longer) != first);
  CHECK(router.choose(Namespace(1), run_of(40, 1)) != first);
}

TEST_CASE("a replica that is much busier than another loses its prefixes to it") {
  Router router(2, 4);
  const std::vector<TokenId> tokens = run_of(16, 0);
  std::vector<std::size_t> chosen;
  for (int i = 0; i < 40; ++i) chosen.push_back(router.choose(Namespace(), tokens));
  CHECK(std::count(chosen.begin(), chosen.begin() + 9, chosen[0]) == 9);
  const auto on_first = std::count(chosen.begin(), chosen.end(), chosen[0]);
  CHECK(on_first >= 10);
  CHECK(on_first <= 30);
  for (const std::size_t replica : chosen) router.release(replica);
  // All idle again: where the prefix was computed last.
  CHECK(router.choose(Namespace(), tokens) == chosen.back());
}

TEST_CASE("only so many prefixes are remembered, the oldest are forgotten") {
  Router router(2, 1, 8);
  const std::vector<TokenId> old = run_of(4, 0);
  const std::size_t place = router.choose(Namespace(), old);
  router.release(place);
  for (TokenId i = 0; i < 8; ++i) router.release(router.choose(Namespace(), run_of(1, 100 + i)));
  // Unknown now: to the idlest, which is the first of equals, and it is made busy so that the two answers differ.
  const std::size_t busy = router.choose(Namespace(), run_of(1, 500));
  CHECK(router.choose(Namespace(), old) != busy);
}

TEST_CASE("replicas of an engine: prefixes are found again, the parts add up") {
  const test::Rig rig = test::random_rig();
  auto made = Engine::create(rig.model, rig.tokenizer, {.replicas = 2, .threads = 2, .page_size = 4, .pages = 101});
  REQUIRE(made.ok());
  Engine& engine = **made;
  CHECK(engine.stats().pages_total == 100);
  test::Client client(engine);
  for (TokenId prompt = 0; prompt < 6; ++prompt) {
    const std::vector<TokenId> tokens = run_of(33, 3 + prompt * 20);
    CHECK(client.wait(client.generate(test::greedy(tokens, 2))).usage.cached_tokens == 0);
    CHECK(client.wait(client.generate(test::greedy(tokens, 2))).usage.cached_tokens == 32);
  }
  const EngineStats stats = engine.stats();
  CHECK(stats.requests == 12);
  CHECK(stats.total.prompt_tokens == 12 * 33);
  CHECK(stats.pages_free + stats.pages_cached == stats.pages_total);
  engine.flush_cache(Namespace());
  CHECK(client.wait(client.generate(test::greedy(run_of(33, 3), 2))).usage.cached_tokens == 0);
  CHECK_FALSE(Engine::create(rig.model, rig.tokenizer, {.replicas = 0}).ok());
  CHECK_FALSE(Engine::create(rig.model, rig.tokenizer, {.replicas = 65}).ok());
}
