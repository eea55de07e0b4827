// A running server: everything put together, from options to the last drained connection.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "server/api/router.h"
#include "server/app/options.h"

namespace sgl::server {

class App {
 public:
  // The engine and its port must outlive it. Errors: one sentence, from whatever could not be opened or bound.
  static base::Expected<std::unique_ptr<App>> create(const AppOptions& options, engine::Engine& engine,
                                                     exec::ModelPort& port);
  ~App();

  int port() const { return http_->port(); }
  const Router& router() const { return router_; }
  // Serves until shut_down(); returns once everything is drained. True: nothing had to be cut off.
  bool run();
  // From any thread (not from a signal handler): /ready turns 503, then no connection is accepted, what is in work gets
  // drain_timeout. A second call ends the wait.
  void shut_down();
  // Certificates, JWT keys, audit log: read or opened again. What cannot be keeps its old state and is reported.
  void reload();

 private:
  explicit App(const AppOptions& options) : options_(options), router_(service_) {}
  base::Status open_state();
  base::Status prepare_chat();
  void tick();

  const AppOptions options_;
  Service service_;
  Router router_;
  std::unique_ptr<HttpServer> http_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int shut_downs_ = 0;
  std::thread ticker_;
};

}  // namespace sgl::server
