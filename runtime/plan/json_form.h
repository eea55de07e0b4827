// A plan as a JSON value: the payload of the binary form and, section by section, of the text form. Internal to
// runtime/plan.
//
// Members that have their default value are left out. A finite float is a JSON float, others are "inf", "-inf", "nan".
// Members that a kind does not use (the text of an int constant) are not kept.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "runtime/base/expected.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/verify.h"

namespace sgl::plan {

using Json = nlohmann::json;

constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);

// Where a value stands, for error sentences: "types 3, fields 1". Lives on the stack while a value is read.
struct Place {
  std::string_view name;
  std::size_t index = 0;
  const Place* outer = nullptr;
};

Json plan_form(const Plan& plan);
// Checks every field's type; what the values mean is for `verify`. Errors name section, index and field.
base::Expected<Plan> read_plan(const Json& form);

Json form_of(const Type& type);
Json form_of(const Constant& constant);
Json form_of(const GenSpec& spec);
Json form_of(const SelectSpec& spec);
Json form_of(const ParallelSpec& spec);
Json form_of(const Tool& tool);
Json form_of(const Program& program);
Json form_of(const CompiledConstraint& constraint);
Json form_of(const Function& function);
// Without code, operand lists and positions.
Json function_header(const Function& function);
// Operand lists as the binary form has them.
Json args_form(const Function& function);

base::Status read_form(const Json& form, const Place& place, Type& out);
base::Status read_form(const Json& form, const Place& place, Constant& out);
base::Status read_form(const Json& form, const Place& place, GenSpec& out);
base::Status read_form(const Json& form, const Place& place, SelectSpec& out);
base::Status read_form(const Json& form, const Place& place, ParallelSpec& out);
base::Status read_form(const Json& form, const Place& place, Tool& out);
base::Status read_form(const Json& form, const Place& place, Program& out);
base::Status read_form(const Json& form, const Place& place, CompiledConstraint& out);
base::Status read_form(const Json& form, const Place& place, Function& out);

// Compact JSON; bytes that are not UTF-8 are replaced instead of refused (only an unverified plan has any).
std::string dump(const Json& form);

// Limits for the bytes before they become a JSON value, which takes many times their size: arrays and maps nested no
// deeper than kMaxDepth, at most max_values(limits) values.
constexpr std::size_t kMaxDepth = 32;
std::size_t max_values(const PlanLimits& limits);

// Does JSON text keep to the two limits? (It need not be well-formed.) Its values are taken from `values_left`.
bool take_json_values(std::string_view text, std::size_t& values_left);

}  // namespace sgl::plan
