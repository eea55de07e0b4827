// Quotas and fairness at the door: who may start a request now, and what they have used.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/auth/token_store.h"

namespace sgl::server {

// What a request costs at most, known before it runs.
struct Demand {
  std::int64_t tokens = 0;  // prompt and generated, an upper bound
};

struct QuotaState {  // for x-ratelimit-* headers; limits of 0 are not shown
  std::int64_t limit_requests = 0, remaining_requests = 0;
  std::int64_t limit_tokens = 0, remaining_tokens = 0;
  double reset_seconds = 0;
};

struct QuotaRefusal {
  std::string message;
  double retry_after = 1;  // seconds
};

// Token buckets a minute (they refill continuously), daily counts (from the store, so that a restart forgets nothing),
// and concurrency. Thread-safe. O(1).
class QuotaBook {
 public:
  using Clock = std::chrono::steady_clock;
  // `store` may be null: daily counts then live in memory.
  explicit QuotaBook(TokenStore* store);

  // A request in work. Its end gives back what was reserved and not spent, and adds to the usage.
  class Lease {
   public:
    // `taken_up`: see take_up().
    Lease(QuotaBook& book, Principal who, std::int64_t reserved, bool taken_up = false);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    void spent(std::int64_t prompt, std::int64_t generated) {
      prompt_ += prompt;
      generated_ += generated;
    }

   private:
    QuotaBook& book_;
    Principal who_;
    std::int64_t reserved_, prompt_ = 0, generated_ = 0;
    bool taken_up_;
  };
  struct Admission {
    std::unique_ptr<Lease> lease;  // null: refused
    QuotaRefusal refusal;
    QuotaState state;
  };
  Admission admit(const Principal& who, const Demand& demand, Clock::time_point now = Clock::now());
  // A request that was admitted before a restart goes on: no quota refuses it, it is in work, and what it spends
  // counts. Of `who` only id and tenant are used.
  std::unique_ptr<Lease> take_up(const Principal& who);

  // Since start, by principal; with the store also earlier days.
  struct Total {
    std::string tenant, id;
    std::int64_t requests = 0, prompt_tokens = 0, generated_tokens = 0, refused = 0, in_work = 0;
  };
  std::vector<Total> totals() const;
  // Writes what is not in the store yet; called now and then and at the end. Errors: the store cannot be written; the
  // counts stay in memory for the next time.
  base::Status flush();

 private:
  struct Account {
    double requests = 0, tokens = 0;  // in the buckets
    Clock::time_point refilled;
    bool fresh = true;
    std::int64_t in_work = 0;
    std::int64_t day = 0, day_tokens = 0;
    Total total;
    TokenStore::Usage unsaved;
  };
  Account& account(const Principal& who);                         // of today
  Account& account(const Principal& who, Clock::time_point now);  // with its buckets refilled to the quotas of `who`
  void finish(Account& account, std::int64_t reserved, std::int64_t prompt, std::int64_t generated);

  TokenStore* store_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Account> accounts_;  // by principal id
};

// Slows down addresses that keep presenting wrong credentials: after a few, every answer to them takes longer, up to a
// bound. Thread-safe.
class FailureBrake {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int kFree = 3;                          // mistakes of people
  static constexpr std::chrono::milliseconds kMost{2000};  // what a thread is held
  static constexpr std::chrono::minutes kForget{10};
  static constexpr std::size_t kMaxAddresses = 100'000;  // some 10 MB

  // How long the answer to this failure is to be held back.
  std::chrono::milliseconds failed(const std::string& address, Clock::time_point now = Clock::now());
  void succeeded(const std::string& address);

 private:
  struct Entry {
    int count = 0;
    Clock::time_point last;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace sgl::server
