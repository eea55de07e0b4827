#include "runtime/plan/verify.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_set>
#include <vector>

#include "runtime/base/utf8.h"
#include "runtime/plan/verify_parts.h"

namespace sgl::plan {
namespace {

using base::invalid;
using base::Status;

constexpr std::size_t kMembersPerEntry = 10;  // bound of all fields / items together: this times the entries' limit

Status check_count(const char* what, std::size_t count, std::size_t limit) {
  if (count <= limit) return {};
  return invalid(fmt::format("the plan has {} {}, over the limit of {}", count, what, limit));
}

// Adds up all strings and checks that they are UTF-8.
class TextChecker {
 public:
  explicit TextChecker(std::size_t limit) : limit_(limit) {}

  void add(const char* section, std::size_t index, std::string_view text) {
    if (!status_.ok()) return;
    bytes_ += text.size();
    if (bytes_ > limit_) {
      status_ = invalid(fmt::format("the texts of the plan exceed the limit of {} bytes", limit_));
    } else if (!base::is_valid_utf8(text)) {
      status_ = invalid(fmt::format("{} {}: a text is not UTF-8", section, index));
    }
  }
  Status status() const { return status_; }

 private:
  std::size_t limit_;
  std::size_t bytes_ = 0;
  Status status_;
};

Status check_texts(const Plan& plan, std::size_t limit) {
  TextChecker texts(limit);
  texts.add("compiler", 0, plan.compiler);
  for (std::size_t i = 0; i < plan.files.size(); ++i) texts.add("file", i, plan.files[i]);
  for (std::size_t i = 0; i < plan.types.size(); ++i) {
    const Type& type = plan.types[i];
    for (const std::string* text : {&type.name, &type.doc, &type.pattern, &type.format, &type.literal.text}) {
      texts.add("type", i, *text);
    }
    for (const Field& field : type.fields) {
      texts.add("type", i, field.name);
      texts.add("type", i, field.doc);
    }
  }
  for (std::size_t i = 0; i < plan.constants.size(); ++i) texts.add("constant", i, plan.constants[i].text);
  for (std::size_t i = 0; i < plan.functions.size(); ++i) texts.add("function", i, plan.functions[i].name);
  for (std::size_t i = 0; i < plan.gens.size(); ++i) texts.add("gen", i, plan.gens[i].name);
  for (std::size_t i = 0; i < plan.selects.size(); ++i) texts.add("select", i, plan.selects[i].name);
  for (std::size_t i = 0; i < plan.parallels.size(); ++i) {
    for (const auto& entry : plan.parallels[i].entries) texts.add("parallel", i, entry.name);
  }
  for (std::size_t i = 0; i < plan.tools.size(); ++i) {
    texts.add("tool", i, plan.tools[i].name);
    texts.add("tool", i, plan.tools[i].doc);
    for (const Param& param : plan.tools[i].params) {
      texts.add("tool", i, param.name);
      texts.add("tool", i, param.doc);
    }
  }
  for (std::size_t i = 0; i < plan.programs.size(); ++i) {
    const Program& program = plan.programs[i];
    texts.add("program", i, program.name);
    texts.add("program", i, program.doc);
    for (const Param& param : program.params) {
      texts.add("program", i, param.name);
      texts.add("program", i, param.doc);
    }
    for (const PrefixPart& part : program.prefix) texts.add("program", i, part.text);
  }
  return texts.status();
}

// ---- specs ---------------------------------------------------------------------------------------------------------

Status check_gen_spec(const Plan& plan, std::size_t index) {
  const GenSpec& spec = plan.gens[index];
  auto fault = [&](std::string_view what) {
    return invalid(fmt::format("gen {} {}: {}", index, in_quotes(spec.name), what));
  };
  if (spec.type.value >= plan.types.size()) {
    return fault(fmt::format("of type {} of {}", spec.type.value, plan.types.size()));
  }
  bool has_n = false;
  for (std::size_t i = 0; i < spec.options.size(); ++i) {
    if (spec.options[i] > GenOption::kLogprobs) return fault("unknown option");
    if (i > 0 && spec.options[i] <= spec.options[i - 1]) return fault("the options are not in ascending order");
    has_n |= spec.options[i] == GenOption::kN;
  }
  if (spec.max_tokens < 0) return fault("max_tokens is negative");
  if (spec.many != has_n) return fault("'many' and the option n do not agree");
  return {};
}

Status check_parallel_spec(const Plan& plan, std::size_t index) {
  const ParallelSpec& spec = plan.parallels[index];
  auto fault = [&](std::string_view what) { return invalid(fmt::format("parallel {}: {}", index, what)); };
  if (spec.type.value >= plan.types.size()) {
    return fault(fmt::format("of type {} of {}", spec.type.value, plan.types.size()));
  }
  const Type& type = plan.type(spec.type);
  if (type.kind != TypeKind::kRecord) return fault(fmt::format("type {} is not a record", spec.type.value));
  if (spec.entries.size() > kMaxParallelEntries) {
    return fault(fmt::format("{} entries, over the limit of {}", spec.entries.size(), kMaxParallelEntries));
  }
  if (type.fields.size() != spec.entries.size()) {
    return fault(fmt::format("{} entries for {} fields", spec.entries.size(), type.fields.size()));
  }
  for (std::size_t i = 0; i < spec.entries.size(); ++i) {
    const ParallelSpec::Entry& entry = spec.entries[i];
    constexpr std::size_t kMaxName = 4096;  // bytes; the labels of forks are made of these
    if (entry.name.size() > kMaxName)
      return fault(fmt::format("entry {} has a name of more than {} bytes", i, kMaxName));
    if (entry.name != type.fields[i].name) {
      return fault(
          fmt::format("entry {} is named {}, its field {}", i, in_quotes(entry.name), in_quotes(type.fields[i].name)));
    }
    if (entry.function.value >= plan.functions.size()) {
      return fault(fmt::format("entry {} is function {} of {}", i, entry.function.value, plan.functions.size()));
    }
    const Function& function = plan.function(entry.function);
    if (function.kind != FunctionKind::kFork && function.kind != FunctionKind::kProgram) {
      return fault(fmt::format("entry {} is a {}, neither fork nor program", i, function_kind_name(function.kind)));
    }
  }
  return {};
}

Status check_tool(const Plan& plan, std::size_t index) {
  const Tool& tool = plan.tools[index];
  auto fault = [&](std::string_view what) {
    return invalid(fmt::format("tool {} {}: {}", index, in_quotes(tool.name), what));
  };
  if (tool.name.empty()) return fault("it has no name");
  for (std::size_t i = 0; i < index; ++i) {
    if (plan.tools[i].name == tool.name) return fault("another one has the same name");
  }
  if (tool.result.value >= plan.types.size()) return fault("its result is of no type of the plan");
  std::unordered_set<std::string_view> names;
  for (const Param& param : tool.params) {
    if (param.name.empty() || !names.insert(param.name).second) return fault("a parameter without a name of its own");
    if (param.type.value >= plan.types.size())
      return fault(fmt::format("parameter {} is of no type of the plan", in_quotes(param.name)));
    if (param.default_value) return fault(fmt::format("parameter {} has a default", in_quotes(param.name)));
  }
  return {};
}

Status check_specs(const Plan& plan) {
  for (std::size_t i = 0; i < plan.gens.size(); ++i) SGL_TRY_STATUS(check_gen_spec(plan, i));
  for (std::size_t i = 0; i < plan.selects.size(); ++i) {
    if (plan.selects[i].method > SelectMethod::kUnconditionalLikelihoodNormalized) {
      return invalid(fmt::format("select {}: unknown method", i));
    }
  }
  for (std::size_t i = 0; i < plan.parallels.size(); ++i) SGL_TRY_STATUS(check_parallel_spec(plan, i));
  for (std::size_t i = 0; i < plan.tools.size(); ++i) SGL_TRY_STATUS(check_tool(plan, i));
  return {};
}

// The bytes are for whoever loads them; here only that there are not too many.
Status check_constraints(const Plan& plan, std::size_t limit) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < plan.constraints.size(); ++i) {
    const CompiledConstraint& constraint = plan.constraints[i];
    if (constraint.type.value >= plan.types.size()) {
      return invalid(fmt::format("constraint {}: is of type {} of {}", i, constraint.type.value, plan.types.size()));
    }
    if (i > 0 && constraint.type.value <= plan.constraints[i - 1].type.value) {
      return invalid(fmt::format("constraint {}: the types are not in ascending order", i));
    }
    bytes += constraint.bytes.size();
    if (bytes > limit) {
      return invalid(fmt::format("the compiled constraints of the plan exceed the limit of {} bytes", limit));
    }
  }
  return {};
}

// ---- programs ------------------------------------------------------------------------------------------------------

Status check_params(const Plan& plan, const ConstantTypes& types, const Program& program, const Function& function,
                    const std::string& place) {
  if (program.params.size() != function.param_count) {
    return invalid(
        fmt::format("{}: {} parameters, its function has {}", place, program.params.size(), function.param_count));
  }
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < program.params.size(); ++i) {
    const Param& param = program.params[i];
    if (param.name.empty()) return invalid(fmt::format("{}: parameter {} has no name", place, i));
    if (!names.insert(param.name).second) {
      return invalid(fmt::format("{}: two parameters are named {}", place, in_quotes(param.name)));
    }
    if (param.type.value >= plan.types.size()) {
      return invalid(
          fmt::format("{}: parameter {} is of type {} of {}", place, i, param.type.value, plan.types.size()));
    }
    if (rep_of(plan.type(param.type)) != function.regs[i]) {
      return invalid(fmt::format("{}: parameter {} is {} in its function", place, i, rep_name(function.regs[i])));
    }
    if (!param.default_value) continue;
    if (param.default_value->value >= plan.constants.size()) {
      return invalid(fmt::format("{}: the default of parameter {} is constant {} of {}", place, i,
                                 param.default_value->value, plan.constants.size()));
    }
    if (!types.fits(*param.default_value, param.type)) {
      return invalid(fmt::format("{}: the default of parameter {} does not fit its type", place, i));
    }
  }
  return {};
}

Status check_program(const Plan& plan, const ConstantTypes& types, std::size_t index) {
  const Program& program = plan.programs[index];
  const std::string place = fmt::format("program {} {}", index, in_quotes(program.name));
  if (program.name.empty()) return invalid(place + ": has no name");
  if (program.function.value >= plan.functions.size()) {
    return invalid(fmt::format("{}: is function {} of {}", place, program.function.value, plan.functions.size()));
  }
  const Function& function = plan.function(program.function);
  if (function.kind != FunctionKind::kProgram) {
    return invalid(fmt::format("{}: its function is a {}", place, function_kind_name(function.kind)));
  }
  if (program.result.value >= plan.types.size()) {
    return invalid(fmt::format("{}: the result is type {} of {}", place, program.result.value, plan.types.size()));
  }
  if (rep_of(plan.type(program.result)) != function.result) {
    return invalid(fmt::format("{}: the result is {} in its function", place, rep_name(function.result)));
  }
  const ProgramLimits& l = program.limits;
  for (const auto& limit : {l.tokens, l.time_ms, l.forks, l.fuel, l.memory}) {
    if (limit && *limit < 0) return invalid(place + ": a limit is negative");
  }
  for (const auto& bound : {program.bounds.generated_tokens, program.bounds.generations, program.bounds.forks}) {
    if (bound && *bound < 0) return invalid(place + ": a bound is negative");
  }
  for (const PrefixPart& part : program.prefix) {
    if (part.role && *part.role > Role::kAssistant) return invalid(place + ": unknown role in the prefix");
  }
  return check_params(plan, types, program, function, place);
}

Status check_programs(const Plan& plan, const ConstantTypes& types, const std::vector<std::size_t>& constant_sizes,
                      std::size_t max_bytes) {
  std::unordered_set<std::string_view> names;
  std::size_t default_bytes = 0;  // schemas write them out, once for every parameter
  for (std::size_t i = 0; i < plan.programs.size(); ++i) {
    SGL_TRY_STATUS(check_program(plan, types, i));
    if (!names.insert(plan.programs[i].name).second) {
      return invalid(fmt::format("two programs are named {}", in_quotes(plan.programs[i].name)));
    }
    for (const Param& param : plan.programs[i].params) {
      if (param.default_value) default_bytes += constant_sizes[param.default_value->value];
      if (default_bytes > max_bytes) {
        return invalid(fmt::format("the defaults of parameters, written out, exceed {} bytes", max_bytes));
      }
    }
  }
  return {};
}

}  // namespace

Status check_counts(const Plan& plan, const PlanLimits& limits) {
  SGL_TRY_STATUS(check_count("files", plan.files.size(), limits.programs));
  SGL_TRY_STATUS(check_count("types", plan.types.size(), limits.types));
  SGL_TRY_STATUS(check_count("constants", plan.constants.size(), limits.constants));
  SGL_TRY_STATUS(check_count("functions", plan.functions.size(), limits.functions));
  SGL_TRY_STATUS(check_count("programs", plan.programs.size(), limits.programs));
  // Each is used by at least one instruction.
  SGL_TRY_STATUS(check_count("gens", plan.gens.size(), limits.code));
  SGL_TRY_STATUS(check_count("selects", plan.selects.size(), limits.code));
  SGL_TRY_STATUS(check_count("parallels", plan.parallels.size(), limits.code));
  SGL_TRY_STATUS(check_count("tools", plan.tools.size(), limits.programs));
  std::size_t code = 0, args = 0, members = 0, items = 0, entries = 0;
  for (const Function& function : plan.functions) {
    code += function.code.size();
    args += function.args.size();
  }
  for (const Type& type : plan.types) members += type.args.size() + type.fields.size();
  for (const Constant& constant : plan.constants) items += constant.items.size();
  for (const ParallelSpec& spec : plan.parallels) entries += spec.entries.size();
  SGL_TRY_STATUS(check_count("instructions", code, limits.code));
  SGL_TRY_STATUS(check_count("arguments", args, limits.args));
  SGL_TRY_STATUS(check_count("members of types", members, limits.types * kMembersPerEntry));
  SGL_TRY_STATUS(check_count("items of constants", items, limits.constants * kMembersPerEntry));
  SGL_TRY_STATUS(check_count("parallel entries", entries, limits.code));
  for (std::size_t i = 0; i < plan.functions.size(); ++i) {
    const Function& function = plan.functions[i];
    if (function.regs.size() <= limits.regs) continue;
    return invalid(fmt::format("function {} {}: {} registers, over the limit of {}", i, in_quotes(function.name),
                               function.regs.size(), limits.regs));
  }
  return {};
}

Status verify(const Plan& plan, const PlanLimits& limits) {
  SGL_TRY_STATUS(check_counts(plan, limits));
  SGL_TRY_STATUS(check_texts(plan, limits.text_bytes));
  SGL_TRY_STATUS(check_types(plan));
  const ConstantTypes types(plan);
  std::vector<std::size_t> constant_sizes;
  SGL_TRY_STATUS(check_constants(plan, types, limits.text_bytes, constant_sizes));
  for (std::size_t i = 0; i < plan.functions.size(); ++i) {
    SGL_TRY_STATUS(check_function_header(plan, i));
  }
  SGL_TRY_STATUS(check_specs(plan));
  SGL_TRY_STATUS(check_constraints(plan, limits.constraint_bytes));
  for (std::size_t i = 0; i < plan.functions.size(); ++i) SGL_TRY_STATUS(check_code(plan, i));
  return check_programs(plan, types, constant_sizes, limits.text_bytes);
}

}  // namespace sgl::plan
