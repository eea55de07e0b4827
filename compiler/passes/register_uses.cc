#include "compiler/passes/register_uses.h"

#include <algorithm>
#include <unordered_set>

#include "compiler/passes/flow.h"

namespace sgl::compiler {

using plan::Inst;
using plan::Op;

namespace {

constexpr std::uint32_t kNowhere = 0xffffffff;

std::uint32_t first_from(const std::vector<std::uint32_t>& places, std::size_t at) {
  const auto it = std::lower_bound(places.begin(), places.end(), at);
  return it == places.end() ? kNowhere : *it;
}

}  // namespace

RegisterUses::RegisterUses(const plan::Plan& plan, const plan::Function& function)
    : function_(function),
      targets_(jump_targets(function)),
      line_begins_(function.code.size() + 1, 0),
      writes_(function.regs.size()),
      reads_(function.regs.size()) {
  bool leaves = false;  // the instruction before
  for (std::uint32_t i = 0; i <= function.code.size(); ++i) {
    line_begins_[i] = i == 0 || leaves || targets_[i] ? i : line_begins_[i - 1];
    if (i == function.code.size()) break;
    const Inst& inst = function.code[i];
    for (const plan::Reg reg : reads(function, inst)) reads_[reg].push_back(i);
    for (const plan::Reg reg : writes(plan, function, inst)) writes_[reg].push_back(i);
    const bool jumps = inst.op == Op::kJump || inst.op == Op::kBranch;
    leaves = jumps;
    if (jumps || inst.op == Op::kReturn || inst.op == Op::kFail) leaves_.push_back(i);
  }
}

std::optional<std::size_t> RegisterUses::definition_before(std::size_t at, plan::Reg reg) const {
  const Places& places = writes_[reg];
  const auto it = std::lower_bound(places.begin(), places.end(), at);
  if (it == places.begin() || *(it - 1) < line_begins_[at]) return std::nullopt;
  return *(it - 1);
}

std::optional<std::size_t> RegisterUses::definition_above(std::size_t at, plan::Reg reg) const {
  if (at == 0) return std::nullopt;
  const Inst& above = function_.code[at - 1];
  if (above.op == Op::kJump || above.op == Op::kBranch) return std::nullopt;
  if (is_written(reg, at - 1, at)) return at - 1;
  return definition_before(at - 1, reg);
}

bool RegisterUses::is_written(plan::Reg reg, std::size_t begin, std::size_t end) const {
  return first_from(writes_[reg], begin) < end;
}

bool RegisterUses::is_read_from(std::size_t at, plan::Reg reg) const {
  constexpr std::size_t kMostJumps = 1000;
  std::unordered_set<std::size_t> seen;  // where jumps led: every loop has one
  std::vector<std::size_t> work{at};
  while (!work.empty()) {
    const std::size_t from = work.back();
    work.pop_back();
    const std::uint32_t leave = first_from(leaves_, from), read = first_from(reads_[reg], from),
                        write = first_from(writes_[reg], from);
    if (read != kNowhere && read <= std::min(write, leave)) return true;  // an instruction reads before it writes
    if (leave == kNowhere || write <= leave) continue;
    const Inst& inst = function_.code[leave];
    if (inst.op == Op::kReturn || inst.op == Op::kFail) continue;
    if (seen.size() > kMostJumps) return true;
    if (inst.op == Op::kBranch && seen.insert(inst.c).second) work.push_back(inst.c);
    const std::size_t next = inst.op == Op::kJump ? inst.a : inst.b;
    if (seen.insert(next).second) work.push_back(next);
  }
  return false;
}

}  // namespace sgl::compiler
