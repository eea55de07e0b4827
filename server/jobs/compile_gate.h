// How many compilations (programs, plans, schemas, grammars) a server does at once. Each may take a core for seconds
// and hundreds of megabytes, whoever asks; without a limit a few hundred requests of one client take all of both.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>

#include "runtime/base/expected.h"

namespace sgl::server {

class CompileGate {
 public:
  struct Limits {
    std::size_t at_once = 1;             // at least 1
    std::size_t waiting = 64;            // of all tenants
    std::size_t waiting_of_tenant = 16;  // so that one cannot take all places
    std::chrono::milliseconds patience{20'000};
  };
  // Half of the cores compile, at least one: the others are the engine's.
  static Limits for_this_machine();

  // May compile until it is destroyed.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : gate_(other.gate_) { other.gate_ = nullptr; }
    Turn& operator=(Turn&&) = delete;
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    friend class CompileGate;
    explicit Turn(CompileGate* gate) : gate_(gate) {}
    CompileGate* gate_;
  };

  explicit CompileGate(Limits limits = for_this_machine()) : limits_(limits) {}

  // Waits for a turn. Whoever waits longest is next, but where others wait no tenant has two turns in a row. Not to be
  // called by who has one. Errors: unavailable, when too many wait or the turn does not come in time. Thread-safe.
  base::Expected<Turn> enter(const std::string& tenant);
  // How many wait for one.
  std::size_t waiting() const;

 private:
  struct Waiter {
    const std::string& tenant;
    bool called = false;
  };
  void leave();
  void call_next();  // with the lock held

  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiter*> waiting_;  // longest first
  std::size_t in_work_ = 0;
  std::string last_;  // who had the last turn
};

}  // namespace sgl::server
