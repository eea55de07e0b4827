// A constraint that a JSON machine walks. Private to runtime/constraint.
#pragma once

#include "runtime/constraint/json_machine.h"

namespace sgl::constraint {

// Makes a fresh machine when the old one has grown old with use; matchers that walk the old one keep it.
class SchemaConstraint final : public Constraint::Impl {
 public:
  // `longest`, `explored` as for JsonMachine. The first machine tells whether there is a problem.
  SchemaConstraint(SchemaDoc doc, const SchemaOptions& options, std::optional<std::uint64_t> longest = {},
                   bool explored = false)
      : doc_(std::move(doc)), options_(options), longest_(longest), explored_(explored), machine_(make()) {}

  std::shared_ptr<const Machine> machine() const override {
    const std::lock_guard lock(mutex_);
    if (machine_->worn()) machine_ = make();
    return machine_;
  }
  const JsonMachine& first() const { return *machine_; }
  const SchemaDoc& doc() const { return doc_; }
  const SchemaOptions& options() const { return options_; }
  std::optional<std::uint64_t> longest() const { return longest_; }

 private:
  std::shared_ptr<const JsonMachine> make() const {
    return std::make_shared<const JsonMachine>(doc_, options_, longest_, explored_);
  }

  const SchemaDoc doc_;
  const SchemaOptions options_;
  const std::optional<std::uint64_t> longest_;
  const bool explored_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const JsonMachine> machine_;
};

}  // namespace sgl::constraint
