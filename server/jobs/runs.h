// Program runs in work: each on a thread of its own, with a log of its events that readers follow, leave and come back
// to. Background runs also live in the RunStore.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/exec/executor.h"
#include "server/jobs/run_store.h"

namespace sgl::server {

struct RunSpec {
  std::string tenant, owner;
  std::string program_id, program;
  std::shared_ptr<const exec::LoadedPlan> plan;
  nlohmann::ordered_json args = nlohmann::ordered_json::object();
  exec::RunOptions options;
  bool text_events = true;  // log texts as they come
  // Called once, when it has ended: what it used is charged to whoever started it, who may be gone by then.
  std::function<void(const engine::Usage&)> on_end;
};

struct RunEvent {
  std::uint64_t id = 0;  // from 1
  std::string name;      // "start", "text", "value", "result", "error"
  std::string data;      // JSON
};

// One run. Thread-safe.
class Run {
 public:
  static constexpr std::size_t kMaxLogBytes = 4 << 20;  // of events; older texts are dropped first

  Run(std::string id, RunSpec spec) : id_(std::move(id)), spec_(std::move(spec)), on_end_(std::move(spec_.on_end)) {}
  const std::string& id() const { return id_; }
  const RunSpec& spec() const { return spec_; }

  // The events after number `after`; waits for one up to `timeout`. Empty: nothing came, or everything has been read.
  std::vector<RunEvent> events_after(std::uint64_t after, std::chrono::milliseconds timeout);
  // The outcome once it is there (see outcome_json); waits for it.
  std::string wait();
  bool finished() const;
  // "queued", "running", "succeeded", "failed", "cancelled"
  std::string status() const;
  std::string outcome() const;  // "" before the end
  engine::Usage usage() const;
  // For good, or because the server ends: then a background run is taken up by the next start.
  void cancel(bool for_good = true);
  // It ended because the server ends.
  bool cut_off() const;
  // How many follow its events.
  void add_reader(int difference) { readers_ += difference; }
  int readers() const { return readers_; }

 private:
  friend class RunRegistry;
  void log(std::string name, const nlohmann::ordered_json& data);
  void execute(exec::ModelPort& port);
  void end(const exec::RunResult& result, double milliseconds);
  void end_with(const std::string& status, const nlohmann::ordered_json& outcome, const char* event);

  const std::string id_;
  RunSpec spec_;
  std::function<void(const engine::Usage&)> on_end_;  // until it was called
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<RunEvent> events_;
  std::size_t log_bytes_ = 0;
  std::uint64_t next_event_ = 1;
  std::string status_ = "queued", outcome_;
  engine::Usage usage_;
  bool cancelled_ = false, cut_off_ = false;
  std::size_t bytes_ = 0;  // what it holds after its end
  std::atomic<int> readers_{0};
  exec::Executor* executor_ = nullptr;  // while it executes, for waking
  std::chrono::steady_clock::time_point ended_;
};
using RunPointer = std::shared_ptr<Run>;

struct RunLimitsOptions {
  std::size_t parallel = 256;   // runs that execute at once, a thread each; background runs beyond it wait
  std::size_t background = 64;  // of these, background runs
  std::size_t waiting = 1024;   // background runs that wait; one tenant has half of them at most
  std::size_t waiting_bytes = std::size_t{256} << 20;  // of their requests and plans, likewise
  std::chrono::seconds keep{600};  // finished runs stay readable (results of background runs longer, in the store)
  std::size_t keep_bytes = std::size_t{256} << 20;  // of their events and results; beyond it the oldest go earlier
  std::size_t store_bytes = RunStore::kKeepBytes;   // of results of background runs, in the store
};

class RunRegistry {
 public:
  // `store` may be null: then there are no background runs.
  RunRegistry(exec::ModelPort& port, std::unique_ptr<RunStore> store, RunLimitsOptions options);
  // Cancels what runs; background runs stay unfinished in the store, for the next start.
  ~RunRegistry();

  // Starts at once. Errors: unavailable when too many run.
  base::Expected<RunPointer> start(RunSpec spec);
  // Runs it on the calling thread, until it has ended.
  base::Expected<RunPointer> run_here(RunSpec spec, const std::function<void(const RunPointer&)>& started);
  struct Accepted {
    RunPointer run;  // null when it is not in memory (an idempotency key that was used before)
    std::string id;
    std::string status;
    bool repeated = false;
  };
  // Accepts a background run: durable when this returns. Errors: unavailable when too many wait.
  base::Expected<Accepted> submit(RunSpec spec, const nlohmann::ordered_json& request, const std::string& plan_bytes,
                                  const std::string& key);
  // Cancels a run; one that waits ends at once, also for the store.
  void cancel(const RunPointer& run);
  // Null: not in memory (any more).
  RunPointer find(const std::string& tenant, const std::string& id);
  RunStore* store() { return store_.get(); }
  // Takes up the store's unfinished runs; `revive` makes a spec from one (or an error, which becomes its outcome).
  base::Status resume(const std::function<base::Expected<RunSpec>(const StoredRun&)>& revive);
  std::size_t background_in_work() const;
  // Finished runs whose time is up are dropped; called now and then.
  void sweep();
  // From now on no run begins.
  void refuse();
  // Whether nothing runs any more; waits up to `timeout`.
  bool idle(std::chrono::milliseconds timeout);
  // Cuts off what runs (background runs stay in the store) and waits for it.
  void stop();

 private:
  // A background run that waits, and the bytes that it has in the store.
  struct Waiting {
    RunPointer run;
    std::size_t bytes = 0;
  };

  RunPointer enter(RunSpec spec, std::string id = "");
  bool launch(const RunPointer& run, bool background);
  bool may_wait(const std::string& tenant, std::size_t bytes) const;
  void next_background();
  void execute(RunPointer run, bool background);
  void store_end(const Run& run);
  void forget(std::chrono::steady_clock::time_point before);

  exec::ModelPort& port_;
  std::unique_ptr<RunStore> store_;
  const RunLimitsOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::map<std::string, RunPointer> runs_;
  std::deque<Waiting> waiting_;
  std::deque<RunPointer> ended_;  // of runs_, in this order
  std::size_t ended_bytes_ = 0;
  std::size_t executing_ = 0, executing_background_ = 0;
  bool stopping_ = false;
};

}  // namespace sgl::server
