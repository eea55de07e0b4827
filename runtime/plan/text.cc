#include "runtime/plan/text.h"

#include <fmt/format.h>

#include <array>

#include "runtime/plan/json_form.h"
#include "runtime/plan/text_operands.h"

namespace sgl::plan {
namespace {

// Do the operand lists stand in Function::args one after another, in the order of the instructions? Then the lists in
// the instructions' lines say everything.
bool args_in_order(const Function& function) {
  std::uint64_t next = 0;
  for (const Inst& inst : function.code) {
    const auto op = static_cast<std::size_t>(inst.op);
    if (op >= kOps.size() || !kOps[op].has_args) continue;
    if (inst.b != next) return false;
    next += inst.c;
  }
  return next == function.args.size();
}

std::string print_args(const Function& function, const Inst& inst, bool with_offset) {
  std::string text = "[";
  const std::size_t size = function.args.size();
  // An unverified plan may point anywhere; what is not there is shown as such.
  const bool in_range = inst.b <= size && inst.c <= size - inst.b;
  if (!in_range) return fmt::format("[?]+{}", inst.b);
  for (std::size_t i = 0; i < inst.c; ++i) {
    text += fmt::format("{}r{}", i == 0 ? "" : ", ", function.args[inst.b + i]);
  }
  text += "]";
  if (with_offset) text += fmt::format("+{}", inst.b);
  return text;
}

std::string print_operand(char letter, std::uint32_t value) {
  if (value == kNone) return "_";
  if (letter == 'u' && value < kBuiltins.size()) return std::string(kBuiltins[value].name);
  if (letter == 'r' && value <= static_cast<std::uint32_t>(Role::kAssistant)) {
    return std::string(role_name(static_cast<Role>(value)));
  }
  return fmt::format("{}{}", operand_prefix(letter), value);
}

std::string print_code(const Function& function, std::size_t index, bool with_offset) {
  const Inst& inst = function.code[index];
  const auto op = static_cast<std::size_t>(inst.op);
  if (op >= kOps.size()) return fmt::format("?{}", op);
  const OpInfo& info = kOps[op];
  const std::array<std::uint32_t, 4> values = {inst.dst, inst.a, inst.b, inst.c};
  std::string operands;
  auto append = [&](const std::string& text) { operands += (operands.empty() ? "" : ", ") + text; };
  for (std::size_t i = 0; i < values.size(); ++i) {
    const char letter = info.operands[i];
    if (letter == '-') continue;
    append(letter == 'A' ? print_args(function, inst, with_offset) : print_operand(letter, values[i]));
  }
  return operands.empty() ? std::string(info.name) : fmt::format("{:<12} {}", info.name, operands);
}

template <typename Items>
void print_section(std::string& out, const char* name, const Items& items) {
  for (std::size_t i = 0; i < items.size(); ++i) out += fmt::format("{} {} = {}\n", name, i, dump(form_of(items[i])));
}

void print_function(std::string& out, std::size_t index, const Function& function) {
  const bool in_order = args_in_order(function);
  Json header = function_header(function);
  if (!in_order) header["args"] = args_form(function);
  out += fmt::format("function {} = {}\n", index, dump(header));
  for (std::size_t i = 0; i < function.code.size(); ++i) {
    out += fmt::format("{:>5}  {:<44}", i, print_code(function, i, !in_order));
    if (i < function.positions.size()) {
      const SourcePosition& position = function.positions[i];
      out += fmt::format(" @{}:{}:{}", position.file, position.line, position.column);
    }
    out += '\n';
  }
}

}  // namespace

std::string_view operand_prefix(char letter) {
  switch (letter) {
    case 'k':
      return "k";
    case 'f':
      return "f";
    case 't':
      return "t";
    case 'j':
      return "->";
    case 'g':
      return "g";
    case 's':
      return "s";
    case 'p':
      return "p";
    case 'w':
      return "w";
    case 'n':
    case 'u':
    case 'r':
      return "";
    default:
      return "r";
  }
}

std::string print_inst(const Plan&, const Function& function, std::size_t index) {
  return index < function.code.size() ? print_code(function, index, false) : "?";
}

std::string print(const Plan& plan) {
  std::string out = fmt::format("plan {}\ncompiler {}\n", kPlanVersion, dump(plan.compiler));
  for (std::size_t i = 0; i < plan.files.size(); ++i) out += fmt::format("file {} = {}\n", i, dump(plan.files[i]));
  print_section(out, "type", plan.types);
  print_section(out, "const", plan.constants);
  print_section(out, "gen", plan.gens);
  print_section(out, "select", plan.selects);
  print_section(out, "parallel", plan.parallels);
  print_section(out, "tool", plan.tools);
  print_section(out, "program", plan.programs);
  print_section(out, "constraint", plan.constraints);
  for (std::size_t i = 0; i < plan.functions.size(); ++i) print_function(out, i, plan.functions[i]);
  return out;
}

}  // namespace sgl::plan
