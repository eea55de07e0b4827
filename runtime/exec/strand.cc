// The driver: runs strands, performs calls, and moves results between strands.
#include "runtime/exec/strand.h"

#include <fmt/format.h>

#include "runtime/exec/convert.h"
#include "runtime/exec/ops.h"

namespace sgl::exec {

using plan::FunctionKind;
using plan::Inst;
using plan::Op;

std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t salt) {
  std::uint64_t x = seed + 0x9E3779B97F4A7C15ULL * (salt + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

Strand::~Strand() {
  while (top != nullptr) {
    Frame* const caller = top->caller;
    Frame::destroy(top);
    top = caller;
  }
}

void Mailbox::post(Mail m) {
  {
    std::lock_guard lock(mutex);
    mail.push_back(std::move(m));
  }
  arrived.notify_one();
}

void Executor::Impl::drain() {
  while (!ready.empty()) {
    Strand& strand = *ready.front();
    ready.pop_front();
    current_heap() = &strand.instance->machine.heap;
    resume(strand);
    current_heap() = nullptr;
  }
}

void Executor::Impl::resume(Strand& strand) {
  Instance& instance = *strand.instance;
  Machine& machine = instance.machine;
  for (;;) {
    if (strand.cancelled) {
      finish(strand, Failure{{base::ErrorKind::kCancelled, "cancelled"}, {}});
      return;
    }
    machine.context = &strand.context;
    machine.stack_left = strand.stack_left;
    set_fuel(machine, strand.fuel_left);
    const NativeStep native = plan->step(strand.top->function_index);
    const Step step =
        native != nullptr ? static_cast<Step>(native(&machine, strand.top)) : interpret(machine, *strand.top);
    strand.stack_left = machine.stack_left;
    strand.fuel_left = fuel_left(machine);
    if (step == Step::kReturn) {
      if (strand.top->caller == nullptr) {
        finish(strand, std::nullopt);
        return;
      }
      returned(strand);
      continue;
    }
    bool waiting = false;
    const bool performed = step != Step::kError && perform(strand, waiting);
    if (!performed) {
      finish(strand, failure_at(strand));
      return;
    }
    if (waiting) return;
  }
}

bool Executor::Impl::perform(Strand& strand, bool& waiting) {
  const Inst& inst = strand.top->function->code[strand.top->pc];
  if (inst.op == Op::kCall) return call(strand, inst);
  const bool charged = charge_fuel(strand.instance->machine);
  strand.fuel_left = fuel_left(strand.instance->machine);
  if (!charged) return false;
  waiting = true;
  switch (inst.op) {
    case Op::kGen:
      return begin_generate(strand, inst);
    case Op::kSelect:
      return begin_select(strand, inst);
    case Op::kParallelFor:
      return begin_parallel_for(strand, inst);
    case Op::kParallel:
      return begin_parallel(strand, inst);
    case Op::kTool:
      return begin_tool(strand, inst);
    case Op::kTry:
      waiting = false;
      return begin_try(strand, inst);
    case Op::kTryEnd:
      waiting = false;
      return end_try(strand);
    default:
      break;
  }
  return strand.instance->machine.fail(base::ErrorKind::kInternal,
                                       "an instruction that is no effect was left to the driver");
}

bool Executor::Impl::call(Strand& strand, const Inst& inst) {
  Machine& machine = strand.instance->machine;
  const plan::FunctionId id(inst.a);
  const plan::Function& callee = program().function(id);
  machine.stack_left = strand.stack_left;
  const bool entered = enter_call(machine, callee);
  strand.stack_left = machine.stack_left;
  strand.fuel_left = fuel_left(machine);
  if (!entered) return false;
  Frame* const caller = strand.top;
  Frame* const frame = Frame::create(program(), id, caller);
  for (std::uint32_t i = 0; i < inst.c; ++i) frame->regs()[i] = caller->regs()[caller->function->args[inst.b + i]];
  if (callee.kind == FunctionKind::kProgram) {
    std::int64_t allowed = strand.tokens_left;
    for (const plan::Program& p : program().programs) {
      if (p.function == id && p.limits.tokens) allowed = std::min(allowed, *p.limits.tokens);
    }
    strand.suspended.push_back({frame, std::move(strand.context), strand.tokens_left - allowed});
    strand.context = Context();
    strand.tokens_left = allowed;
  }
  strand.top = frame;
  return true;
}

void Executor::Impl::returned(Strand& strand) {
  Frame* const done = strand.top;
  strand.stack_left += kCallUnits + static_cast<std::int64_t>(done->function->regs.size());
  if (!strand.suspended.empty() && strand.suspended.back().frame == done) {
    strand.context = std::move(strand.suspended.back().context);
    strand.tokens_left += strand.suspended.back().tokens_outside;
    strand.suspended.pop_back();
  }
  while (!strand.handlers.empty() && strand.handlers.back().frame == done) strand.handlers.pop_back();
  strand.top = done->caller;
  Frame::destroy(done);
  complete(strand, std::move(strand.instance->machine.result));
}

void Executor::Impl::complete(Strand& strand, Value value) {
  Frame& frame = *strand.top;
  const std::uint32_t dst = frame.function->code[frame.pc].dst;
  if (dst != plan::kNone) frame.regs()[dst] = std::move(value);
  ++frame.pc;
}

Failure Executor::Impl::failure_at(Strand& strand) {
  Machine& machine = strand.instance->machine;
  const Frame* at = strand.top;
  // A tool's failure is shown where it is called, not where it is declared.
  if (at->function->code[at->pc].op == Op::kTool) {
    if (at->caller != nullptr) {
      at = at->caller;
    } else if (strand.parent != nullptr) {  // calls that run side by side
      at = strand.parent->top;
    }
  }
  note_position(machine, *at->function, at->pc);
  return {{machine.error_kind, machine.error_message}, machine.error_position};
}

void Executor::Impl::finish(Strand& strand, std::optional<Failure> failure) {
  if (failure && recover(strand, *failure)) return;
  if (strand.parent == nullptr) {
    finish_instance(*strand.instance, std::move(failure));
  } else {
    child_done(*strand.parent, strand, std::move(failure));
  }
}

void Executor::Impl::finish_instance(Instance& instance, std::optional<Failure> failure) {
  RunResult& result = instance.result;
  result.fuel_used = instance.fuel_start - std::max<std::int64_t>(instance.root->fuel_left, 0);
  result.trace = std::move(instance.root->trace);
  if (failure) {
    if (failure->error.kind == base::ErrorKind::kCancelled && instance.timed_out) {
      failure->error = base::over_limit("the program ran longer than its time limit");
    }
    if (instance.options.trace) {
      result.trace.push_back(fmt::format("error {} at {}:{}: {}", base::error_kind_name(failure->error.kind),
                                         failure->position.line, failure->position.column, failure->error.message));
    }
    result.error_position = failure->position;
    result.value = std::move(failure->error);
  } else {
    result.value = to_json_text(program(), instance.machine.result);
    if (instance.options.trace && result.value.ok()) result.trace.push_back("return " + *result.value);
  }
  // The instance is gone before its owner hears of it, so that the callback may start or count others.
  const auto node = instances.extract(instance.id.value);
  current_heap() = &node.mapped()->machine.heap;
  node.mapped()->root.reset();
  node.mapped()->machine.result = Value();
  current_heap() = nullptr;
  if (node.mapped()->events.on_finished) node.mapped()->events.on_finished(std::move(node.mapped()->result));
}

void Executor::Impl::cancel_strand(Strand& strand) {
  strand.cancelled = true;
  if (strand.pending) {
    for (const engine::RequestId id : strand.pending->requests) port.cancel(id);
    if (strand.pending->tool) strand.instance->options.tools->cancel(*strand.pending->tool);
  }
  if (strand.group) {
    for (const auto& child : strand.group->children) {
      if (child) cancel_strand(*child);
    }
  }
}

void Executor::Impl::deliver(Mail& mail) {
  Strand& strand = *mail.strand;
  Instance& instance = *strand.instance;
  Frame& frame = *strand.top;
  const Inst& inst = frame.function->code[frame.pc];
  if (mail.answer) {
    current_heap() = &instance.machine.heap;
    if (end_tool(strand, std::move(*mail.answer))) {
      ready.push_back(&strand);
    } else {
      finish(strand, failure_at(strand));
    }
    current_heap() = nullptr;
    return;
  }
  const std::string& name = inst.op == Op::kGen ? program().gens[inst.a].name : program().selects[inst.a].name;
  if (!mail.finished) {
    if (instance.events.on_text) instance.events.on_text(strand.label, name, mail.text);
    return;
  }
  strand.pending->results[mail.request] = std::move(*mail.finished);
  if (--strand.pending->outstanding > 0) return;
  current_heap() = &instance.machine.heap;
  const bool ok = inst.op == Op::kGen ? end_generate(strand) : end_select(strand);
  if (ok) {
    if (instance.events.on_step) instance.events.on_step(strand.label, name);
    ready.push_back(&strand);
  } else {
    finish(strand, failure_at(strand));
  }
  current_heap() = nullptr;
}

}  // namespace sgl::exec
