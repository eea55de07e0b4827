// Counters and histograms in Prometheus' text format (version 0.0.4).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/engine/engine.h"

namespace sgl::server {

// Fixed buckets in seconds, from half a millisecond to two minutes. Thread-safe.
class Histogram {
 public:
  static constexpr std::array<double, 16> kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25,   0.5,   1,      2.5,   5,    10,    30,   120};
  void observe(double seconds);
  void render(std::string& out, std::string_view name, std::string_view help) const;

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> microseconds_{0};
};

// What a rendering needs beside the counters.
struct Gauges {
  engine::EngineStats engine;
  std::size_t connections = 0, in_work = 0, background_runs = 0, compilations_waiting = 0;
  std::uint64_t accepted = 0, turned_away = 0, handshake_failures = 0, bad_heads = 0, audit_lost = 0;
  int certificate_days = -1;  // negative: no TLS
};

class Metrics {
 public:
  void count_request() { requests_.fetch_add(1, std::memory_order_relaxed); }
  void finish_request(const std::string& route, int status, double seconds);
  void count_refusal(const std::string& tenant, const char* why);
  void count_tokens(const std::string& tenant, const engine::Usage& usage);
  void first_token(double seconds) { first_token_.observe(seconds); }
  void between_tokens(double seconds) { between_tokens_.observe(seconds); }

  std::string render(const Gauges& gauges) const;

 private:
  struct Tenant {
    std::uint64_t prompt = 0, cached = 0, generated = 0;
    std::map<std::string, std::uint64_t> refused;
  };
  // Tenants come from the operator's tokens or JWTs; beyond this many they are counted together.
  static constexpr std::size_t kMaxTenants = 1000;
  Tenant& tenant(const std::string& name);

  std::atomic<std::uint64_t> requests_{0};
  Histogram latency_, first_token_, between_tokens_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> finished_;  // by route and status
  std::map<std::string, Tenant> tenants_;
};

}  // namespace sgl::server
