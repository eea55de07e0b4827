#include "server/jobs/runs.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <ctime>
#include <system_error>
#include <utility>

#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

RunRegistry::RunRegistry(exec::ModelPort& port, std::unique_ptr<RunStore> store, RunLimitsOptions options)
    : port_(port), store_(std::move(store)), options_(options) {}

RunRegistry::~RunRegistry() {
  stop();
}

RunPointer RunRegistry::enter(RunSpec spec, std::string id) {
  if (id.empty()) id = "run_" + base64url(random_bytes(18));
  auto run = std::make_shared<Run>(id, std::move(spec));
  const std::lock_guard lock(mutex_);
  runs_.emplace(std::move(id), run);
  return run;
}

base::Expected<RunPointer> RunRegistry::start(RunSpec spec) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || executing_ >= options_.parallel) {
      return base::Error{base::ErrorKind::kUnavailable,
                         stopping_ ? "the server is shutting down" : "too many programs run at once; try again later"};
    }
    ++executing_;
  }
  RunPointer run = enter(std::move(spec));
  if (launch(run, false)) return run;
  const std::lock_guard lock(mutex_);
  --executing_;
  runs_.erase(run->id());
  idle_.notify_all();
  return base::Error{base::ErrorKind::kUnavailable, "the system has no thread for the program; try again later"};
}

base::Expected<RunPointer> RunRegistry::run_here(RunSpec spec, const std::function<void(const RunPointer&)>& started) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return base::Error{base::ErrorKind::kUnavailable, "the server is shutting down"};
    ++executing_;
  }
  RunPointer run = enter(std::move(spec));
  started(run);
  execute(run, false);
  return run;
}

// The slot (executing_) is taken already. False: the system has no thread.
bool RunRegistry::launch(const RunPointer& run, bool background) {
  try {
    std::thread([this, run, background]() mutable { execute(std::move(run), background); }).detach();
  } catch (const std::system_error& error) {
    spdlog::warn("a program cannot start: {}", error.what());
    return false;
  }
  return true;
}

void RunRegistry::execute(RunPointer run, bool background) {
  if (background) {
    if (const base::Status marked = store_->set_running(run->id()); !marked.ok())
      spdlog::warn("{}", marked.error().message);
  }
  run->execute(port_);
  // A run that the server's end cut off stays unfinished: the next start takes it up.
  if (background && !run->cut_off()) store_end(*run);
  const std::lock_guard lock(mutex_);
  ended_bytes_ += run->bytes_;
  // Before this thread counts as gone: afterwards the process may end, and with it what a plan's machine code needs.
  ended_.push_back(std::move(run));
  forget(std::chrono::steady_clock::now() - options_.keep);
  --executing_;
  if (background) {
    --executing_background_;
    next_background();
  }
  idle_.notify_all();
}

void RunRegistry::store_end(const Run& run) {
  const auto stored = store_->finish(run.id(), run.status(), run.outcome());
  if (!stored.ok()) spdlog::error("the result of {} could not be stored: {}", run.id(), stored.error().message);
}

// Runs that ended before then, and the oldest of more than may be kept. With mutex_ held.
void RunRegistry::forget(std::chrono::steady_clock::time_point before) {
  while (!ended_.empty() &&
         (ended_.front()->ended_ < before || (ended_bytes_ > options_.keep_bytes && ended_.size() > 1))) {
    ended_bytes_ -= ended_.front()->bytes_;
    runs_.erase(ended_.front()->id());
    ended_.pop_front();
  }
}

void RunRegistry::cancel(const RunPointer& run) {
  bool waited = false;
  {
    const std::lock_guard lock(mutex_);
    waited = std::erase_if(waiting_, [&](const Waiting& w) { return w.run == run; }) > 0;
  }
  run->cancel();
  if (!waited) return;
  run->execute(port_);  // ends before it has begun
  store_end(*run);
  const std::lock_guard lock(mutex_);
  ended_bytes_ += run->bytes_;
  ended_.push_back(run);
}

// With mutex_ held.
void RunRegistry::next_background() {
  while (!stopping_ && !waiting_.empty() && executing_background_ < options_.background &&
         executing_ < options_.parallel) {
    ++executing_;
    ++executing_background_;
    if (!launch(waiting_.front().run, true)) {  // sweep() tries again
      --executing_;
      --executing_background_;
      idle_.notify_all();
      return;
    }
    waiting_.pop_front();
  }
}

// With mutex_ held.
bool RunRegistry::may_wait(const std::string& tenant, std::size_t bytes) const {
  std::size_t all = bytes, own = bytes, own_count = 0;
  for (const Waiting& w : waiting_) {
    all += w.bytes;
    if (w.run->spec().tenant == tenant) own += w.bytes, ++own_count;
  }
  return waiting_.size() < options_.waiting && all <= options_.waiting_bytes && own_count < options_.waiting / 2 &&
         own <= options_.waiting_bytes / 2;
}

base::Expected<RunRegistry::Accepted> RunRegistry::submit(RunSpec spec, const Json& request,
                                                          const std::string& plan_bytes, const std::string& key) {
  if (!store_) return base::invalid("background runs need a state folder: start the server with --state-dir");
  StoredRun stored;
  stored.id = "run_" + base64url(random_bytes(18));
  stored.tenant = spec.tenant;
  stored.owner = spec.owner;
  stored.program_id = spec.program_id;
  stored.program = spec.program;
  stored.plan = plan_bytes;
  stored.request = request.dump(-1, ' ', false, Json::error_handler_t::replace);
  stored.status = "queued";
  stored.idempotency_key = key;
  stored.created = std::time(nullptr);
  const std::size_t bytes = stored.request.size() + stored.plan.size();
  bool accepts = false;
  {
    const std::lock_guard lock(mutex_);
    accepts = may_wait(stored.tenant, bytes);
  }
  SGL_TRY(const auto earlier, accepts ? store_->add(stored) : store_->find(stored.tenant, key));
  if (earlier) return Accepted{find(spec.tenant, earlier->id), earlier->id, earlier->status, true};
  if (!accepts) return base::Error{base::ErrorKind::kUnavailable, "too many background runs wait; try again later"};
  RunPointer run = enter(std::move(spec), stored.id);
  const std::lock_guard lock(mutex_);
  waiting_.push_back({run, bytes});
  next_background();
  return Accepted{run, stored.id, stored.status, false};
}

base::Status RunRegistry::resume(const std::function<base::Expected<RunSpec>(const StoredRun&)>& revive) {
  if (!store_) return {};
  SGL_TRY(const auto unfinished, store_->unfinished());
  for (const auto& [tenant, id] : unfinished) {
    SGL_TRY(const StoredRun stored, store_->get(tenant, id));
    auto spec = revive(stored);
    if (!spec.ok()) {
      const Json outcome = {
          {"run", stored.id},
          {"program", stored.program_id},
          {"status", "failed"},
          {"error", {{"kind", base::error_kind_name(spec.error().kind)}, {"message", spec.error().message}}}};
      SGL_TRY(const bool written,
              store_->finish(stored.id, "failed", outcome.dump(-1, ' ', false, Json::error_handler_t::replace)));
      (void)written;
      continue;
    }
    RunPointer run = enter(std::move(*spec), stored.id);
    const std::lock_guard lock(mutex_);
    waiting_.push_back({run, stored.request.size() + stored.plan.size()});
  }
  if (!unfinished.empty()) spdlog::info("{} background runs of the last start are taken up", unfinished.size());
  const std::lock_guard lock(mutex_);
  next_background();
  return {};
}

RunPointer RunRegistry::find(const std::string& tenant, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = runs_.find(id);
  return it == runs_.end() || it->second->spec().tenant != tenant ? nullptr : it->second;
}

std::size_t RunRegistry::background_in_work() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + executing_background_;
}

void RunRegistry::sweep() {
  {
    const std::lock_guard lock(mutex_);
    forget(std::chrono::steady_clock::now() - options_.keep);
    next_background();
  }
  if (store_) {
    if (const base::Status forgotten = store_->forget_old(std::time(nullptr)); !forgotten.ok()) {
      spdlog::warn("old runs could not be deleted: {}", forgotten.error().message);
    }
  }
}

void RunRegistry::refuse() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

bool RunRegistry::idle(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, timeout, [&] { return executing_ == 0; });
}

void RunRegistry::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (const auto& [id, run] : runs_) run->cancel(false);
  idle_.wait(lock, [&] { return executing_ == 0; });
}

}  // namespace sgl::server
