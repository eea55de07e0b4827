// Values to and from the outside: JSON arguments, generated text, results.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "runtime/base/expected.h"
#include "runtime/constraint/constraint.h"
#include "runtime/exec/value.h"
#include "runtime/plan/plan.h"

namespace sgl::exec {

// Does a generation of this type decode into free text, without any constraint (a string without refinements)?
bool is_free_text(const plan::Type& type);

// JSON from a caller as a value of `type`; refinements are checked. Errors: `invalid`, with the JSON path, e.g.
// "essay: expected a string, found a number".
base::Expected<Value> value_from_json(const plan::Plan& plan, plan::TypeId type, const nlohmann::ordered_json& json,
                                      const std::string& path);

// Text that was generated under the type's constraint (bare form). Errors: `failed` when the text does not parse,
// which can only happen when generation was cut off. `under`: the constraint, if at hand.
base::Expected<Value> value_from_text(const plan::Plan& plan, plan::TypeId type, std::string_view text,
                                      const constraint::Constraint* under = nullptr);

// Compact JSON of a result. Error: `limit` beyond kMaxResultBytes.
constexpr std::size_t kMaxResultBytes = std::size_t{256} << 20;
base::Expected<std::string> to_json_text(const plan::Plan& plan, const Value& value);

}  // namespace sgl::exec
