// The constraints of a plan's generations, compiled: put into the plan, and taken from it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "runtime/constraint/constraint.h"
#include "runtime/plan/plan.h"

namespace sgl::constraint {

struct PlanConstraint {
  std::shared_ptr<const Constraint> constraint;
  bool loaded = false;  // the plan's was used; else it was compiled
  std::string refused;  // why the plan's was not used, a sentence; "" when it was, or when the plan carries none
};

// What a generation of the type has to conform to. One that the plan carries is loaded when this engine made it of this
// type, which its digest says and nothing proves: call it only with plans whose constraints may be believed. Errors: as
// compile_type.
base::Expected<PlanConstraint> constraint_of(const plan::Plan& plan, plan::TypeId type);

struct CarryLimits {
  std::size_t max_bytes = 512 << 10;  // of one constraint; a schema of 1,000 names has some 100 kB
  std::size_t max_total = 4 << 20;    // of all: a plan is a file that people send each other
};

struct CarryReport {
  struct LeftOut {
    plan::TypeId type;
    std::string why;
  };
  std::size_t count = 0, bytes = 0;
  std::vector<LeftOut> left_out;  // over a limit: the runtime compiles them
};

// Puts the compiled constraints of the types that something is generated of into the plan, in place of those it has.
// Not carried are bare texts, numbers, bools, null and literals, which take longer to load than to compile.
// Deterministic. Errors: as compile_type, with the type's name.
base::Expected<CarryReport> carry_constraints(plan::Plan& plan, const CarryLimits& limits = {});

}  // namespace sgl::constraint
