// The step loop: everything that the engine thread owns. See engine.h for the promises, task.h for the requests.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <variant>
#include <vector>

#include "runtime/base/thread_pool.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/task.h"
#include "runtime/model/kv_store.h"
#include "runtime/sched/scheduler.h"

namespace sgl::engine {

struct Cancel {
  RequestId id;
};
struct NewGenerate {
  RequestId id;
  GenerateRequest request;
  Events events;
};
struct NewScore {
  RequestId id;
  ScoreRequest request;
  Events events;
};
struct FlushCache {
  Namespace ns;
};
using Command = std::variant<NewGenerate, NewScore, Cancel, FlushCache>;

// Hands commands from any thread to the engine thread. The lock is held for moving commands only, never over a step.
class Mailbox {
 public:
  // False after close(); the command is left as it was then.
  bool post(Command&& command);
  // Everything posted since the last call. Blocks while there is nothing, unless `poll`; nothing and closed: returns.
  std::deque<Command> take(bool poll);
  // No further command is accepted from here on; false, and open still, while there is one to answer.
  bool close();
  // Asks the engine thread to end everything; it still takes commands, to answer them.
  void stop();
  bool stopping() const { return stopping_.load(); }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Command> commands_;
  bool closed_ = false;
  std::atomic<bool> stopping_{false};
};

class Loop {
 public:
  // `kv` has room for scheduler.pages · page_size slots.
  Loop(Env env, const EngineOptions& options, const sched::Options& schedule, std::unique_ptr<model::KvStore> kv);

  // The engine thread's work, until the mailbox stops. Every request that was posted has its terminal event then.
  void run();

  Mailbox& mailbox() { return mailbox_; }
  EngineStats stats() const;
  const Env& env() const { return env_; }

 private:
  void handle(NewGenerate&& command);
  void handle(NewScore&& command);
  void handle(Cancel&& command);
  void handle(FlushCache&& command);
  // Refuses or starts a task.
  void begin(std::unique_ptr<Task> task, base::Status valid);
  // The one place where a request ends.
  void end(Task& task, std::optional<base::Error> error);
  // One step. Precondition: there is a task.
  void step();
  // Runs the model on the step's tokens; the rows of logits of each work item.
  base::Expected<std::vector<Rows>> forward(const sched::Step& step);
  void end_all(const base::Error& error);
  void record(const sched::Step& step, double seconds);
  void publish_stats();
  void check_idle() const;

  Env env_;
  const EngineOptions options_;
  base::ThreadPool pool_;
  std::unique_ptr<model::KvStore> kv_;
  sched::Scheduler scheduler_;
  Mailbox mailbox_;

  std::unordered_map<RequestId, std::unique_ptr<Task>> tasks_;
  std::unordered_map<sched::SequenceId, Task*> owners_;  // running and waiting sequences
  std::uint64_t next_sequence_ = 1;
  std::vector<float> logits_;

  EngineStats now_;  // engine thread only
  mutable std::mutex stats_mutex_;
  EngineStats published_;
};

}  // namespace sgl::engine
