#include "server/outbound/tool_runner.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "server/outbound/call.h"

namespace sgl::server {

using Done = std::function<void(base::Expected<std::string>)>;

struct ToolRunner::State {
  struct Job {
    std::uint64_t id;
    std::string name, arguments;
    const ToolBinding* binding;
    Done on_done;
    std::shared_ptr<CallControl> control;
  };

  ToolBindings bindings;
  ToolLimits limits;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> waiting;
  std::map<std::uint64_t, std::shared_ptr<CallControl>> running;
  std::vector<std::thread> threads;
  std::thread watch;
  std::condition_variable watched;  // `running` has changed
  std::size_t idle = 0;
  std::uint64_t next = 1;
  bool ending = false;

  void work() {
    // Writing to a command or a host that has gone is an error to look at, not the end of the process.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      changed.wait(lock, [&] { return ending || !waiting.empty(); });
      --idle;
      if (waiting.empty()) return;
      Job job = std::move(waiting.front());
      waiting.pop_front();
      job.control->start();
      running.emplace(job.id, job.control);
      watched.notify_one();
      lock.unlock();
      base::Expected<std::string> result =
          job.control->over()       ? base::Expected<std::string>(job.control->error(job.name))
          : job.binding->is_command ? call_command(job.name, *job.binding, job.arguments, *job.control)
                                    : call_http(job.name, *job.binding, job.arguments, *job.control);
      lock.lock();
      running.erase(job.id);
      lock.unlock();
      job.on_done(std::move(result));
      lock.lock();
    }
  }

  // Whether there are threads for so many waiting calls, or at least one; starts what is missing. With the mutex held.
  bool has_threads(std::size_t calls) {
    try {
      if (!watch.joinable()) watch = std::thread([this] { watch_times(); });
      if (idle < calls && threads.size() < limits.threads) threads.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      spdlog::warn("a thread for tool calls cannot start: {}", error.what());
    }
    return watch.joinable() && !threads.empty();
  }

  // Interrupts the calls whose time is over.
  void watch_times() {
    std::unique_lock lock(mutex);
    while (!ending) {
      auto next_time = CallControl::Clock::time_point::max();
      const auto now = CallControl::Clock::now();
      for (const auto& [id, control] : running) {
        if (control->deadline() <= now) {
          control->time_out();
        } else {
          next_time = std::min(next_time, control->deadline());
        }
      }
      if (next_time == CallControl::Clock::time_point::max()) {
        watched.wait(lock);
      } else {
        watched.wait_until(lock, next_time);
      }
    }
  }
};

ToolRunner::ToolRunner(ToolBindings bindings, const ToolLimits& limits) : state_(std::make_unique<State>()) {
  state_->bindings = std::move(bindings);
  state_->limits = limits;
}

ToolRunner::~ToolRunner() {
  std::deque<State::Job> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
    dropped.swap(state_->waiting);
    for (const auto& [id, control] : state_->running) control->cancel();
  }
  state_->changed.notify_all();
  state_->watched.notify_all();
  for (State::Job& job : dropped) job.on_done(base::Error{base::ErrorKind::kCancelled, "cancelled"});
  for (std::thread& thread : state_->threads) thread.join();
  if (state_->watch.joinable()) state_->watch.join();
}

bool ToolRunner::bound(const std::string& name) const {
  return state_->bindings.contains(name);
}

exec::ToolCallId ToolRunner::call(exec::ToolCall call, Done on_done) {
  const auto binding = state_->bindings.find(call.name);
  base::Error refusal;
  {
    const std::lock_guard lock(state_->mutex);
    if (binding == state_->bindings.end()) {
      refusal = {base::ErrorKind::kFailed,
                 fmt::format("tool '{}' is bound to nothing; the operator binds it in tools.toml", call.name)};
    } else if (call.arguments.size() > state_->limits.arguments) {
      refusal = base::over_limit(
          fmt::format("tool '{}': the arguments have more than {} bytes", call.name, state_->limits.arguments));
    } else if (state_->ending || state_->waiting.size() >= state_->limits.queue) {
      refusal = {base::ErrorKind::kUnavailable, fmt::format("tool '{}': too many calls wait already", call.name)};
    } else {
      const std::uint64_t id = state_->next++;
      auto control = std::make_shared<CallControl>(binding->second.timeout);
      if (state_->has_threads(state_->waiting.size() + 1)) {
        state_->waiting.push_back({id, std::move(call.name), std::move(call.arguments), &binding->second,
                                   std::move(on_done), std::move(control)});
        state_->changed.notify_one();
        return exec::ToolCallId(id);
      }
      refusal = {base::ErrorKind::kUnavailable, fmt::format("tool '{}': the system has no thread for it", call.name)};
    }
  }
  on_done(std::move(refusal));
  return exec::ToolCallId(0);
}

void ToolRunner::cancel(exec::ToolCallId id) {
  std::deque<State::Job> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    if (const auto it = state_->running.find(id.value); it != state_->running.end()) it->second->cancel();
    auto& waiting = state_->waiting;
    for (auto it = waiting.begin(); it != waiting.end(); ++it) {
      if (it->id != id.value) continue;
      dropped.push_back(std::move(*it));
      waiting.erase(it);
      break;
    }
  }
  for (State::Job& job : dropped) job.on_done(base::Error{base::ErrorKind::kCancelled, "cancelled"});
}

}  // namespace sgl::server
