#include "runtime/constraint/json_schema.h"

#include "runtime/constraint/json_machine.h"

namespace sgl::constraint {
namespace {

// Makes a fresh machine when the old one has grown old with use; matchers that walk the old one keep it.
class SchemaConstraint final : public Constraint::Impl {
 public:
  SchemaConstraint(SchemaDoc doc, const SchemaOptions& options, std::shared_ptr<const JsonMachine> first)
      : doc_(std::move(doc)), options_(options), machine_(std::move(first)) {}

  std::shared_ptr<const Machine> machine() const override {
    const std::lock_guard lock(mutex_);
    if (machine_->worn()) machine_ = std::make_shared<const JsonMachine>(doc_, options_);
    return machine_;
  }

 private:
  const SchemaDoc doc_;
  const SchemaOptions options_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const JsonMachine> machine_;
};

}  // namespace

SchemaResult compile_json_schema(std::string_view schema, const SchemaOptions& options) {
  SchemaResult out;
  SchemaDoc doc = parse_schema(schema, options);
  out.ignored = std::move(doc.ignored);
  if (doc.problem) {
    out.status = doc.problem->status, out.pointer = doc.problem->pointer, out.message = doc.problem->message;
    return out;
  }
  auto machine = std::make_shared<const JsonMachine>(doc, options);
  if (const auto& problem = machine->problem()) {
    out.status = problem->status, out.pointer = problem->pointer, out.message = problem->message;
  } else if (!machine->satisfiable()) {
    out.status = SchemaStatus::kUnsatisfiable, out.message = "no value satisfies the schema";
  } else {
    out.constraint = std::make_shared<const Constraint>(
        std::make_shared<SchemaConstraint>(std::move(doc), options, std::move(machine)));
  }
  return out;
}

}  // namespace sgl::constraint
