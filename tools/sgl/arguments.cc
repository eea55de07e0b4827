#include "tools/sgl/arguments.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "compiler/diag/diag.h"
#include "compiler/driver/spell.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/exec/convert.h"
#include "runtime/plan/schema.h"
#include "tools/common/terminal.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;
using plan::TypeKind;

namespace {

constexpr std::size_t kMaxArgumentBytes = std::size_t{256} << 20;  // as much as all values of a run may take

std::vector<std::string> program_names(const plan::Plan& plan) {
  std::vector<std::string> names;
  for (const plan::Program& program : plan.programs) names.push_back(program.name);
  return names;
}

bool is_text_type(const plan::Plan& plan, plan::TypeId id) {
  const plan::Type& type = plan.type(id);
  switch (type.kind) {
    case TypeKind::kString:
    case TypeKind::kRegex:
    case TypeKind::kGrammar: return true;
    case TypeKind::kLiteral: return type.literal.kind == plan::Literal::Kind::kString;
    // Unions are flat, so this does not recurse further.
    case TypeKind::kUnion:
      return std::all_of(type.args.begin(), type.args.end(),
                         [&](plan::TypeId arg) { return plan.type(arg).kind != TypeKind::kUnion && is_text_type(plan, arg); });
    default: return false;
  }
}

bool has_text_member(const plan::Plan& plan, plan::TypeId id) {
  const plan::Type& type = plan.type(id);
  return type.kind == TypeKind::kUnion && std::any_of(type.args.begin(), type.args.end(), [&](plan::TypeId arg) {
           return plan.type(arg).kind != TypeKind::kUnion && is_text_type(plan, arg);
         });
}

const plan::Param* find_param(const plan::Program& program, std::string_view name) {
  for (const plan::Param& param : program.params) {
    if (param.name == name) return &param;
  }
  return nullptr;
}

base::Error unknown_parameter(const plan::Program& program, const std::string& name) {
  std::vector<std::string> names;
  for (const plan::Param& param : program.params) names.push_back(param.name);
  const std::string hint = compiler::did_you_mean(name, names);
  return base::invalid(fmt::format("program '{}' has no parameter '{}'{}{}", program.name, name,
                                   hint.empty() ? "" : "; ", hint));
}

base::Expected<Json> read_arguments(const std::string& file) {
  auto text = file == "-" ? read_stdin() : base::read_file(file, kMaxArgumentBytes);
  if (!text.ok()) return text.error();
  Json json = base::json_or_discarded(*text);
  const std::string where = file == "-" ? "standard input" : fmt::format("'{}'", file);
  if (json.is_discarded()) return base::invalid(fmt::format("{} is not JSON", where));
  if (!json.is_object()) return base::invalid(fmt::format("{} must hold a JSON object of arguments", where));
  return json;
}

std::string shorten(std::string_view text) {
  constexpr std::size_t kShown = 40;
  if (text.size() <= kShown) return std::string(text);
  return std::string(text.substr(0, kShown)) + "…";
}

}  // namespace

base::Expected<const plan::Program*> choose_program(const plan::Plan& plan, const std::string& name) {
  const std::vector<std::string> names = program_names(plan);
  if (names.empty()) return base::invalid("the file has no program");
  if (!name.empty()) {
    if (const plan::Program* program = plan.find_program(name)) return program;
    const std::string hint = compiler::did_you_mean(name, names);
    return base::not_found(fmt::format("there is no program '{}'; {}", name,
                                       hint.empty() ? fmt::format("there is: {}", fmt::join(names, ", ")) : hint));
  }
  if (names.size() == 1) return &plan.programs.front();
  if (const plan::Program* program = plan.find_program("main")) return program;
  return base::invalid(
      fmt::format("the file has several programs; pass --program with one of: {}", fmt::join(names, ", ")));
}

base::Expected<Json> argument_value(const plan::Plan& plan, const plan::Param& param, std::string_view text) {
  if (is_text_type(plan, param.type)) return Json(std::string(text));
  Json json = base::json_or_discarded(text);
  if (has_text_member(plan, param.type)) {
    const bool fits = !json.is_discarded() && exec::value_from_json(plan, param.type, json, param.name).ok();
    return fits ? json : Json(std::string(text));
  }
  if (json.is_discarded()) {
    return base::invalid(fmt::format("argument '{}' is of type {} and must be JSON, which '{}' is not", param.name,
                                     compiler::spell_type(plan, param.type), shorten(text)));
  }
  return json;
}

base::Expected<Json> collect_arguments(const plan::Plan& plan, const plan::Program& program, const std::string& file,
                                       const std::vector<std::string>& given) {
  Json args = Json::object();
  if (!file.empty()) {
    SGL_TRY(args, read_arguments(file));
  }
  for (const std::string& pair : given) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return base::invalid(fmt::format("--arg {} has no '='; write --arg name=value or --arg name=@file", shorten(pair)));
    }
    const std::string name = pair.substr(0, equals);
    const plan::Param* param = find_param(program, name);
    if (param == nullptr) return unknown_parameter(program, name);
    std::string text = pair.substr(equals + 1);
    if (!text.empty() && text.front() == '@') {
      auto content = base::read_file(text.substr(1), kMaxArgumentBytes);
      if (!content.ok()) return base::invalid(fmt::format("argument '{}': {}", name, content.error().message));
      text = std::move(*content);
    }
    SGL_TRY(args[name], argument_value(plan, *param, text));
  }
  return args;
}

base::Status check_arguments(const plan::Plan& plan, const plan::Program& program, const Json& args) {
  for (const auto& [name, value] : args.items()) {
    const plan::Param* param = find_param(program, name);
    if (param == nullptr) return unknown_parameter(program, name);
    const auto converted = exec::value_from_json(plan, param->type, value, name);
    if (!converted.ok()) return base::invalid(fmt::format("argument {}", converted.error().message));
  }
  std::vector<std::string> missing;
  for (const plan::Param& param : program.params) {
    if (!param.default_value && !args.contains(param.name)) missing.push_back("'" + param.name + "'");
  }
  if (missing.empty()) return {};
  return base::invalid(fmt::format("argument{} {} of program '{}' {} missing; pass --arg name=value",
                                   missing.size() == 1 ? "" : "s", fmt::join(missing, ", "), program.name,
                                   missing.size() == 1 ? "is" : "are"));
}

std::string describe_parameters(const plan::Plan& plan, const plan::Program& program) {
  if (program.params.empty()) return fmt::format("Program '{}' has no parameters.\n", program.name);
  std::string out = fmt::format("Parameters of '{}':\n", program.name);
  for (const plan::Param& param : program.params) {
    out += fmt::format("  {}: {}", param.name, compiler::spell_type(plan, param.type));
    if (param.default_value) {
      out += " = " + shorten(plan::constant_json(plan, *param.default_value).dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    if (!param.doc.empty()) out += "  // " + param.doc;
    out += "\n";
  }
  return out;
}

namespace {

base::Expected<std::int64_t> parse_amount(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::int64_t factor = 1;
  bool known = unit.empty();
  if (name == "time") {  // milliseconds
    known = true;
    if (unit == "ms") factor = 1;
    else if (unit == "s") factor = 1000;
    else if (unit == "m") factor = 60'000;
    else if (unit == "h") factor = 3'600'000;
    else known = false;
  }
  if (error != std::errc() || !known || value <= 0 || value > std::numeric_limits<std::int64_t>::max() / factor) {
    return base::invalid(fmt::format("--limit {}={}: write {}", name, text,
                                     name == "time" ? "a duration such as 500ms, 30s or 2m" : "a number above zero"));
  }
  return value * factor;
}

}  // namespace

base::Expected<exec::RunLimits> parse_limits(const std::vector<std::string>& given) {
  exec::RunLimits limits;
  for (const std::string& pair : given) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = pair.substr(0, equals);
    std::int64_t* target = name == "tokens"   ? &limits.tokens
                           : name == "time"   ? &limits.time_ms
                           : name == "forks"  ? &limits.forks
                           : name == "fuel"   ? &limits.fuel
                           : name == "memory" ? &limits.memory
                                              : nullptr;
    if (target == nullptr) {
      return base::invalid(fmt::format("--limit {}: write tokens=N, time=30s, forks=N, fuel=N or memory=BYTES", pair));
    }
    const std::string_view amount = equals < pair.size() ? std::string_view(pair).substr(equals + 1) : std::string_view();
    SGL_TRY(*target, parse_amount(name, amount));
  }
  return limits;
}

}  // namespace sgl::tools
