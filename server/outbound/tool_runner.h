// Calls of tools, some at a time, on threads of their own.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/exec/tool_port.h"
#include "server/outbound/bindings.h"

namespace sgl::server {

struct ToolLimits {
  std::size_t threads = 32;         // calls at the same time; each waits for the network and needs little else
  std::size_t queue = 10'000;       // calls that wait for a thread; more fail with `unavailable`
  std::size_t arguments = 8 << 20;  // bytes of one call's arguments
};

// Thread-safe. The destructor cancels what runs and waits for it; every call still gets its one `on_done`.
class ToolRunner final : public exec::ToolPort {
 public:
  explicit ToolRunner(ToolBindings bindings, const ToolLimits& limits = {});
  ~ToolRunner() override;

  bool bound(const std::string& name) const override;
  exec::ToolCallId call(exec::ToolCall call, std::function<void(base::Expected<std::string>)> on_done) override;
  void cancel(exec::ToolCallId id) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sgl::server
