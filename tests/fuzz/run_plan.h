// Execution of accepted plans: whatever the verifier accepts runs to a result or an error, never to a crash.
#pragma once

#include "runtime/plan/plan.h"

namespace sgl::fuzz {

// Runs every program of a verified plan under small limits, with a model that fails every request and with one that
// answers everything with the same short text.
void run_plan(plan::Plan plan);

}  // namespace sgl::fuzz
