#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "runtime/base/utf8.h"
#include "runtime/plan/verify_parts.h"

namespace sgl::plan {

using base::Status;

std::string in_quotes(std::string_view name) {
  constexpr std::size_t kShown = 60;  // bytes; identifiers of people are shorter
  std::string text = "'";
  std::size_t at = 0;
  while (at < std::min(name.size(), kShown)) {
    const base::DecodedChar c = base::decode_utf8(name, at);
    base::append_utf8(text, c.code);
    at += c.bytes;
  }
  return text + (at < name.size() ? "…'" : "'");
}

bool constant_has_rep(const Constant& constant, Rep rep) {
  switch (rep) {
    case Rep::kBoxed:
      return true;
    case Rep::kInt:
      return constant.kind == Constant::Kind::kInt;
    case Rep::kFloat:
      return constant.kind == Constant::Kind::kFloat;
    case Rep::kBool:
      return constant.kind == Constant::Kind::kBool;
  }
  return false;
}

namespace {

constexpr std::array<const char*, 4> kOperandNames = {"dst", "a", "b", "c"};

bool is_context_op(Op op) {
  switch (op) {
    case Op::kRoleBegin:
    case Op::kRoleEnd:
    case Op::kText:
    case Op::kGen:
    case Op::kSelect:
    case Op::kParallelFor:
    case Op::kParallel:
    case Op::kTool:
    case Op::kTry:
    case Op::kTryEnd:
      return true;
    default:
      return false;
  }
}

class CodeChecker {
 public:
  CodeChecker(const Plan& plan, std::size_t index) : plan_(plan), function_(plan.functions[index]), index_(index) {}

  Status check();

 private:
  base::Error fault(std::string_view what) const;
  Status check_inst();
  Status check_operand(std::size_t which, char letter, std::uint32_t value);
  Status check_register(const std::string& what, std::uint32_t value) const;
  Status check_id(const char* operand, const char* what, std::uint32_t value, std::size_t count) const;
  Status check_args();
  Status check_agreement();
  Status check_call();
  Status check_gen();
  Status check_select();
  Status check_parallel_for();
  Status check_parallel();
  Status check_tool();
  Status check_try();
  Status check_record();
  Status check_builtin();
  // Arguments from `first` on are passed to the parameters of `callee` from `param` on.
  Status check_passed(std::size_t first, const Function& callee, std::size_t param, std::size_t count) const;
  Status expect_arg(std::size_t arg, Rep rep) const;

  Rep rep(std::uint32_t reg) const { return function_.regs[reg]; }
  std::span<const std::uint32_t> args() const { return std::span(function_.args).subspan(inst_.b, inst_.c); }

  const Plan& plan_;
  const Function& function_;
  std::size_t index_;
  std::size_t at_ = 0;  // the instruction being checked
  Inst inst_;
};

base::Error CodeChecker::fault(std::string_view what) const {
  const auto op = static_cast<std::size_t>(inst_.op);
  return base::invalid(fmt::format("function {} {}, instruction {} ({}): {}", index_, in_quotes(function_.name), at_,
                                   op < kOps.size() ? kOps[op].name : "?", what));
}

Status CodeChecker::check() {
  const auto& code = function_.code;
  const std::string place = fmt::format("function {} {}", index_, in_quotes(function_.name));
  if (code.empty()) return base::invalid(place + ": has no code");
  if (function_.positions.size() != code.size()) {
    return base::invalid(
        fmt::format("{}: {} positions for {} instructions", place, function_.positions.size(), code.size()));
  }
  for (at_ = 0; at_ < code.size(); ++at_) {
    inst_ = code[at_];
    SGL_TRY_STATUS(check_inst());
    const SourcePosition& position = function_.positions[at_];
    if (position.line != 0 && position.file >= plan_.files.size()) {
      return fault(fmt::format("its position is in file {} of {}", position.file, plan_.files.size()));
    }
  }
  at_ = code.size() - 1;
  const Op last = code.back().op;
  if (last != Op::kJump && last != Op::kBranch && last != Op::kReturn && last != Op::kFail) {
    return fault("the code runs off its end");
  }
  return {};
}

Status CodeChecker::check_inst() {
  const auto op = static_cast<std::size_t>(inst_.op);
  if (op >= kOps.size()) return fault(fmt::format("unknown operation {}", op));
  if (function_.kind == FunctionKind::kFn && is_context_op(inst_.op)) {
    return fault("a fn cannot talk to the model");
  }
  const OpInfo& info = kOps[op];
  const std::array<std::uint32_t, 4> values = {inst_.dst, inst_.a, inst_.b, inst_.c};
  for (std::size_t i = 0; i < values.size(); ++i) {
    // b and c of an operation with arguments are their place in Function::args.
    if (info.has_args && i >= 2) break;
    SGL_TRY_STATUS(check_operand(i, info.operands[i], values[i]));
  }
  if (info.has_args) SGL_TRY_STATUS(check_args());
  return check_agreement();
}

Status CodeChecker::check_id(const char* operand, const char* what, std::uint32_t value, std::size_t count) const {
  if (value < count) return {};
  if (value == kNone) return fault(fmt::format("operand {} is missing", operand));
  return fault(fmt::format("operand {} is {} {} of {}", operand, what, value, count));
}

Status CodeChecker::check_register(const std::string& what, std::uint32_t value) const {
  if (value < function_.regs.size()) return {};
  if (value == kNone) return fault(what + " is missing");
  return fault(fmt::format("{} is register {} of {}", what, value, function_.regs.size()));
}

Status CodeChecker::check_operand(std::size_t which, char letter, std::uint32_t value) {
  const char* name = kOperandNames[which];
  Rep wanted = Rep::kBoxed;
  switch (letter) {
    case '-':
      if (value == kNone) return {};
      return fault(fmt::format("operand {} is {}, but the operation has none", name, value));
    case 'k':
      return check_id(name, "constant", value, plan_.constants.size());
    case 'f':
      return check_id(name, "function", value, plan_.functions.size());
    case 't':
      return check_id(name, "type", value, plan_.types.size());
    case 'j':
      return check_id(name, "a jump to instruction", value, function_.code.size());
    case 'u':
      return check_id(name, "built-in", value, kBuiltins.size());
    case 'r':
      return check_id(name, "role", value, 3);
    case 'g':
      return check_id(name, "gen", value, plan_.gens.size());
    case 's':
      return check_id(name, "select", value, plan_.selects.size());
    case 'p':
      return check_id(name, "parallel", value, plan_.parallels.size());
    case 'w':
      return check_id(name, "tool", value, plan_.tools.size());
    case 'n':
      return check_id(name, "number", value, kNone);
    case '*':
      return check_register(fmt::format("operand {}", name), value);
    case 'o':
      if (value == kNone) return {};
      break;
    case 'I':
      wanted = Rep::kInt;
      break;
    case 'F':
      wanted = Rep::kFloat;
      break;
    case 'L':
      wanted = Rep::kBool;
      break;
    default:
      break;
  }
  SGL_TRY_STATUS(check_register(fmt::format("operand {}", name), value));
  if (rep(value) == wanted) return {};
  return fault(
      fmt::format("operand {} is {} register {}, not {}", name, rep_name(rep(value)), value, rep_name(wanted)));
}

Status CodeChecker::check_args() {
  const std::size_t size = function_.args.size();
  if (inst_.b > size || inst_.c > size - inst_.b) {
    return fault(fmt::format("its arguments are entries {} to {} of {}", inst_.b,
                             std::uint64_t{inst_.b} + std::uint64_t{inst_.c}, size));
  }
  for (std::size_t i = 0; i < args().size(); ++i) {
    SGL_TRY_STATUS(check_register(fmt::format("argument {}", i), args()[i]));
  }
  return {};
}

// What the operand letters cannot say: that operands agree with each other and with what they refer to.
Status CodeChecker::check_agreement() {
  switch (inst_.op) {
    case Op::kConst:
      if (constant_has_rep(plan_.constants[inst_.a], rep(inst_.dst))) return {};
      return fault(
          fmt::format("constant {} does not fit {} register {}", inst_.a, rep_name(rep(inst_.dst)), inst_.dst));
    case Op::kMove:
      if (rep(inst_.dst) == rep(inst_.a)) return {};
      return fault(fmt::format("moves {} to {}", rep_name(rep(inst_.a)), rep_name(rep(inst_.dst))));
    case Op::kBox:
      if (rep(inst_.a) != Rep::kBoxed) return {};
      return fault("operand a is boxed already");
    case Op::kUnbox:
      if (rep(inst_.dst) != Rep::kBoxed) return {};
      return fault("operand dst is boxed");
    case Op::kReturn:
      if (rep(inst_.a) == function_.result) return {};
      return fault(fmt::format("returns {}, but the function's result is {}", rep_name(rep(inst_.a)),
                               rep_name(function_.result)));
    case Op::kConcat:
      for (std::size_t i = 0; i < inst_.c; ++i) SGL_TRY_STATUS(expect_arg(i, Rep::kBoxed));
      return {};
    case Op::kRecordNew:
      return check_record();
    case Op::kCall:
      return check_call();
    case Op::kBuiltin:
      return check_builtin();
    case Op::kGen:
      return check_gen();
    case Op::kSelect:
      return check_select();
    case Op::kParallelFor:
      return check_parallel_for();
    case Op::kParallel:
      return check_parallel();
    case Op::kTool:
      return check_tool();
    case Op::kTry:
      return check_try();
    default:
      return {};
  }
}

Status CodeChecker::expect_arg(std::size_t arg, Rep wanted) const {
  if (rep(args()[arg]) == wanted) return {};
  return fault(fmt::format("argument {} is {}, not {}", arg, rep_name(rep(args()[arg])), rep_name(wanted)));
}

Status CodeChecker::check_passed(std::size_t first, const Function& callee, std::size_t param,
                                 std::size_t count) const {
  if (callee.param_count - param != count) {
    return fault(fmt::format("passes {} arguments to {}, which takes {}", count, in_quotes(callee.name),
                             callee.param_count - param));
  }
  for (std::size_t i = 0; i < count; ++i) SGL_TRY_STATUS(expect_arg(first + i, callee.regs[param + i]));
  return {};
}

Status CodeChecker::check_record() {
  const Type& type = plan_.types[inst_.a];
  if (type.kind != TypeKind::kRecord) return fault(fmt::format("type {} is not a record", inst_.a));
  if (inst_.c == type.fields.size()) return {};
  return fault(fmt::format("{} arguments for {} fields", inst_.c, type.fields.size()));
}

Status CodeChecker::check_builtin() {
  const BuiltinInfo& info = kBuiltins[inst_.a];
  if (inst_.c >= info.min_args && inst_.c <= info.max_args) return {};
  return fault(fmt::format("{} takes {} to {} arguments, not {}", info.name, info.min_args, info.max_args, inst_.c));
}

Status CodeChecker::check_call() {
  const Function& callee = plan_.functions[inst_.a];
  if (callee.kind == FunctionKind::kFork) return fault(fmt::format("calls fork {}", in_quotes(callee.name)));
  if (function_.kind == FunctionKind::kFn && callee.kind != FunctionKind::kFn) {
    return fault(fmt::format("a fn cannot call {} {}", function_kind_name(callee.kind), in_quotes(callee.name)));
  }
  SGL_TRY_STATUS(check_passed(0, callee, 0, inst_.c));
  if (rep(inst_.dst) == callee.result) return {};
  return fault(fmt::format("the result of {} is {}, but operand dst is {}", in_quotes(callee.name),
                           rep_name(callee.result), rep_name(rep(inst_.dst))));
}

Status CodeChecker::check_gen() {
  const GenSpec& spec = plan_.gens[inst_.a];
  const std::size_t wanted = spec.options.size() + (spec.logprobs ? 1 : 0);
  if (inst_.c != wanted) return fault(fmt::format("{} arguments for gen {}, which takes {}", inst_.c, inst_.a, wanted));
  if (spec.logprobs) SGL_TRY_STATUS(expect_arg(wanted - 1, Rep::kBoxed));
  const Rep dst = rep(inst_.dst);
  if (dst == Rep::kBoxed || (!spec.many && dst == rep_of(plan_.type(spec.type)))) return {};
  return fault(fmt::format("the result of gen {} does not fit {} register {}", inst_.a, rep_name(dst), inst_.dst));
}

Status CodeChecker::check_select() {
  const std::size_t wanted = plan_.selects[inst_.a].scores ? 2 : 1;
  if (inst_.c != wanted) {
    return fault(fmt::format("{} arguments for select {}, which takes {}", inst_.c, inst_.a, wanted));
  }
  for (std::size_t i = 0; i < wanted; ++i) SGL_TRY_STATUS(expect_arg(i, Rep::kBoxed));
  return {};
}

Status CodeChecker::check_tool() {
  const Tool& tool = plan_.tools[inst_.a];
  if (inst_.c != tool.params.size()) {
    return fault(fmt::format("{} arguments for tool {}, which takes {}", inst_.c, in_quotes(tool.name), tool.params.size()));
  }
  for (std::size_t i = 0; i < inst_.c; ++i) SGL_TRY_STATUS(expect_arg(i, rep_of(plan_.type(tool.params[i].type))));
  if (rep(inst_.dst) == rep_of(plan_.type(tool.result))) return {};
  return fault(fmt::format("the answer of tool {} does not fit {} register {}", in_quotes(tool.name), rep_name(rep(inst_.dst)), inst_.dst));
}

// The record that a failure becomes: kind and message, texts; line, a number.
Status CodeChecker::check_try() {
  const Type& type = plan_.types[inst_.b];
  const auto is = [&](std::size_t field, std::string_view name, TypeKind kind) {
    return type.fields[field].name == name && plan_.type(type.fields[field].type).kind == kind && !type.fields[field].optional;
  };
  const bool right = type.kind == TypeKind::kRecord && type.fields.size() == 3 && is(0, "kind", TypeKind::kString) &&
                     is(1, "message", TypeKind::kString) && is(2, "line", TypeKind::kInt);
  if (right) return {};
  return fault(fmt::format("type {} is not the record of an error", inst_.b));
}

Status CodeChecker::check_parallel_for() {
  const Function& body = plan_.functions[inst_.a];
  if (body.kind != FunctionKind::kFork) {
    return fault(fmt::format("the body {} is a {}, not a fork", in_quotes(body.name), function_kind_name(body.kind)));
  }
  if (inst_.c < 2) return fault("needs a list and a bound");
  SGL_TRY_STATUS(expect_arg(0, Rep::kBoxed));
  SGL_TRY_STATUS(expect_arg(1, Rep::kInt));
  if (body.param_count < 2) return fault(fmt::format("the body {} does not take item and index", in_quotes(body.name)));
  if (body.regs[1] != Rep::kInt) return fault(fmt::format("the index of the body {} is not int", in_quotes(body.name)));
  return check_passed(2, body, 2, inst_.c - 2);
}

Status CodeChecker::check_parallel() {
  std::size_t next = 0;
  for (const ParallelSpec::Entry& entry : plan_.parallels[inst_.a].entries) {
    if (entry.arg_count > inst_.c - next)
      return fault(fmt::format("too few arguments for entry {}", in_quotes(entry.name)));
    SGL_TRY_STATUS(check_passed(next, plan_.function(entry.function), 0, entry.arg_count));
    next += entry.arg_count;
  }
  if (next == inst_.c) return {};
  return fault(fmt::format("{} arguments, but the entries take {}", inst_.c, next));
}

}  // namespace

Status check_code(const Plan& plan, std::size_t index) {
  return CodeChecker(plan, index).check();
}

}  // namespace sgl::plan
