// The plan's tables, functions and programs.
#include "compiler/lower/lower.h"

#include <fmt/format.h>

#include "compiler/lower/builder.h"

namespace sgl::compiler {

plan::Plan lower(const ast::Module& main, const TypeTable& types, Constants& constants, const SourceSet& sources) {
  constants.lift_limit();
  return Lowerer(types, constants, sources).run(main);
}

plan::Plan Lowerer::run(const ast::Module& main) {
  plan_.compiler = "sglc 0.1.0";
  for (std::size_t i = 0; i < sources_.size(); ++i)
    plan_.files.push_back(sources_.file(FileId(static_cast<std::uint32_t>(i))).path());
  bool has_program = false;
  for (const auto& decl : main.declarations) {
    const auto* function = std::get_if<Decl::Function>(&decl->node);
    has_program =
        has_program || (function != nullptr && function->kind == plan::FunctionKind::kProgram && !function->tool);
  }
  for (const auto& decl : main.declarations) {
    const auto* function = std::get_if<Decl::Function>(&decl->node);
    if (function == nullptr || function->tool) continue;
    if (has_program && function->kind != plan::FunctionKind::kProgram) continue;
    function_id(*decl);
    if (has_program) plan_.programs.push_back(program_of(*decl));
  }
  while (!queue_.empty() && !full()) {
    const Decl* decl = queue_.front();
    queue_.pop_front();
    lower_function(*decl, function_ids_.at(decl));
  }
  return std::move(plan_);
}

plan::TypeId Lowerer::type_id(TypeId type) {
  const auto it = type_ids_.find(type.value);
  if (it != type_ids_.end()) return it->second;
  // Reserved before its parts are added, so that recursive types end.
  const plan::TypeId id(static_cast<std::uint32_t>(plan_.types.size()));
  type_ids_.emplace(type.value, id);
  plan_.types.emplace_back();
  Type copy = types_.get(type);
  if (type == types_.none()) copy.name.clear();
  for (TypeId& arg : copy.args) arg = type_id(arg);
  for (plan::Field& field : copy.fields) field.type = type_id(field.type);
  plan_.types[id.value] = std::move(copy);
  return id;
}

plan::ConstId Lowerer::constant(const ConstValue& value) {
  plan::Constant out;
  using From = ConstValue::Kind;
  using To = plan::Constant::Kind;
  std::string key;
  switch (value.kind) {
    case From::kNull:
      key = "n";
      break;
    case From::kBool:
      out.kind = To::kBool;
      out.number = value.number;
      key = fmt::format("b{}", value.number);
      break;
    case From::kInt:
      out.kind = To::kInt;
      out.number = value.number;
      key = fmt::format("i{}", value.number);
      break;
    case From::kFloat:
      out.kind = To::kFloat;
      out.real = value.real;
      key = fmt::format("f{:a}", value.real);
      break;
    case From::kString:
      out.kind = To::kString;
      out.text = value.text;
      key = "s" + value.text;
      break;
    case From::kList:
    case From::kRecord:
      out.kind = value.kind == From::kList ? To::kList : To::kRecord;
      if (value.kind == From::kRecord) out.type = type_id(value.type);
      key = fmt::format("{}{}", value.kind == From::kList ? 'l' : 'r', out.type.value);
      for (const ConstValue& item : value.items) {
        out.items.push_back(constant(item));
        key += fmt::format(",{}", out.items.back().value);
      }
      break;
  }
  const auto [it, inserted] =
      constants_.try_emplace(key, plan::ConstId(static_cast<std::uint32_t>(plan_.constants.size())));
  if (inserted) plan_.constants.push_back(std::move(out));
  return it->second;
}

plan::ConstId Lowerer::text_constant(std::string text) {
  ConstValue value;
  value.kind = ConstValue::Kind::kString;
  value.text = std::move(text);
  return constant(value);
}

plan::FunctionId Lowerer::function_id(const Decl& decl) {
  const auto [it, inserted] =
      function_ids_.try_emplace(&decl, plan::FunctionId(static_cast<std::uint32_t>(plan_.functions.size())));
  if (inserted) {
    plan_.functions.emplace_back();
    queue_.push_back(&decl);
  }
  return it->second;
}

void Lowerer::lower_function(const Decl& decl, plan::FunctionId id) {
  const auto& node = std::get<Decl::Function>(decl.node);
  joins_.clear();
  builders_.push_back(std::make_unique<FunctionBuilder>());
  plan::Function& function = fn().function;
  function.name = decl.name.text;
  function.kind = node.kind;
  function.param_count = static_cast<std::uint32_t>(node.params.size());
  function.result = rep(decl.type);
  function.result_type = type_id(decl.type);
  fn().position = decl.name.range;
  fn().result = decl.type;
  for (const ast::Param& param : node.params) declare(*param.binding);
  if (node.tool) {
    lower_tool(decl);
  } else if (node.expression) {
    lower_return(node.expression.get(), decl.type);
  } else if (node.body) {
    lower_block(*node.body);
    fn().position = {decl.name.range.file, node.body->range.end > 0 ? node.body->range.end - 1 : 0,
                     node.body->range.end};
    // Reached only without a result, or never: the checker saw to that.
    if (decl.type == types_.none()) {
      lower_return(nullptr, decl.type);
    } else {
      const Operand message = load_text("the end of the function was reached without a value");
      emit(Op::kFail, kNone, message.reg);
    }
  }
  plan_.functions[id.value] = std::move(function);
  builders_.pop_back();
}

// A tool is a function that waits for an answer and returns it.
void Lowerer::lower_tool(const Decl& decl) {
  const auto& node = std::get<Decl::Function>(decl.node);
  plan::Tool tool{decl.name.text, decl.doc, {}, type_id(decl.type)};
  std::vector<Reg> regs;
  for (const ast::Param& param : node.params) {
    tool.params.push_back({param.binding->name.text, type_id(param.binding->type), std::nullopt, param.doc});
    regs.push_back(fn().bindings.at(param.binding.get()));
  }
  const Operand answer = temp(rep(decl.type));
  emit_args(Op::kTool, answer.reg, static_cast<std::uint32_t>(plan_.tools.size()), regs);
  plan_.tools.push_back(std::move(tool));
  emit(Op::kReturn, kNone, answer.reg);
  give_back(answer);
}

plan::Program Lowerer::program_of(const Decl& decl) {
  const auto& node = std::get<Decl::Function>(decl.node);
  plan::Program program;
  program.name = decl.name.text;
  program.doc = decl.doc;
  program.function = function_id(decl);
  program.result = type_id(decl.type);
  for (const ast::Param& param : node.params) {
    plan::Param out{param.binding->name.text, type_id(param.binding->type), std::nullopt, param.doc};
    if (param.init) out.default_value = constant(values_.evaluate(*param.init, param.binding->type).value());
    program.params.push_back(std::move(out));
  }
  for (const ast::Option& limit : node.limits) {
    std::int64_t value = 0;
    if (const auto* duration = std::get_if<Expr::DurationLit>(&limit.value->node)) {
      value = duration->milliseconds;
    } else {
      value = values_.evaluate(*limit.value, types_.integer())->number;
    }
    if (limit.key.text == "tokens") program.limits.tokens = value;
    if (limit.key.text == "time") program.limits.time_ms = value;
    if (limit.key.text == "forks") program.limits.forks = value;
    if (limit.key.text == "fuel") program.limits.fuel = value;
    if (limit.key.text == "memory") program.limits.memory = value;
  }
  return program;
}

// ---- instructions ------------------------------------------------------------------------------------------------

std::size_t Lowerer::emit(Op op, std::uint32_t dst, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  plan::Function& function = fn().function;
  function.code.push_back({op, dst, a, b, c});
  const LineColumn at = sources_.file(fn().position.file).position(fn().position.begin);
  function.positions.push_back({fn().position.file.value, at.line, at.column});
  ++emitted_;
  return function.code.size() - 1;
}

std::size_t Lowerer::emit_args(Op op, std::uint32_t dst, std::uint32_t a, const std::vector<Reg>& args) {
  auto& pool = fn().function.args;
  const auto first = static_cast<std::uint32_t>(pool.size());
  pool.insert(pool.end(), args.begin(), args.end());
  listed_ += args.size();
  return emit(op, dst, a, first, static_cast<std::uint32_t>(args.size()));
}

void Lowerer::patch(std::size_t inst, std::uint32_t target) {
  Inst& jump = fn().function.code[inst];
  (jump.op == Op::kBranch ? jump.c : jump.a) = target;
}

Reg Lowerer::new_reg(Rep rep) {
  auto& free = fn().free[static_cast<std::size_t>(rep)];
  if (!free.empty()) {
    const Reg reg = free.back();
    free.pop_back();
    return reg;
  }
  fn().function.regs.push_back(rep);
  return static_cast<Reg>(fn().function.regs.size() - 1);
}

void Lowerer::give_back(const Operand& operand) {
  if (!operand.temporary) return;
  fn().free[static_cast<std::size_t>(fn().function.regs[operand.reg])].push_back(operand.reg);
}

Operand Lowerer::load_constant(const ConstValue& value) {
  Rep r = Rep::kBoxed;
  if (value.kind == ConstValue::Kind::kInt) r = Rep::kInt;
  if (value.kind == ConstValue::Kind::kFloat) r = Rep::kFloat;
  if (value.kind == ConstValue::Kind::kBool) r = Rep::kBool;
  const Operand out = temp(r);
  emit(Op::kConst, out.reg, constant(value).value);
  return out;
}

// Once for all uses: it may be large.
Operand Lowerer::load_known(const Expr& value, TypeId type) {
  const auto known = known_.find(&value);
  if (known == known_.end()) {
    const Operand out = load_constant(values_.evaluate(value, type).value());
    const FunctionBuilder& in = fn();
    known_.emplace(&value, Known{in.function.regs[out.reg], in.function.code.back().a});
    return out;
  }
  const Operand out = temp(known->second.rep);
  emit(Op::kConst, out.reg, known->second.id);
  return out;
}

Operand Lowerer::load_declared(const Decl& constant) {
  return load_known(*std::get<Decl::Const>(constant.node).value, constant.type);
}

Operand Lowerer::load_int(std::int64_t value) {
  ConstValue out;
  out.kind = ConstValue::Kind::kInt;
  out.number = value;
  return load_constant(out);
}

Operand Lowerer::load_text(std::string text) {
  const Operand out = temp(Rep::kBoxed);
  emit(Op::kConst, out.reg, text_constant(std::move(text)).value);
  return out;
}

Operand Lowerer::load_null() {
  return load_constant(ConstValue{});
}

Reg Lowerer::declare(const Binding& binding) {
  const Reg reg = new_reg(rep(binding.type));
  fn().bindings[&binding] = reg;
  return reg;
}

}  // namespace sgl::compiler
