#include "server/http/server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "runtime/base/check.h"
#include "server/http/listen.h"

namespace sgl::server {
namespace {

std::string random_id() {
  std::array<unsigned char, 8> bytes{};
  SGL_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  std::string out;
  for (const unsigned char b : bytes) out += fmt::format("{:02x}", b);
  return out;
}

// For what is refused before anything is known about the request.
std::string plain_error(const HeadError& error) {
  const nlohmann::json body = {
      {"error", {{"message", error.message}, {"type", "invalid_request"}, {"code", error.status}}}};
  const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      error.status, error.status == 503 ? "Service Unavailable" : "Refused", text.size(), text);
}

// What every answer says: when it was made, that it is not to be kept or reinterpreted, and on TLS that TLS is meant.
void add_standing_headers(const Request& request, httplib::Response& out) {
  out.set_header("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  out.set_header("X-Content-Type-Options", "nosniff");
  out.set_header("Cache-Control", "no-store");
  if (request.encrypted) out.set_header("Strict-Transport-Security", "max-age=31536000");
}

}  // namespace

// The library's server without its sockets: it parses canonical heads, decodes bodies and writes responses.
class Library final : public httplib::Server {
 public:
  // The library takes a server without a socket for one that is shutting down, and then streams nothing.
  Library() { svr_sock_ = 0; }

  // The connection that the calling thread serves, for handlers.
  static thread_local Connection* current;

  bool serve(Connection& connection, bool last, bool& closed) {
    current = &connection;
    const bool written = process_request(connection, last, closed, nullptr);
    current = nullptr;
    return written;
  }
};
thread_local Connection* Library::current = nullptr;

struct HttpServer::Impl {
  HttpOptions options;
  std::shared_ptr<TlsContext> tls;
  Handler handler;
  Library library;
  HangupWatch hangups;
  int listener = -1;
  int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<bool> stopping{false};

  mutable std::mutex mutex;
  std::condition_variable ended;
  std::unordered_set<int> sockets;  // of living connections
  std::unordered_map<std::string, std::size_t> by_address;
  std::size_t threads = 0;
  std::uint64_t accepted = 0, turned_away = 0;
  std::atomic<std::uint64_t> handshake_failures{0}, bad_heads{0};

  void install_routes();
  void answer(const httplib::Request&, httplib::Response& out, const httplib::ContentReader* reader);
  void accept_one();
  bool admit(int socket, const std::string& remote);
  void serve(int socket, const std::string& remote);
  void release(int socket, const std::string& remote);
};

void HttpServer::Impl::install_routes() {
  // One route for everything: who may call what is decided in one table (server/api), not in the library.
  const auto with_body = [this](const httplib::Request& in, httplib::Response& out,
                                const httplib::ContentReader& reader) { answer(in, out, &reader); };
  const auto without = [this](const httplib::Request& in, httplib::Response& out) { answer(in, out, nullptr); };
  library.set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(options.limits.idle_time).count());
  library.set_keep_alive_max_count(options.keep_alive_requests);
  const char* const all = "[^]*";
  library.Get(all, without);
  library.Options(all, without);
  library.Post(all, httplib::Server::HandlerWithContentReader(with_body));
  library.Put(all, httplib::Server::HandlerWithContentReader(with_body));
  library.Patch(all, httplib::Server::HandlerWithContentReader(with_body));
  library.Delete(all, httplib::Server::HandlerWithContentReader(with_body));
  library.set_error_handler([](const httplib::Request&, httplib::Response& out) {
    if (!out.body.empty()) return;
    const nlohmann::json body = {
        {"error", {{"message", "the request cannot be served"}, {"type", "invalid_request"}, {"code", out.status}}}};
    out.set_content(body.dump(), "application/json");
  });
}

void HttpServer::Impl::answer(const httplib::Request&, httplib::Response& out, const httplib::ContentReader* reader) {
  Connection& connection = *Library::current;
  Request request;
  request.received = std::chrono::steady_clock::now();
  request.head = connection.head();
  request.remote = connection.remote();
  request.encrypted = connection.ssl() != nullptr;
  if (connection.ssl() != nullptr) request.client_certificate = peer_subject(connection.ssl());
  request.id = random_id();
  request.hangup = &hangups;
  request.socket = connection.socket();
  out.set_header("x-request-id", request.id);
  add_standing_headers(request, out);
  if (reader != nullptr && request.head.has_body()) {
    const std::size_t limit = options.limits.max_body;
    const bool complete = (*reader)([&](const char* data, std::size_t size) {
      if (request.body.size() + size > limit) return false;
      request.body.append(data, size);
      return true;
    });
    if (!complete) {
      const HeadError why = connection.body_error().value_or(
          request.body.size() >= limit / 2 ? HeadError{413, fmt::format("the body is longer than {} bytes", limit)}
                                           : HeadError{400, "the request's body is malformed"});
      const nlohmann::json body = {
          {"error", {{"message", why.message}, {"type", "invalid_request"}, {"code", why.status}}}};
      out.status = why.status;
      out.set_header("Connection", "close");
      out.set_content(body.dump(), "application/json");
      connection.poison();
      return;
    }
    connection.body_done();
  }
  auto response = std::make_shared<Response>(handler(request));
  out.status = response->status;
  for (const auto& [name, value] : response->headers) out.set_header(name, value);
  if (!response->stream) {
    out.set_content(response->body, response->content_type);
    return;
  }
  if (request.head.minor == 0) {  // HTTP/1.0 knows no chunks
    std::string whole;
    response->stream([&](std::string_view piece) {
      whole.append(piece);
      return true;
    });
    out.set_content(whole, response->content_type);
    return;
  }
  out.set_chunked_content_provider(response->content_type, [response](std::size_t, httplib::DataSink& sink) {
    bool alive = true;
    try {
      response->stream([&](std::string_view piece) {
        if (piece.empty()) return alive;
        alive = alive && sink.write(piece.data(), piece.size());
        return alive;
      });
    } catch (const std::exception&) {  // the handler has said why; the library would let it end the process
      alive = false;
    }
    if (alive) sink.done();
    return alive;
  });
}

bool HttpServer::Impl::admit(int socket, const std::string& remote) {
  const std::lock_guard lock(mutex);
  ++accepted;
  const auto here = by_address.find(remote);
  if (sockets.size() >= options.max_connections ||
      (here != by_address.end() && here->second >= options.max_per_address)) {
    ++turned_away;
    return false;
  }
  sockets.insert(socket);
  ++by_address[remote];
  ++threads;
  return true;
}

void HttpServer::Impl::release(int socket, const std::string& remote) {
  const std::lock_guard lock(mutex);
  sockets.erase(socket);
  if (--by_address[remote] == 0) by_address.erase(remote);
}

void HttpServer::Impl::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int socket = accept4(listener, reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC);
  if (socket < 0) {
    // Out of descriptors: wait for a connection to end rather than spin.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return;
  }
  const std::string remote = address_text(address);
  const int one = 1;
  if (address.ss_family != AF_UNIX) setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!admit(socket, remote)) {
    if (!tls) {
      const std::string text = plain_error({503, "there are too many connections; try again later"});
      (void)send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    close(socket);
    return;
  }
  try {
    std::thread([this, socket, remote] {
      serve(socket, remote);
      // The last thing that touches this object: drain() may destroy it afterwards.
      const std::lock_guard lock(mutex);
      --threads;
      ended.notify_all();
    }).detach();
  } catch (const std::system_error&) {  // no more threads: the other connections go on
    release(socket, remote);
    close(socket);
    const std::lock_guard lock(mutex);
    --threads;
    ++turned_away;
  }
}

void HttpServer::Impl::serve(int socket, const std::string& remote) {
  {
    Connection connection(socket, remote, options.limits, stop);
    bool open = true;
    if (tls) {
      SSL* ssl = tls->new_connection();
      open = ssl != nullptr && connection.handshake(ssl);
      if (!open) handshake_failures.fetch_add(1);
    }
    for (std::size_t count = 1; open; ++count) {
      const Connection::Next next = connection.next_request();
      if (next == Connection::Next::kClosed) break;
      if (next == Connection::Next::kError) {
        bad_heads.fetch_add(1);
        const std::string text = plain_error(connection.error());
        connection.write(text.data(), text.size());
        connection.finish();
        break;
      }
      const bool last = count >= options.keep_alive_requests || stopping.load() || !connection.head().keep_alive;
      bool closed = false;
      const bool written = library.serve(connection, last, closed);
      open = written && !last && !closed && !connection.broken();
      if (!open) connection.finish();
    }
    // Before the socket is closed: its number may be given out again at once.
    release(socket, remote);
  }
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  stop_accepting();
  drain(std::chrono::milliseconds(0), true);
  if (impl_->listener >= 0) close(impl_->listener);
  if (!impl_->options.uds.empty()) unlink(impl_->options.uds.c_str());
  close(impl_->stop);
}

base::Expected<std::unique_ptr<HttpServer>> HttpServer::bind(const HttpOptions& options,
                                                             std::shared_ptr<TlsContext> tls, Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->tls = std::move(tls);
  impl->handler = std::move(handler);
  impl->install_routes();
  SGL_TRY(impl->listener, options.uds.empty() ? listen_tcp(options.host, options.port) : listen_unix(options.uds));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

int HttpServer::port() const {
  return port_of(impl_->listener);
}

void HttpServer::run() {
  while (!impl_->stopping.load()) {
    pollfd fds[2] = {{impl_->listener, POLLIN, 0}, {impl_->stop, POLLIN, 0}};
    const int count = poll(fds, 2, -1);
    if (count > 0 && fds[1].revents != 0) break;
    if (count > 0 && fds[0].revents != 0) impl_->accept_one();
  }
}

void HttpServer::stop_accepting() {
  impl_->stopping.store(true);
  const std::uint64_t one = 1;
  (void)!write(impl_->stop, &one, sizeof one);  // full only when it was said already
}

bool HttpServer::drain(std::chrono::milliseconds timeout, bool cut) {
  std::unique_lock lock(impl_->mutex);
  const bool done = impl_->ended.wait_for(lock, timeout, [&] { return impl_->threads == 0; });
  if (done || !cut) return done;
  for (const int socket : impl_->sockets) shutdown(socket, SHUT_RDWR);
  impl_->ended.wait(lock, [&] { return impl_->threads == 0; });
  return false;
}

HttpStats HttpServer::stats() const {
  const std::lock_guard lock(impl_->mutex);
  return {impl_->sockets.size(), impl_->accepted, impl_->turned_away, impl_->handshake_failures.load(),
          impl_->bad_heads.load()};
}

}  // namespace sgl::server
