// The listener: accepts connections up to its limits, gives each a thread, and hands complete requests to one handler.
// HTTP/1.1 by cpp-httplib, over plain sockets, TLS, or a Unix socket.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "runtime/base/expected.h"
#include "server/http/connection.h"
#include "server/http/message.h"
#include "server/tls/context.h"

namespace sgl::server {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 30000;  // 0: any free one
  std::string uds;   // path of a Unix socket instead of host and port
  ConnectionLimits limits;
  std::size_t max_connections = 4096;      // a thread each; more are turned away with 503
  std::size_t max_per_address = 2048;      // behind a proxy all have one address
  std::size_t keep_alive_requests = 1000;  // then a connection is closed, so that load spreads anew
};

struct HttpStats {
  std::size_t connections = 0;
  std::uint64_t accepted = 0, turned_away = 0, handshake_failures = 0, bad_heads = 0;
};

class HttpServer {
 public:
  // Binds and listens; nothing is accepted before run(). `tls` may be null (plain HTTP). Errors: one sentence.
  static base::Expected<std::unique_ptr<HttpServer>> bind(const HttpOptions& options, std::shared_ptr<TlsContext> tls,
                                                          Handler handler);
  ~HttpServer();

  int port() const;
  // Accepts until stop_accepting(). The caller's thread is the accepting one.
  void run();
  // From any thread: no further connection is accepted, idle ones are closed, requests in work go on.
  void stop_accepting();
  // Waits until all connections have ended, at most `timeout`; with `cut`, then ends those that are left and waits for
  // their threads. True: all ended by themselves.
  bool drain(std::chrono::milliseconds timeout, bool cut);
  HttpStats stats() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sgl::server
