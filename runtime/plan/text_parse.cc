#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "runtime/base/base64.h"
#include "runtime/plan/json_form.h"
#include "runtime/plan/text.h"
#include "runtime/plan/text_operands.h"
#include "runtime/plan/verify_parts.h"

namespace sgl::plan {
namespace {

using base::Status;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// What is left of one line.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void skip_blanks() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }
  // Blanks, then `token`.
  bool accept(std::string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  bool number(std::uint32_t& out) {
    skip_blanks();
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), out);
    if (error != std::errc()) return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return true;
  }
  // Letters, digits, '_' and '.'.
  std::string_view word() {
    skip_blanks();
    std::size_t end = 0;
    auto in_word = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    };
    while (end < text_.size() && in_word(text_[end])) ++end;
    const std::string_view word = text_.substr(0, end);
    text_.remove_prefix(end);
    return word;
  }
  bool at_end() {
    skip_blanks();
    return text_.empty();
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

std::optional<std::size_t> find_op(std::string_view name) {
  for (std::size_t i = 0; i < kOps.size(); ++i) {
    if (kOps[i].name == name) return i;
  }
  return std::nullopt;
}

// A file's name, for `entry`.
Status read_entry(const Json& form, const Place&, std::string& out) {
  if (!form.is_string()) return base::invalid("file: must be a string");
  out = form.get_ref<const std::string&>();
  return {};
}

template <typename T>
Status read_entry(const Json& form, const Place& place, T& out) {
  return read_form(form, place, out);
}

class TextParser {
 public:
  explicit TextParser(const PlanLimits& limits) : values_left_(max_values(limits)) {}

  // All lines; faults are reported with the line.
  base::Expected<Plan> run(std::string_view text);

 private:
  Status line(std::string_view text);
  Status header(Cursor& in);
  Status section(std::string_view name, Cursor& in);
  // `number = <JSON>`, read into a new entry of `items`.
  template <typename T>
  Status entry(std::string_view name, Cursor& in, std::vector<T>& items);
  base::Expected<Json> json(std::string_view text);
  Status instruction(Cursor& in);
  Status operand(Cursor& in, char letter, std::uint32_t& out);
  Status args(Cursor& in, Inst& inst);
  Status position(Cursor& in);

  Plan plan_;
  bool has_header_ = false;
  bool has_compiler_ = false;
  bool in_function_ = false;  // instructions may follow
  std::size_t values_left_;   // JSON values that all lines together may still hold
};

base::Expected<Plan> TextParser::run(std::string_view text) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    ++number;
    const Status status = line(text.substr(at, end - at));
    if (!status.ok()) return base::invalid(fmt::format("line {}: {}", number, status.error().message));
    at = end + 1;
  }
  if (!has_header_) return base::invalid(fmt::format("line {}: 'plan {}' is missing", number + 1, kPlanVersion));
  return std::move(plan_);
}

Status TextParser::line(std::string_view text) {
  Cursor in(text);
  if (in.at_end() || in.rest().starts_with('#')) return {};
  if (!has_header_) return header(in);
  if (is_blank(text.front())) return instruction(in);
  in_function_ = false;
  const std::string_view name = in.word();
  if (name == "compiler") {
    if (has_compiler_) return base::invalid("a second compiler");
    has_compiler_ = true;
    SGL_TRY(const Json form, json(in.rest()));
    if (!form.is_string()) return base::invalid("compiler: must be a string");
    plan_.compiler = form.get_ref<const std::string&>();
    return {};
  }
  return section(name, in);
}

Status TextParser::header(Cursor& in) {
  std::uint32_t version = 0;
  if (!in.accept("plan ") || !in.number(version) || !in.at_end())
    return base::invalid("not a plan: no 'plan <version>'");
  if (version != kPlanVersion) {
    return base::invalid(
        fmt::format("the plan is of version {}, this runtime reads version {}", version, kPlanVersion));
  }
  has_header_ = true;
  return {};
}

Status TextParser::section(std::string_view name, Cursor& in) {
  if (name == "file") return entry(name, in, plan_.files);
  if (name == "type") return entry(name, in, plan_.types);
  if (name == "const") return entry(name, in, plan_.constants);
  if (name == "gen") return entry(name, in, plan_.gens);
  if (name == "select") return entry(name, in, plan_.selects);
  if (name == "parallel") return entry(name, in, plan_.parallels);
  if (name == "tool") return entry(name, in, plan_.tools);
  if (name == "program") return entry(name, in, plan_.programs);
  if (name == "constraint") return entry(name, in, plan_.constraints);
  if (name == "function") {
    SGL_TRY_STATUS(entry(name, in, plan_.functions));
    const Function& function = plan_.functions.back();
    if (!function.code.empty() || !function.positions.empty()) {
      return base::invalid("code and positions of a function stand in the lines below it");
    }
    in_function_ = true;
    return {};
  }
  return base::invalid(fmt::format("unknown section {}", in_quotes(name)));
}

template <typename T>
Status TextParser::entry(std::string_view name, Cursor& in, std::vector<T>& items) {
  std::uint32_t index = 0;
  if (!in.number(index)) return base::invalid(fmt::format("{}: a number is missing", name));
  if (index != items.size()) return base::invalid(fmt::format("{} {}: expected {}", name, index, items.size()));
  if (!in.accept("=")) return base::invalid(fmt::format("{} {}: '=' is missing", name, index));
  SGL_TRY(const Json form, json(in.rest()));
  items.emplace_back();
  return read_entry(form, {name, index}, items.back());
}

base::Expected<Json> TextParser::json(std::string_view text) {
  if (!take_json_values(text, values_left_)) {
    return base::invalid("the JSON value is nested too deep, or the plan is too large");
  }
  Json form = Json::parse(text.begin(), text.end(), nullptr, false);
  if (form.is_discarded()) return base::invalid("not a JSON value");
  return form;
}

Status TextParser::instruction(Cursor& in) {
  if (!in_function_) return base::invalid("an instruction outside a function");
  Function& function = plan_.functions.back();
  std::uint32_t index = 0;
  if (!in.number(index)) return base::invalid("the number of the instruction is missing");
  if (index != function.code.size()) {
    return base::invalid(fmt::format("instruction {}: expected {}", index, function.code.size()));
  }
  const std::string_view name = in.word();
  const std::optional<std::size_t> op = find_op(name);
  if (!op) return base::invalid(fmt::format("instruction {}: unknown operation {}", index, in_quotes(name)));
  const OpInfo& info = kOps[*op];
  Inst inst;
  inst.op = info.op;
  const std::array<std::uint32_t*, 4> operands = {&inst.dst, &inst.a, &inst.b, &inst.c};
  bool first = true;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const char letter = info.operands[i];
    if (letter == '-') continue;
    if (!first && !in.accept(",")) return base::invalid(fmt::format("instruction {}: ',' is missing", index));
    first = false;
    SGL_TRY_STATUS(letter == 'A' ? args(in, inst) : operand(in, letter, *operands[i]));
  }
  function.code.push_back(inst);
  return position(in);
}

Status TextParser::operand(Cursor& in, char letter, std::uint32_t& out) {
  if (letter == 'u') {
    const std::string_view name = in.word();
    for (std::size_t i = 0; i < kBuiltins.size(); ++i) {
      if (kBuiltins[i].name != name) continue;
      out = static_cast<std::uint32_t>(i);
      return {};
    }
    return base::invalid(fmt::format("unknown built-in {}", in_quotes(name)));
  }
  if (letter == 'r') {
    const std::string_view name = in.word();
    for (const Role role : {Role::kSystem, Role::kUser, Role::kAssistant}) {
      if (role_name(role) != name) continue;
      out = static_cast<std::uint32_t>(role);
      return {};
    }
    return base::invalid(fmt::format("unknown role {}", in_quotes(name)));
  }
  if (in.accept("_")) {
    out = kNone;
    return {};
  }
  const std::string_view prefix = operand_prefix(letter);
  if (in.accept(prefix) && in.number(out)) return {};
  return base::invalid(fmt::format("an operand '{}<number>' is missing at {}", prefix, in_quotes(in.rest())));
}

// `[r1, r2]` appends to the function's operand lists, `[r1, r2]+7` refers to those that its header gave.
Status TextParser::args(Cursor& in, Inst& inst) {
  std::vector<std::uint32_t> registers;
  if (!in.accept("[")) return base::invalid("a list '[' is missing");
  while (!in.accept("]")) {
    if (!registers.empty() && !in.accept(",")) return base::invalid("',' or ']' is missing in a list");
    registers.emplace_back();
    if (!in.accept("r") || !in.number(registers.back())) return base::invalid("a register is missing in a list");
  }
  std::vector<std::uint32_t>& all = plan_.functions.back().args;
  inst.c = static_cast<std::uint32_t>(registers.size());
  inst.b = static_cast<std::uint32_t>(all.size());
  if (!in.accept("+")) {
    all.insert(all.end(), registers.begin(), registers.end());
    return {};
  }
  if (!in.number(inst.b)) return base::invalid("a number is missing after '+'");
  if (inst.b > all.size() || registers.size() > all.size() - inst.b ||
      !std::equal(registers.begin(), registers.end(), all.begin() + inst.b)) {
    return base::invalid(fmt::format("the list at {} does not agree with 'args' of the function", inst.b));
  }
  return {};
}

Status TextParser::position(Cursor& in) {
  SourcePosition position;
  if (in.accept("@") && !(in.number(position.file) && in.accept(":") && in.number(position.line) && in.accept(":") &&
                          in.number(position.column))) {
    return base::invalid("a position is written @file:line:column");
  }
  if (!in.at_end()) return base::invalid(fmt::format("unexpected {} after the instruction", in_quotes(in.rest())));
  plan_.functions.back().positions.push_back(position);
  return {};
}

}  // namespace

base::Expected<Plan> parse(std::string_view text, const PlanLimits& limits) {
  // A character of a string takes at most six, an instruction with its position rarely more than 128.
  const std::size_t max_bytes =
      6 * limits.text_bytes + base::base64url_size(limits.constraint_bytes) + 128 * limits.code;
  if (text.size() > max_bytes) {
    return base::invalid(fmt::format("the plan has {} bytes, over the limit of {}", text.size(), max_bytes));
  }
  SGL_TRY(Plan plan, TextParser(limits).run(text));
  SGL_TRY_STATUS(verify(plan, limits));
  return plan;
}

}  // namespace sgl::plan
