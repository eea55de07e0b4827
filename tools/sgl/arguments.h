// What the command line gives a program: which program, its arguments, its limits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/base/expected.h"
#include "runtime/exec/executor.h"
#include "runtime/plan/plan.h"

namespace sgl::tools {

// The program `name`, or without a name the only one or the one called `main`. Errors list the programs.
base::Expected<const plan::Program*> choose_program(const plan::Plan& plan, const std::string& name);

// An argument's text as JSON: text where the type is made of strings, else JSON; where both fit (`string | int`),
// JSON if it is valid for the type.
base::Expected<nlohmann::ordered_json> argument_value(const plan::Plan& plan, const plan::Param& param,
                                                      std::string_view text);

// --args and --arg (which wins) as one object. Errors: `invalid`, naming the argument.
base::Expected<nlohmann::ordered_json> collect_arguments(const plan::Plan& plan, const plan::Program& program,
                                                         const std::string& file, const std::vector<std::string>& given);

// Are these arguments what the program takes? What Executor::start checks too, but before a model is loaded.
base::Status check_arguments(const plan::Plan& plan, const plan::Program& program, const nlohmann::ordered_json& args);

// One line per parameter: name, type, default, documentation.
std::string describe_parameters(const plan::Plan& plan, const plan::Program& program);

// name=value pairs of --limit.
base::Expected<exec::RunLimits> parse_limits(const std::vector<std::string>& given);

}  // namespace sgl::tools
