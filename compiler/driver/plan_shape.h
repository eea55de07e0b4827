// Shapes that the lowering leaves in register code, seen from the plan alone. Internal to compiler/driver.
#pragma once

#include <cstddef>
#include <optional>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// Does the instruction only compute a value?
bool only_computes(const plan::Plan& plan, const plan::Inst& inst);

// Are the instructions [head, exit) a loop that counts, as `for` is compiled: counter < end, leave unless so, …,
// counter = counter + step, jump back? Then the register of the step, which nothing in the loop writes; O(exit - head).
std::optional<plan::Reg> counting_step(const plan::Function& function, std::size_t head, std::size_t exit);

}  // namespace sgl::compiler
