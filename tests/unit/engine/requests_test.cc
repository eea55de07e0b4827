// How requests end: refused, cancelled, with the engine, and under stress.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <thread>

#include "runtime/engine/engine.h"
#include "tests/unit/engine/support.h"

using namespace sgl;
using namespace sgl::engine;
using test::Client;
using test::greedy;
using test::make;
using test::random_tokens;

TEST_CASE("requests that cannot be taken get one error each and hurt nobody") {
  const test::Rig rig = test::random_rig();
  const auto e = make(rig, {.threads = 1, .page_size = 4, .pages = 10, .max_queue = 2});
  Client client(*e);
  const RequestId good = client.generate(greedy(random_tokens(10, 1), 20));
  const RequestId empty = client.generate(greedy({}, 5));
  const RequestId huge = client.generate(greedy(random_tokens(41, 1), 5));
  const RequestId unknown = client.generate(greedy({5, 100000}, 5));
  const RequestId unscored = client.score({});
  CHECK(client.wait(empty).error->kind == base::ErrorKind::kInvalid);
  CHECK(client.wait(huge).error->kind == base::ErrorKind::kLimit);
  CHECK(client.wait(unknown).error->kind == base::ErrorKind::kInvalid);
  CHECK(client.wait(unscored).error->kind == base::ErrorKind::kInvalid);
  CHECK(client.wait(good).tokens.size() <= 20);
  CHECK_FALSE(client.wait(good).error.has_value());
  // A sequence that reaches the pool's end stops there.
  GenerateRequest r = greedy(random_tokens(30, 2), 500);
  r.sampling.ignore_eos = true;
  const Finished f = client.wait(client.generate(std::move(r)));
  CHECK(f.reason == FinishReason::kLength);
  CHECK(f.tokens.size() == 11);  // the last needs no KV
  // A full queue: all are answered, some are refused.
  std::vector<RequestId> ids;
  for (std::uint32_t i = 0; i < 50; ++i) ids.push_back(client.generate(greedy(random_tokens(30, i), 3)));
  int refused = 0;
  for (const RequestId id : ids) {
    const Finished one = client.wait(id);
    if (one.error) {
      CHECK(one.error->kind == base::ErrorKind::kUnavailable);
      ++refused;
    }
  }
  CHECK(refused < 50);
}

TEST_CASE("cancellation ends a request at once; priorities go first") {
  const test::Rig rig = test::random_rig();
  const auto e = make(rig, {.threads = 1, .pages = 512, .max_batch = 1});
  Client client(*e);
  GenerateRequest endless = greedy(random_tokens(5, 1), 400);
  endless.sampling.ignore_eos = true;
  const RequestId running = client.generate(endless);
  const RequestId waiting = client.generate(endless);
  e->cancel(waiting);
  e->cancel(running);
  CHECK(client.wait(waiting).reason == FinishReason::kCancelled);
  const Finished f = client.wait(running);
  CHECK(f.error.has_value());
  CHECK(f.error->kind == base::ErrorKind::kCancelled);
  e->cancel(running);  // has ended already
  e->cancel(RequestId(987654));
  CHECK_FALSE(client.wait(client.generate(greedy(random_tokens(5, 2), 3))).error.has_value());
  CHECK(client.terminal_events(running) == 1);
}

TEST_CASE("shutdown delivers every terminal event, also to requests made in events") {
  const test::Rig rig = test::random_rig();
  std::atomic<int> ended{0}, nested{0};
  for (std::size_t round = 0; round < 5; ++round) {
    auto e = make(rig, {.replicas = 1 + round % 3, .threads = 1, .pages = 512});
    Engine* raw = e.get();
    for (std::uint32_t i = 0; i < 10; ++i) {
      Events events;
      events.on_finished = [&, raw](const Finished&) {
        ++ended;
        Events inner;
        inner.on_finished = [&](const Finished&) { ++nested; };
        raw->generate(greedy(random_tokens(4, 1), 2), std::move(inner));
      };
      e->generate(greedy(random_tokens(20, i), 100), std::move(events));
    }
    e.reset();
  }
  CHECK(ended == 50);
  CHECK(nested == 50);
}

TEST_CASE("stress: random requests and cancellations from several threads, one terminal event each") {
  const test::Rig rig = test::random_rig();
  std::size_t replicas = 1;
  SUBCASE("one replica") {}
  SUBCASE("three replicas") {
    replicas = 3;
  }
  const auto e = make(rig, {.replicas = replicas,
                            .threads = 2 * replicas,
                            .page_size = 2,
                            .pages = 60 * replicas,
                            .max_batch = 6,
                            .prefill_chunk = 16});
  Client client(*e);
  std::mutex mutex;
  std::vector<RequestId> ids;
  std::atomic<std::size_t> events{0};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 rng(t);
      for (int i = 0; i < 60; ++i) {
        Events on;
        on.on_text = [](RequestId, std::string_view) {};
        on.on_finished = [&](const Finished&) { ++events; };
        RequestId id;
        if (rng() % 5 == 0) {
          ScoreRequest s;
          s.sequence = test::sequence_of(random_tokens(1 + rng() % 20, static_cast<std::uint32_t>(rng() % 3)));
          for (unsigned c = rng() % 5; c > 0; --c) s.continuations.push_back(random_tokens(rng() % 9, 7));
          id = e->score(std::move(s), std::move(on));
        } else {
          GenerateRequest g = greedy(random_tokens(rng() % 60, static_cast<std::uint32_t>(rng() % 4)),
                                     1 + static_cast<int>(rng() % 40));
          g.sampling.temperature = 1.0;
          g.priority = static_cast<int>(rng() % 3);
          g.heal = rng() % 2 == 0;
          g.ns = Namespace(static_cast<std::uint32_t>(rng() % 2));
          id = e->generate(std::move(g), std::move(on));
        }
        RequestId victim = id;
        {
          const std::lock_guard lock(mutex);
          ids.push_back(id);
          victim = ids[rng() % ids.size()];
        }
        if (rng() % 3 == 0) e->cancel(victim);
        if (rng() % 8 == 0) (void)e->stats();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  const Finished last = client.wait(client.generate(greedy(random_tokens(5, 1), 3)));
  CHECK_FALSE(last.error.has_value());
  for (int i = 0; i < 2000 && events.load() < ids.size(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(events.load() == ids.size());
  const EngineStats stats = e->stats();
  CHECK(stats.requests == static_cast<std::int64_t>(ids.size()) + 1);
  CHECK(stats.pages_free + stats.pages_cached == stats.pages_total);
}
