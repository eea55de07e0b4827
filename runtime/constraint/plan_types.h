// Plan types as constraint specifications.
#pragma once

#include <span>

#include "runtime/constraint/constraint.h"
#include "runtime/plan/plan.h"

namespace sgl::constraint {

// What text for this type must look like. `json`: its JSON form (strings quoted); else its bare form (TypeSpec::json).
// O(types reachable).
TypeSpec spec_of(std::span<const plan::Type> types, plan::TypeId type, bool json);
inline TypeSpec spec_of(const plan::Plan& plan, plan::TypeId type, bool json) {
  return spec_of(plan.types, type, json);
}

}  // namespace sgl::constraint
