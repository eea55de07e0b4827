// Ctrl-C: the first SIGINT or SIGTERM asks the program to stop, the second ends it at once.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace sgl::tools {

// While it lives, SIGINT and SIGTERM are taken. At most one at a time. As long as nobody listens there is nothing to
// wind up, and the first signal ends the process at once too, with kInterrupted: a model that takes long to load does
// not make Ctrl-C wait. What a caller keeps on disk must bear that, as it must bear a crash.
class Interrupt {
 public:
  Interrupt();
  // Restores the former handlers.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // While it lives, the first signal calls `on_first` instead: on a helper thread, so it may lock and notify, which a
  // signal handler must not. It does not run any more once the destructor has returned. At most one at a time.
  class Listener {
   public:
    Listener(Interrupt& interrupt, std::function<void()> on_first) : interrupt_(interrupt) {
      interrupt_.set_listener(std::move(on_first));
    }
    ~Listener() { interrupt_.set_listener({}); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    Interrupt& interrupt_;
  };

  bool requested() const { return requested_.load(); }

 private:
  void set_listener(std::function<void()> on_first);
  void wait();

  std::mutex mutex_;
  std::function<void()> on_first_;  // under mutex_; empty: nobody listens
  std::atomic<bool> requested_{false};
  std::thread thread_;
};

}  // namespace sgl::tools
