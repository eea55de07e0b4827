// Strands: an instance's lines of execution. The root strand runs the program; every fork is a strand of its own.
// Internal to exec.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/exec/executor.h"
#include "runtime/exec/tool_port.h"

namespace sgl::exec {

struct Strand;
struct Instance;

struct Failure {
  base::Error error;
  plan::SourcePosition position;
};

// What a strand spent of its instance's allowance, those below it included.
struct Spent {
  std::int64_t tokens = 0, forks = 0;
  std::int64_t fuel = 0;  // only in groups; else Strand::fuel_left says it
  Spent& operator+=(const Spent& other) {
    tokens += other.tokens, forks += other.forks, fuel += other.fuel;
    return *this;
  }
};

// The children of one parallel instruction.
struct Group {
  std::vector<std::unique_ptr<Strand>> children;  // by index; reset when done
  std::vector<Value> results;
  std::vector<Value> items;  // parallel for: the list
  std::size_t total = 0, next = 0, running = 0;
  std::size_t bound = 0;                // at most this many at once
  std::size_t failed_index = SIZE_MAX;  // lowest index that failed
  Failure failure;
  bool in_turn = false;  // one after the other, each with what is left of the parent's allowance
  std::int64_t tokens_each = 0, fuel_each = 0, forks_each = 0;
  std::vector<std::int64_t> forks_bounds;  // not empty: instead of forks_each, by index
  std::vector<Spent> spent;                // by index: by children that ended
  std::vector<std::vector<std::string>> traces;
  std::uint64_t seed = 0;
};

// What a strand waits for.
struct Pending {
  std::vector<engine::RequestId> requests;
  std::size_t outstanding = 0;
  std::vector<engine::Finished> results;  // by request
  std::size_t healed_bytes = 0;           // select: length of the healed text
  bool unconditional = false;             // select: second score (without context) is among the requests
  std::vector<std::vector<tokenizer::TokenId>> continuations;
  std::optional<ToolCallId> tool;  // the call that it waits for
};

// A try that is entered: where a failure goes on, and the context to go back to.
struct Handler {
  Frame* frame;
  std::uint32_t target;   // instruction
  plan::Reg error;        // of the frame
  plan::TypeId type;      // of the record
  Context context;        // as it was
  std::size_t suspended;  // length of Strand::suspended
};
// Of one strand at a time: each holds a context.
constexpr std::size_t kMaxHandlers = 1000;

// A program called by a program: the caller's context and allowance, put aside.
struct Suspended {
  Frame* frame;
  Context context;
  std::int64_t tokens_outside;  // of the caller beyond what the callee may use
};

struct Strand {
  Instance* instance = nullptr;
  Strand* parent = nullptr;
  std::size_t index = 0;  // in the parent's group
  Frame* top = nullptr;
  std::int64_t stack_left = kStackUnits;
  std::int64_t fuel_left = 0;  // in Machine::fuel while the strand runs
  std::int64_t tokens_left = 0;
  std::int64_t forks_left = 0;
  Spent spent;
  std::uint64_t seed = 0;
  std::uint32_t seed_counter = 0;
  bool cancelled = false;
  Context context;
  std::vector<Suspended> suspended;
  std::vector<Handler> handlers;  // innermost last
  std::unique_ptr<Pending> pending;
  std::unique_ptr<Group> group;
  std::string label;
  std::vector<std::string> trace;

  ~Strand();
};

struct Instance {
  InstanceId id;
  const plan::Program* program = nullptr;
  Machine machine;
  std::unique_ptr<Strand> root;
  RunOptions options;
  RunEvents events;
  RunResult result;
  std::int64_t fuel_start = 0, tokens_start = 0, forks_start = 0;
  // By forks after one that failed: it is given back, for how much it is depends on how fast they were.
  Spent in_vain;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  bool timed_out = false;
};

// Whether what was given back is as much as the whole allowance: no failure is caught then any more, or a program that
// catches failures of forks again and again could generate without end.
inline bool wasted(const Instance& instance) {
  return instance.in_vain.tokens > instance.tokens_start || instance.in_vain.fuel > instance.fuel_start ||
         instance.in_vain.forks > instance.forks_start;
}

// What arrives from the engine's thread. Shared with the callbacks, so that it outlives a destroyed executor.
struct Mail {
  Strand* strand = nullptr;
  std::size_t request = 0;  // index in Pending
  std::string text;         // streamed text, when there is no `finished`
  std::optional<engine::Finished> finished;
  std::optional<base::Expected<std::string>> answer;  // of a tool
};
struct Mailbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Mail> mail;
  bool woken = false;
  void post(Mail m);
};

struct Executor::Impl {
  std::shared_ptr<const LoadedPlan> plan;
  ModelPort& port;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::unordered_map<std::uint64_t, std::unique_ptr<Instance>> instances;
  std::unordered_map<std::uint32_t, std::shared_ptr<const constraint::Constraint>> constraints;  // by type
  std::deque<Strand*> ready;  // to be resumed, first come first served
  std::uint64_t next_id = 1;

  Impl(std::shared_ptr<const LoadedPlan> p, ModelPort& m) : plan(std::move(p)), port(m) {}
  const plan::Plan& program() const { return plan->plan(); }

  // executor.cc. What a generation of the type is held to, null for free text; `result` counts how it was come by.
  base::Expected<std::shared_ptr<const constraint::Constraint>> constraint_for(plan::TypeId type, RunResult& result);

  // strand.cc: the driver.
  void drain();                                 // resumes what is ready, until nothing is
  void resume(Strand& strand);                  // runs until it waits or ends
  bool perform(Strand& strand, bool& waiting);  // the effect at the top frame's pc; false: failed
  bool call(Strand& strand, const plan::Inst& inst);
  void returned(Strand& strand);  // the top frame returned Machine::result
  void finish(Strand& strand, std::optional<Failure> failure);
  void finish_instance(Instance& instance, std::optional<Failure> failure);
  void cancel_strand(Strand& strand);
  void deliver(Mail& mail);
  // Stores an effect's value and moves on to the next instruction.
  void complete(Strand& strand, Value value);
  Failure failure_at(Strand& strand);  // from Machine::error_*, positioned at the top frame

  // generate.cc
  bool begin_generate(Strand& strand, const plan::Inst& inst);
  bool end_generate(Strand& strand);
  bool begin_select(Strand& strand, const plan::Inst& inst);
  bool end_select(Strand& strand);
  engine::Events request_events(Strand& strand, std::size_t request);
  void trace(Strand& strand, std::string line);

  // tool.cc
  bool begin_tool(Strand& strand, const plan::Inst& inst);
  bool end_tool(Strand& strand, base::Expected<std::string> answer);

  // catch.cc
  bool begin_try(Strand& strand, const plan::Inst& inst);
  bool end_try(Strand& strand);
  // Goes on at the innermost handler; false: there is none, or the failure is not one that a program may catch.
  bool recover(Strand& strand, const Failure& failure);

  // fork.cc
  bool begin_parallel_for(Strand& strand, const plan::Inst& inst);
  bool begin_parallel(Strand& strand, const plan::Inst& inst);
  bool begin_calls(Strand& strand, const plan::ParallelSpec& spec);
  bool prepare_group(Strand& strand, std::size_t total, std::size_t bound);  // charges the forks
  void open_group(Strand& strand, std::size_t total, std::size_t bound);
  void start_children(Strand& strand);
  void child_done(Strand& parent, Strand& child, std::optional<Failure> failure);
  void end_group(Strand& strand);
};

// Deterministic mixing of seeds (SplitMix64's finaliser).
std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t salt);

}  // namespace sgl::exec
