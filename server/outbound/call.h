// One call of a bound tool. Blocks its thread until there is an answer, the time is over, or it is cancelled.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/base/expected.h"
#include "server/outbound/bindings.h"

namespace sgl::server {

// How long a call may go on, and whether it still should. Shared by the thread that calls and the one that cancels.
class CallControl {
 public:
  using Clock = std::chrono::steady_clock;
  explicit CallControl(std::chrono::milliseconds timeout) : timeout_(timeout) {}

  void start() { deadline_ = Clock::now() + timeout_; }
  Clock::time_point deadline() const { return deadline_; }
  // What is left, at least a millisecond so that it can be given to a function that takes a time.
  std::chrono::milliseconds left() const {
    return std::max(std::chrono::milliseconds(1),
                    std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()));
  }
  bool cancelled() const { return cancelled_; }
  bool over() const { return cancelled_ || Clock::now() >= deadline_; }
  // Why it is over. Precondition: over().
  base::Error error(const std::string& tool) const;

  // Any thread. Interrupts what is going on now.
  void cancel();
  // The same when the time is over: a wait of the network may be longer, as each byte of a slow answer starts it anew.
  void time_out();
  // Only by the thread that calls: how to interrupt what it does next; empty for nothing.
  void interrupt_by(std::function<void()> interrupt);

 private:
  std::chrono::milliseconds timeout_;
  Clock::time_point deadline_;
  std::atomic<bool> cancelled_ = false;
  std::mutex mutex_;
  std::function<void()> interrupt_;
};

// The result as JSON text. Errors as in exec::ToolPort::call; messages name the tool, and never a header or an
// argument.
base::Expected<std::string> call_http(const std::string& tool, const ToolBinding& binding, const std::string& arguments,
                                      CallControl& control);
base::Expected<std::string> call_command(const std::string& tool, const ToolBinding& binding,
                                         const std::string& arguments, CallControl& control);

// What a body means by its binding: JSON (at the binding's pointer) or text, as compact JSON text.
// Errors: `failed`: not JSON or nested too deeply, nothing at the pointer, not UTF-8.
base::Expected<std::string> read_answer(const std::string& tool, const ToolBinding& binding, const std::string& body);

}  // namespace sgl::server
