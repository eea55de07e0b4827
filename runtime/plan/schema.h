// JSON Schema (2020-12) of a plan's types: what `sglc compile --emit=schema` and the HTTP API publish.
#pragma once

#include <nlohmann/json.hpp>

#include "runtime/plan/plan.h"

namespace sgl::plan {

// Schema of one type; named record types become `$defs` entries referred to by `$ref`, so recursion is finite.
nlohmann::ordered_json type_schema(const Plan& plan, TypeId type);

// Schema of a program's arguments: an object, additionalProperties false, defaults and docs included.
nlohmann::ordered_json params_schema(const Plan& plan, const Program& program);

// {"program", "description", "parameters": …, "result": …}
nlohmann::ordered_json program_schema(const Plan& plan, const Program& program);

// A constant as JSON (records as objects, absent optional fields left out).
nlohmann::ordered_json constant_json(const Plan& plan, ConstId id);

}  // namespace sgl::plan
