// One request inside the engine: what it wants computed, and what it does with the logits.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/engine/healing.h"
#include "runtime/sched/scheduler.h"

namespace sgl::engine {

// What all tasks of an engine share. Read-only to tasks.
struct Env {
  std::shared_ptr<const model::Model> model;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  std::shared_ptr<const constraint::Vocabulary> vocabulary;
  std::shared_ptr<const HealingIndex> healing;
  std::size_t model_vocab = 0;   // floats per row of logits
  std::size_t sample_vocab = 0;  // ids that may be generated: known to model and tokenizer
  std::size_t capacity = 0;      // tokens of one sequence
};

// Logits that a step computed for one sequence of a task: rows of positions [begin, begin + rows).
struct Rows {
  sched::SequenceId sequence;
  std::size_t begin = 0;
  std::size_t rows = 0;
  std::span<float> logits;  // may be overwritten

  std::span<float> row(std::size_t i, std::size_t vocab) const { return logits.subspan(i * vocab, vocab); }
};

// A task talks to the scheduler only from `start`, `advance` and `close`, which run on the engine thread.
class Task {
 public:
  Task(RequestId request, Namespace tenant, int importance, Events listener, double share = 1.0)
      : id(request), ns(tenant), priority(importance), weight(share), events(std::move(listener)) {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // Hands out ids for the sequences of tasks.
  using NewSequence = std::function<sched::SequenceId(Task&)>;

  // Submits what is to be computed first. True when the task is finished already.
  virtual bool start(sched::Scheduler& scheduler, const NewSequence& new_sequence) = 0;
  // On any thread, at most once per sequence and step: looks at logits; must not touch what other sequences' calls do.
  virtual void consume(const Rows& rows) = 0;
  // On the engine thread, after `consume`, for every sequence with logits in the step. True when the task is finished.
  virtual bool advance(const Rows& rows, sched::Scheduler& scheduler, const NewSequence& new_sequence) = 0;
  // Takes the task's sequences out of the scheduler and says what came of it. `error` ends it early.
  virtual Finished close(sched::Scheduler& scheduler, std::optional<base::Error> error) = 0;

  const RequestId id;
  const Namespace ns;
  const int priority;
  const double weight;  // of the namespace, see sched::Submission
  Events events;
};

std::unique_ptr<Task> make_generation(const Env& env, RequestId id, GenerateRequest request, Events events);
std::unique_ptr<Task> make_scoring(const Env& env, RequestId id, ScoreRequest request, Events events);

// Counts of one scheduler sequence added to a request's usage.
void add_counts(Usage& usage, const sched::Counts& counts);

}  // namespace sgl::engine
