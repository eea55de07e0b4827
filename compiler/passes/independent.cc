// Independent generations: neighbouring calls of programs whose arguments do not need each other's results.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"

namespace sgl::compiler {

using plan::Function;
using plan::Inst;
using plan::Op;
using plan::Reg;

namespace {

bool is_program_call(const plan::Plan& plan, const Inst& inst) {
  return inst.op == Op::kCall && plan.functions[inst.a].kind == plan::FunctionKind::kProgram;
}

// Calls [first, …] that can run together, by instruction index. Between them stand only instructions that cannot fail
// and read no result of the group; those are moved before it.
std::vector<std::size_t> find_group(const plan::Plan& plan, const Function& function, const std::vector<bool>& targets,
                                    std::size_t first) {
  std::vector<std::size_t> calls{first};
  std::set<Reg> results{function.code[first].dst};
  for (std::size_t i = first + 1; i < function.code.size() && !targets[i]; ++i) {
    const Inst& inst = function.code[i];
    const auto needs_result = [&] {
      const auto used = reads(function, inst);
      return std::any_of(used.begin(), used.end(), [&](Reg reg) { return results.count(reg) > 0; });
    };
    if (needs_result() || results.count(inst.dst) > 0) break;
    if (is_program_call(plan, inst)) {
      calls.push_back(i);
      results.insert(inst.dst);
    } else if (!is_removable(inst.op)) {
      break;
    }
  }
  return calls;
}

// What stands between the calls runs before all of them: where it would change an argument of an earlier call, as the
// temporary of a literal argument does, it writes a new register. Returns the new places of registers.
std::map<Reg, Reg> rename_between(Function& function, const std::vector<std::size_t>& calls) {
  std::map<Reg, Reg> renamed;
  std::set<Reg> arguments;
  std::size_t next = 0;
  for (std::size_t i = calls.front(); i <= calls.back(); ++i) {
    Inst& inst = function.code[i];
    if (i == calls[next]) {
      ++next;
      const auto list = static_cast<std::uint32_t>(function.args.size());
      for (std::uint32_t k = 0; k < inst.c; ++k) {
        const Reg reg = function.args[inst.b + k];
        const auto it = renamed.find(reg);
        function.args.push_back(it != renamed.end() ? it->second : reg);
        arguments.insert(function.args.back());
      }
      inst.b = list;
      continue;
    }
    rename_reads(inst, renamed);
    if (arguments.count(inst.dst) == 0) continue;
    const Reg reg = static_cast<Reg>(function.regs.size());
    function.regs.push_back(function.regs[inst.dst]);
    renamed[inst.dst] = reg;
    inst.dst = reg;
  }
  return renamed;
}

void rewrite(plan::Plan& plan, Function& function, const std::vector<std::size_t>& calls) {
  plan::ParallelSpec spec;
  plan::Type record;
  record.kind = plan::TypeKind::kRecord;
  std::set<Reg> results;
  const std::map<Reg, Reg> renamed = rename_between(function, calls);
  const auto first_arg = static_cast<std::uint32_t>(function.args.size());
  for (const std::size_t call : calls) {
    const Inst inst = function.code[call];
    results.insert(inst.dst);
    const Function& callee = plan.functions[inst.a];
    const std::string name = fmt::format("{}_{}", callee.name, spec.entries.size() + 1);
    spec.entries.push_back({name, plan::FunctionId(inst.a), inst.c});
    record.fields.push_back({name, callee.result_type, false, ""});
    for (std::uint32_t i = 0; i < inst.c; ++i) function.args.push_back(function.args[inst.b + i]);
  }
  const auto arg_count = static_cast<std::uint32_t>(function.args.size()) - first_arg;
  spec.type = plan::TypeId(static_cast<std::uint32_t>(plan.types.size()));
  plan.types.push_back(std::move(record));
  const Reg result = static_cast<Reg>(function.regs.size());
  function.regs.push_back(plan::Rep::kBoxed);
  // The group stands where its last call stood; the calls before it are dropped.
  std::vector<Inst> code;
  std::vector<plan::SourcePosition> positions;
  std::vector<std::uint32_t> moved(function.code.size() + 1);
  for (std::size_t i = 0; i < function.code.size(); ++i) {
    moved[i] = static_cast<std::uint32_t>(code.size());
    const bool member = std::find(calls.begin(), calls.end(), i) != calls.end();
    if (member && i != calls.back()) continue;
    if (!member) {
      code.push_back(function.code[i]);
      positions.push_back(function.positions[i]);
      continue;
    }
    code.push_back({Op::kParallel, result, static_cast<std::uint32_t>(plan.parallels.size()), first_arg, arg_count});
    positions.push_back(function.positions[calls.front()]);
    for (const auto& [reg, place] : renamed) {
      if (results.count(reg) > 0 || !is_read_from(plan, function, i + 1, reg)) continue;
      code.push_back({Op::kMove, reg, place, plan::kNone, plan::kNone});
      positions.push_back(function.positions[i]);
    }
    for (std::size_t n = 0; n < calls.size(); ++n) {
      code.push_back({Op::kField, function.code[calls[n]].dst, result, static_cast<std::uint32_t>(n), plan::kNone});
      positions.push_back(function.positions[calls[n]]);
    }
  }
  moved[function.code.size()] = static_cast<std::uint32_t>(code.size());
  for (Inst& inst : code) {
    if (inst.op == Op::kJump) inst.a = moved[inst.a];
    if (inst.op == Op::kBranch) {
      inst.b = moved[inst.b];
      inst.c = moved[inst.c];
    }
  }
  function.code = std::move(code);
  function.positions = std::move(positions);
  plan.parallels.push_back(std::move(spec));
}

}  // namespace

void parallelize_independent(plan::Plan& plan) {
  for (std::size_t f = 0; f < plan.functions.size(); ++f) {
    if (catches(plan.functions[f])) continue;
    for (std::size_t i = 0; i < plan.functions[f].code.size(); ++i) {
      if (!is_program_call(plan, plan.functions[f].code[i])) continue;
      const std::vector<std::size_t> calls = find_group(plan, plan.functions[f], jump_targets(plan.functions[f]), i);
      if (calls.size() < 2) continue;
      Function function = plan.functions[f];
      rewrite(plan, function, calls);
      plan.functions[f] = std::move(function);
    }
  }
}

}  // namespace sgl::compiler
