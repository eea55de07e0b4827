#include "runtime/exec/jit/runtime_calls.h"

#include <string>

namespace sgl::exec {
namespace {

const plan::Function& function_at(const Machine& machine, std::uint32_t index) {
  return machine.image->plan->functions[index];
}

}  // namespace

extern "C" {

std::int32_t sgl_execute(Machine* machine, std::uint32_t function, std::uint32_t index, Value* regs) noexcept {
  const plan::Function& f = function_at(*machine, function);
  if (execute_value_inst(*machine, f, f.code[index], regs)) return 0;
  note_position(*machine, f, index);
  return 1;
}

void sgl_fail(Machine* machine, std::uint32_t function, std::uint32_t index, std::int32_t code) noexcept {
  switch (static_cast<FailCode>(code)) {
    case FailCode::kOverflow:
      machine->fail(base::ErrorKind::kFailed, "integer overflow");
      break;
    case FailCode::kDivisionByZero:
      machine->fail(base::ErrorKind::kFailed, "division by zero");
      break;
  }
  note_position(*machine, function_at(*machine, function), index);
}

std::int32_t sgl_refuel(Machine* machine, std::uint32_t function, std::uint32_t index) noexcept {
  if (refuel(*machine)) return 0;
  note_position(*machine, function_at(*machine, function), index);
  return 1;
}

void sgl_fail_stack(Machine* machine, std::uint32_t function, std::uint32_t index, std::uint32_t callee) noexcept {
  const plan::Function& called = function_at(*machine, callee);
  machine->fuel += call_fuel(called);
  static_cast<void>(enter_call(*machine, called));  // fails as it did inline
  note_position(*machine, function_at(*machine, function), index);
}

void sgl_fail_program(Machine* machine, std::uint32_t function, std::uint32_t index, const Value* message) noexcept {
  machine->fail(base::ErrorKind::kFailed,
                message->is(Tag::kString) ? std::string(message->as_string()) : std::string("failed"));
  note_position(*machine, function_at(*machine, function), index);
}

void sgl_release(Value* regs, std::uint32_t count) noexcept {
  for (std::uint32_t i = 0; i < count; ++i) regs[i].set_scalar(Tag::kNull, 0);
}

void sgl_return_scalar(Machine* machine, std::uint64_t tag, std::uint64_t bits) noexcept {
  machine->result.set_scalar(static_cast<Tag>(tag), bits);
}

void sgl_return_value(Machine* machine, const Value* value) noexcept { machine->result = *value; }

}  // extern "C"

}  // namespace sgl::exec
