#include <chrono>
#include <ctime>
#include <utility>

#include "runtime/base/json.h"
#include "server/jobs/runs.h"

namespace sgl::server {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json usage_json(const exec::RunResult& r) {
  Json out = {{"prompt_tokens", r.usage.prompt_tokens},
              {"cached_tokens", r.usage.cached_tokens},
              {"prefill_tokens", r.usage.prefill_tokens},
              {"generated_tokens", r.usage.generated_tokens},
              {"forced_tokens", r.usage.jump_tokens},
              {"generations", r.generations},
              {"selections", r.selects},
              {"forks", r.forks},
              {"fuel", r.fuel_used}};
  if (r.tool_calls > 0) out["tool_calls"] = r.tool_calls;
  return out;
}

}  // namespace

void Run::log(std::string name, const Json& data) {
  std::string text = dump(data);
  {
    const std::lock_guard lock(mutex_);
    log_bytes_ += text.size() + name.size() + sizeof(RunEvent);
    events_.push_back({next_event_++, std::move(name), std::move(text)});
    while (log_bytes_ > kMaxLogBytes && events_.size() > 1) {
      log_bytes_ -= events_.front().data.size() + events_.front().name.size() + sizeof(RunEvent);
      events_.pop_front();
    }
  }
  changed_.notify_all();
}

std::vector<RunEvent> Run::events_after(std::uint64_t after, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return next_event_ - 1 > after || !outcome_.empty(); });
  std::vector<RunEvent> out;
  for (const RunEvent& event : events_) {
    if (event.id > after) out.push_back(event);
  }
  return out;
}

std::string Run::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !outcome_.empty(); });
  return outcome_;
}

bool Run::cut_off() const {
  const std::lock_guard lock(mutex_);
  return cut_off_ && status_ == "cancelled";
}

bool Run::finished() const {
  const std::lock_guard lock(mutex_);
  return !outcome_.empty();
}

std::string Run::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::string Run::outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

engine::Usage Run::usage() const {
  const std::lock_guard lock(mutex_);
  return usage_;
}

void Run::cancel(bool for_good) {
  const std::lock_guard lock(mutex_);
  cut_off_ = cut_off_ || (!for_good && !cancelled_);
  cancelled_ = true;
  if (executor_ != nullptr) executor_->wake();
}

void Run::execute(exec::ModelPort& port) {
  const auto begun = std::chrono::steady_clock::now();
  exec::Executor executor(spec_.plan, port);
  bool told = false;  // the executor knows that it is cancelled
  {
    const std::lock_guard lock(mutex_);
    status_ = "running";
    executor_ = &executor;
    told = cancelled_;
  }
  log("start", {{"run", id_}, {"program", spec_.program_id}, {"entry", spec_.program}});
  exec::RunResult result;
  exec::RunEvents events;
  std::map<std::pair<std::string, std::string>, std::string> texts;
  if (spec_.text_events) {
    events.on_text = [&](const std::string& label, const std::string& name, std::string_view text) {
      texts[{label, name}] += text;
      log("text", {{"fork", label}, {"name", name}, {"text", text}});
    };
    events.on_step = [&](const std::string& label, const std::string& name) {
      auto node = texts.extract({label, name});
      log("value",
          {{"fork", label}, {"name", name}, {"text", node.empty() ? std::string() : std::move(node.mapped())}});
    };
  }
  events.on_finished = [&](exec::RunResult r) { result = std::move(r); };
  // A run that was cancelled before it began does nothing at all.
  bool runs = false;
  if (told) {
    result.value = base::Error{base::ErrorKind::kCancelled, "cancelled"};
  } else {
    exec::RunOptions options = spec_.options;
    options.cancelled = [this] {
      const std::lock_guard lock(mutex_);
      return cancelled_;
    };
    const auto started = executor.start(spec_.program, spec_.args, options, std::move(events));
    runs = started.ok();
    if (!runs) result.value = started.error();
  }
  while (runs && executor.poll(std::chrono::milliseconds(1000))) {
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      cancelled = cancelled_;
    }
    if (cancelled && !told) executor.cancel_all();
    told = cancelled;
  }
  {
    const std::lock_guard lock(mutex_);
    executor_ = nullptr;
    usage_ = result.usage;
  }
  spec_.args = Json();  // a finished run is kept for a while
  // Let go of afterwards: it holds the starter's place in the quota, and a finished run is kept for a while.
  if (auto charge = std::exchange(on_end_, nullptr)) charge(result.usage);
  end(result, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
  spec_.plan.reset();  // the executor, which goes now, has its own hold on it
}

void Run::end(const exec::RunResult& result, double milliseconds) {
  Json outcome = {{"run", id_}, {"program", spec_.program_id}};
  if (result.value.ok()) {
    outcome["status"] = "succeeded";
    outcome["result"] = base::json_or_discarded(*result.value);
    outcome["usage"] = usage_json(result);
    outcome["ms"] = static_cast<std::int64_t>(milliseconds);
    return end_with("succeeded", outcome, "result");
  }
  const base::Error& error = result.value.error();
  const bool cancelled = error.kind == base::ErrorKind::kCancelled;
  Json what = {{"kind", base::error_kind_name(error.kind)}, {"message", error.message}};
  const plan::SourcePosition& at = result.error_position;
  const plan::Plan& plan = spec_.plan->plan();
  if (at.line > 0 && at.file < plan.files.size()) {
    what["position"] = {{"file", plan.files[at.file]}, {"line", at.line}, {"column", at.column}};
  }
  outcome["status"] = cancelled ? "cancelled" : "failed";
  outcome["error"] = std::move(what);
  outcome["usage"] = usage_json(result);
  outcome["ms"] = static_cast<std::int64_t>(milliseconds);
  end_with(cancelled ? "cancelled" : "failed", outcome, "error");
}

void Run::end_with(const std::string& status, const Json& outcome, const char* event) {
  log(event, outcome);
  {
    const std::lock_guard lock(mutex_);
    status_ = status;
    outcome_ = dump(outcome);
    bytes_ = log_bytes_ + outcome_.size();
    ended_ = std::chrono::steady_clock::now();
  }
  changed_.notify_all();
}

}  // namespace sgl::server
