// Forks: order of values, bounds, and which failure wins.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/exec/echoing.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

using std::chrono::milliseconds;
using Delivery = ScriptedPort::Delivery;

// Calls side by side:
//   program one(n: int) -> string {
//     "All:{n}"
//     gen a: string
//     return a
//   }
//
//   program main() -> int {
//     limits { forks: 5 }
//     let a = one(1)
//     let b = one(2)
//     let c = one(3)
//     return len(a) + len(b) + len(c)
//   }
constexpr const char* kCalls = R"(plan 2
compiler "test"
file 0 = "calls.sgl"
type 0 = {"kind":"string"}
type 1 = {"kind":"int"}
type 2 = {"fields":[{"name":"one_1","type":0},{"name":"one_2","type":0},{"name":"one_3","type":0}],"kind":"record"}
const 0 = "All:"
const 1 = "the end of the function was reached without a value"
const 2 = 1
const 3 = 2
const 4 = 3
gen 0 = {"name":"a","type":0}
parallel 0 = {"entries":[{"args":1,"function":0,"name":"one_1"},{"args":1,"function":0,"name":"one_2"},{"args":1,"function":0,"name":"one_3"}],"type":2}
program 0 = {"bounds":{"forks":0,"generated_tokens":256,"generations":1},"function":0,"name":"one","params":[{"name":"n","type":1}],"prefix":[{"text":"All:"}],"result":0}
program 1 = {"bounds":{"forks":0,"generated_tokens":768,"generations":3},"function":1,"limits":{"forks":5},"name":"main","result":1}
function 0 = {"kind":"program","name":"one","params":1,"regs":"ibb","result":"b","result_type":0}
    0  const        r1, k0                          @0:2:3
    1  format       r2, r0, _                       @0:2:3
    2  concat       r2, [r1, r2]                    @0:2:3
    3  text         r2                              @0:2:3
    4  gen          r2, g0, []                      @0:3:3
    5  return       r2                              @0:4:3
function 1 = {"args":[1,1,1,1,7,8],"kind":"program","name":"main","regs":"bibbbiiiib","result":"i","result_type":1}
    0  const        r1, k2                          @0:9:15
    1  const        r7, k3                          @0:10:15
    2  const        r8, k4                          @0:11:15
    3  parallel     r9, p0, [r1, r7, r8]+3          @0:9:11
    4  field        r0, r9, 0                       @0:9:11
    5  field        r2, r9, 1                       @0:10:11
    6  field        r3, r9, 2                       @0:11:11
    7  len          r1, r0                          @0:12:10
    8  len          r5, r2                          @0:12:19
    9  add.i        r6, r1, r5                      @0:12:10
   10  len          r5, r3                          @0:12:28
   11  add.i        r1, r6, r5                      @0:12:10
   12  return       r1                              @0:12:3
)";

Json arguments(const std::vector<std::string>& items, int bound) { return {{"items", items}, {"bound", bound}}; }

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

TEST_CASE("calls side by side need no more forks than their bounds say") {
  HeldRun run(kCalls, "main", Json::object());
  CHECK(run.port.held() == 3);  // at once, though forks are limited
  run.port.answer_all();
  run.executor.run();
  CHECK(outcome(run.result) == "3");
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
