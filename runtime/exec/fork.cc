// Forks: parallel for, branches and independent programs side by side.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/exec/ops.h"
#include "runtime/exec/strand.h"

namespace sgl::exec {

using plan::Inst;

namespace {

// A child's label has those of all forks and calls around it.
// Calls, which the compiler names, nest as deep as the stack allows: theirs is a limit for plans from elsewhere.
constexpr std::size_t kMaxForkLabel = 4096, kMaxCallLabel = 1 << 20;  // bytes

bool label_fits(Strand& strand, std::size_t most) {
  return strand.label.size() <= most ||
         strand.instance->machine.fail(base::ErrorKind::kLimit, "forks and calls are nested too deeply");
}

}  // namespace

bool Executor::Impl::prepare_group(Strand& strand, std::size_t total, std::size_t bound) {
  Instance& instance = *strand.instance;
  if (!label_fits(strand, kMaxForkLabel)) return false;
  if (static_cast<std::int64_t>(total) > strand.forks_left) {
    return instance.machine.fail(base::ErrorKind::kLimit,
                                 fmt::format("{} forks are more than the {} that are left", total, strand.forks_left));
  }
  strand.forks_left -= static_cast<std::int64_t>(total);
  strand.spent.forks += static_cast<std::int64_t>(total);
  instance.result.forks += static_cast<std::int64_t>(total);
  open_group(strand, total, bound);
  return true;
}

void Executor::Impl::open_group(Strand& strand, std::size_t total, std::size_t bound) {
  auto group = std::make_unique<Group>();
  group->total = total;
  group->bound = bound == 0 ? total : bound;
  group->results.resize(total);
  group->children.resize(total);
  group->traces.resize(total);
  group->spent.resize(total);
  // Equal shares, so that what one fork may generate, compute or fork does not depend on how fast the others are.
  const auto parts = static_cast<std::int64_t>(std::max<std::size_t>(total, 1));
  group->tokens_each = strand.tokens_left / parts;
  group->fuel_each = strand.fuel_left / parts;
  group->forks_each = strand.forks_left / parts;
  strand.fuel_left -= group->fuel_each * static_cast<std::int64_t>(total);
  group->seed = mix_seed(strand.seed, strand.seed_counter++);
  strand.group = std::move(group);
}

bool Executor::Impl::begin_parallel_for(Strand& strand, const Inst& inst) {
  Machine& machine = strand.instance->machine;
  Frame& frame = *strand.top;
  const Value& list = frame.regs()[frame.function->args[inst.b]];
  const Value& bound = frame.regs()[frame.function->args[inst.b + 1]];
  if (!list.is(Tag::kList)) return machine.fail(base::ErrorKind::kFailed, "parallel for needs a list");
  const std::int64_t most = bound.as_int();
  if (!prepare_group(strand, list.items().size(), most > 0 ? static_cast<std::size_t>(most) : 0)) return false;
  strand.group->items.assign(list.items().begin(), list.items().end());
  start_children(strand);
  return true;
}

namespace {

// Calls that the compiler put side by side (compiler/passes/independent.cc), not forks that the program asked for.
bool are_calls(const plan::Plan& plan, const plan::ParallelSpec& spec) {
  return std::all_of(spec.entries.begin(), spec.entries.end(), [&](const plan::ParallelSpec::Entry& entry) {
    return plan.function(entry.function).kind == plan::FunctionKind::kProgram;
  });
}

// A tool waits for its answer and does nothing else, so it needs no share of an allowance.
bool is_tool(const plan::Function& function) {
  return std::all_of(function.code.begin(), function.code.end(),
                     [](const Inst& i) { return i.op == plan::Op::kTool || i.op == plan::Op::kReturn; });
}

// May calls share the tokens and the fuel? A share of one that was set on purpose may be too little for a call that the
// whole would be enough for. One that nobody set is there against programs that do not end, and a share of it is as
// good; the least share bounds how many programs run at once when such groups nest.
bool may_share(const Strand& strand, std::size_t parts) {
  constexpr std::int64_t kLeastTokens = 20'000, kLeastFuel = 10'000'000;
  const plan::ProgramLimits& own = strand.instance->program->limits;
  const RunLimits &given = strand.instance->options.limits, usual;
  if (own.tokens || own.fuel || given.tokens < usual.tokens || given.fuel < usual.fuel) return false;
  const auto n = static_cast<std::int64_t>(std::max<std::size_t>(parts, 1));
  return strand.tokens_left / n >= kLeastTokens && strand.fuel_left / n >= kLeastFuel;
}

// How many forks the programs that are called may make, by call: as many as their bounds say, if there are so many; a
// share each where one has no bound and nobody set a limit. Empty: they cannot share.
std::vector<std::int64_t> fork_shares(const plan::Plan& plan, const Strand& strand, const plan::ParallelSpec& spec) {
  constexpr std::int64_t kLeastForks = 100;
  std::vector<std::int64_t> out;
  std::int64_t left = strand.forks_left;
  for (const plan::ParallelSpec::Entry& entry : spec.entries) {
    if (is_tool(plan.function(entry.function))) {
      out.push_back(0);
      continue;
    }
    const auto callee = std::find_if(plan.programs.begin(), plan.programs.end(),
                                     [&](const plan::Program& p) { return p.function == entry.function; });
    // A limit of its own caps the bound, and does not hold where it is called.
    if (callee == plan.programs.end() || callee->limits.forks || !callee->bounds.forks) break;
    if (*callee->bounds.forks < 0 || *callee->bounds.forks > left) break;
    left -= *callee->bounds.forks;
    out.push_back(*callee->bounds.forks);
  }
  if (out.size() == spec.entries.size()) return out;
  const RunLimits usual;
  const auto n = static_cast<std::int64_t>(std::max<std::size_t>(spec.entries.size(), 1));
  const bool limited = strand.instance->program->limits.forks || strand.instance->options.limits.forks < usual.forks;
  if (limited || strand.forks_left / n < kLeastForks) return {};
  out.assign(spec.entries.size(), strand.forks_left / n);
  return out;
}

std::int64_t call_units(const plan::Function& callee) {
  return kCallUnits + static_cast<std::int64_t>(callee.regs.size());
}

}  // namespace

// Calls cost what they cost one after another: no forks, and where the allowance cannot be shared, each begins with
// what the one before it left.
bool Executor::Impl::begin_calls(Strand& strand, const plan::ParallelSpec& spec) {
  if (!label_fits(strand, kMaxCallLabel)) return false;
  bool tools = true;
  for (const plan::ParallelSpec::Entry& entry : spec.entries) {
    const plan::Function& callee = program().function(entry.function);
    tools = tools && is_tool(callee);
    if (strand.stack_left >= call_units(callee)) continue;
    return strand.instance->machine.fail(base::ErrorKind::kLimit,
                                         fmt::format("calls nest too deeply in '{}'", callee.name));
  }
  std::vector<std::int64_t> forks;
  if (!tools && may_share(strand, spec.entries.size())) forks = fork_shares(program(), strand, spec);
  const bool in_turn = !tools && forks.empty();
  open_group(strand, spec.entries.size(), in_turn ? 1 : 0);
  Group& group = *strand.group;
  group.forks_bounds = std::move(forks);
  if (in_turn) {
    group.in_turn = true;
    strand.fuel_left += std::exchange(group.fuel_each, 0) * static_cast<std::int64_t>(group.total);
  }
  start_children(strand);
  return true;
}

bool Executor::Impl::begin_parallel(Strand& strand, const Inst& inst) {
  const plan::ParallelSpec& spec = program().parallels[inst.a];
  if (are_calls(program(), spec)) return begin_calls(strand, spec);
  if (!prepare_group(strand, spec.entries.size(), 0)) return false;
  start_children(strand);
  return true;
}

namespace {

std::unique_ptr<Strand> make_child(Executor::Impl& executor, Strand& parent, std::size_t index) {
  Frame& frame = *parent.top;
  const Inst& inst = frame.function->code[frame.pc];
  const std::uint32_t* const args = frame.function->args.data() + inst.b;
  auto child = std::make_unique<Strand>();
  child->instance = parent.instance;
  child->parent = &parent;
  child->index = index;
  Group& group = *parent.group;
  child->tokens_left = group.in_turn ? parent.tokens_left : group.tokens_each;
  child->forks_left = group.in_turn                ? parent.forks_left
                      : group.forks_bounds.empty() ? group.forks_each
                                                   : group.forks_bounds[index];
  child->fuel_left = group.in_turn ? std::exchange(parent.fuel_left, 0) : group.fuel_each;
  child->seed = mix_seed(parent.group->seed, index);
  child->stack_left = parent.stack_left;
  if (inst.op == plan::Op::kParallelFor) {
    child->label = fmt::format("{}[{}]", parent.label, index);
    child->context = parent.context.fork();
    child->top = Frame::create(executor.program(), plan::FunctionId(inst.a), nullptr);
    const plan::Rep item_rep = child->top->function->regs[0];
    const Value& item = parent.group->items[index];
    // The list was typed by the compiler; a hostile plan's item of another kind stays zero.
    const bool fits = item_rep == plan::Rep::kBoxed || (item_rep == plan::Rep::kInt && item.is(Tag::kInt)) ||
                      (item_rep == plan::Rep::kFloat && item.is(Tag::kFloat)) ||
                      (item_rep == plan::Rep::kBool && item.is(Tag::kBool));
    if (fits) child->top->regs()[0] = item;
    child->top->regs()[1] = Value::integer(static_cast<std::int64_t>(index));
    for (std::uint32_t i = 2; i < inst.c; ++i) child->top->regs()[i] = frame.regs()[args[i]];
    return child;
  }
  const plan::ParallelSpec& spec = executor.program().parallels[inst.a];
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < index; ++i) first += spec.entries[i].arg_count;
  const plan::ParallelSpec::Entry& entry = spec.entries[index];
  child->label = fmt::format("{}{}{}", parent.label, parent.label.empty() ? "" : ".", entry.name);
  child->top = Frame::create(executor.program(), entry.function, nullptr);
  if (child->top->function->kind == plan::FunctionKind::kFork) {
    child->context = parent.context.fork();
  } else {
    child->stack_left -= call_units(*child->top->function);
    for (const plan::Program& p : executor.program().programs) {
      if (p.function == entry.function && p.limits.tokens)
        child->tokens_left = std::min(child->tokens_left, *p.limits.tokens);
    }
  }
  for (std::uint32_t i = 0; i < entry.arg_count; ++i) child->top->regs()[i] = frame.regs()[args[first + i]];
  return child;
}

}  // namespace

// Makes children ready up to the bound; they run from Executor::Impl::drain, so that neither nesting nor thousands of
// forks that end at once deepen the native stack.
void Executor::Impl::start_children(Strand& strand) {
  Group& group = *strand.group;
  while (group.next < group.total && group.running < group.bound && group.failed_index == SIZE_MAX &&
         !strand.cancelled) {
    const std::size_t index = group.next++;
    group.children[index] = make_child(*this, strand, index);
    ++group.running;
    ready.push_back(group.children[index].get());
  }
  if (group.running == 0) end_group(strand);
}

void Executor::Impl::child_done(Strand& parent, Strand& child, std::optional<Failure> failure) {
  Group& group = *parent.group;
  const std::size_t index = child.index;
  const std::int64_t fuel_left = std::max<std::int64_t>(child.fuel_left, 0);
  group.spent[index] = child.spent;
  if (group.in_turn) {
    parent.tokens_left -= child.spent.tokens;
    parent.forks_left -= child.spent.forks;
    parent.fuel_left += fuel_left;
  } else {
    group.spent[index].fuel = group.fuel_each - fuel_left;
  }
  group.traces[index] = std::move(child.trace);
  if (!failure) {
    group.results[index] = std::move(parent.instance->machine.result);
  } else if (index < group.failed_index) {
    group.failed_index = index;
    group.failure = std::move(*failure);
    // Siblings before this one go on: whichever of them fails is the failure, however fast each one is.
    for (std::size_t i = index + 1; i < group.total; ++i) {
      if (group.children[i]) cancel_strand(*group.children[i]);
    }
  }
  const std::unique_ptr<Strand> done = std::move(group.children[index]);
  --group.running;
  start_children(parent);
}

namespace {

// Charges the strand for its children: for those up to the first that failed. How far the others came, which are
// cancelled, depends on how fast they were, and the program may go on and must not depend on that.
void charge_children(Strand& strand, const Group& group) {
  Spent counted, in_vain;
  for (std::size_t i = 0; i < group.total; ++i) (i <= group.failed_index ? counted : in_vain) += group.spent[i];
  if (!group.in_turn) {
    strand.tokens_left -= counted.tokens;
    strand.forks_left -= counted.forks;
    strand.fuel_left += group.fuel_each * static_cast<std::int64_t>(group.total) - counted.fuel;
  }
  strand.spent.tokens += counted.tokens;
  strand.spent.forks += counted.forks;
  strand.instance->in_vain += in_vain;
}

}  // namespace

void Executor::Impl::end_group(Strand& strand) {
  const std::unique_ptr<Group> group = std::move(strand.group);
  Machine& machine = strand.instance->machine;
  charge_children(strand, *group);
  // How far the siblings after a failed one came depends on how fast they were.
  for (std::size_t i = 0; i < group->total && i <= group->failed_index; ++i) {
    for (std::string& line : group->traces[i]) trace(strand, std::move(line));
  }
  if (strand.cancelled || group->failed_index != SIZE_MAX) {
    Failure failure =
        strand.cancelled ? Failure{{base::ErrorKind::kCancelled, "cancelled"}, {}} : std::move(group->failure);
    const base::ErrorKind kind = failure.error.kind;
    const bool final = kind == base::ErrorKind::kCancelled || kind == base::ErrorKind::kInternal;
    if (!final && wasted(*strand.instance)) {
      failure.error = base::over_limit("forks beside failed ones spent as much as the program may in all");
    }
    finish(strand, std::move(failure));
    return;
  }
  Frame& frame = *strand.top;
  const Inst& inst = frame.function->code[frame.pc];
  Value value = inst.op == plan::Op::kParallelFor ? Value::list(group->results)
                                                  : Value::record(program().parallels[inst.a].type, group->results);
  if (!made(machine, value)) {
    finish(strand, failure_at(strand));
    return;
  }
  complete(strand, std::move(value));
  ready.push_back(&strand);
}

}  // namespace sgl::exec
