// Control flow and data flow of register code, as the passes need them. Internal to compiler/passes.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// True for every instruction that a jump leads to.
std::vector<bool> jump_targets(const plan::Function& function);

// Has it a try? Then any instruction may lead to a handler, and passes that move or drop code leave the function alone.
bool catches(const plan::Function& function);

// Registers that an instruction reads, its operand list included.
std::vector<plan::Reg> reads(const plan::Function& function, const plan::Inst& inst);

// Replaces registers that the instruction itself reads; its operand list stays.
void rename_reads(plan::Inst& inst, const std::map<plan::Reg, plan::Reg>& renamed);

// Registers that it writes: dst, and those that gen and select fill besides.
std::vector<plan::Reg> writes(const plan::Plan& plan, const plan::Function& function, const plan::Inst& inst);

// No effect but its dst, and it cannot fail: may be removed when dst is not read.
bool is_removable(plan::Op op);

// Drops the instructions not marked in `keep`; jumps to a dropped one lead to the next that is kept.
void compact(plan::Function& function, const std::vector<bool>& keep);

// The last instruction before `at`, in the same straight line, that writes `reg`; nullopt when a jump leads in between.
std::optional<std::size_t> definition_before(const plan::Plan& plan, const plan::Function& function,
                                             const std::vector<bool>& targets, std::size_t at, plan::Reg reg);

// May something from `at` on read what `reg` holds there, before it is written? For functions without a try.
bool is_read_from(const plan::Plan& plan, const plan::Function& function, std::size_t at, plan::Reg reg);

plan::ConstId find_or_add(plan::Plan& plan, const plan::Constant& constant);
plan::ConstId text_constant(plan::Plan& plan, std::string text);

}  // namespace sgl::compiler
