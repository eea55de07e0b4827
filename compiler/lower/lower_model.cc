// Generations, selections and forks to instructions.
#include <fmt/format.h>

#include "compiler/check/checker.h"
#include "compiler/lower/builder.h"

namespace sgl::compiler {

Operand Lowerer::lower_gen(const ast::GenNode& gen, const Binding* binding) {
  plan::GenSpec spec;
  spec.name = gen.label.text.empty() ? "gen" : gen.label.text;
  spec.type = type_id(gen.value_type);
  spec.many = gen.many;
  std::vector<Operand> operands;
  std::vector<Reg> regs;
  for (const ast::Option* option : gen.effective) {
    const plan::GenOption kind = *find_gen_option(option->key.text);
    if (kind == plan::GenOption::kLogprobs) continue;  // a matter of GenSpec::logprobs
    spec.options.push_back(kind);
    if (kind == plan::GenOption::kMaxTokens) {
      const auto value = values_.evaluate(*option->value, types_.integer());
      if (value && value->kind == ConstValue::Kind::kInt) spec.max_tokens = value->number;
    }
    operands.push_back(lower(*option->value));
    regs.push_back(operands.back().reg);
  }
  Reg companion = kNone;
  if (binding != nullptr && binding->wants_companion) {
    spec.logprobs = true;
    companion = declare(*binding->companion);
    regs.push_back(companion);
  }
  for (const Operand& operand : operands) give_back(operand);
  const Rep r = gen.many ? Rep::kBoxed : rep(gen.value_type);
  const Operand out = binding != nullptr ? Operand{declare(*binding), false} : temp(r);
  emit_args(Op::kGen, out.reg, static_cast<std::uint32_t>(plan_.gens.size()), regs);
  plan_.gens.push_back(std::move(spec));
  return out;
}

Operand Lowerer::lower_select(const ast::SelectNode& select, const Binding* binding) {
  plan::SelectSpec spec;
  spec.name = select.label.text.empty() ? "select" : select.label.text;
  spec.method = select.method;
  const Operand choices = lower(*select.choices);
  std::vector<Reg> regs{choices.reg};
  if (binding != nullptr && binding->wants_companion) {
    spec.scores = true;
    regs.push_back(declare(*binding->companion));
  }
  const Operand out = binding != nullptr ? Operand{declare(*binding), false} : temp(Rep::kBoxed);
  emit_args(Op::kSelect, out.reg, static_cast<std::uint32_t>(plan_.selects.size()), regs);
  plan_.selects.push_back(std::move(spec));
  give_back(choices);
  return out;
}

plan::FunctionId Lowerer::lower_fork(const ast::ForkBody& body, const std::string& name,
                                     const std::vector<const Binding*>& params, bool add_index) {
  const plan::FunctionId id(static_cast<std::uint32_t>(plan_.functions.size()));
  plan_.functions.emplace_back();
  builders_.push_back(std::make_unique<FunctionBuilder>());
  const std::set<std::uint32_t> saved_joins = std::exchange(joins_, {});
  plan::Function& function = fn().function;
  function.name = name;
  function.kind = plan::FunctionKind::kFork;
  function.result = rep(body.result);
  function.result_type = type_id(body.result);
  fn().result = body.result;
  fn().position = body.block.range;
  for (const Binding* param : params) declare(*param);
  if (add_index) new_reg(Rep::kInt);  // the index is always passed, wanted or not
  for (const Binding* capture : body.captures) declare(*capture);
  function.param_count = static_cast<std::uint32_t>(function.regs.size());
  lower_block(body.block);
  const Operand message = load_text("the end of the fork was reached without a value");
  emit(Op::kFail, kNone, message.reg);
  plan_.functions[id.value] = std::move(function);
  builders_.pop_back();
  joins_ = saved_joins;
  return id;
}

Operand Lowerer::lower_parallel(const Expr& expr, const Expr::ParallelFor& node) {
  static_cast<void>(expr);
  std::vector<const Binding*> params{node.vars.item.get()};
  if (node.vars.index) params.push_back(node.vars.index.get());
  const Operand list = lower(*node.source);
  const Operand bound = node.bound ? lower_as(*node.bound, types_.integer()) : load_int(0);
  const plan::FunctionId body = lower_fork(node.body, fn().function.name + ".parallel", params, !node.vars.index);
  std::vector<Reg> regs{list.reg, bound.reg};
  for (const Binding* capture : node.body.captures) regs.push_back(fn().bindings.at(capture));
  const Operand out = temp(Rep::kBoxed);
  emit_args(Op::kParallelFor, out.reg, body.value, regs);
  give_back(list);
  give_back(bound);
  return out;
}

Operand Lowerer::lower_branch(const Expr& expr, const Expr::Branch& node) {
  plan::ParallelSpec spec;
  spec.type = type_id(expr.type);
  std::vector<Reg> regs;
  for (const auto& arm : node.arms) {
    const plan::FunctionId body = lower_fork(arm.body, fn().function.name + "." + arm.name.text, {}, false);
    spec.entries.push_back({arm.name.text, body, static_cast<std::uint32_t>(arm.body.captures.size())});
    for (const Binding* capture : arm.body.captures) regs.push_back(fn().bindings.at(capture));
  }
  const Operand out = temp(Rep::kBoxed);
  emit_args(Op::kParallel, out.reg, static_cast<std::uint32_t>(plan_.parallels.size()), regs);
  plan_.parallels.push_back(std::move(spec));
  return out;
}

}  // namespace sgl::compiler
