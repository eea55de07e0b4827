#include "server/api/service.h"

#include "server/http/server.h"
#include "server/jobs/program_store.h"
#include "server/jobs/runs.h"

namespace sgl::server {

engine::Namespace Tenants::of(const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  // 0 is the one that all share when the operator wants it so.
  return engine::Namespace(ids_.emplace(tenant, static_cast<std::uint32_t>(ids_.size()) + 1).first->second);
}

Service::Service() = default;
Service::~Service() = default;

std::int64_t Service::context_limit() const {
  const auto capacity = static_cast<std::int64_t>(engine->capacity());
  return options.max_context > 0 ? std::min(options.max_context, capacity) : capacity;
}

Gauges gauges_of(const Service& service) {
  Gauges out;
  out.engine = service.engine->stats();
  out.in_work = service.in_work.load();
  out.background_runs = service.runs->background_in_work();
  out.compilations_waiting = service.compiling.waiting();
  if (service.audit) out.audit_lost = service.audit->lost();
  if (service.http != nullptr) {
    const HttpStats stats = service.http->stats();
    out.connections = stats.connections;
    out.accepted = stats.accepted;
    out.turned_away = stats.turned_away;
    out.handshake_failures = stats.handshake_failures;
    out.bad_heads = stats.bad_heads;
  }
  if (service.tls) out.certificate_days = service.tls->days_left();
  return out;
}

}  // namespace sgl::server
