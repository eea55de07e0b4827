// Hand-built plans, and a driver that runs them by either executor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/exec/jit/jit.h"
#include "runtime/exec/state.h"
#include "runtime/plan/plan.h"

namespace sgl::exec::test {

// Appends functions to a plan. Positions are line = instruction + 1, column = function + 1.
class Builder {
 public:
  explicit Builder(plan::Plan& plan);
  // Begins a function and gives its id; registers beyond the parameters follow by reg().
  std::uint32_t begin(plan::FunctionKind kind, const std::vector<plan::Rep>& params, plan::Rep result);
  plan::Reg reg(plan::Rep rep);
  // The place of the instruction.
  std::uint32_t emit(plan::Op op, std::uint32_t dst = plan::kNone, std::uint32_t a = plan::kNone,
                     std::uint32_t b = plan::kNone, std::uint32_t c = plan::kNone);
  std::uint32_t emit_args(plan::Op op, std::uint32_t dst, std::uint32_t a, const std::vector<plan::Reg>& args);
  std::uint32_t here() const;  // the place of the next instruction
  plan::Function& function() { return plan_.functions.back(); }
  plan::Inst& inst(std::uint32_t at) { return function().code[at]; }

  plan::Reg integer(std::int64_t value);  // a new register with this constant
  plan::Reg real(double value);
  std::uint32_t const_int(std::int64_t value);
  std::uint32_t const_real(double value);
  std::uint32_t const_bool(bool value);
  std::uint32_t const_text(std::string text);
  std::uint32_t const_null();

 private:
  std::uint32_t add(plan::Constant constant);
  plan::Plan& plan_;
};

struct Outcome {
  bool ok = false;
  std::string value;  // tag and JSON
  base::ErrorKind kind = base::ErrorKind::kInternal;
  std::string message;
  std::uint32_t line = 0, column = 0;
  std::int64_t fuel = 0;
  std::int64_t stack_left = 0;
  std::int64_t leaked = 0;  // bytes of values left when all frames are gone

  std::string text() const;  // everything in one line, for comparison
};

// Runs `function`, which takes no parameters; `code` nullptr: interpreted.
Outcome run(const Image& image, const JitImage* code, std::uint32_t function, std::int64_t fuel);

// Runs by both executors and checks that nothing differs; gives the outcome.
Outcome run_both(const plan::Plan& plan, std::uint32_t function, std::int64_t fuel = 1'000'000, int optimization = 1);

}  // namespace sgl::exec::test
