// Forks: order of values, bounds, and which failure wins.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/exec/scripted_port.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

using std::chrono::milliseconds;
using Delivery = ScriptedPort::Delivery;

// Repeats the item; "bad" for an item that ends in x.
ScriptedPort::Options echoing(Delivery delivery, std::uint64_t order = 1) {
  ScriptedPort::Options options;
  options.delivery = delivery;
  options.order = order;
  options.answer = [](std::string_view prompt) {
    return prompt.ends_with('x') ? std::string("bad") : std::string(prompt.substr(prompt.find(':') + 1));
  };
  return options;
}

Json arguments(const std::vector<std::string>& items, int bound) { return {{"items", items}, {"bound", bound}}; }

// Answers the held request for this item; false when it is not there (cancelled).
bool answer_item(ScriptedPort& port, const std::string& item) {
  for (std::size_t place = 0; place < port.held(); ++place) {
    if (port.held_prompt(place) == "All:" + item) {
      port.answer(place);
      return true;
    }
  }
  return false;
}

TEST_CASE("values come in the order of the items, whatever the order of the answers") {
  std::vector<std::string> items;
  for (int i = 0; i < 40; ++i) items.push_back("i" + std::to_string(i));
  const std::string wanted = Json(items).dump();
  for (std::uint64_t order = 1; order <= 10; ++order) {
    ScriptedPort port(echoing(Delivery::kShuffled, order));
    CHECK(outcome(run_program(sample_programs(), port, "each", arguments(items, static_cast<int>(order) - 3))) == wanted);
  }
  ScriptedPort port(echoing(Delivery::kAtOnce));
  CHECK(outcome(run_program(sample_programs(), port, "each", arguments(items, 0))) == wanted);
  CHECK(outcome(run_program(sample_programs(), port, "each", arguments({}, 0))) == "[]");
}

TEST_CASE("of several failures the one with the lowest index is reported, in every order of answers") {
  const std::vector<std::string> items = {"a", "bx", "c", "dx"};
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), 0U);
  do {
    ScriptedPort port(echoing(Delivery::kHeld));
    Executor executor(sample_programs(), port);
    std::string result;
    RunEvents events;
    events.on_finished = [&](RunResult r) { result += outcome(r); };
    REQUIRE(executor.start("each", arguments(items, 0), {}, std::move(events)).ok());
    executor.poll(milliseconds(0));
    REQUIRE(port.held() == items.size());
    for (const std::size_t index : order) {
      answer_item(port, items[index]);
      executor.poll(milliseconds(0));
    }
    executor.run();
    CHECK(result == "failed: bx");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a failure with a bound: no new forks begin, those before it decide") {
  const std::vector<std::string> items = {"a", "bx", "c", "d", "e"};
  ScriptedPort port(echoing(Delivery::kHeld));
  Executor executor(sample_programs(), port);
  RunResult result;
  RunEvents events;
  events.on_finished = [&](RunResult r) { result = std::move(r); };
  REQUIRE(executor.start("each", arguments(items, 2), {}, std::move(events)).ok());
  executor.poll(milliseconds(0));
  REQUIRE(port.held() == 2);
  REQUIRE(answer_item(port, "bx"));
  executor.poll(milliseconds(0));
  CHECK(port.held() == 1);  // only the fork before it still counts
  CHECK(executor.active() == 1);
  REQUIRE(answer_item(port, "a"));
  executor.run();
  CHECK(outcome(result) == "failed: bx");
  CHECK(result.error_position.line == 6);
}

TEST_CASE("never more forks at once than the bound, and as many as it allows") {
  std::vector<std::string> items;
  for (int i = 0; i < 30; ++i) items.push_back(std::to_string(i));
  for (const int bound : {1, 2, 3, 7, 30, 100}) {
    CAPTURE(bound);
    ScriptedPort port(echoing(Delivery::kHeld));
    Executor executor(sample_programs(), port);
    std::string result;
    RunEvents events;
    events.on_finished = [&](RunResult r) { result = outcome(r); };
    REQUIRE(executor.start("each", arguments(items, bound), {}, std::move(events)).ok());
    std::mt19937_64 random(static_cast<std::uint64_t>(bound));
    std::size_t answered = 0;
    while (executor.poll(milliseconds(0))) {
      const std::size_t held = port.held();
      CHECK(held <= static_cast<std::size_t>(bound));
      CHECK(held == std::min(static_cast<std::size_t>(bound), items.size() - answered));
      if (held == 0) break;
      port.answer(random() % held);
      ++answered;
      executor.poll(milliseconds(0));
    }
    CHECK(result == Json(items).dump());
    CHECK(port.most_held() == std::min<std::size_t>(static_cast<std::size_t>(bound), items.size()));
  }
}

TEST_CASE("traces and results do not depend on the order of arrival") {
  const Json args = arguments({"a", "b", "c", "d", "e", "f"}, 0);
  RunOptions options;
  options.trace = true;
  options.seed = 5;
  ScriptedPort reference;
  const RunResult wanted = run_program(sample_programs(), reference, "each", args, options);
  REQUIRE(wanted.value.ok());
  CHECK(wanted.trace.size() == 7);
  CHECK(wanted.forks == 6);
  for (std::uint64_t order = 1; order <= 10; ++order) {
    ScriptedPort::Options shuffled;
    shuffled.delivery = Delivery::kShuffled;
    shuffled.order = order;
    ScriptedPort port(shuffled);
    const RunResult got = run_program(sample_programs(), port, "each", args, options);
    CHECK(got.trace == wanted.trace);
    CHECK(outcome(got) == outcome(wanted));
    CHECK(got.fuel_used == wanted.fuel_used);
    CHECK(got.usage.generated_tokens == wanted.usage.generated_tokens);
  }
}

TEST_CASE("thousands of forks that end at once do not deepen the stack") {
  std::vector<std::string> items(9000, "i");
  ScriptedPort port(echoing(Delivery::kAtOnce));
  const RunResult result = run_program(sample_programs(), port, "each", arguments(items, 1));
  REQUIRE(result.value.ok());
  CHECK(result.forks == 9000);
}

}  // namespace
}  // namespace sgl::exec::test
