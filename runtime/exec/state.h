// The state that both executors work on: frames of a strand, and what an instance may still spend. Internal to exec.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "runtime/base/expected.h"
#include "runtime/exec/value.h"
#include "runtime/plan/plan.h"

namespace sgl::exec {

class Context;

// Cost of a call against Machine::stack_left: this plus one unit a register. Bounds the native stack of compiled code:
// a unit is at most 24 bytes there (a 16-byte slot and a spilled scalar), kCallUnits covers the fixed part of a frame.
constexpr std::int64_t kCallUnits = 16;
// 100,000 units are 2.4 MB of an 8 MB thread stack, or about 4,000 nested calls of a small function.
constexpr std::int64_t kStackUnits = 100'000;

// A loaded plan, ready to execute: constants materialised once, immortal, shared by all instances.
struct Image {
  const plan::Plan* plan = nullptr;
  std::vector<Value> constants;
  explicit Image(const plan::Plan& p);
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  // Precondition: no value refers to a constant any more.
  ~Image();
};

// What executes. Compiled code reads and writes the first members by offset (jit/codegen.cc): keep their order.
struct Machine {
  std::int64_t fuel = 0;        // offset 0: units left of this slice (set_fuel); negative: of all, exhausted
  std::int64_t stack_left = 0;  // offset 8: units left for calls of the running strand
  const Image* image = nullptr;
  Context* context = nullptr;  // of the running strand
  Value result;                // of the function that just returned
  // Set by whoever reports a failure:
  base::ErrorKind error_kind = base::ErrorKind::kInternal;
  std::string error_message;
  plan::SourcePosition error_position;
  Heap heap;
  std::int64_t fuel_reserve = 0;  // units left beyond the slice
  // Asked between slices: true when the computation is to end, because its time is over or it was cancelled.
  std::function<bool()> stop;

  // Records a failure; always false, so that `return machine.fail(…)` reads well.
  bool fail(base::ErrorKind kind, std::string message);
};

struct Frame {
  Frame* caller = nullptr;
  const plan::Function* function = nullptr;
  std::uint32_t pc = 0;  // next instruction to execute
  std::uint32_t function_index = 0;
  Value* regs() { return reinterpret_cast<Value*>(this + 1); }
  // Registers start as zero, false or null.
  static Frame* create(const plan::Plan& plan, plan::FunctionId function, Frame* caller);
  static void destroy(Frame* frame);
  static std::size_t bytes(const plan::Function& function) {
    return sizeof(Frame) + function.regs.size() * sizeof(Value);
  }
};

enum class Step : std::int32_t {
  kReturn = 0,  // Machine::result holds the value
  kEffect = 1,  // frame.pc is at an instruction that the instance performs (call, gen, select, parallel)
  kError = 2,   // Machine::error_* are set, position included
};

// Runs `frame` from its pc until it returns, fails or meets an instruction that is not its own to perform.
Step interpret(Machine& machine, Frame& frame);
// The same signature as a symbol for compiled functions.
using NativeStep = std::int32_t (*)(Machine*, Frame*);

// Executes one value or context instruction (not a jump, call, return or effect) on `regs`. False: failed, without
// position. Both executors use it, so they cannot differ.
bool execute_value_inst(Machine& machine, const plan::Function& function, const plan::Inst& inst, Value* regs);
// Notes the position of a failure unless one is there already.
void note_position(Machine& machine, const plan::Function& function, std::size_t index);

// Fuel is handed out in slices, between which Machine::stop is asked: a computation ends soon after it is told to.
constexpr std::int64_t kFuelSlice = std::int64_t{1} << 18;  // some milliseconds of interpreted loops
inline std::int64_t fuel_left(const Machine& machine) {
  return machine.fuel + machine.fuel_reserve;
}
inline void set_fuel(Machine& machine, std::int64_t left) {
  machine.fuel = std::min(left, kFuelSlice);
  machine.fuel_reserve = left - machine.fuel;
}
// After a charge that left Machine::fuel negative: the next slice; false: there is none, or it is to stop.
bool refuel(Machine& machine);

// Charges one unit of fuel / the stack units of a call; false: over the limit, the failure is recorded.
bool charge_fuel(Machine& machine, std::int64_t units = 1);
bool enter_call(Machine& machine, const plan::Function& callee);
// Units for a call: its registers are written and cleared.
inline std::int64_t call_fuel(const plan::Function& callee) {
  return 1 + static_cast<std::int64_t>(callee.regs.size() / 64);
}
inline void leave_call(Machine& machine, const plan::Function& callee) {
  machine.stack_left += kCallUnits + static_cast<std::int64_t>(callee.regs.size());
}

}  // namespace sgl::exec
