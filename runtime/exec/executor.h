// Program instances: many at once on one thread. An instance runs host code until it needs the model, then waits
// without a thread; the model's answer arrives in the executor's mailbox and the instance goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/ids.h"
#include "runtime/exec/port.h"
#include "runtime/exec/state.h"
#include "runtime/exec/tool_port.h"

namespace sgl::exec {

using InstanceId = base::Id<struct InstanceTag, std::uint64_t>;

// What becomes of the compiled constraints that a plan carries. Whoever makes a plan can put the constraint of another
// type there, which would be believed: use those of plans whose author may decide what is generated anyway, such as a
// file that a user runs, and ignore those that were sent to a server.
enum class Carried : std::uint8_t { kIgnore, kUse };

// A verified plan made ready to execute; shared by all instances. With native code attached (jit/jit.h) functions run
// compiled, else interpreted.
class LoadedPlan {
 public:
  // Precondition: plan::verify accepted the plan.
  explicit LoadedPlan(plan::Plan plan, Carried carried = Carried::kIgnore)
      : plan_(with(std::move(plan), carried)), image_(plan_), steps_(plan_.functions.size(), nullptr) {}
  LoadedPlan(const LoadedPlan&) = delete;
  LoadedPlan& operator=(const LoadedPlan&) = delete;
  // Without constraints when they are ignored.
  const plan::Plan& plan() const { return plan_; }
  const Image& image() const { return image_; }
  NativeStep step(std::uint32_t function) const { return steps_[function]; }
  // `owner` keeps the code alive.
  void attach(std::vector<NativeStep> steps, std::shared_ptr<const void> owner) {
    steps_ = std::move(steps);
    code_ = std::move(owner);
  }

 private:
  static plan::Plan with(plan::Plan plan, Carried carried) {
    if (carried == Carried::kIgnore) plan.constraints.clear();
    return plan;
  }

  plan::Plan plan_;
  Image image_;
  std::vector<NativeStep> steps_;  // nullptr: interpret
  std::shared_ptr<const void> code_;
};

// What a caller allows an instance; a program's own limits can only lower these.
struct RunLimits {
  std::int64_t tokens = 1'000'000;                // generated tokens
  std::int64_t time_ms = 0;                       // 0: none; wall clock from the start
  std::int64_t forks = 10'000;                    // forks in all
  std::int64_t fuel = 2'000'000'000;              // units; about a second of compiled loops per 10^9
  std::int64_t memory = std::int64_t{256} << 20;  // bytes of values
};

struct RunOptions {
  std::uint64_t seed = 0;
  int default_max_tokens = 256;  // for generations that give none
  RunLimits limits;
  engine::Namespace ns;
  double weight = 1.0;  // of the namespace, see engine::GenerateRequest
  bool trace = false;  // record RunResult::trace
  ToolPort* tools = nullptr;  // must outlive the run; nullptr: no tool is bound
  // Asked now and then while the program computes, on the thread that polls: true ends it as Executor::cancel would.
  std::function<bool()> cancelled;
};

struct RunResult {
  // Compact JSON of the program's value, or why there is none.
  base::Expected<std::string> value = base::Error{};
  plan::SourcePosition error_position;  // of a failure; line 0: unknown
  engine::Usage usage;                  // summed over all generations
  std::int64_t generations = 0, selects = 0, forks = 0, tool_calls = 0;
  std::int64_t fuel_used = 0;
  // Constraints of generations that this run was the first of its executor to need: loaded from the plan, compiled.
  std::int64_t constraints_loaded = 0, constraints_compiled = 0;
  std::vector<std::string> constraints_refused;  // why one of the plan's was not loaded, a sentence each
  std::vector<std::string> trace;  // one line per event, in an order that depends on the program alone
};

struct RunEvents {
  // Newly generated text: `label` names the fork ("" for the main line, "[2]", "[2].a"), `name` the variable.
  std::function<void(const std::string& label, const std::string& name, std::string_view text)> on_text;
  // A generation or selection ended.
  std::function<void(const std::string& label, const std::string& name)> on_step;
  std::function<void(RunResult)> on_finished;  // exactly once
};

// Not thread-safe but for `wake`; callbacks run on the thread that calls poll/run.
class Executor {
 public:
  Executor(std::shared_ptr<const LoadedPlan> plan, ModelPort& port);
  // Cancels what runs and waits for the model's last events.
  ~Executor();

  // Errors: not_found (program; names the nearest), invalid (arguments, with their path).
  base::Expected<InstanceId> start(const std::string& program, const nlohmann::ordered_json& args,
                                   const RunOptions& options, RunEvents events);
  // The instance ends with `cancelled` as soon as its pending requests have.
  void cancel(InstanceId id);
  void cancel_all();

  // Handles what arrived, waiting up to `timeout` for something; false when no instance is left.
  bool poll(std::chrono::milliseconds timeout);
  void run() {
    while (poll(std::chrono::milliseconds(1000))) {
    }
  }
  // Ends a wait in poll early; may be called from any thread and from a signal-safe context's helper thread.
  void wake();

  std::size_t active() const;
  // Bytes that a waiting instance holds beside its values: instance, strands, frames. For tests and metrics.
  std::size_t overhead_bytes(InstanceId id) const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace sgl::exec
