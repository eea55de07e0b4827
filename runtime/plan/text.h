// The text form of a plan: what `sglc compile --emit=plan` prints. It round-trips: parse(print(p)) equals p, and
// print(parse(t)) equals t for printed t.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/expected.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/verify.h"

namespace sgl::plan {

std::string print(const Plan& plan);

// One instruction, as `print` writes it, without position: for `explain`, traces and errors.
std::string print_inst(const Plan& plan, const Function& function, std::size_t index);

// Parses and verifies. Errors: `invalid`, with the line.
base::Expected<Plan> parse(std::string_view text, const PlanLimits& limits = {});

}  // namespace sgl::plan
