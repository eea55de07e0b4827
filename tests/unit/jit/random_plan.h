// Random plans: structured code over scalars, lists and strings that the verifier accepts.
#pragma once

#include <cstdint>

#include "runtime/plan/plan.h"

namespace sgl::exec::test {

// Functions 0 and 1 are pure, 2 is a prompt, 3 the program to run. The same seed gives the same plan.
plan::Plan random_plan(std::uint64_t seed);
constexpr std::uint32_t kRandomMain = 3;

}  // namespace sgl::exec::test
