// What both executors share: constants, frames, failures, fuel.
#include <fmt/format.h>

#include <new>

#include "runtime/exec/state.h"

namespace sgl::exec {

using plan::Rep;

namespace {

Value make_constant(const Image& image, const plan::Constant& constant) {
  using Kind = plan::Constant::Kind;
  switch (constant.kind) {
    case Kind::kNull:
      return {};
    case Kind::kBool:
      return Value::boolean(constant.number != 0);
    case Kind::kInt:
      return Value::integer(constant.number);
    case Kind::kFloat:
      return Value::real(constant.real);
    case Kind::kString:
      return Value::string(constant.text);
    case Kind::kList:
    case Kind::kRecord:
      break;
  }
  std::vector<Value> items;
  for (const plan::ConstId id : constant.items) items.push_back(image.constants[id.value]);
  return constant.kind == Kind::kList ? Value::list(items) : Value::record(constant.type, items);
}

}  // namespace

Image::Image(const plan::Plan& p) : plan(&p) {
  Heap* const saved = std::exchange(current_heap(), nullptr);  // constants are the plan's, charged to no instance
  constants.reserve(p.constants.size());
  for (const plan::Constant& constant : p.constants) {
    constants.push_back(make_constant(*this, constant));
    constants.back().make_immortal();
  }
  current_heap() = saved;
}

Image::~Image() {
  Heap* const saved = std::exchange(current_heap(), nullptr);
  // Last first: a list or record goes while the constants that it refers to are still immortal, and does not touch
  // them.
  for (; !constants.empty(); constants.pop_back()) constants.back().make_mortal();
  current_heap() = saved;
}

bool Machine::fail(base::ErrorKind kind, std::string message) {
  error_kind = kind;
  error_message = std::move(message);
  error_position = {};
  return false;
}

void note_position(Machine& machine, const plan::Function& function, std::size_t index) {
  if (machine.error_position.line == 0 && index < function.positions.size()) {
    machine.error_position = function.positions[index];
  }
}

bool charge_fuel(Machine& machine, std::int64_t units) {
  machine.fuel -= units;
  return machine.fuel >= 0 || refuel(machine);
}

bool refuel(Machine& machine) {
  const std::int64_t left = fuel_left(machine);
  if (left < 0) {
    machine.fuel = left, machine.fuel_reserve = 0;
    return machine.fail(base::ErrorKind::kLimit, "the program used up its fuel: a loop or recursion runs too long");
  }
  set_fuel(machine, left);
  if (machine.stop && machine.stop()) return machine.fail(base::ErrorKind::kCancelled, "cancelled");
  return true;
}

bool enter_call(Machine& machine, const plan::Function& callee) {
  if (!charge_fuel(machine, call_fuel(callee))) return false;
  const std::int64_t units = kCallUnits + static_cast<std::int64_t>(callee.regs.size());
  if (machine.stack_left < units) {
    return machine.fail(base::ErrorKind::kLimit, fmt::format("calls nest too deeply in '{}'", callee.name));
  }
  machine.stack_left -= units;
  return true;
}

Frame* Frame::create(const plan::Plan& plan, plan::FunctionId function, Frame* caller) {
  const plan::Function& f = plan.function(function);
  auto* frame = new (::operator new(bytes(f))) Frame;
  frame->caller = caller;
  frame->function = &f;
  frame->function_index = function.value;
  for (std::size_t i = 0; i < f.regs.size(); ++i) {
    auto* reg = new (&frame->regs()[i]) Value;
    if (f.regs[i] == Rep::kInt) reg->set_scalar(Tag::kInt, 0);
    if (f.regs[i] == Rep::kFloat) reg->set_scalar(Tag::kFloat, 0);
    if (f.regs[i] == Rep::kBool) reg->set_scalar(Tag::kBool, 0);
  }
  return frame;
}

void Frame::destroy(Frame* frame) {
  for (std::size_t i = 0; i < frame->function->regs.size(); ++i) frame->regs()[i].~Value();
  frame->~Frame();
  ::operator delete(frame);
}

}  // namespace sgl::exec
