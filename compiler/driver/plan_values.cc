#include "compiler/driver/plan_values.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/utf8.h"
#include "runtime/plan/schema.h"

namespace sgl::compiler {

using plan::Inst;
using plan::kNone;
using plan::Op;
using plan::Reg;

namespace {

// Bytes kept of an expression and of a text: more than is ever shown, and what bounds the work for absurd plans.
constexpr std::size_t kMaxExpr = 160;
constexpr std::size_t kMaxContent = 4096;

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (c == '"' || c == '\\') out += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20) out += "\\0";
    else out += c;
  }
  return out + "\"";
}

std::string_view binary_symbol(Op op) {
  switch (op) {
    case Op::kAddI: case Op::kAddF: return "+";
    case Op::kSubI: case Op::kSubF: return "-";
    case Op::kMulI: case Op::kMulF: return "*";
    case Op::kDivI: case Op::kDivF: return "/";
    case Op::kModI: return "%";
    case Op::kEqI: case Op::kEqF: case Op::kEqL: case Op::kEq: return "==";
    case Op::kLtI: case Op::kLtF: case Op::kLtS: return "<";
    case Op::kLeI: case Op::kLeF: case Op::kLeS: return "<=";
    default: return "";
  }
}

}  // namespace

std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  const std::string_view head = text.substr(0, limit);
  return std::string(head.substr(0, base::complete_utf8_prefix(head))) + "…";
}

Known Known::expr(std::string text, bool compound, std::optional<plan::TypeId> type) {
  return {Kind::kExpr, shortened(text, kMaxExpr), compound, type};
}

Known Known::content(std::string text) { return {Kind::kText, shortened(text, kMaxContent), false, {}}; }

std::string shown(const Known& value, std::size_t limit) {
  switch (value.kind) {
    case Known::Kind::kUnknown: return "…";
    case Known::Kind::kText: return in_quotes(shortened(value.text, limit));
    case Known::Kind::kExpr: return shortened(value.text, limit);
  }
  return "…";
}

Values::Values(const plan::Plan& plan, const plan::Function& function, std::vector<Known> params)
    : plan_(&plan), function_(&function), regs_(std::move(params)) {
  regs_.resize(function.regs.size());
}

std::vector<Reg> Values::args(std::size_t index) const {
  const Inst& inst = function_->code[index];
  const auto begin = function_->args.begin() + inst.b;
  return {begin, begin + inst.c};
}

std::string Values::operand(Reg reg) const {
  const Known& value = get(reg);
  const std::string text = shown(value, 60);
  return value.compound ? "(" + text + ")" : text;
}

std::string Values::call_text(std::string_view name, const std::vector<Reg>& args) const {
  std::string out = std::string(name) + "(";
  for (std::size_t i = 0; i < args.size(); ++i) out += (i == 0 ? "" : ", ") + shown(get(args[i]), 40);
  return out + ")";
}

Known Values::constant(plan::ConstId id) const {
  const plan::Constant& value = plan_->constants[id.value];
  if (value.kind == plan::Constant::Kind::kString) return Known::content(value.text);
  const auto json = plan::constant_json(*plan_, id);
  Known out = Known::expr(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  if (value.kind == plan::Constant::Kind::kRecord) out.type = value.type;
  return out;
}

Known Values::binary(const Inst& inst, std::string_view op) const {
  if (!get(inst.a).known() && !get(inst.b).known()) return {};
  return Known::expr(fmt::format("{} {} {}", operand(inst.a), op, operand(inst.b)), true);
}

Known Values::record(const Inst& inst, const std::vector<Reg>& fields) const {
  const plan::Type& type = plan_->type(plan::TypeId(inst.a));
  std::string out;
  for (std::size_t i = 0; i < fields.size() && i < type.fields.size(); ++i) {
    out += fmt::format("{}{}: {}", i == 0 ? "" : ", ", type.fields[i].name, shown(get(fields[i]), 40));
  }
  return Known::expr(out.empty() ? "{}" : "{ " + out + " }", false, plan::TypeId(inst.a));
}

Known Values::field(const Inst& inst) const {
  const Known& object = get(inst.a);
  if (!object.known() || !object.type) return {};
  const plan::Type& type = plan_->type(*object.type);
  if (type.kind != plan::TypeKind::kRecord || inst.b >= type.fields.size()) return {};
  const plan::Field& member = type.fields[inst.b];
  return Known::expr(operand(inst.a) + "." + member.name, false, member.type);
}

Known Values::concatenated(const std::vector<Reg>& parts) const {
  std::string out;
  for (const Reg reg : parts) {
    const Known& part = get(reg);
    out += part.kind == Known::Kind::kText ? part.text : "{" + shown(part, 60) + "}";
  }
  return Known::content(std::move(out));
}

Known Values::formatted(const Inst& inst) const {
  const Known& value = get(inst.a);
  if (inst.b == kNone && value.kind == Known::Kind::kText) return value;
  const bool spec = inst.b != kNone && get(inst.b).kind == Known::Kind::kText;
  return Known::content(fmt::format("{{{}{}{}}}", shown(value, 60), spec ? ":" : "", spec ? get(inst.b).text : ""));
}

Known Values::computed(std::size_t index) const {
  const Inst& inst = function_->code[index];
  if (const std::string_view symbol = binary_symbol(inst.op); !symbol.empty()) return binary(inst, symbol);
  switch (inst.op) {
    case Op::kConst: return constant(plan::ConstId(inst.a));
    case Op::kMove: case Op::kBox: case Op::kUnbox: case Op::kIntToFloat: return get(inst.a);
    case Op::kNot: return get(inst.a).known() ? Known::expr("not " + operand(inst.a), true) : Known();
    case Op::kNegI: case Op::kNegF: return get(inst.a).known() ? Known::expr("-" + operand(inst.a), true) : Known();
    case Op::kFormat: return formatted(inst);
    case Op::kConcat: return concatenated(args(index));
    case Op::kLen: return get(inst.a).known() ? Known::expr(fmt::format("len({})", shown(get(inst.a), 60))) : Known();
    case Op::kListNew: {
      const std::string text = call_text("", args(index));
      return Known::expr("[" + text.substr(1, text.size() - 2) + "]");
    }
    case Op::kListPush: return get(inst.a).known() ? Known::expr(fmt::format("{}.append({})", operand(inst.a), shown(get(inst.b), 40))) : Known();
    case Op::kIndex: return get(inst.a).known() ? Known::expr(fmt::format("{}[{}]", operand(inst.a), shown(get(inst.b), 40))) : Known();
    case Op::kSlice:
      if (!get(inst.a).known()) return {};
      return Known::expr(fmt::format("{}[{}:{}]", operand(inst.a), shown(get(inst.b), 40), shown(get(inst.c), 40)));
    case Op::kRecordNew: return record(inst, args(index));
    case Op::kField: return field(inst);
    case Op::kBuiltin: return Known::expr(call_text(plan::kBuiltins[inst.a].name, args(index)));
    case Op::kCall: {
      const plan::Function& callee = plan_->functions[inst.a];
      return Known::expr(call_text(callee.name, args(index)), false, callee.result_type);
    }
    default: return {};
  }
}

void Values::apply(std::size_t index) {
  const Inst& inst = function_->code[index];
  if (inst.dst == kNone) return;
  set(inst.dst, computed(index));
}

void Values::forget(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    const Inst& inst = function_->code[i];
    if (inst.dst != kNone) regs_[inst.dst] = {};
    if (inst.op == Op::kGen && plan_->gens[inst.a].logprobs) regs_[args(i).back()] = {};
    if (inst.op == Op::kSelect && plan_->selects[inst.a].scores) regs_[args(i).back()] = {};
  }
}

void Values::join(const Values& other, const std::string& condition) {
  for (std::size_t i = 0; i < regs_.size(); ++i) {
    const Known& no = other.regs_[i];
    Known& yes = regs_[i];
    if (yes == no) continue;
    if (!yes.known() || !no.known()) {
      yes = {};
    } else if (condition == fmt::format("not ({} == null)", yes.text)) {
      yes = Known::expr(fmt::format("{} ?? {}", shown(yes), shown(no)), true);
    } else if (no.text == condition || no.text == "false") {
      yes = Known::expr(fmt::format("{} and {}", condition, shown(yes)), true);
    } else if (yes.text == condition || yes.text == "true") {
      yes = Known::expr(fmt::format("{} or {}", condition, shown(no)), true);
    } else {
      yes = Known::expr(fmt::format("{} if {} else {}", shown(yes), condition, shown(no)), true);
    }
  }
}

}  // namespace sgl::compiler
