#include "runtime/constraint/json_schema.h"

#include "runtime/constraint/schema_constraint.h"

namespace sgl::constraint {
SchemaResult compile_json_schema(std::string_view schema, const SchemaOptions& options) {
  SchemaResult out;
  SchemaDoc doc = parse_schema(schema, options);
  out.ignored = std::move(doc.ignored);
  if (doc.problem) {
    out.status = doc.problem->status, out.pointer = doc.problem->pointer, out.message = doc.problem->message;
    return out;
  }
  auto made = std::make_shared<SchemaConstraint>(std::move(doc), options);
  if (const auto& problem = made->first().problem()) {
    out.status = problem->status, out.pointer = problem->pointer, out.message = problem->message;
  } else if (!made->first().satisfiable()) {
    out.status = SchemaStatus::kUnsatisfiable, out.message = "no value satisfies the schema";
  } else {
    out.constraint = std::make_shared<const Constraint>(std::move(made));
  }
  return out;
}

}  // namespace sgl::constraint
