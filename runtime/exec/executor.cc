#include "runtime/exec/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "runtime/constraint/plan_constraints.h"
#include "runtime/exec/convert.h"
#include "runtime/exec/json_members.h"
#include "runtime/exec/ops.h"
#include "runtime/exec/strand.h"

namespace sgl::exec {

Executor::Executor(std::shared_ptr<const LoadedPlan> plan, ModelPort& port)
    : impl_(std::make_unique<Impl>(std::move(plan), port)) {}

Executor::~Executor() {
  cancel_all();
  run();
}

namespace {

using Json = nlohmann::ordered_json;

std::string program_list(const plan::Plan& plan) {
  std::string out;
  for (const plan::Program& program : plan.programs) out += (out.empty() ? "" : ", ") + program.name;
  return out;
}

// For each parameter its argument, nullptr where none is given. Precondition: an object.
base::Expected<std::vector<const Json*>> arguments_by_parameter(const plan::Program& program, const Json& args) {
  JsonMembers members(args);
  std::vector<const Json*> out;
  std::set<std::string_view> names;
  for (const plan::Param& param : program.params) {
    out.push_back(members.find(param.name));
    names.insert(param.name);
  }
  for (const auto& [key, unused] : args.items()) {
    if (!names.contains(key))
      return base::invalid(fmt::format("program '{}' has no parameter '{}'", program.name, key));
  }
  return out;
}

// Arguments into the first frame's registers.
base::Status bind_arguments(const Image& image, const plan::Program& program, const Json& args, Value* regs) {
  if (!args.is_object()) return base::invalid("the arguments must be a JSON object");
  SGL_TRY(const std::vector<const Json*> given, arguments_by_parameter(program, args));
  for (std::size_t i = 0; i < program.params.size(); ++i) {
    const plan::Param& param = program.params[i];
    if (given[i] != nullptr) {
      SGL_TRY(regs[i], value_from_json(*image.plan, param.type, *given[i], param.name));
    } else if (param.default_value) {
      regs[i] = image.constants[param.default_value->value];
    } else {
      return base::invalid(fmt::format("argument '{}' of program '{}' is missing", param.name, program.name));
    }
  }
  return {};
}

std::int64_t lower_of(std::int64_t allowed, const std::optional<std::int64_t>& own) {
  return own ? std::min(allowed, *own) : allowed;
}

}  // namespace

base::Expected<InstanceId> Executor::start(const std::string& name, const nlohmann::ordered_json& args,
                                           const RunOptions& options, RunEvents events) {
  const plan::Plan& plan = impl_->program();
  const plan::Program* program = plan.find_program(name);
  if (program == nullptr) {
    return base::not_found(fmt::format("there is no program '{}'; there is: {}", name, program_list(plan)));
  }
  auto instance = std::make_unique<Instance>();
  Machine& machine = instance->machine;
  machine.image = &impl_->plan->image();
  machine.heap.limit = lower_of(options.limits.memory, program->limits.memory);
  instance->fuel_start = lower_of(options.limits.fuel, program->limits.fuel);
  instance->program = program;
  instance->options = options;
  instance->events = std::move(events);
  auto root = std::make_unique<Strand>();
  root->instance = instance.get();
  root->seed = mix_seed(options.seed, 0);
  root->fuel_left = instance->fuel_start;
  root->forks_left = instance->forks_start = lower_of(options.limits.forks, program->limits.forks);
  root->tokens_left = instance->tokens_start = lower_of(options.limits.tokens, program->limits.tokens);
  root->top = Frame::create(plan, program->function, nullptr);
  const plan::Function& function = plan.function(program->function);
  current_heap() = &machine.heap;
  const base::Status bound = bind_arguments(*machine.image, *program, args, root->top->regs());
  const bool fits = !machine.heap.exceeded;
  current_heap() = nullptr;
  if (!bound.ok()) return bound.error();
  if (!fits) return base::over_limit("the arguments need more memory than the program may use");
  for (std::size_t i = 0; i < program->params.size(); ++i) {
    const Value& value = root->top->regs()[i];
    const plan::Rep rep = function.regs[i];
    const bool same = rep == plan::Rep::kBoxed || (rep == plan::Rep::kInt && value.is(Tag::kInt)) ||
                      (rep == plan::Rep::kFloat && value.is(Tag::kFloat)) ||
                      (rep == plan::Rep::kBool && value.is(Tag::kBool));
    if (!same) return base::invalid(fmt::format("argument '{}' does not fit its register", program->params[i].name));
  }
  const std::int64_t time_ms = options.limits.time_ms > 0 ? lower_of(options.limits.time_ms, program->limits.time_ms)
                                                          : program->limits.time_ms.value_or(0);
  if (time_ms > 0) instance->deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(time_ms);
  machine.stop = [running = instance.get()] {
    running->timed_out = running->timed_out || running->deadline <= std::chrono::steady_clock::now();
    return running->timed_out || (running->options.cancelled && running->options.cancelled());
  };
  const InstanceId id(impl_->next_id++);
  instance->id = id;
  instance->root = std::move(root);
  impl_->ready.push_back(instance->root.get());
  impl_->instances.emplace(id.value, std::move(instance));
  return id;
}

void Executor::cancel(InstanceId id) {
  const auto it = impl_->instances.find(id.value);
  if (it != impl_->instances.end()) impl_->cancel_strand(*it->second->root);
}

void Executor::cancel_all() {
  for (const auto& [id, instance] : impl_->instances) impl_->cancel_strand(*instance->root);
}

bool Executor::poll(std::chrono::milliseconds timeout) {
  impl_->drain();
  if (impl_->instances.empty()) return false;
  using Clock = std::chrono::steady_clock;
  auto until = Clock::now() + timeout;
  for (const auto& [id, instance] : impl_->instances) {
    if (!instance->timed_out) until = std::min(until, instance->deadline);
  }
  std::deque<Mail> mail;
  {
    std::unique_lock lock(impl_->mailbox->mutex);
    impl_->mailbox->arrived.wait_until(lock, until,
                                       [&] { return !impl_->mailbox->mail.empty() || impl_->mailbox->woken; });
    impl_->mailbox->woken = false;
    mail.swap(impl_->mailbox->mail);
  }
  for (Mail& m : mail) {
    impl_->deliver(m);
    impl_->drain();
  }
  const auto now = Clock::now();
  for (const auto& [id, instance] : impl_->instances) {
    if (instance->deadline <= now && !instance->timed_out) {
      instance->timed_out = true;
      impl_->cancel_strand(*instance->root);
    }
  }
  return !impl_->instances.empty();
}

base::Expected<std::shared_ptr<const constraint::Constraint>> Executor::Impl::constraint_for(plan::TypeId type,
                                                                                             RunResult& result) {
  if (is_free_text(program().type(type))) return std::shared_ptr<const constraint::Constraint>();
  auto& slot = constraints[type.value];
  if (slot) return slot;
  SGL_TRY(constraint::PlanConstraint made, constraint::constraint_of(program(), type));
  ++(made.loaded ? result.constraints_loaded : result.constraints_compiled);
  if (!made.refused.empty()) {
    result.constraints_refused.push_back(
        fmt::format("the compiled constraint of type {} was not used: {}", type.value, made.refused));
  }
  slot = std::move(made.constraint);
  return slot;
}

void Executor::wake() {
  {
    std::lock_guard lock(impl_->mailbox->mutex);
    impl_->mailbox->woken = true;
  }
  impl_->mailbox->arrived.notify_one();
}

std::size_t Executor::active() const {
  return impl_->instances.size();
}

namespace {

std::size_t strand_bytes(const Strand& strand) {
  std::size_t bytes = sizeof(Strand) + strand.label.capacity() + strand.suspended.capacity() * sizeof(Suspended);
  for (const Frame* frame = strand.top; frame != nullptr; frame = frame->caller)
    bytes += Frame::bytes(*frame->function);
  if (strand.pending) {
    bytes += sizeof(Pending) + strand.pending->requests.capacity() * sizeof(engine::RequestId) +
             strand.pending->results.capacity() * sizeof(engine::Finished);
  }
  if (strand.group) {
    bytes += sizeof(Group);
    for (const auto& child : strand.group->children) bytes += child ? strand_bytes(*child) : 0;
  }
  return bytes;
}

}  // namespace

std::size_t Executor::overhead_bytes(InstanceId id) const {
  const auto it = impl_->instances.find(id.value);
  return it == impl_->instances.end() ? 0 : sizeof(Instance) + strand_bytes(*it->second->root);
}

}  // namespace sgl::exec
