// Heads of functions: kind, registers, result; and how messages name them.
#include <fmt/format.h>

#include "runtime/plan/verify_parts.h"

namespace sgl::plan {

using base::Status;

const char* rep_name(Rep rep) {
  switch (rep) {
    case Rep::kBoxed:
      return "boxed";
    case Rep::kInt:
      return "int";
    case Rep::kFloat:
      return "float";
    case Rep::kBool:
      return "bool";
  }
  return "unknown";
}

const char* function_kind_name(FunctionKind kind) {
  switch (kind) {
    case FunctionKind::kFn:
      return "fn";
    case FunctionKind::kPrompt:
      return "prompt";
    case FunctionKind::kProgram:
      return "program";
    case FunctionKind::kFork:
      return "fork";
  }
  return "unknown";
}

Status check_function_header(const Plan& plan, std::size_t index) {
  const Function& function = plan.functions[index];
  auto fault = [&](std::string_view what) {
    return base::invalid(fmt::format("function {} {}: {}", index, in_quotes(function.name), what));
  };
  if (function.kind > FunctionKind::kFork) return fault("unknown kind");
  if (function.param_count > function.regs.size()) {
    return fault(fmt::format("{} parameters in {} registers", function.param_count, function.regs.size()));
  }
  for (std::size_t i = 0; i < function.regs.size(); ++i) {
    if (function.regs[i] > Rep::kBool) return fault(fmt::format("register {} has no known representation", i));
  }
  if (function.result > Rep::kBool) return fault("the result has no known representation");
  if (function.result_type.value >= plan.types.size()) {
    return fault(fmt::format("the result is type {} of {}", function.result_type.value, plan.types.size()));
  }
  return {};
}

}  // namespace sgl::plan
