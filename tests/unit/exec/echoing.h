// A model that repeats what it is asked, for tests of forks.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "runtime/plan/text.h"
#include "tests/unit/exec/scripted_port.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {

// Repeats the item; "bad" for an item that ends in x.
inline ScriptedPort::Options echoing(ScriptedPort::Delivery delivery, std::uint64_t order = 1) {
  ScriptedPort::Options options;
  options.delivery = delivery;
  options.order = order;
  options.answer = [](std::string_view prompt) {
    return prompt.ends_with('x') ? std::string("bad") : std::string(prompt.substr(prompt.find(':') + 1));
  };
  return options;
}

// Answers the held request for this item; false when it is not there (cancelled).
inline bool answer_item(ScriptedPort& port, const std::string& item) {
  for (std::size_t place = 0; place < port.held(); ++place) {
    if (port.held_prompt(place) == "All:" + item) {
      port.answer(place);
      return true;
    }
  }
  return false;
}

// A run whose requests are held, begun.
struct HeldRun {
  ScriptedPort port{echoing(ScriptedPort::Delivery::kHeld)};
  RunResult result;
  Executor executor;

  HeldRun(const char* plan_text, const std::string& program, const Json& args) : executor(loaded(plan_text), port) {
    RunEvents events;
    events.on_finished = [this](RunResult r) { result = std::move(r); };
    REQUIRE(executor.start(program, args, {}, std::move(events)).ok());
    poll();
  }
  void poll() { executor.poll(std::chrono::milliseconds(0)); }

 private:
  static std::shared_ptr<const LoadedPlan> loaded(const char* plan_text) {
    auto parsed = plan::parse(plan_text);
    REQUIRE(parsed.ok());
    return std::make_shared<const LoadedPlan>(std::move(*parsed));
  }
};

}  // namespace sgl::exec::test
