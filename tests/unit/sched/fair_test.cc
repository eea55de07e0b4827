// Tenants take turns: start-time fair queueing.
#include <doctest/doctest.h>

#include <numeric>

#include "runtime/sched/scheduler.h"

using namespace sgl::sched;

namespace {

std::vector<Token> tokens(std::size_t n, Token first) {
  std::vector<Token> out(n);
  std::iota(out.begin(), out.end(), first);
  return out;
}

// Runs everything, one sequence at a time; the ids in the order of their ends.
std::vector<std::uint64_t> run(Scheduler& scheduler, std::size_t count) {
  std::vector<std::uint64_t> order;
  while (order.size() < count) {
    const Step step = scheduler.schedule();
    REQUIRE_FALSE(step.work.empty());
    scheduler.completed(step);
    for (const Work& w : step.work) {
      if (w.end < scheduler.tokens(w.id).size()) continue;
      order.push_back(w.id.value);
      scheduler.finish(w.id);
    }
  }
  return order;
}

Scheduler one_at_a_time() {
  return Scheduler({.page_size = 4, .pages = 64, .max_batch = 1, .prefix_cache = false});
}

}  // namespace

TEST_CASE("a tenant with many requests does not keep another waiting") {
  Scheduler scheduler = one_at_a_time();
  for (std::uint64_t i = 0; i < 50; ++i)
    REQUIRE(scheduler.submit({SequenceId(i), Namespace(1), 0, tokens(10, 1), 10, 9}).ok());
  REQUIRE(scheduler.submit({SequenceId(100), Namespace(2), 0, tokens(10, 1), 10, 9}).ok());
  const auto order = run(scheduler, 51);
  const auto at = std::find(order.begin(), order.end(), 100) - order.begin();
  CHECK(at <= 1);
  // Its own requests stay in order.
  std::vector<std::uint64_t> others(order);
  others.erase(others.begin() + at);
  CHECK(std::is_sorted(others.begin(), others.end()));
}

TEST_CASE("what is withdrawn before it begins is not made up for") {
  Scheduler scheduler = one_at_a_time();
  for (std::uint64_t i = 0; i < 50; ++i)
    REQUIRE(scheduler.submit({SequenceId(i), Namespace(1), 0, tokens(10, 1), 10, 9}).ok());
  for (std::uint64_t i = 0; i < 50; ++i) scheduler.finish(SequenceId(i));
  for (std::uint64_t i = 100; i < 110; ++i)
    REQUIRE(scheduler.submit({SequenceId(i), Namespace(2), 0, tokens(10, 1), 10, 9}).ok());
  REQUIRE(scheduler.submit({SequenceId(200), Namespace(1), 0, tokens(10, 1), 10, 9}).ok());
  const auto order = run(scheduler, 11);
  CHECK(std::find(order.begin(), order.end(), 200) - order.begin() <= 1);
}

TEST_CASE("weights share the tokens, and nobody starves") {
  Scheduler scheduler = one_at_a_time();
  for (std::uint64_t i = 0; i < 40; ++i) {
    REQUIRE(scheduler.submit({SequenceId(i), Namespace(1), 0, tokens(8, 1), 8, 7, 3.0}).ok());
    REQUIRE(scheduler.submit({SequenceId(1000 + i), Namespace(2), 0, tokens(8, 1), 8, 7, 1.0}).ok());
  }
  const auto order = run(scheduler, 80);
  const auto heavy = std::count_if(order.begin(), order.begin() + 40, [](std::uint64_t id) { return id < 1000; });
  CHECK(heavy >= 28);
  CHECK(heavy <= 32);
}

TEST_CASE("idling earns nothing") {
  Scheduler scheduler = one_at_a_time();
  for (std::uint64_t i = 0; i < 20; ++i)
    REQUIRE(scheduler.submit({SequenceId(i), Namespace(1), 0, tokens(8, 1), 8, 7}).ok());
  run(scheduler, 20);
  for (std::uint64_t i = 20; i < 30; ++i) {
    REQUIRE(scheduler.submit({SequenceId(i), Namespace(1), 0, tokens(8, 1), 8, 7}).ok());
    REQUIRE(scheduler.submit({SequenceId(1000 + i), Namespace(2), 0, tokens(8, 1), 8, 7}).ok());
  }
  const auto order = run(scheduler, 20);
  const auto first = std::count_if(order.begin(), order.begin() + 10, [](std::uint64_t id) { return id < 1000; });
  CHECK(first >= 3);
}
