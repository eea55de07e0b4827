#include "compiler/driver/explain.h"

#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/driver/plan_steps.h"
#include "compiler/driver/plan_values.h"
#include "compiler/driver/spell.h"
#include "runtime/plan/schema.h"

namespace sgl::compiler {
namespace {

std::string signature(const plan::Plan& plan, const plan::Program& program) {
  std::string params;
  for (const plan::Param& param : program.params) {
    params += fmt::format("{}{}: {}", params.empty() ? "" : ", ", param.name, spell_type(plan, param.type));
    if (!param.default_value) continue;
    const auto json = plan::constant_json(plan, *param.default_value);
    params += " = " + shortened(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), 40);
  }
  return fmt::format("program {}({}) -> {}", program.name, params, spell_type(plan, program.result));
}

// The declared record types that a signature names, so that a reader need not look them up.
std::string types_of(const plan::Plan& plan, const plan::Program& program) {
  std::string out;
  std::set<std::uint32_t> seen;
  std::vector<plan::TypeId> queue;
  for (const plan::Param& param : program.params) queue.push_back(param.type);
  queue.push_back(program.result);
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (!seen.insert(queue[i].value).second) continue;
    const plan::Type& type = plan.type(queue[i]);
    if (!type.name.empty()) out += fmt::format("  type {} = {}\n", type.name, spell_type_form(plan, queue[i]));
    for (const plan::TypeId arg : type.args) queue.push_back(arg);
    for (const plan::Field& field : type.fields) queue.push_back(field.type);
  }
  return out;
}

std::string prefix(const plan::Program& program) {
  if (program.prefix.empty()) return "";
  std::string out = "  static prefix, tokenised and cached before the first call:\n";
  for (const plan::PrefixPart& part : program.prefix) {
    const std::string role = part.role ? std::string(plan::role_name(*part.role)) + " " : "";
    out += fmt::format("    {}{}{}\n", role, shown(Known::content(part.text), 100), part.open ? " …" : "");
  }
  return out;
}

// A message that is only text stands on one line.
bool is_single_line(const Step& step) {
  return step.kind == Step::Kind::kRole && step.children.size() == 1 && step.children[0].kind == Step::Kind::kText;
}

void print_steps(const std::vector<Step>& steps, const std::string& number, std::size_t indent, std::string& out) {
  std::size_t next = 1;
  for (const Step& step : steps) {
    const std::string own = fmt::format("{}{}.", number, next);
    // An `else` belongs to the step before it.
    const bool numbered = step.kind != Step::Kind::kElse;
    out += fmt::format("{}{} {}", std::string(indent, ' '), numbered ? own : std::string(own.size(), ' '), step_text(step));
    if (is_single_line(step)) {
      out += " " + step_text(step.children[0]) + "\n";
    } else {
      out += "\n";
      print_steps(step.children, numbered ? own : fmt::format("{}{}'.", number, next - 1), indent + 2, out);
    }
    if (numbered) ++next;
  }
}

std::string bound(const char* what, const std::optional<std::int64_t>& value) {
  return value ? fmt::format("  at most {} {}\n", *value, what)
               : fmt::format("  no bound for {}: a loop, or a list from outside, has none\n", what);
}

std::string limits(const plan::ProgramLimits& given) {
  std::vector<std::string> parts;
  if (given.tokens) parts.push_back(fmt::format("{} tokens", *given.tokens));
  if (given.time_ms) parts.push_back(fmt::format("{:g} s", static_cast<double>(*given.time_ms) / 1000.0));
  if (given.forks) parts.push_back(fmt::format("{} forks", *given.forks));
  if (given.fuel) parts.push_back(fmt::format("{} units of fuel", *given.fuel));
  if (given.memory) parts.push_back(fmt::format("{} bytes of values", *given.memory));
  return parts.empty() ? "" : fmt::format("  limits: {}\n", fmt::join(parts, ", "));
}

std::string explain_program(const plan::Plan& plan, const plan::Program& program) {
  std::string out = signature(plan, program) + "\n";
  if (!program.doc.empty()) out += "  " + shortened(program.doc, 200) + "\n";
  out += types_of(plan, program);
  out += prefix(program);
  out += "  steps:\n";
  print_steps(program_steps(plan, program), "", 4, out);
  out += bound("generated tokens", program.bounds.generated_tokens);
  out += bound("generations", program.bounds.generations);
  out += bound("forks", program.bounds.forks);
  out += limits(program.limits);
  return out;
}

}  // namespace

std::string explain(const plan::Plan& plan) {
  std::string out;
  for (const plan::Program& program : plan.programs) {
    if (!out.empty()) out += "\n";
    out += explain_program(plan, program);
  }
  if (plan.programs.empty()) out = "The file has no program; its functions and prompts are for others to import.\n";
  return out;
}

}  // namespace sgl::compiler
