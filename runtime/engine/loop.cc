#include "runtime/engine/loop.h"

#include <fmt/format.h>

#include <chrono>

#include "runtime/base/check.h"
#include "runtime/engine/validate.h"

namespace sgl::engine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

base::Error cancelled(const char* why) {
  return {base::ErrorKind::kCancelled, why};
}

// A task that only carries the answer to a request that was refused.
class Refused final : public Task {
 public:
  using Task::Task;
  bool start(sched::Scheduler&, const NewSequence&) override { return true; }
  void consume(const Rows&) override {}
  bool advance(const Rows&, sched::Scheduler&, const NewSequence&) override { return true; }
  Finished close(sched::Scheduler&, std::optional<base::Error> error) override {
    Finished out;
    out.id = id;
    out.reason = error && error->kind == base::ErrorKind::kCancelled ? FinishReason::kCancelled : FinishReason::kError;
    out.error = std::move(error);
    return out;
  }
};

}  // namespace

bool Mailbox::post(Command&& command) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    commands_.push_back(std::move(command));
  }
  wake_.notify_one();
  return true;
}

std::deque<Command> Mailbox::take(bool poll) {
  std::unique_lock lock(mutex_);
  if (!poll) wake_.wait(lock, [&] { return !commands_.empty() || closed_ || stopping_.load(); });
  return std::exchange(commands_, {});
}

bool Mailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = commands_.empty();
  return closed_;
}

void Mailbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_.store(true);
  }
  wake_.notify_one();
}

Loop::Loop(Env env, const EngineOptions& options, const sched::Options& schedule, std::unique_ptr<model::KvStore> kv)
    : env_(std::move(env)), options_(options), pool_(options.threads), kv_(std::move(kv)), scheduler_(schedule) {
  publish_stats();
}

void Loop::run() {
  while (!mailbox_.stopping()) {
    for (Command& command : mailbox_.take(!tasks_.empty())) {
      std::visit([&](auto& c) { handle(std::move(c)); }, command);
    }
    if (!tasks_.empty() && !mailbox_.stopping()) step();
    if (tasks_.empty()) check_idle();
    publish_stats();
  }
  // Whoever asks from now on, in an event of a request that is ended here for instance, is answered in the same way.
  const base::Error shutdown = cancelled("the engine is shutting down");
  for (end_all(shutdown); !mailbox_.close();) {
    for (Command& command : mailbox_.take(true)) {
      if (auto* generate = std::get_if<NewGenerate>(&command)) {
        Refused task(generate->id, generate->request.ns, 0, std::move(generate->events));
        end(task, shutdown);
      } else if (auto* score = std::get_if<NewScore>(&command)) {
        Refused task(score->id, score->request.ns, 0, std::move(score->events));
        end(task, shutdown);
      }
    }
  }
  check_idle();
  publish_stats();
}

void Loop::handle(NewGenerate&& command) {
  const base::Status valid = validate(command.request, {env_.model_vocab, env_.capacity});
  if (!valid.ok()) {
    Refused task(command.id, command.request.ns, 0, std::move(command.events));
    ++now_.requests;
    return end(task, valid.error());
  }
  begin(make_generation(env_, command.id, std::move(command.request), std::move(command.events)), valid);
}

void Loop::handle(NewScore&& command) {
  const base::Status valid = validate(command.request, {env_.model_vocab, env_.capacity});
  if (!valid.ok()) {
    Refused task(command.id, command.request.ns, 0, std::move(command.events));
    ++now_.requests;
    return end(task, valid.error());
  }
  begin(make_scoring(env_, command.id, std::move(command.request), std::move(command.events)), valid);
}

void Loop::handle(Cancel&& command) {
  const auto it = tasks_.find(command.id);
  if (it != tasks_.end()) end(*it->second, cancelled("the request was cancelled"));
}

void Loop::handle(FlushCache&& command) {
  scheduler_.flush_cache(sched::Namespace(command.ns.value));
}

void Loop::begin(std::unique_ptr<Task> task, base::Status valid) {
  ++now_.requests;
  if (valid.ok() && scheduler_.waiting() >= options_.max_queue) {
    valid = base::Error{base::ErrorKind::kUnavailable,
                        fmt::format("{} requests are waiting already, the most that are taken", options_.max_queue)};
  }
  Task& t = *task;
  tasks_.emplace(t.id, std::move(task));
  if (!valid.ok()) return end(t, valid.error());
  const bool over = t.start(scheduler_, [&](Task& owner) {
    const sched::SequenceId id(next_sequence_++);
    owners_.emplace(id, &owner);
    return id;
  });
  if (over) end(t, {});
}

void Loop::end(Task& task, std::optional<base::Error> error) {
  Finished finished = task.close(scheduler_, std::move(error));
  Usage& total = now_.total;
  total.prompt_tokens += finished.usage.prompt_tokens;
  total.cached_tokens += finished.usage.cached_tokens;
  total.prefill_tokens += finished.usage.prefill_tokens;
  total.generated_tokens += finished.usage.generated_tokens;
  total.jump_tokens += finished.usage.jump_tokens;
  total.recomputed_tokens += finished.usage.recomputed_tokens;
  // Out of the table first: the event may submit or cancel, and must not find this request any more.
  const auto on_finished = std::move(task.events.on_finished);
  tasks_.erase(task.id);
  publish_stats();
  if (on_finished) on_finished(std::move(finished));
}

void Loop::end_all(const base::Error& error) {
  while (!tasks_.empty()) end(*tasks_.begin()->second, error);
}

base::Expected<std::vector<Rows>> Loop::forward(const sched::Step& step) {
  for (const sched::Copy& c : step.copies) kv_->copy_slots(c.from, c.to, c.count);
  std::vector<model::Slice> slices;
  std::vector<Rows> rows;
  std::size_t total = 0;
  slices.reserve(step.work.size());
  for (const sched::Work& w : step.work) {
    slices.push_back({scheduler_.tokens(w.id).subspan(w.begin, w.end - w.begin), static_cast<std::int64_t>(w.begin),
                      scheduler_.slots(w.id).first(w.end), w.logits});
    total += w.logits;
  }
  if (logits_.size() < total * env_.model_vocab) logits_.resize(total * env_.model_vocab);
  const std::span<float> logits = std::span(logits_).first(total * env_.model_vocab);
  const auto begun = Clock::now();
  SGL_TRY_STATUS(env_.model->forward(slices, *kv_, logits, pool_));
  now_.kernel_seconds += seconds_since(begun);
  std::size_t at = 0;
  for (const sched::Work& w : step.work) {
    const std::size_t floats = w.logits * env_.model_vocab;
    if (w.logits > 0) rows.push_back({w.id, w.end - w.logits, w.logits, logits.subspan(at, floats)});
    at += floats;
  }
  return rows;
}

void Loop::step() {
  const auto begun = Clock::now();
  const sched::Step step = scheduler_.schedule();
  if (step.work.empty()) {
    // The scheduler's rules exclude it; ending the requests is better than spinning for ever.
    return end_all({base::ErrorKind::kInternal, "the scheduler found nothing to run for the waiting requests"});
  }
  auto rows = forward(step);
  if (!rows.ok()) {
    return end_all({base::ErrorKind::kInternal, fmt::format("the model step failed: {}", rows.error().message)});
  }
  scheduler_.completed(step);
  // Masks and sampling of all sequences, side by side.
  const auto sampling = Clock::now();
  pool_.parallel_for(rows->size(), [&](std::size_t i) { owners_.at((*rows)[i].sequence)->consume((*rows)[i]); });
  now_.kernel_seconds += seconds_since(sampling);
  for (const Rows& r : *rows) {
    // An event of an earlier row's task cannot end this one (that takes a command), so its owner is alive.
    Task& task = *owners_.at(r.sequence);
    const bool over = task.advance(r, scheduler_, [&](Task& owner) {
      const sched::SequenceId id(next_sequence_++);
      owners_.emplace(id, &owner);
      return id;
    });
    if (over) end(task, {});
  }
  record(step, seconds_since(begun));
  if (now_.steps % 1024 == 0) {
    std::erase_if(owners_, [&](const auto& entry) { return !scheduler_.has(entry.first); });
  }
}

void Loop::record(const sched::Step& step, double seconds) {
  ++now_.steps;
  now_.step_seconds += seconds;
  (step.prefill_tokens > 0 ? now_.prefill_seconds : now_.decode_seconds) += seconds;
}

void Loop::publish_stats() {
  now_.preemptions = scheduler_.preemptions();
  now_.evicted_pages = scheduler_.tree().evicted_pages();
  now_.pages_total = scheduler_.pool().pages();
  now_.pages_free = scheduler_.pool().free_pages();
  now_.pages_cached = scheduler_.tree().cached_pages();
  const std::lock_guard lock(stats_mutex_);
  published_ = now_;
}

EngineStats Loop::stats() const {
  const std::lock_guard lock(stats_mutex_);
  return published_;
}

void Loop::check_idle() const {
#ifndef NDEBUG
  SGL_ASSERT(scheduler_.waiting() == 0 && scheduler_.running() == 0 && scheduler_.consistent());
#endif
}

}  // namespace sgl::engine
