// Quotas by the minute and the day, concurrency, usage; the brake for wrong credentials.
#include "server/auth/quota.h"

#include <doctest/doctest.h>

using namespace sgl::server;
using namespace std::chrono_literals;

namespace {

Principal who(Quotas quotas) {
  Principal p;
  p.id = "sgl_test";
  p.quotas = quotas;
  return p;
}

}  // namespace

TEST_CASE("requests a minute refill") {
  QuotaBook book(nullptr);
  const Principal p = who({.requests_per_minute = 2});
  auto now = QuotaBook::Clock::now();
  CHECK(book.admit(p, {}, now).lease);
  CHECK(book.admit(p, {}, now).lease);
  const auto refused = book.admit(p, {}, now);
  CHECK_FALSE(refused.lease);
  CHECK(refused.refusal.retry_after == doctest::Approx(30).epsilon(0.05));
  CHECK(refused.state.limit_requests == 2);
  CHECK(refused.state.remaining_requests == 0);
  CHECK(book.admit(p, {}, now + 31s).lease);
}

TEST_CASE("what was reserved and not spent comes back") {
  QuotaBook book(nullptr);
  const Principal p = who({.tokens_per_minute = 100, .tokens_per_day = 150});
  {
    auto first = book.admit(p, {90});
    REQUIRE(first.lease);
    CHECK_FALSE(book.admit(p, {20}).lease);
    first.lease->spent(5, 5);
  }
  auto second = book.admit(p, {80});
  REQUIRE(second.lease);
  second.lease->spent(40, 40);
  second.lease.reset();
  CHECK_FALSE(book.admit(p, {70}).lease);   // 90 spent today, 150 allowed
  CHECK_FALSE(book.admit(p, {101}).lease);  // never possible
  CHECK(book.totals().front().generated_tokens == 45);
  CHECK(book.totals().front().in_work == 0);
}

TEST_CASE("concurrency") {
  QuotaBook book(nullptr);
  const Principal p = who({.concurrent = 1});
  auto first = book.admit(p, {});
  REQUIRE(first.lease);
  CHECK_FALSE(book.admit(p, {}).lease);
  first.lease.reset();
  CHECK(book.admit(p, {}).lease);
}

TEST_CASE("what was admitted before a restart is in work and is counted, and costs no fresh bucket") {
  QuotaBook book(nullptr);
  auto lease = book.take_up(who({}));
  REQUIRE(lease);
  CHECK(book.totals().front().in_work == 1);
  const Principal limited = who({.tokens_per_minute = 100, .concurrent = 2});
  lease->spent(30, 20);
  lease.reset();
  CHECK(book.totals().front().in_work == 0);
  CHECK(book.totals().front().requests == 0);
  CHECK(book.totals().front().generated_tokens == 20);
  CHECK(book.admit(limited, {100}).lease);
  // A bucket that is in use pays.
  auto second = book.take_up(who({}));
  CHECK(book.admit(limited, {0}).lease);
  second->spent(40, 40);
  second.reset();
  CHECK_FALSE(book.admit(limited, {30}).lease);
}

TEST_CASE("usage reaches the store once") {
  auto store = TokenStore::open(":memory:");
  REQUIRE(store.ok());
  QuotaBook book(store->get());
  {
    auto a = book.admit(who({}), {10});
    a.lease->spent(3, 4);
  }
  REQUIRE(book.flush().ok());
  REQUIRE(book.flush().ok());
  const auto usage = (*store)->usage(0);
  REQUIRE(usage.ok());
  REQUIRE(usage->size() == 1);
  CHECK(usage->front().requests == 1);
  CHECK(usage->front().prompt_tokens == 3);
  CHECK(usage->front().generated_tokens == 4);
}

TEST_CASE("wrong credentials slow their address down, up to a bound") {
  FailureBrake brake;
  const auto now = FailureBrake::Clock::now();
  for (int i = 0; i < FailureBrake::kFree; ++i) CHECK(brake.failed("a", now) == 0ms);
  auto last = 0ms;
  for (int i = 0; i < 20; ++i) {
    const auto pause = brake.failed("a", now);
    CHECK(pause >= last);
    last = pause;
  }
  CHECK(last == FailureBrake::kMost);
  CHECK(brake.failed("b", now) == 0ms);
  brake.succeeded("a");
  CHECK(brake.failed("a", now) == 0ms);
}
