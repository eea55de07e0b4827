// Instances: many at once, limits, cancellation, one terminal event each.
#include "runtime/exec/executor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/exec/scripted_port.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

using std::chrono::milliseconds;
using Delivery = ScriptedPort::Delivery;

ScriptedPort::Options with(Delivery delivery, std::uint64_t order = 1) {
  ScriptedPort::Options options;
  options.delivery = delivery;
  options.order = order;
  return options;
}

TEST_CASE("ten thousand instances wait at once, each in little memory") {
  constexpr std::size_t kInstances = 10'000;
  constexpr std::size_t kMostBytes = 2048;  // the promise: bytes of a waiting instance beside its values
  ScriptedPort port(with(Delivery::kHeld));
  Executor executor(sample_programs(), port);
  std::vector<int> finished(kInstances, 0);
  std::vector<std::string> values(kInstances);
  std::vector<InstanceId> ids;
  for (std::size_t i = 0; i < kInstances; ++i) {
    RunOptions options;
    options.seed = i;
    RunEvents events;
    events.on_finished = [&, i](RunResult result) {
      ++finished[i];
      values[i] = outcome(result);
    };
    const auto id = executor.start("ask", Json::object(), options, std::move(events));
    REQUIRE(id.ok());
    ids.push_back(*id);
  }
  CHECK(executor.poll(milliseconds(0)));
  CHECK(executor.active() == kInstances);
  CHECK(port.held() == kInstances);
  std::size_t most = 0;
  for (const InstanceId id : ids) most = std::max(most, executor.overhead_bytes(id));
  CHECK(most > 0);
  CHECK(most < kMostBytes);
  port.answer_all();
  executor.run();
  CHECK(executor.active() == 0);
  std::size_t once = 0, answered = 0;
  for (std::size_t i = 0; i < kInstances; ++i) {
    once += finished[i] == 1 ? 1 : 0;
    answered += values[i].starts_with('"') ? 1 : 0;
  }
  CHECK(once == kInstances);
  CHECK(answered == kInstances);
  CHECK(executor.overhead_bytes(ids[0]) == 0);
}

TEST_CASE("the same seed gives the same answer, another one another") {
  ScriptedPort port;
  RunOptions one, two;
  two.seed = 2;
  const std::string first = outcome(run_program(sample_programs(), port, "several", Json::object(), one));
  CHECK(outcome(run_program(sample_programs(), port, "several", Json::object(), one)) == first);
  CHECK(outcome(run_program(sample_programs(), port, "several", Json::object(), two)) != first);
}

TEST_CASE("what cannot be started") {
  ScriptedPort port;
  const auto refused = [&](const char* program, const char* args) {
    return outcome(run_program(sample_programs(), port, program, Json::parse(args)));
  };
  CHECK(refused("askk", "{}").starts_with("not_found"));
  CHECK(refused("askk", "{}").find("ask") != std::string::npos);
  CHECK(refused("spin", "{}").find("'n'") != std::string::npos);
  CHECK(refused("spin", R"({"n": 1, "m": 2})").find("'m'") != std::string::npos);
  CHECK(refused("spin", R"({"n": "1"})").find("n: expected an int") != std::string::npos);
  CHECK(refused("each", R"({"items": ["a", 2], "bound": 0})").find("items[1]: expected a string") != std::string::npos);
  CHECK(refused("spin", "[]").starts_with("invalid"));
  CHECK(refused("spin", R"({"n": 5})") == "5");
}

TEST_CASE("limits of fuel, memory, tokens and forks") {
  ScriptedPort port;
  const auto limited = [&](const char* program, const char* args, auto change) {
    RunOptions options;
    change(options.limits);
    return run_program(sample_programs(), port, program, Json::parse(args), options);
  };
  const RunResult fuel = limited("spin", R"({"n": 1000000})", [](RunLimits& l) { l.fuel = 1000; });
  CHECK(outcome(fuel).starts_with("limit"));
  CHECK(fuel.fuel_used == 1000);
  CHECK(fuel.error_position.line == 13);
  const RunResult memory = limited("grow", R"({"n": 1000000})", [](RunLimits& l) { l.memory = 100'000; });
  CHECK(outcome(memory).starts_with("limit"));
  CHECK(memory.error_position.line == 18);
  CHECK(outcome(limited("grow", R"({"n": 1000})", [](RunLimits& l) { l.memory = 100'000; })) == "1000");
  const RunResult tokens = limited("several", "{}", [](RunLimits& l) { l.tokens = 2; });
  CHECK(outcome(tokens).starts_with("limit"));
  CHECK(tokens.error_position.line == 23);
  const RunResult few = limited("several", "{}", [](RunLimits& l) { l.tokens = 3; });
  REQUIRE(few.value.ok());
  CHECK(few.usage.generated_tokens <= 3);
  const char* const five = R"({"items": ["a", "b", "c", "d", "e"], "bound": 2})";
  const RunResult forks = limited("each", five, [](RunLimits& l) { l.forks = 4; });
  CHECK(outcome(forks).starts_with("limit"));
  CHECK(forks.error_position.line == 3);
  CHECK(limited("each", five, [](RunLimits& l) { l.forks = 5; }).value.ok());
  const RunResult args = limited("each", R"({"items": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], "bound": 2})",
                                 [](RunLimits& l) { l.memory = 20; });
  CHECK(outcome(args).starts_with("limit"));
}

TEST_CASE("a computation ends in its midst when its time is over or it is cancelled") {
  ScriptedPort port;
  RunOptions options;
  options.limits.fuel = std::int64_t{1} << 60;
  const Json args = Json::parse(R"({"n": 1000000000000})");
  SUBCASE("time") {
    options.limits.time_ms = 5;
    const RunResult result = run_program(sample_programs(), port, "spin", args, options);
    REQUIRE_FALSE(result.value.ok());
    CHECK(result.value.error().kind == base::ErrorKind::kLimit);
    CHECK(result.value.error().message.find("time") != std::string::npos);
  }
  SUBCASE("cancelled") {
    int asked = 0;
    options.cancelled = [&] { return ++asked == 3; };
    const RunResult result = run_program(sample_programs(), port, "spin", args, options);
    REQUIRE_FALSE(result.value.ok());
    CHECK(result.value.error().kind == base::ErrorKind::kCancelled);
    CHECK(asked == 3);
    CHECK(result.fuel_used > 2 * kFuelSlice);
    CHECK(result.fuel_used <= 3 * (kFuelSlice + 1));
  }
}

TEST_CASE("an instance that waits longer than its time ends with a limit") {
  ScriptedPort port(with(Delivery::kHeld));
  RunOptions options;
  options.limits.time_ms = 20;
  const RunResult result = run_program(sample_programs(), port, "ask", Json::object(), options);
  REQUIRE_FALSE(result.value.ok());
  CHECK(result.value.error().kind == base::ErrorKind::kLimit);
  CHECK(result.value.error().message.find("time") != std::string::npos);
  CHECK(port.held() == 0);
}

TEST_CASE("a request's error becomes the program's, where it generates") {
  ScriptedPort port(with(Delivery::kHeld));
  Executor executor(sample_programs(), port);
  RunResult result;
  RunEvents events;
  events.on_finished = [&](RunResult r) { result = std::move(r); };
  REQUIRE(executor.start("ask", Json::object(), {}, std::move(events)).ok());
  executor.poll(milliseconds(0));
  REQUIRE(port.held() == 1);
  CHECK(port.held_prompt(0) == "Hi");
  port.fail(0, {base::ErrorKind::kUnavailable, "no pages"});
  executor.run();
  CHECK(outcome(result) == "unavailable: no pages");
  CHECK(result.error_position.line == 33);
}

TEST_CASE("cancelling") {
  ScriptedPort port(with(Delivery::kHeld));
  Executor executor(sample_programs(), port);
  std::vector<std::string> results(3);
  std::vector<InstanceId> ids;
  for (std::size_t i = 0; i < results.size(); ++i) {
    RunEvents events;
    events.on_finished = [&, i](RunResult r) { results[i] += outcome(r); };
    const Json args = {{"items", {"a", "b"}}, {"bound", 0}};
    ids.push_back(*executor.start("each", args, {}, std::move(events)));
  }
  executor.cancel(ids[0]);  // before it began
  executor.poll(milliseconds(0));
  CHECK(results[0] == "cancelled: cancelled");
  CHECK(port.held() == 4);
  executor.cancel(ids[1]);  // while it waits
  executor.cancel(ids[1]);
  executor.poll(milliseconds(0));
  executor.poll(milliseconds(0));
  CHECK(results[1] == "cancelled: cancelled");
  CHECK(port.held() == 2);
  executor.cancel(InstanceId(999));  // never was
  port.answer_all();
  executor.run();
  CHECK(results[2].starts_with('['));
  executor.cancel(ids[2]);  // after it ended
  CHECK_FALSE(executor.poll(milliseconds(0)));
}

TEST_CASE("an executor that goes away ends its instances") {
  ScriptedPort port(with(Delivery::kHeld));
  int cancelled = 0;
  {
    Executor executor(sample_programs(), port);
    for (int i = 0; i < 10; ++i) {
      RunEvents events;
      events.on_finished = [&](RunResult r) { cancelled += outcome(r) == "cancelled: cancelled" ? 1 : 0; };
      REQUIRE(executor.start("ask", Json::object(), {}, std::move(events)).ok());
    }
    executor.poll(milliseconds(0));
  }
  CHECK(cancelled == 10);
  CHECK(port.held() == 0);
}

TEST_CASE("a callback may start another instance") {
  ScriptedPort port;
  Executor executor(sample_programs(), port);
  int finished = 0;
  std::function<void()> start = [&] {
    RunEvents events;
    events.on_finished = [&](RunResult) {
      if (++finished < 50) start();
    };
    CHECK(executor.start("ask", Json::object(), {}, std::move(events)).ok());
  };
  start();
  executor.run();
  CHECK(finished == 50);
}

TEST_CASE("exactly one terminal event under random cancels and answers from another thread") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    ScriptedPort port(with(Delivery::kShuffled, seed));
    constexpr std::size_t kInstances = 100;
    std::vector<int> finished(kInstances, 0);
    std::vector<InstanceId> ids;
    int answered = 0, wrong = 0;
    {
      Executor executor(sample_programs(), port);
      for (std::size_t i = 0; i < kInstances; ++i) {
        RunEvents events;
        events.on_finished = [&, i](RunResult r) {
          ++finished[i];
          if (r.value.ok()) {
            ++answered;
          } else if (r.value.error().kind != base::ErrorKind::kCancelled) {
            ++wrong;
          }
        };
        Json items = Json::array();
        for (std::uint64_t n = random() % 6; n > 0; --n) items.push_back(std::to_string(n));
        const Json args = {{"items", items}, {"bound", static_cast<int>(random() % 3)}};
        const auto id = executor.start("each", args, {}, std::move(events));
        REQUIRE(id.ok());
        ids.push_back(*id);
        if (random() % 4 == 0) executor.cancel(ids[random() % ids.size()]);
        if (random() % 4 == 0) executor.poll(milliseconds(0));
      }
      if (seed % 3 == 0) executor.cancel_all();
      if (seed % 2 == 0) executor.run();  // else its end does the rest
    }
    CHECK(wrong == 0);
    for (std::size_t i = 0; i < kInstances; ++i) CHECK(finished[i] == 1);
    if (seed % 2 == 0 && seed % 3 != 0) CHECK(answered > 0);
  }
}

TEST_CASE("wake ends a wait") {
  ScriptedPort port(with(Delivery::kHeld));
  Executor executor(sample_programs(), port);
  REQUIRE(executor.start("ask", Json::object(), {}, {}).ok());
  executor.poll(milliseconds(0));
  executor.wake();
  CHECK(executor.poll(std::chrono::hours(1)));  // returns at once, or this test runs into its time limit
}

TEST_CASE("events: text in order, then the step, then the end") {
  ScriptedPort port;
  Executor executor(sample_programs(), port);
  std::string log, result;
  RunEvents events;
  events.on_text = [&](const std::string& label, const std::string& name, std::string_view text) {
    CHECK(label.empty());
    CHECK(name == "answer");
    log += text;
  };
  events.on_step = [&](const std::string&, const std::string& name) { log += "|" + name; };
  events.on_finished = [&](RunResult r) { result = outcome(r); };
  RunOptions options;
  options.trace = true;
  REQUIRE(executor.start("ask", Json::object(), options, std::move(events)).ok());
  executor.run();
  CHECK(Json::parse(result).get<std::string>() + "|answer" == log);
}

TEST_CASE("selection scores every choice and takes the likeliest, the first of equals") {
  ScriptedPort port;
  RunOptions options;
  options.trace = true;
  const RunResult one = run_program(sample_programs(), port, "choose", {{"options", {"yes", "no", "maybe"}}}, options);
  const RunResult two = run_program(sample_programs(), port, "choose", {{"options", {"maybe", "yes", "no"}}}, options);
  REQUIRE(one.value.ok());
  CHECK(outcome(one) == outcome(two));  // the order of the choices does not matter unless they are equal
  CHECK(one.selects == 1);
  REQUIRE(one.trace.size() == 2);
  CHECK(one.trace[0].starts_with("select"));
  const auto refused = [&](const Json& choices) {
    return outcome(run_program(sample_programs(), port, "choose", {{"options", choices}}));
  };
  CHECK(refused(Json::array()).starts_with("failed: select needs at least one choice"));
  CHECK(refused({"a", "a"}).starts_with("failed: select has the choice 'a' twice"));
  CHECK(refused({"a", ""}).starts_with("failed: select needs choices"));
}

}  // namespace
}  // namespace sgl::exec::test
