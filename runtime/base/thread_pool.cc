#include "runtime/base/thread_pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/cores.h"
#include "runtime/base/numa.h"
#include "runtime/base/work_queue.h"

namespace sgl::base {
namespace {

// Longer than the gap between two kernels of a step (waking a sleeping thread takes as long), shorter than a scheduler
// tick. By the clock, for a pause takes from 10 to 140 cycles.
constexpr std::chrono::microseconds kSpinTime{50};
// Pauses between two looks at the clock: about a microsecond.
constexpr int kPauses = 16;

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// The node of a pool's thread: neighbours share one, and all nodes have threads as long as there are enough.
std::size_t node_of(std::size_t thread, std::size_t threads, std::size_t nodes) {
  return thread * nodes / threads;
}

std::vector<std::size_t> threads_by_node(std::size_t threads, std::size_t nodes) {
  std::vector<std::size_t> out(nodes, 0);
  for (std::size_t i = 0; i < threads; ++i) ++out[node_of(i, threads, nodes)];
  return out;
}

// Waits for `ready` for at most kSpinTime. False: it is not.
template <typename Ready>
bool spin_until(Ready ready) {
  const auto begin = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < kPauses; ++i) {
      if (ready()) return true;
      pause_cpu();
    }
  } while (std::chrono::steady_clock::now() - begin < kSpinTime);
  return ready();
}

}  // namespace

struct ThreadPool::State {
  explicit State(std::size_t threads) : queue(threads_by_node(threads, memory_nodes().size())) {}

  std::mutex mutex;
  std::condition_variable wake;
  const std::function<void(std::size_t)>* body = nullptr;  // written before `generation` is raised
  WorkQueue queue;                                         // likewise
  std::atomic<std::size_t> busy{0};                        // workers that have not finished the current generation
  std::atomic<std::uint64_t> generation{0};                // one per loop
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;

  void drain(std::size_t thread) {
    while (const std::optional<std::size_t> item = queue.take(thread)) (*body)(*item);
  }

  void work(std::size_t thread, std::size_t node) {
    // With one node there is nothing to gain, and the system may know better.
    if (memory_nodes().size() > 1) keep_to(memory_nodes()[node]);
    std::uint64_t seen = 0;
    for (;;) {
      const auto called = [&] { return generation.load() != seen || stop.load(); };
      if (!spin_until(called)) {
        std::unique_lock lock(mutex);
        wake.wait(lock, called);
      }
      if (stop.load()) return;
      seen = generation.load();
      drain(thread);
      busy.fetch_sub(1);
    }
  }
};

ThreadPool::ThreadPool(std::size_t threads) {
  if (threads == 0) threads = usable_cores();
  SGL_ASSERT(threads <= 1024);
  state_ = std::make_unique<State>(threads);
  for (std::size_t i = 1; i < threads; ++i) {
    const std::size_t node = node_of(i, threads, memory_nodes().size());
    state_->workers.emplace_back([s = state_.get(), i, node] { s->work(i, node); });
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop.store(true);
  }
  state_->wake.notify_all();
  for (auto& worker : state_->workers) worker.join();
}

std::size_t ThreadPool::size() const {
  return state_->workers.size() + 1;
}

void ThreadPool::parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  State& s = *state_;
  if (s.workers.empty() || count <= 1) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  SGL_ASSERT(count <= WorkQueue::kMaxItems);
  s.body = &body;
  s.queue.fill(count);
  s.busy.store(s.workers.size());
  {
    std::lock_guard lock(s.mutex);
    s.generation.fetch_add(1);
  }
  s.wake.notify_all();
  s.drain(0);  // the caller is the first thread
  // Oversubscribed machines: give the core to a worker that still holds an item rather than spin it away.
  const auto done = [&] { return s.busy.load() == 0; };
  if (!spin_until(done)) {
    while (!done()) std::this_thread::yield();
  }
}

}  // namespace sgl::base
