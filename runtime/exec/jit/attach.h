// Compiles a loaded plan to native code.
#pragma once

#include "runtime/base/expected.h"
#include "runtime/exec/executor.h"

namespace sgl::exec {

// After this the plan's functions run compiled. Errors: `limit` for a plan that would take seconds to compile,
// `internal` when LLVM refuses (a bug), `unavailable` when the machine has no supported target.
base::Status attach_jit(LoadedPlan& plan);

}  // namespace sgl::exec
