// What program instances need from the world outside: `tool` declarations name functions that the operator binds to
// something (HTTP endpoints, local commands); a program knows their types only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/base/expected.h"
#include "runtime/base/ids.h"

namespace sgl::exec {

using ToolCallId = base::Id<struct ToolCallTag, std::uint64_t>;

struct ToolCall {
  std::string name;
  std::string arguments;  // compact JSON: an object with a member for every parameter
};

class ToolPort {
 public:
  virtual ~ToolPort() = default;

  // Whether something is bound to the name; asked before a run starts, so that a program does not fail half-way.
  virtual bool bound(const std::string& name) const = 0;
  // Starts a call. `on_done` is called exactly once, on any thread, also before this returns: with the result as JSON
  // text (not yet checked against the tool's type), or an error: `failed` (the tool answered that it failed, or
  // nonsense), `unavailable` (not reached, timed out), `limit` (the answer is too large), `cancelled`.
  virtual ToolCallId call(ToolCall call, std::function<void(base::Expected<std::string>)> on_done) = 0;
  // The call ends with `cancelled` soon, unless it had ended already.
  virtual void cancel(ToolCallId id) = 0;
};

}  // namespace sgl::exec
