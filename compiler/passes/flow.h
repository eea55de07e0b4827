// Control flow and data flow of register code, as the passes need them. Internal to compiler/passes.
#pragma once

#include <map>
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

}  // namespace sgl::compiler
