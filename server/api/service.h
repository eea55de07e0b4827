// What all handlers share: the model and everything that decides, counts and records. One per server.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "runtime/engine/engine.h"
#include "runtime/exec/port.h"
#include "runtime/exec/tool_port.h"
#include "runtime/tokenizer/chat_template.h"
#include "server/api/active.h"
#include "server/api/audit.h"
#include "server/api/constraint_cache.h"
#include "server/auth/authenticator.h"
#include "server/auth/quota.h"
#include "server/jobs/compile_gate.h"
#include "server/metrics/metrics.h"

namespace sgl::server {

class HttpServer;
class ProgramStore;
class RunRegistry;
class TlsContext;

struct ServiceOptions {
  std::string model_name = "default";
  std::string model_path;
  bool share_cache = false;        // one prefix cache for all tenants: the operator's choice, timing then tells who
                                   // asked what before
  std::int64_t max_context = 0;    // tokens of one request, prompt and answer; 0: the model's
  std::size_t max_waiting = 1024;  // requests in work; more get 503 with Retry-After
  std::chrono::seconds request_timeout{600};  // of generations; programs have their own limit of time
  bool log_prompts = false;                   // prompts and answers in the audit log
  bool log_requests = true;
};

// Names of tenants as the engine's cache namespaces. Never given back: a name keeps its number. Thread-safe.
class Tenants {
 public:
  engine::Namespace of(const std::string& tenant);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> ids_;
};

struct Service {
  ServiceOptions options;
  engine::Engine* engine = nullptr;
  exec::ModelPort* port = nullptr;
  std::unique_ptr<exec::ToolPort> tools;  // what programs' tools are bound to
  std::optional<tokenizer::ChatTemplate> chat_template;
  std::string chat_template_text;
  HttpServer* http = nullptr;          // once it listens, for figures
  std::shared_ptr<TlsContext> tls;     // may be null
  std::unique_ptr<TokenStore> tokens;  // may be null
  std::unique_ptr<Authenticator> auth;
  std::unique_ptr<QuotaBook> quotas;
  std::unique_ptr<AuditLog> audit;  // may be null
  CompileGate compiling;
  std::unique_ptr<ProgramStore> programs;
  std::unique_ptr<RunRegistry> runs;
  FailureBrake brake;
  Metrics metrics;
  ConstraintCache constraints{compiling};
  Tenants tenants;
  ActiveRequests active;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> in_work{0};

  // Defined where ProgramStore and RunRegistry are known.
  Service();
  ~Service();

  engine::Namespace cache_of(const Principal& who) {
    return options.share_cache ? engine::Namespace(0) : tenants.of(who.tenant);
  }
  // In whose cache, and with which share.
  template <typename Work>
  void attribute(Work& work, const Principal& who) {
    work.ns = cache_of(who);
    work.weight = who.quotas.weight > 0 ? static_cast<double>(who.quotas.weight) : 1.0;
  }
  std::int64_t context_limit() const;
};

// What the metrics show beside their own counters.
Gauges gauges_of(const Service& service);

}  // namespace sgl::server
