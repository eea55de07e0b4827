#include "compiler/passes/flow.h"

#include <algorithm>

#include "compiler/passes/passes.h"

namespace sgl::compiler {

using plan::Function;
using plan::Inst;
using plan::kNone;
using plan::Op;

void optimize(plan::Plan& plan) {
  fold_constants(plan);
  merge_literals(plan);
  parallelize_independent(plan);
}

void analyze(plan::Plan& plan) {
  extract_static_prefixes(plan);
  compute_bounds(plan);
}

std::vector<bool> jump_targets(const Function& function) {
  std::vector<bool> out(function.code.size() + 1, false);
  for (const Inst& inst : function.code) {
    if (inst.op == Op::kJump) out[inst.a] = true;
    if (inst.op == Op::kBranch) out[inst.b] = out[inst.c] = true;
    if (inst.op == Op::kTry) out[inst.a] = true;
  }
  return out;
}

bool catches(const Function& function) {
  return std::any_of(function.code.begin(), function.code.end(), [](const Inst& inst) { return inst.op == Op::kTry; });
}

namespace {

bool is_register(char operand) {
  return operand == 'B' || operand == 'I' || operand == 'F' || operand == 'L' || operand == '*' || operand == 'o';
}

}  // namespace

std::vector<plan::Reg> reads(const Function& function, const Inst& inst) {
  const plan::OpInfo& info = plan::kOps[static_cast<std::size_t>(inst.op)];
  std::vector<plan::Reg> out;
  const std::uint32_t operands[3] = {inst.a, inst.b, inst.c};
  for (std::size_t i = 0; i < 3; ++i) {
    if (is_register(info.operands[i + 1]) && operands[i] != kNone) out.push_back(operands[i]);
  }
  if (info.has_args) out.insert(out.end(), function.args.begin() + inst.b, function.args.begin() + inst.b + inst.c);
  return out;
}

void rename_reads(Inst& inst, const std::map<plan::Reg, plan::Reg>& renamed) {
  const plan::OpInfo& info = plan::kOps[static_cast<std::size_t>(inst.op)];
  std::uint32_t* const operands[3] = {&inst.a, &inst.b, &inst.c};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!is_register(info.operands[i + 1])) continue;
    const auto it = renamed.find(*operands[i]);
    if (it != renamed.end()) *operands[i] = it->second;
  }
}

std::vector<plan::Reg> writes(const plan::Plan& plan, const Function& function, const Inst& inst) {
  std::vector<plan::Reg> out;
  if (inst.dst != kNone) out.push_back(inst.dst);
  if (inst.op == Op::kGen && plan.gens[inst.a].logprobs) out.push_back(function.args[inst.b + inst.c - 1]);
  if (inst.op == Op::kSelect && plan.selects[inst.a].scores) out.push_back(function.args[inst.b + 1]);
  return out;
}

bool is_removable(Op op) {
  switch (op) {
    case Op::kConst:
    case Op::kMove:
    case Op::kBox:
    case Op::kIntToFloat:
    case Op::kAddF:
    case Op::kSubF:
    case Op::kMulF:
    case Op::kNegF:
    case Op::kEqI:
    case Op::kLtI:
    case Op::kLeI:
    case Op::kEqF:
    case Op::kLtF:
    case Op::kLeF:
    case Op::kEqL:
    case Op::kNot:
      return true;
    default:
      return false;
  }
}

void compact(Function& function, const std::vector<bool>& keep) {
  std::vector<std::uint32_t> moved(function.code.size() + 1);
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < function.code.size(); ++i) {
    moved[i] = next;
    if (keep[i]) ++next;
  }
  moved[function.code.size()] = next;
  std::size_t out = 0;
  for (std::size_t i = 0; i < function.code.size(); ++i) {
    if (!keep[i]) continue;
    Inst inst = function.code[i];
    if (inst.op == Op::kJump) inst.a = moved[inst.a];
    if (inst.op == Op::kBranch) {
      inst.b = moved[inst.b];
      inst.c = moved[inst.c];
    }
    function.positions[out] = function.positions[i];
    function.code[out++] = inst;
  }
  function.code.resize(out);
  function.positions.resize(out);
}

}  // namespace sgl::compiler
