// Values to and from the outside: JSON arguments, generated text, results; and plan types as constraint specifications.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runtime/base/expected.h"
#include "runtime/constraint/constraint.h"
#include "runtime/exec/value.h"
#include "runtime/plan/plan.h"

namespace sgl::exec {

// The constraint that text for this type must satisfy. `json`: the JSON form (strings quoted); else the bare form.
constraint::TypeSpec constraint_spec(const plan::Plan& plan, plan::TypeId type, bool json);

// Does a generation of this type decode into free text, without any constraint (a string without refinements)?
bool is_free_text(const plan::Type& type);
// A string bounded by nothing but its length: free text cut at max_size code points when it is not exceeded.

// JSON from a caller as a value of `type`; refinements are checked. Errors: `invalid`, with the JSON path, e.g.
// "essay: expected a string, found a number".
base::Expected<Value> value_from_json(const plan::Plan& plan, plan::TypeId type, const nlohmann::ordered_json& json,
                                      const std::string& path);

// Text that was generated under the type's constraint (bare form). Errors: `failed` when the text does not parse,
// which can only happen when generation was cut off.
base::Expected<Value> value_from_text(const plan::Plan& plan, plan::TypeId type, std::string_view text);

// Compact JSON of a value.
std::string to_json_text(const plan::Plan& plan, const Value& value);

}  // namespace sgl::exec
