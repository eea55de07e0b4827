// What compiled code calls: everything that is not a few machine instructions. The names are the symbols that the
// code generator declares and compile.cc defines for the linker. None throws: running out of memory ends the process.
#pragma once

#include <cstdint>

#include "runtime/exec/state.h"

namespace sgl::exec {

// Failures of instructions that are compiled inline.
enum class FailCode : std::int32_t { kOverflow, kDivisionByZero };

extern "C" {

// Executes instruction `index` of function `function` on `regs`; 0, or 1 with the failure and its position recorded.
std::int32_t sgl_execute(Machine* machine, std::uint32_t function, std::uint32_t index, Value* regs) noexcept;

// These record a failure of that instruction.
void sgl_fail(Machine* machine, std::uint32_t function, std::uint32_t index, std::int32_t code) noexcept;
// Machine::fuel went below zero. 0: there is more, go on.
std::int32_t sgl_refuel(Machine* machine, std::uint32_t function, std::uint32_t index) noexcept;
// A call found too little of Machine::stack_left; its fuel is paid already.
void sgl_fail_stack(Machine* machine, std::uint32_t function, std::uint32_t index, std::uint32_t callee) noexcept;
void sgl_fail_program(Machine* machine, std::uint32_t function, std::uint32_t index, const Value* message) noexcept;

// Releases `count` registers and leaves them null.
void sgl_release(Value* regs, std::uint32_t count) noexcept;

// These set Machine::result.
void sgl_return_scalar(Machine* machine, std::uint64_t tag, std::uint64_t bits) noexcept;
void sgl_return_value(Machine* machine, const Value* value) noexcept;

}  // extern "C"

}  // namespace sgl::exec
