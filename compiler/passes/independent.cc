// Independent generations: neighbouring calls of programs whose arguments do not need each other's results.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/register_uses.h"
#include "runtime/plan/verify.h"

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
  for (std::size_t i = first + 1; i < function.code.size() && !targets[i] && calls.size() < plan::kMaxParallelEntries;
       ++i) {
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

// Puts the groups of one function side by side.
class Grouping {
 public:
  Grouping(plan::Plan& plan, const Function& function)
      : plan_(plan), function_(function), before_(function), uses_(plan, function) {}

  // Each group in order; none overlaps another.
  Function run(const std::vector<std::vector<std::size_t>>& groups) {
    auto next = groups.begin();
    std::vector<std::uint32_t> moved(before_.code.size() + 1);
    function_.code.clear();
    function_.positions.clear();
    for (std::size_t i = 0; i < before_.code.size(); ++i) {
      if (next != groups.end() && i == next->front()) {
        group(*next, moved);
        i = next->back();
        ++next;
        continue;
      }
      moved[i] = static_cast<std::uint32_t>(function_.code.size());
      push(before_.code[i], i);
    }
    moved[before_.code.size()] = static_cast<std::uint32_t>(function_.code.size());
    for (Inst& inst : function_.code) {
      if (inst.op == Op::kJump) inst.a = moved[inst.a];
      if (inst.op == Op::kBranch) {
        inst.b = moved[inst.b];
        inst.c = moved[inst.c];
      }
    }
    return std::move(function_);
  }

 private:
  void push(const Inst& inst, std::size_t from) {
    function_.code.push_back(inst);
    function_.positions.push_back(before_.positions[from]);
  }

  // What stands between the calls comes before all of them: where it would change an argument of an earlier call, as
  // the temporary of a literal argument does, it writes a new register.
  void group(const std::vector<std::size_t>& calls, std::vector<std::uint32_t>& moved) {
    std::map<Reg, Reg> renamed;
    std::set<Reg> arguments, results;
    std::vector<Reg> list;  // the arguments of all
    plan::ParallelSpec spec;
    plan::Type record;
    record.kind = plan::TypeKind::kRecord;
    std::size_t next = 0;
    for (std::size_t i = calls.front(); i <= calls.back(); ++i) {
      moved[i] = static_cast<std::uint32_t>(function_.code.size());
      Inst inst = before_.code[i];
      if (i != calls[next]) {
        rename_reads(inst, renamed);
        if (arguments.count(inst.dst) > 0) {
          const Reg reg = new_register(function_.regs[inst.dst]);
          renamed[inst.dst] = reg;
          inst.dst = reg;
        }
        push(inst, i);
        continue;
      }
      ++next;
      for (std::uint32_t k = 0; k < inst.c; ++k) {
        const Reg reg = before_.args[inst.b + k];
        const auto it = renamed.find(reg);
        list.push_back(it != renamed.end() ? it->second : reg);
        arguments.insert(list.back());
      }
      results.insert(inst.dst);
      const Function& callee = plan_.functions[inst.a];
      const std::string name = fmt::format("{}_{}", callee.name, spec.entries.size() + 1);
      spec.entries.push_back({name, plan::FunctionId(inst.a), inst.c});
      record.fields.push_back({name, callee.result_type, false, ""});
    }
    spec.type = plan::TypeId(static_cast<std::uint32_t>(plan_.types.size()));
    plan_.types.push_back(std::move(record));
    const Reg result = new_register(plan::Rep::kBoxed);
    const auto first_arg = static_cast<std::uint32_t>(function_.args.size());
    function_.args.insert(function_.args.end(), list.begin(), list.end());
    push({Op::kParallel, result, static_cast<std::uint32_t>(plan_.parallels.size()), first_arg,
          static_cast<std::uint32_t>(list.size())},
         calls.front());
    plan_.parallels.push_back(std::move(spec));
    for (const auto& [reg, place] : renamed) {
      if (results.count(reg) > 0 || !uses_.is_read_from(calls.back() + 1, reg)) continue;
      push({Op::kMove, reg, place, plan::kNone, plan::kNone}, calls.back());
    }
    for (std::size_t n = 0; n < calls.size(); ++n) {
      push({Op::kField, before_.code[calls[n]].dst, result, static_cast<std::uint32_t>(n), plan::kNone}, calls[n]);
    }
  }

  Reg new_register(plan::Rep rep) {
    function_.regs.push_back(rep);
    return static_cast<Reg>(function_.regs.size() - 1);
  }

  plan::Plan& plan_;
  Function function_;
  const Function& before_;
  RegisterUses uses_;
};

}  // namespace

void parallelize_independent(plan::Plan& plan) {
  for (Function& function : plan.functions) {
    if (catches(function)) continue;
    const std::vector<bool> targets = jump_targets(function);
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < function.code.size(); ++i) {
      if (!is_program_call(plan, function.code[i])) continue;
      std::vector<std::size_t> calls = find_group(plan, function, targets, i);
      if (calls.size() < 2) continue;
      i = calls.back();
      groups.push_back(std::move(calls));
    }
    if (!groups.empty()) function = Grouping(plan, function).run(groups);
  }
}

}  // namespace sgl::compiler
