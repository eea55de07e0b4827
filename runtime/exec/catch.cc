// Failures that a program catches. A try is a dynamic handler of its strand: it remembers the frame to go back to and
// the context as it was, so that a caught failure leaves no half-written message behind.
#include <fmt/format.h>

#include <utility>

#include "runtime/exec/strand.h"

namespace sgl::exec {
namespace {

// What a handler gets. It has a little room of its own, for the failure may be that values fill the heap; where that is
// taken, too, Heap::exceeded is set.
Value caught_value(Machine& machine, plan::TypeId type, const Failure& failure) {
  constexpr std::int64_t kRoom = 4096;  // bytes: several records with messages of usual length
  machine.heap.limit += kRoom;
  const Value fields[] = {Value::string(base::error_kind_name(failure.error.kind)),
                          Value::string(failure.error.message),
                          Value::integer(static_cast<std::int64_t>(failure.position.line))};
  Value made = Value::record(type, fields);
  machine.heap.limit -= kRoom;
  return made;
}

}  // namespace

bool Executor::Impl::begin_try(Strand& strand, const plan::Inst& inst) {
  if (strand.handlers.size() >= kMaxHandlers) {
    return strand.instance->machine.fail(base::ErrorKind::kLimit, "too many try blocks are open inside each other");
  }
  strand.handlers.push_back(
      {strand.top, inst.a, inst.dst, plan::TypeId(inst.b), strand.context, strand.suspended.size()});
  ++strand.top->pc;
  return true;
}

bool Executor::Impl::end_try(Strand& strand) {
  if (strand.handlers.empty() || strand.handlers.back().frame != strand.top) {
    return strand.instance->machine.fail(base::ErrorKind::kInvalid,
                                         "a try ends here that did not begin in this function");
  }
  strand.handlers.pop_back();
  ++strand.top->pc;
  return true;
}

bool Executor::Impl::recover(Strand& strand, const Failure& failure) {
  Instance& instance = *strand.instance;
  Machine& machine = instance.machine;
  const base::ErrorKind kind = failure.error.kind;
  // What the caller allows is not the program's to go beyond, and bugs are not hidden.
  const bool allowance =
      strand.cancelled || instance.timed_out || strand.fuel_left < 0 || machine.heap.exceeded || wasted(instance);
  if (strand.handlers.empty() || allowance || kind == base::ErrorKind::kCancelled || kind == base::ErrorKind::kInternal)
    return false;
  Handler handler = std::move(strand.handlers.back());
  strand.handlers.pop_back();
  Heap* const outer = std::exchange(current_heap(), &machine.heap);
  while (strand.top != handler.frame) {
    Frame* const done = strand.top;
    strand.stack_left += kCallUnits + static_cast<std::int64_t>(done->function->regs.size());
    strand.top = done->caller;
    Frame::destroy(done);
  }
  while (strand.suspended.size() > handler.suspended) {
    strand.tokens_left += strand.suspended.back().tokens_outside;
    strand.suspended.pop_back();
  }
  strand.pending.reset();
  strand.group.reset();
  strand.context = std::move(handler.context);
  trace(strand, fmt::format("caught {}: {}", base::error_kind_name(kind), failure.error.message));
  Value caught = caught_value(machine, handler.type, failure);
  const bool refused = std::exchange(machine.heap.exceeded, false);
  if (!refused) strand.top->regs()[handler.error] = std::move(caught);
  strand.top->pc = handler.target;
  machine.error_message.clear();
  machine.error_position = {};
  caught = Value();
  current_heap() = outer;
  if (!refused) ready.push_back(&strand);
  return !refused;
}

}  // namespace sgl::exec
