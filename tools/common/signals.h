// Ctrl-C: the first SIGINT or SIGTERM asks the program to stop, the second ends it at once.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace sgl::tools {

// While it lives, SIGINT and SIGTERM are taken. At most one at a time.
class Interrupt {
 public:
  // `on_first` is called on a helper thread, so it may lock and notify, which a signal handler must not.
  explicit Interrupt(std::function<void()> on_first);
  // Restores the former handlers.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool requested() const { return requested_.load(); }

 private:
  void wait();

  std::function<void()> on_first_;
  std::atomic<bool> requested_{false};
  std::thread thread_;
};

}  // namespace sgl::tools
