#include "server/http/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sgl::server {
namespace {

constexpr std::size_t kReadBytes = 16 << 10;  // one TLS record

// What chunked coding may add to a body: a size line a chunk. Bodies cut into tiny pieces are refused.
std::uint64_t with_chunk_overhead(std::size_t body) {
  return body + body / 8 + (64 << 10);
}

}  // namespace

Connection::Connection(int socket, std::string remote, const ConnectionLimits& limits, int stop)
    : socket_(socket), remote_(std::move(remote)), limits_(limits), stop_(stop) {
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
}

Connection::~Connection() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ssl_.reset();
  close(socket_);
}

bool Connection::wait(short events, Clock::time_point deadline, bool idle) const {
  while (true) {
    // Rounded up, so that the deadline has passed when waiting for it ends.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd fds[2] = {{socket_, events, 0}, {stop_, POLLIN, 0}};
    const int count = poll(fds, idle && stop_ >= 0 ? 2 : 1, static_cast<int>(std::min<long long>(left, 1 << 30)));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    if (fds[0].revents != 0) return true;
    return false;  // asked to stop
  }
}

bool Connection::handshake(SSL* ssl) {
  ssl_.reset(ssl);
  if (SSL_set_fd(ssl, socket_) != 1) return false;
  const auto deadline = Clock::now() + limits_.handshake;
  while (true) {
    ERR_clear_error();
    const int result = SSL_accept(ssl);
    if (result == 1) return true;
    const int reason = SSL_get_error(ssl, result);
    const short events = reason == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
      if (wait(events, deadline, false)) continue;
    }
    ERR_clear_error();
    ssl_.reset();  // no close_notify on a connection that was never there
    broken_ = true;
    return false;
  }
}

int Connection::fill(Clock::time_point deadline, bool idle) {
  if (used_ > 0) {
    buffer_.erase(0, used_);
    used_ = 0;
  }
  char bytes[kReadBytes];
  while (true) {
    short events = POLLIN;
    ssize_t count = 0;
    bool again = false;
    if (ssl_) {
      ERR_clear_error();
      count = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (count <= 0) {
        const int reason = SSL_get_error(ssl_.get(), static_cast<int>(count));
        again = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
        if (reason == SSL_ERROR_WANT_WRITE) events = POLLOUT;
        if (reason == SSL_ERROR_ZERO_RETURN) return 0;
      }
    } else {
      count = recv(socket_, bytes, sizeof bytes, 0);
      if (count == 0) return 0;
      again = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    }
    if (count > 0) {
      buffer_.append(bytes, static_cast<std::size_t>(count));
      return 1;
    }
    if (!again || !wait(events, deadline, idle)) return -1;
  }
}

Connection::Next Connection::next_request() {
  body_error_.reset();
  if (used_ == buffer_.size()) {
    if (fill(Clock::now() + limits_.idle_time, true) <= 0) return Next::kClosed;
  }
  const auto deadline = Clock::now() + limits_.head_time;
  while (true) {
    // Empty lines before a request are ignored (RFC 9112, 2.2).
    while (buffer_.compare(used_, 2, "\r\n") == 0) used_ += 2;
    const std::string_view bytes = std::string_view(buffer_).substr(used_);
    if (const auto end = head_end(bytes.substr(0, limits_.head.max_bytes + 4))) {
      auto parsed = parse_head(bytes.substr(0, *end), limits_.head);
      used_ += *end;
      if (auto* error = std::get_if<HeadError>(&parsed)) {
        error_ = std::move(*error);
        return Next::kError;
      }
      head_ = std::move(std::get<Head>(parsed));
      if (head_.content_length.value_or(0) > limits_.max_body) {
        error_ = {413, fmt::format("the body is longer than {} bytes", limits_.max_body)};
        return Next::kError;
      }
      begin_body();
      return Next::kHead;
    }
    if (bytes.size() > limits_.head.max_bytes) {
      error_ = {431, fmt::format("the request's head is longer than {} bytes", limits_.head.max_bytes)};
      return Next::kError;
    }
    const int more = fill(deadline, false);
    if (more == 1) continue;
    if (more == 0 || Clock::now() < deadline) return Next::kClosed;
    error_ = {408, "the request's head did not arrive in time"};
    return Next::kError;
  }
}

void Connection::begin_body() {
  head_text_ = canonical_head(head_);
  head_given_ = 0;
  body_left_ = head_.chunked ? with_chunk_overhead(limits_.max_body) : head_.content_length.value_or(0);
  body_deadline_ = Clock::now() + limits_.body_time;
}

ssize_t Connection::read(char* out, std::size_t size) {
  if (head_given_ < head_text_.size()) {
    const std::size_t count = std::min(size, head_text_.size() - head_given_);
    std::copy_n(head_text_.data() + head_given_, count, out);
    head_given_ += count;
    return static_cast<ssize_t>(count);
  }
  if (body_left_ == 0) {
    if (head_.chunked) body_error_ = {413, fmt::format("the body is longer than {} bytes", limits_.max_body)};
    broken_ = broken_ || head_.chunked;
    return -1;
  }
  if (used_ == buffer_.size()) {
    const int more = fill(body_deadline_, false);
    if (more <= 0) {
      if (more < 0 && Clock::now() >= body_deadline_) {
        body_error_ = {408, "the request's body did not arrive in time"};
      } else {
        body_error_ = {400, "the request's body ended early"};
      }
      broken_ = true;
      return -1;
    }
  }
  const std::size_t count =
      std::min({size, buffer_.size() - used_, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, SIZE_MAX))});
  std::copy_n(buffer_.data() + used_, count, out);
  used_ += count;
  body_left_ -= count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* data, std::size_t size) {
  std::size_t written = 0;
  while (written < size) {
    short events = POLLOUT;
    ssize_t count = 0;
    bool again = false;
    if (ssl_) {
      ERR_clear_error();
      count = SSL_write(ssl_.get(), data + written, static_cast<int>(std::min<std::size_t>(size - written, 1 << 30)));
      if (count <= 0) {
        const int reason = SSL_get_error(ssl_.get(), static_cast<int>(count));
        again = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
        if (reason == SSL_ERROR_WANT_READ) events = POLLIN;
      }
    } else {
      count = send(socket_, data + written, size - written, MSG_NOSIGNAL);
      again = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    }
    if (count > 0) {
      written += static_cast<std::size_t>(count);
      continue;
    }
    if (again && wait(events, Clock::now() + limits_.write_time, false)) continue;
    broken_ = true;
    return -1;
  }
  return static_cast<ssize_t>(written);
}

void Connection::finish() {
  if (ssl_) SSL_shutdown(ssl_.get());
  shutdown(socket_, SHUT_WR);
  // Unread bytes would make the kernel answer with a reset, which may overtake the response: read them off for a while.
  const auto deadline = Clock::now() + std::chrono::milliseconds(500);
  char bytes[kReadBytes];
  for (int i = 0; i < 64; ++i) {
    const ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
    if (count == 0) return;
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return;
    if (count < 0 && !wait(POLLIN, deadline, false)) return;
  }
}

bool Connection::is_readable() const {
  return used_ < buffer_.size() || wait(POLLIN, Clock::now(), false);
}

bool Connection::is_writable() const {
  return !broken_;
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = remote_;
  port = 0;
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace sgl::server
