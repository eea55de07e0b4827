// Where the registers of a function are written and read. A picture of the code as it was: after a change, take
// another. Internal to compiler/passes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// Made in O(operands of the code); N is the number of places at which one register is used.
class RegisterUses {
 public:
  RegisterUses(const plan::Plan& plan, const plan::Function& function);

  // Does a jump lead to this instruction?
  bool is_target(std::size_t at) const { return targets_[at]; }

  // The last instruction before `at`, in the same straight line, that writes `reg`; nullopt when a jump leads in
  // between. O(log N).
  std::optional<std::size_t> definition_before(std::size_t at, plan::Reg reg) const;
  // The same where control comes to `at` from above, whatever jumps to it.
  std::optional<std::size_t> definition_above(std::size_t at, plan::Reg reg) const;

  // Is it written by an instruction of [begin, end)? O(log N).
  bool is_written(plan::Reg reg, std::size_t begin, std::size_t end) const;
  bool is_ever_written(plan::Reg reg) const { return !writes_[reg].empty(); }

  // May something from `at` on read what `reg` holds there, before it is written? For functions without a try. O(log N)
  // in a straight line and for every jump on the ways from there; after a thousand of these the answer is yes.
  bool is_read_from(std::size_t at, plan::Reg reg) const;

 private:
  using Places = std::vector<std::uint32_t>;  // ascending

  const plan::Function& function_;
  std::vector<bool> targets_;
  Places line_begins_;                  // by instruction: where the straight line that it is in begins
  Places leaves_;                       // jumps, branches, ends of the function
  std::vector<Places> writes_, reads_;  // by register
};

}  // namespace sgl::compiler
