// A verified plan made by hand in which every type kind, constant kind, operation and spec occurs.
#pragma once

#include <cstddef>

#include "runtime/plan/plan.h"

namespace sgl::plan {

// Functions: 0 helper (fn), 1 ask (prompt), 2 each (fork of a parallel for), 3 branch (fork), 4 main, 5 sub (programs).
constexpr std::size_t kHelper = 0, kAsk = 1, kEach = 2, kBranch = 3, kMain = 4, kSub = 5;
Plan sample_plan();

// Index of the first instruction of main with this operation.
std::size_t index_of(const Plan& plan, Op op);

}  // namespace sgl::plan
