#include "server/auth/quota.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace sgl::server {
namespace {

std::int64_t today() {
  return std::time(nullptr) / 86'400;
}

// Seconds until `missing` have flowed into a bucket that fills in a minute.
double seconds_for(double missing, std::int64_t per_minute) {
  return missing * 60.0 / static_cast<double>(per_minute);
}

}  // namespace

QuotaBook::QuotaBook(TokenStore* store) : store_(store) {
  if (store_ == nullptr) return;
  const auto known = store_->usage(today());
  if (!known.ok()) return;
  for (const TokenStore::Usage& u : *known) {
    Account& a = accounts_[u.id];
    a.day = u.day;
    a.day_tokens = u.prompt_tokens + u.generated_tokens;
    a.total.tenant = u.tenant;
    a.total.id = u.id;
  }
}

QuotaBook::Lease::Lease(QuotaBook& book, Principal who, std::int64_t reserved, bool taken_up)
    : book_(book), who_(std::move(who)), reserved_(reserved), taken_up_(taken_up) {}
QuotaBook::Lease::~Lease() {
  const std::lock_guard lock(book_.mutex_);
  book_.finish(taken_up_ ? book_.account(who_) : book_.account(who_, Clock::now()), reserved_, prompt_, generated_);
}

QuotaBook::Account& QuotaBook::account(const Principal& who) {
  Account& a = accounts_[who.id];
  a.total.tenant = who.tenant;
  a.total.id = who.id;
  if (a.day != today()) {
    a.day = today();
    a.day_tokens = 0;
  }
  return a;
}

QuotaBook::Account& QuotaBook::account(const Principal& who, Clock::time_point now) {
  Account& a = account(who);
  // Threads look at the clock before they hold the lock: a time may be older than the last one seen.
  const double minutes = a.fresh ? 1.0 : std::max(0.0, std::chrono::duration<double>(now - a.refilled).count() / 60.0);
  const auto refill = [&](double& level, std::int64_t limit) {
    level = std::min(static_cast<double>(limit), level + minutes * static_cast<double>(limit));
  };
  refill(a.requests, who.quotas.requests_per_minute);
  refill(a.tokens, who.quotas.tokens_per_minute);
  a.refilled = a.fresh ? now : std::max(now, a.refilled);
  a.fresh = false;
  return a;
}

QuotaBook::Admission QuotaBook::admit(const Principal& who, const Demand& demand, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Account& a = account(who, now);
  const Quotas& q = who.quotas;
  const auto wanted = static_cast<double>(demand.tokens);
  std::optional<QuotaRefusal> refusal;
  if (q.concurrent > 0 && a.in_work >= q.concurrent) {
    refusal = {fmt::format("{} requests are in work, as many as this token may have", q.concurrent), 1.0};
  } else if (q.requests_per_minute > 0 && a.requests < 1.0) {
    refusal = {fmt::format("more than {} requests in a minute", q.requests_per_minute),
               seconds_for(1.0 - a.requests, q.requests_per_minute)};
  } else if (q.tokens_per_minute > 0 && demand.tokens > q.tokens_per_minute) {
    refusal = {
        fmt::format("the request may need {} tokens, and {} a minute are allowed", demand.tokens, q.tokens_per_minute),
        60.0};
  } else if (q.tokens_per_minute > 0 && a.tokens < wanted) {
    refusal = {fmt::format("more than {} tokens in a minute", q.tokens_per_minute),
               seconds_for(wanted - a.tokens, q.tokens_per_minute)};
  } else if (q.tokens_per_day > 0 && a.day_tokens + demand.tokens > q.tokens_per_day) {
    refusal = {fmt::format("more than {} tokens today", q.tokens_per_day),
               static_cast<double>(86'400 - std::time(nullptr) % 86'400)};
  }
  Admission out;
  if (!refusal) {
    ++a.in_work;
    ++a.total.requests;
    ++a.unsaved.requests;
    a.requests -= 1.0;
    a.tokens -= wanted;
    a.day_tokens += demand.tokens;
    out.lease = std::make_unique<Lease>(*this, who, demand.tokens);
  } else {
    ++a.total.refused;
    out.refusal = std::move(*refusal);
  }
  out.state.limit_requests = q.requests_per_minute;
  out.state.remaining_requests = std::max<std::int64_t>(0, static_cast<std::int64_t>(a.requests));
  out.state.limit_tokens = q.tokens_per_minute;
  out.state.remaining_tokens = std::max<std::int64_t>(0, static_cast<std::int64_t>(a.tokens));
  if (q.requests_per_minute > 0) {
    out.state.reset_seconds =
        seconds_for(static_cast<double>(q.requests_per_minute) - std::max(0.0, a.requests), q.requests_per_minute);
  }
  return out;
}

std::unique_ptr<QuotaBook::Lease> QuotaBook::take_up(const Principal& who) {
  const std::lock_guard lock(mutex_);
  ++account(who).in_work;
  return std::make_unique<Lease>(*this, who, 0, true);
}

void QuotaBook::finish(Account& a, std::int64_t reserved, std::int64_t prompt, std::int64_t generated) {
  const std::int64_t unspent = reserved - prompt - generated;
  --a.in_work;
  if (!a.fresh) a.tokens += static_cast<double>(unspent);
  a.day_tokens = std::max<std::int64_t>(0, a.day_tokens - unspent);
  a.total.prompt_tokens += prompt;
  a.total.generated_tokens += generated;
  a.unsaved.prompt_tokens += prompt;
  a.unsaved.generated_tokens += generated;
}

std::vector<QuotaBook::Total> QuotaBook::totals() const {
  const std::lock_guard lock(mutex_);
  std::vector<Total> out;
  for (const auto& [id, a] : accounts_) {
    out.push_back(a.total);
    out.back().in_work = a.in_work;
  }
  std::sort(out.begin(), out.end(), [](const Total& x, const Total& y) { return x.id < y.id; });
  return out;
}

base::Status QuotaBook::flush() {
  if (store_ == nullptr) return {};
  std::vector<TokenStore::Usage> pending;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, a] : accounts_) {
      TokenStore::Usage u = a.unsaved;
      if (u.requests == 0 && u.prompt_tokens == 0 && u.generated_tokens == 0) continue;
      u.day = today();
      u.tenant = a.total.tenant;
      u.id = id;
      pending.push_back(std::move(u));
    }
  }
  for (const TokenStore::Usage& u : pending) {
    SGL_TRY_STATUS(store_->add_usage(u));
    const std::lock_guard lock(mutex_);
    TokenStore::Usage& unsaved = accounts_[u.id].unsaved;
    unsaved.requests -= u.requests;
    unsaved.prompt_tokens -= u.prompt_tokens;
    unsaved.generated_tokens -= u.generated_tokens;
  }
  return {};
}

std::chrono::milliseconds FailureBrake::failed(const std::string& address, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kMaxAddresses) {
    std::erase_if(entries_, [&](const auto& e) { return now - e.second.last > kForget; });
    if (entries_.size() >= kMaxAddresses) entries_.clear();
  }
  Entry& e = entries_[address];
  if (now - e.last > kForget) e.count = 0;
  e.last = now;
  e.count = std::min(e.count + 1, 1000);
  if (e.count <= kFree) return std::chrono::milliseconds(0);
  const int doublings = std::min(e.count - kFree, 10);
  return std::min(kMost, std::chrono::milliseconds(50 << (doublings - 1)));
}

void FailureBrake::succeeded(const std::string& address) {
  const std::lock_guard lock(mutex_);
  entries_.erase(address);
}

}  // namespace sgl::server
