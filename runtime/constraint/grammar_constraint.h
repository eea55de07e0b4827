// A constraint that a grammar's machine walks. Private to runtime/constraint.
#pragma once

#include "runtime/constraint/grammar_machine.h"

namespace sgl::constraint {

// Makes a fresh machine when the old one has grown old with use; matchers that walk the old one keep it.
class GrammarConstraint final : public Constraint::Impl {
 public:
  GrammarConstraint(std::shared_ptr<const GrammarNetwork> network, const GrammarLimits& limits)
      : network_(std::move(network)), limits_(limits), machine_(make()) {}

  std::shared_ptr<const Machine> machine() const override {
    const std::lock_guard lock(mutex_);
    if (machine_->worn()) machine_ = make();
    return machine_;
  }
  const GrammarNetwork& network() const { return *network_; }

 private:
  std::shared_ptr<const GrammarMachine> make() const {
    return std::make_shared<const GrammarMachine>(network_, limits_);
  }

  const std::shared_ptr<const GrammarNetwork> network_;
  const GrammarLimits limits_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const GrammarMachine> machine_;
};

// Null, and `problem` set, when the network cannot be made or has no text.
std::shared_ptr<const Constraint> grammar_constraint(const GrammarNfa& nfa, const GrammarLimits& limits,
                                                     std::vector<std::string>& warnings,
                                                     std::optional<GrammarProblem>& problem);

}  // namespace sgl::constraint
