// The one pool of worker threads that kernels and mask computation share (docs/architecture.md, threads).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace sgl::base {

// A fixed set of threads for short data-parallel loops. `parallel_for` may be called from one thread at a time; the
// calling thread works too, so `threads` = 1 starts none. Workers spin briefly between loops and then sleep, so that
// the layers of one model step do not pay a wake-up each and an idle engine uses no CPU.
class ThreadPool {
 public:
  // threads: 1 … 1024; 0 means usable_cores() (cores.h).
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t size() const;

  // Calls body(i) for every i in [0, count), each exactly once, on any thread and in any order; returns when all are
  // done. What is computed must not depend on which thread computes it. `body` must not throw and must not call back
  // into the pool.
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sgl::base
