// JSON form: functions, programs, and the plan as a whole.
#include <array>
#include <span>
#include <utility>

#include "runtime/base/base64.h"
#include "runtime/plan/form_reader.h"
#include "runtime/plan/form_writer.h"
#include "runtime/plan/json_form.h"

namespace sgl::plan {

using base::Status;

namespace {

// In the order of their enumerations.
constexpr std::array<std::string_view, 4> kFunctionKinds = {"fn", "prompt", "program", "fork"};
constexpr std::string_view kRepLetters = "bifl";
constexpr std::size_t kInstNumbers = 5;      // op, dst, a, b, c
constexpr std::size_t kPositionNumbers = 3;  // file, line, column

std::span<const std::string_view> role_names() {
  static const std::array<std::string_view, 3> kNames = {role_name(Role::kSystem), role_name(Role::kUser),
                                                         role_name(Role::kAssistant)};
  return kNames;
}

char rep_letter(Rep rep) {
  const auto number = static_cast<std::size_t>(rep);
  return number < kRepLetters.size() ? kRepLetters[number] : '?';
}

bool read_rep(char letter, Rep& out) {
  const std::size_t number = kRepLetters.find(letter);
  if (number == std::string_view::npos) return false;
  out = static_cast<Rep>(number);
  return true;
}

Json param_form(const Param& param) {
  FormWriter out;
  out.text("name", param.name);
  out.id("type", param.type);
  if (param.default_value) out.id("default", *param.default_value);
  out.text("doc", param.doc);
  return out.take();
}

Status read_param(const Json& form, const Place& place, Param& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.id("type", out.type);
  in.id("default", out.default_value);
  in.text("doc", out.doc);
  return in.finish();
}

Json prefix_form(const PrefixPart& part) {
  FormWriter out;
  if (part.role) out.set("role", name_in(role_names(), *part.role));
  out.text("text", part.text);
  out.flag("open", part.open);
  return out.take();
}

Status read_prefix(const Json& form, const Place& place, PrefixPart& out) {
  FormReader in(form, place);
  Role role = Role::kSystem;
  if (in.has("role")) {
    in.choice("role", role_names(), role);
    out.role = role;
  }
  in.text("text", out.text);
  in.flag("open", out.open);
  return in.finish();
}

std::string rep_letters(const std::vector<Rep>& reps) {
  std::string letters;
  for (const Rep rep : reps) letters += rep_letter(rep);
  return letters;
}

void read_reps(FormReader& in, const char* name, std::vector<Rep>& out) {
  std::string letters;
  in.text(name, letters);
  out.resize(letters.size());
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (!read_rep(letters[i], out[i])) return in.fault(std::string("'") + name + "' may hold only the letters b i f l");
  }
}

void read_code(FormReader& in, std::vector<Inst>& out) {
  std::vector<std::uint32_t> numbers;
  in.indices("code", numbers);
  if (numbers.size() % kInstNumbers != 0) return in.fault("'code' is not a multiple of 5 numbers");
  out.reserve(numbers.size() / kInstNumbers);
  for (std::size_t i = 0; i < numbers.size(); i += kInstNumbers) {
    if (numbers[i] >= kOps.size()) return in.fault("'code' has an unknown operation");
    out.push_back({static_cast<Op>(numbers[i]), numbers[i + 1], numbers[i + 2], numbers[i + 3], numbers[i + 4]});
  }
}

void read_positions(FormReader& in, std::vector<SourcePosition>& out) {
  std::vector<std::uint32_t> numbers;
  in.indices("positions", numbers);
  if (numbers.size() % kPositionNumbers != 0) return in.fault("'positions' is not a multiple of 3 numbers");
  out.reserve(numbers.size() / kPositionNumbers);
  for (std::size_t i = 0; i < numbers.size(); i += kPositionNumbers) {
    out.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
  }
}

Json limits_form(const ProgramLimits& limits) {
  FormWriter out;
  out.integer("tokens", limits.tokens);
  out.integer("time_ms", limits.time_ms);
  out.integer("forks", limits.forks);
  out.integer("fuel", limits.fuel);
  out.integer("memory", limits.memory);
  return out.take();
}

Status read_limits(const Json& form, const Place& place, ProgramLimits& out) {
  FormReader in(form, place);
  in.integer("tokens", out.tokens);
  in.integer("time_ms", out.time_ms);
  in.integer("forks", out.forks);
  in.integer("fuel", out.fuel);
  in.integer("memory", out.memory);
  return in.finish();
}

Json bounds_form(const Bounds& bounds) {
  FormWriter out;
  out.integer("generated_tokens", bounds.generated_tokens);
  out.integer("generations", bounds.generations);
  out.integer("forks", bounds.forks);
  return out.take();
}

Status read_bounds(const Json& form, const Place& place, Bounds& out) {
  FormReader in(form, place);
  in.integer("generated_tokens", out.generated_tokens);
  in.integer("generations", out.generations);
  in.integer("forks", out.forks);
  return in.finish();
}

}  // namespace

Json function_header(const Function& function) {
  FormWriter out;
  out.text("name", function.name);
  out.set("kind", name_in(kFunctionKinds, function.kind));
  out.integer("params", function.param_count);
  out.text("regs", rep_letters(function.regs));
  out.set("result", std::string(1, rep_letter(function.result)));
  out.id("result_type", function.result_type);
  return out.take();
}

Json args_form(const Function& function) {
  Json args = Json::array();
  for (const std::uint32_t arg : function.args) args.push_back(index_form(arg));
  return args;
}

Json form_of(const Function& function) {
  Json form = function_header(function);
  Json code = Json::array(), positions = Json::array();
  for (const Inst& inst : function.code) {
    code.push_back(static_cast<std::uint32_t>(inst.op));
    for (const std::uint32_t operand : {inst.dst, inst.a, inst.b, inst.c}) code.push_back(index_form(operand));
  }
  for (const SourcePosition& position : function.positions) {
    for (const std::uint32_t number : {position.file, position.line, position.column}) {
      positions.push_back(index_form(number));
    }
  }
  form["code"] = std::move(code);
  form["positions"] = std::move(positions);
  if (!function.args.empty()) form["args"] = args_form(function);
  return form;
}

Status read_form(const Json& form, const Place& place, Function& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.required("kind");
  in.choice("kind", kFunctionKinds, out.kind);
  in.index("params", out.param_count);
  read_reps(in, "regs", out.regs);
  std::vector<Rep> result;
  in.required("result");
  read_reps(in, "result", result);
  if (result.size() == 1) {
    out.result = result[0];
  } else {
    in.fault("'result' must be one letter");
  }
  in.id("result_type", out.result_type);
  read_code(in, out.code);
  read_positions(in, out.positions);
  in.indices("args", out.args);
  return in.finish();
}

Json form_of(const Program& program) {
  FormWriter out;
  out.text("name", program.name);
  out.text("doc", program.doc);
  out.id("function", program.function);
  out.list("params", program.params, param_form);
  out.id("result", program.result);
  Json limits = limits_form(program.limits), bounds = bounds_form(program.bounds);
  if (!limits.empty()) out.set("limits", std::move(limits));
  out.list("prefix", program.prefix, prefix_form);
  if (!bounds.empty()) out.set("bounds", std::move(bounds));
  return out.take();
}

Status read_form(const Json& form, const Place& place, Program& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.text("doc", out.doc);
  in.id("function", out.function);
  in.list("params", out.params, read_param);
  in.id("result", out.result);
  if (const Json* limits = in.any("limits"))
    SGL_TRY_STATUS(read_limits(*limits, {"limits of program", place.index}, out.limits));
  in.list("prefix", out.prefix, read_prefix);
  if (const Json* bounds = in.any("bounds"))
    SGL_TRY_STATUS(read_bounds(*bounds, {"bounds of program", place.index}, out.bounds));
  return in.finish();
}

Json form_of(const Tool& tool) {
  FormWriter out;
  out.text("name", tool.name);
  out.text("doc", tool.doc);
  out.list("params", tool.params, param_form);
  out.id("result", tool.result);
  return out.take();
}

Status read_form(const Json& form, const Place& place, Tool& out) {
  FormReader in(form, place);
  in.text("name", out.name);
  in.text("doc", out.doc);
  in.list("params", out.params, read_param);
  in.id("result", out.result);
  return in.finish();
}

Json form_of(const CompiledConstraint& constraint) {
  FormWriter out;
  out.id("type", constraint.type);
  out.text("bytes", base::base64url(constraint.bytes));
  return out.take();
}

Status read_form(const Json& form, const Place& place, CompiledConstraint& out) {
  FormReader in(form, place);
  std::string text;
  in.id("type", out.type);
  in.text("bytes", text);
  SGL_TRY_STATUS(in.finish());
  auto bytes = base::from_base64url(text);
  if (!bytes) return form_error(place, "'bytes' must be base64url");
  out.bytes = std::move(*bytes);
  return {};
}

Json plan_form(const Plan& plan) {
  FormWriter out;
  const auto entry = [](const auto& item) { return form_of(item); };
  out.text("compiler", plan.compiler);
  out.list("files", plan.files, [](const std::string& file) { return Json(file); });
  out.list("types", plan.types, entry);
  out.list("constants", plan.constants, entry);
  out.list("functions", plan.functions, entry);
  out.list("gens", plan.gens, entry);
  out.list("selects", plan.selects, entry);
  out.list("parallels", plan.parallels, entry);
  out.list("tools", plan.tools, entry);
  out.list("programs", plan.programs, entry);
  out.list("constraints", plan.constraints, entry);
  return out.take();
}

base::Expected<Plan> read_plan(const Json& form) {
  FormReader in(form, {"plan", kNoIndex});
  in.set_outermost();
  Plan plan;
  const auto entry = [](const Json& item, const Place& place, auto& out) { return read_form(item, place, out); };
  in.text("compiler", plan.compiler);
  in.list("files", plan.files, [](const Json& item, const Place& place, std::string& out) -> Status {
    if (!item.is_string()) return form_error(place, "must be a string");
    out = item.get_ref<const std::string&>();
    return {};
  });
  in.list("types", plan.types, entry);
  in.list("constants", plan.constants, entry);
  in.list("functions", plan.functions, entry);
  in.list("gens", plan.gens, entry);
  in.list("selects", plan.selects, entry);
  in.list("parallels", plan.parallels, entry);
  in.list("tools", plan.tools, entry);
  in.list("programs", plan.programs, entry);
  in.list("constraints", plan.constraints, entry);
  SGL_TRY_STATUS(in.finish());
  return plan;
}

std::string dump(const Json& form) {
  return form.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::size_t max_values(const PlanLimits& limits) {
  // An entry of a section is an object of at most some twenty fields, lists included; an instruction is five numbers
  // and a position of three.
  return 32 * (limits.types + limits.constants + limits.functions + limits.programs) +
         (kInstNumbers + kPositionNumbers) * limits.code + limits.args;
}

bool take_json_values(std::string_view text, std::size_t& values_left) {
  std::size_t depth = 0, count = 1;
  bool quoted_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted_text) {
      if (c == '\\') ++i;
      if (c == '"') quoted_text = false;
      continue;
    }
    if (c == '"') quoted_text = true;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    // Every value but the first of its list follows a comma, every value of an object a colon.
    if (c == ',' || c == ':' || c == '[') ++count;
    if (depth > kMaxDepth || count > values_left) return false;
  }
  if (count > values_left) return false;
  values_left -= count;
  return true;
}

}  // namespace sgl::plan
