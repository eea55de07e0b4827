// Running one plan in several ways and telling what happened, so that it can be compared.
#pragma once

#include <memory>
#include <string>

#include "runtime/exec/executor.h"
#include "tests/unit/exec/support.h"

namespace sgl::diff {

enum class Mode { kInterpreted, kCompiled };

// Throws when the plan cannot be verified or compiled: the compiler's output always can.
std::shared_ptr<const exec::LoadedPlan> load(const plan::Plan& plan, Mode mode);

// Result, place of the failure, counts, trace and fuel, a line each.
std::string report(const exec::RunResult& result);

// The same without what optimisation may change: fuel, and the labels of programs that run side by side.
std::string meaning(const exec::RunResult& result);

}  // namespace sgl::diff
