// A constraint whose machine never grows old: what it may hold is bounded by its limits. Private to runtime/constraint.
#pragma once

#include "runtime/constraint/machine.h"

namespace sgl::constraint {

struct OneMachine final : Constraint::Impl {
  explicit OneMachine(std::shared_ptr<const Machine> machine) : only(std::move(machine)) {}
  std::shared_ptr<const Machine> machine() const override { return only; }
  std::shared_ptr<const Machine> only;
};

inline std::shared_ptr<const Constraint> one_machine(std::shared_ptr<const Machine> machine) {
  return std::make_shared<const Constraint>(std::make_shared<OneMachine>(std::move(machine)));
}

}  // namespace sgl::constraint
