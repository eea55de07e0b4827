// What the files of the verifier share. Internal to runtime/plan.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/plan/constant_types.h"
#include "runtime/plan/plan.h"

namespace sgl::plan {

// Text from outside as error sentences quote it: valid UTF-8, and shortened, because a hostile plan may carry megabytes
// of name. (Not called `quoted`: argument-dependent lookup would find std::quoted.)
std::string in_quotes(std::string_view name);

base::Status check_types(const Plan& plan);

// `max_bytes` bounds each constant written out, as shared parts can make it exponentially larger than the plan.
// `sizes` receives that size of each. Precondition: the types were accepted; `types` is of this plan.
base::Status check_constants(const Plan& plan, const ConstantTypes& types, std::size_t max_bytes,
                             std::vector<std::size_t>& sizes);

// Can a register of `rep` be loaded with `constant`? A boxed register holds any.
bool constant_has_rep(const Constant& constant, Rep rep);

const char* rep_name(Rep rep);
const char* function_kind_name(FunctionKind kind);

// Checks registers, positions and code of one function. Precondition: all types, constants and specs of the plan were
// accepted, and so were the headers of all functions (`check_function_header`).
base::Status check_code(const Plan& plan, std::size_t index);

// Kind, parameters, registers, result.
base::Status check_function_header(const Plan& plan, std::size_t index);

}  // namespace sgl::plan
