#include "server/metrics/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace sgl::server {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

template <typename Number>
void simple(std::string& out, std::string_view name, std::string_view kind, std::string_view help, Number value) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, kind, value);
}

}  // namespace

void Histogram::observe(double seconds) {
  const auto it = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  counts_[static_cast<std::size_t>(it - kBounds.begin())].fetch_add(1, std::memory_order_relaxed);
  microseconds_.fetch_add(static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e6), std::memory_order_relaxed);
}

void Histogram::render(std::string& out, std::string_view name, std::string_view help) const {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    sum += counts_[i].load(std::memory_order_relaxed);
    out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, kBounds[i], sum);
  }
  sum += counts_.back().load(std::memory_order_relaxed);
  out += fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, sum,
                     static_cast<double>(microseconds_.load(std::memory_order_relaxed)) / 1e6);
}

Metrics::Tenant& Metrics::tenant(const std::string& name) {
  if (tenants_.size() >= kMaxTenants && !tenants_.contains(name)) return tenants_["(others)"];
  return tenants_[name];
}

void Metrics::finish_request(const std::string& route, int status, double seconds) {
  latency_.observe(seconds);
  const std::lock_guard lock(mutex_);
  ++finished_[{route, status}];
}

void Metrics::count_refusal(const std::string& name, const char* why) {
  const std::lock_guard lock(mutex_);
  ++tenant(name).refused[why];
}

void Metrics::count_tokens(const std::string& name, const engine::Usage& usage) {
  const std::lock_guard lock(mutex_);
  Tenant& t = tenant(name);
  t.prompt += static_cast<std::uint64_t>(usage.prompt_tokens);
  t.cached += static_cast<std::uint64_t>(usage.cached_tokens);
  t.generated += static_cast<std::uint64_t>(usage.generated_tokens);
}

std::string Metrics::render(const Gauges& g) const {
  std::string out;
  simple(out, "sgl_requests_started_total", "counter", "Requests whose head arrived.", requests_.load());
  out += "# HELP sgl_requests_total Requests answered, by route and status.\n# TYPE sgl_requests_total counter\n";
  const std::lock_guard lock(mutex_);
  for (const auto& [key, count] : finished_) {
    out += fmt::format("sgl_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", escaped(key.first), key.second, count);
  }
  latency_.render(out, "sgl_request_seconds", "Time from a request's head to the end of its answer.");
  first_token_.render(out, "sgl_time_to_first_token_seconds", "Time from a request's head to its first token.");
  between_tokens_.render(out, "sgl_time_between_tokens_seconds", "Time between pieces of a stream.");
  const auto by_tenant = [&](std::string_view name, std::string_view help, std::uint64_t Tenant::*member) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n", name, help);
    for (const auto& [tenant_name, t] : tenants_) {
      out += fmt::format("{}{{tenant=\"{}\"}} {}\n", name, escaped(tenant_name), t.*member);
    }
  };
  by_tenant("sgl_prompt_tokens_total", "Prompt tokens.", &Tenant::prompt);
  by_tenant("sgl_cached_tokens_total", "Prompt tokens found in the prefix cache.", &Tenant::cached);
  by_tenant("sgl_generated_tokens_total", "Generated tokens.", &Tenant::generated);
  out += "# HELP sgl_refused_total Requests refused at the door.\n# TYPE sgl_refused_total counter\n";
  for (const auto& [tenant_name, t] : tenants_) {
    for (const auto& [why, count] : t.refused) {
      out += fmt::format("sgl_refused_total{{tenant=\"{}\",reason=\"{}\"}} {}\n", escaped(tenant_name), why, count);
    }
  }
  simple(out, "sgl_requests_in_work", "gauge", "Requests being answered.", g.in_work);
  simple(out, "sgl_background_runs", "gauge", "Background runs that wait or run.", g.background_runs);
  simple(out, "sgl_compilations_waiting", "gauge", "Programs, schemas and grammars that wait to be compiled.",
         g.compilations_waiting);
  simple(out, "sgl_connections", "gauge", "Open connections.", g.connections);
  simple(out, "sgl_connections_accepted_total", "counter", "Connections accepted.", g.accepted);
  simple(out, "sgl_connections_turned_away_total", "counter", "Connections over a limit.", g.turned_away);
  simple(out, "sgl_tls_handshake_failures_total", "counter", "TLS handshakes that failed.", g.handshake_failures);
  simple(out, "sgl_malformed_requests_total", "counter", "Requests refused for their head.", g.bad_heads);
  simple(out, "sgl_audit_lines_lost_total", "counter", "Audit lines that could not be written.", g.audit_lost);
  if (g.certificate_days >= 0) {
    simple(out, "sgl_certificate_days_left", "gauge", "Days until the certificate expires.", g.certificate_days);
  }
  simple(out, "sgl_engine_steps_total", "counter", "Model steps.", g.engine.steps);
  simple(out, "sgl_engine_preemptions_total", "counter", "Sequences preempted for memory.", g.engine.preemptions);
  simple(out, "sgl_kv_pages", "gauge", "KV pages.", g.engine.pages_total);
  simple(out, "sgl_kv_pages_free", "gauge", "KV pages that hold nothing.", g.engine.pages_free);
  simple(out, "sgl_kv_pages_cached", "gauge", "KV pages that only the cache holds.", g.engine.pages_cached);
  simple(out, "sgl_kv_pages_evicted_total", "counter", "KV pages evicted.", g.engine.evicted_pages);
  return out;
}

}  // namespace sgl::server
