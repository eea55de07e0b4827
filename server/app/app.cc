#include "server/app/app.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "runtime/base/file.h"
#include "server/api/programs.h"
#include "server/outbound/tool_runner.h"

namespace sgl::server {
namespace {

// How often certificates are looked at, usage is written and old runs are dropped.
constexpr std::chrono::seconds kTick{2};

base::Status make_private_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return base::invalid(fmt::format("the state folder '{}' cannot be made: {}", path, std::strerror(errno)));
}

}  // namespace

base::Status App::open_state() {
  const std::string& folder = options_.state_dir;
  std::unique_ptr<RunStore> runs;
  if (folder.empty()) {
    SGL_TRY(service_.programs, ProgramStore::open(":memory:", service_.compiling));
  } else {
    SGL_TRY_STATUS(make_private_folder(folder));
    SGL_TRY(service_.tokens, TokenStore::open(folder + "/tokens.db"));
    SGL_TRY(service_.programs, ProgramStore::open(folder + "/programs.db", service_.compiling));
    SGL_TRY(runs, RunStore::open(folder + "/runs.db", options_.runs.store_bytes));
  }
  service_.runs = std::make_unique<RunRegistry>(*service_.port, std::move(runs), options_.runs);
  service_.quotas = std::make_unique<QuotaBook>(service_.tokens.get());
  if (!options_.audit_log.empty()) {
    SGL_TRY(service_.audit, AuditLog::open(options_.audit_log));
  }
  SGL_TRY(service_.auth, Authenticator::create(options_.auth, service_.tokens.get()));
  return {};
}

base::Status App::prepare_chat() {
  std::string source(tokenizer::kPlainTemplate);
  if (!options_.chat_template.empty()) {
    SGL_TRY(source, base::read_file(options_.chat_template, 1 << 20));
    service_.chat_template_text = source;
  } else if (const auto own = service_.engine->tokenizer().chat_template()) {
    source = *own;
    service_.chat_template_text = source;
  }
  auto parsed = tokenizer::ChatTemplate::parse(source);
  if (!parsed.ok()) return base::invalid("the chat template cannot be used: " + parsed.error().message);
  service_.chat_template = std::move(*parsed);
  return {};
}

base::Expected<std::unique_ptr<App>> App::create(const AppOptions& options, engine::Engine& engine,
                                                 exec::ModelPort& port) {
  std::unique_ptr<App> app(new App(options));
  Service& service = app->service_;
  service.options = options.service;
  service.engine = &engine;
  service.port = &port;
  // Before the runs, which end first and use them.
  ToolBindings bindings;
  if (!options.tools.empty()) {
    SGL_TRY(bindings, read_tool_bindings(options.tools, false));
  }
  service.tools = std::make_unique<ToolRunner>(std::move(bindings));
  SGL_TRY_STATUS(app->open_state());
  SGL_TRY_STATUS(app->prepare_chat());
  if (!options.tls.certificates.empty()) {
    SGL_TRY(service.tls, TlsContext::create(options.tls));
  }
  add_system_routes(app->router_);
  add_native_routes(app->router_);
  add_openai_routes(app->router_);
  add_program_routes(app->router_);
  add_admin_routes(app->router_);
  SGL_TRY(app->http_, HttpServer::bind(options.http, service.tls,
                                       [a = app.get()](const Request& request) { return a->router_.handle(request); }));
  service.http = app->http_.get();
  SGL_TRY_STATUS(service.runs->resume([&service](const StoredRun& stored) { return revive_run(service, stored); }));
  return app;
}

App::~App() {
  // Handlers first: they use the service.
  http_.reset();
  service_.http = nullptr;
}

void App::tick() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kTick, [&] { return shut_downs_ > 0; })) {
    lock.unlock();
    if (service_.tls && service_.tls->files_changed()) {
      if (const base::Status fresh = service_.tls->reload(); fresh.ok()) {
        spdlog::info("the certificates were read again");
      } else {
        spdlog::error("the new certificates cannot be used, the old ones stay: {}", fresh.error().message);
      }
    }
    if (const base::Status written = service_.quotas->flush(); !written.ok())
      spdlog::warn("{}", written.error().message);
    service_.runs->sweep();
    lock.lock();
  }
}

void App::reload() {
  if (service_.tls) {
    const base::Status fresh = service_.tls->reload();
    if (!fresh.ok()) spdlog::error("the new certificates cannot be used, the old ones stay: {}", fresh.error().message);
  }
  if (const base::Status keys = service_.auth->reload(); !keys.ok()) {
    spdlog::error("the JWT keys cannot be read, the old ones stay: {}", keys.error().message);
  }
  if (service_.audit) {
    if (const base::Status opened = service_.audit->reopen(); !opened.ok()) spdlog::error("{}", opened.error().message);
  }
  spdlog::info("reloaded");
}

void App::shut_down() {
  service_.draining.store(true);
  // Told under the lock: who is woken may let go of this object.
  const std::lock_guard lock(mutex_);
  ++shut_downs_;
  changed_.notify_all();
}

bool App::run() {
  ticker_ = std::thread([this] { tick(); });
  std::thread closer([this] {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return shut_downs_ > 0; });
    changed_.wait_for(lock, options_.drain_delay, [&] { return shut_downs_ > 1; });
    lock.unlock();
    http_->stop_accepting();
  });
  http_->run();
  closer.join();
  ticker_.join();
  spdlog::info("draining: {} connections", http_->stats().connections);
  const auto deadline = std::chrono::steady_clock::now() + options_.drain_timeout;
  constexpr std::chrono::milliseconds kSlice{100};
  // Whether there is time for more; a second signal ends it.
  const auto may_go_on = [&] {
    const std::lock_guard lock(mutex_);
    return std::chrono::steady_clock::now() < deadline && shut_downs_ < 2;
  };
  bool clean = true;
  while (clean && !http_->drain(kSlice, false)) clean = may_go_on();
  service_.runs->refuse();
  while (clean && !service_.runs->idle(kSlice)) clean = may_go_on();
  service_.runs->stop();
  http_->drain(std::chrono::milliseconds(0), true);
  if (const base::Status written = service_.quotas->flush(); !written.ok()) spdlog::warn("{}", written.error().message);
  return clean;
}

}  // namespace sgl::server
