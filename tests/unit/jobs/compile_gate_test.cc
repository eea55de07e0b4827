#include "server/jobs/compile_gate.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace sgl;
using namespace sgl::server;

namespace {

constexpr std::chrono::milliseconds kLong{60'000};

// Threads that wait at a gate one after another; the order in which they had their turns.
class Queue {
 public:
  explicit Queue(CompileGate& gate) : gate_(gate) {}
  ~Queue() {
    for (std::thread& t : threads_) t.join();
  }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  void add(const std::string& tenant) {
    const std::size_t before = gate_.waiting();
    threads_.emplace_back([this, tenant] {
      const auto turn = gate_.enter(tenant);
      const std::lock_guard lock(mutex_);
      order_ += turn.ok() ? tenant : "-";
    });
    while (gate_.waiting() == before) std::this_thread::yield();
  }
  std::string order() {
    for (std::thread& t : threads_) t.join();
    threads_.clear();
    return order_;
  }

 private:
  CompileGate& gate_;
  std::mutex mutex_;
  std::string order_;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("turns go to who waits longest, but to another tenant than the last where one waits") {
  CompileGate gate({.at_once = 1, .patience = kLong});
  Queue queue(gate);
  {
    const auto turn = gate.enter("x");
    REQUIRE(turn.ok());
    for (const char* tenant : {"a", "a", "a", "b", "c", "b"}) queue.add(tenant);
    CHECK(gate.waiting() == 6);
  }
  CHECK(queue.order() == "abacab");
  CHECK(gate.waiting() == 0);
  CHECK(gate.enter("a").ok());
}

TEST_CASE("as many at once as the gate allows") {
  CompileGate gate({.at_once = 2, .patience = std::chrono::milliseconds(0)});
  auto one = gate.enter("a");
  const auto two = gate.enter("a");
  CHECK(one.ok());
  CHECK(two.ok());
  const auto three = gate.enter("b");
  REQUIRE_FALSE(three.ok());
  CHECK(three.error().kind == base::ErrorKind::kUnavailable);
  { const CompileGate::Turn done = std::move(*one); }
  CHECK(gate.enter("b").ok());
}

TEST_CASE("places to wait are limited, of all and of a tenant") {
  CompileGate gate({.at_once = 1, .waiting = 3, .waiting_of_tenant = 2, .patience = kLong});
  Queue queue(gate);
  {
    const auto turn = gate.enter("x");
    REQUIRE(turn.ok());
    queue.add("a"), queue.add("a");
    CHECK_FALSE(gate.enter("a").ok());
    queue.add("b");
    CHECK_FALSE(gate.enter("c").ok());
  }
  CHECK(queue.order() == "aba");
}
