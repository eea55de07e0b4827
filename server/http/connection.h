// One accepted socket, plain or TLS, as the HTTP library's stream: with deadlines over whole heads and bodies (a client
// that sends a byte now and then does not hold a thread for ever), strict heads, and limits on bodies.
#pragma once

#include <httplib.h>
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/head.h"

namespace sgl::server {

struct ConnectionLimits {
  HeadLimits head;
  std::size_t max_body = 8 << 20;                // bytes; a prompt of a million tokens has about 4 MB
  std::chrono::milliseconds handshake{10'000};   // TLS, whole
  std::chrono::milliseconds head_time{10'000};   // from a head's first byte to its last
  std::chrono::milliseconds body_time{30'000};   // whole body
  std::chrono::milliseconds write_time{30'000};  // without progress; a client that does not read is dropped
  std::chrono::milliseconds idle_time{60'000};   // between requests
};

class Connection final : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;

  // Owns the socket, which it makes non-blocking. `stop`: an eventfd that becomes readable when idle connections are to
  // end, -1 for none.
  Connection(int socket, std::string remote, const ConnectionLimits& limits, int stop);
  ~Connection() override;

  // Takes ownership of `ssl`. False: no handshake in time, or a refused one.
  bool handshake(SSL* ssl);

  enum class Next { kHead, kError, kClosed };
  // Waits for a request. kHead: `head()` holds it and the library may read; kError: `error()` is to be answered, and
  // the connection closed; kClosed: the peer has gone, or nothing came in time.
  Next next_request();
  const Head& head() const { return head_; }
  const HeadError& error() const { return error_; }

  // Why reading the body failed, as a response; nullopt: it has not.
  const std::optional<HeadError>& body_error() const { return body_error_; }
  // The body was not read to its end, or writing failed: no further request can be read.
  bool broken() const { return broken_ || body_left_ > 0; }
  // The library has decoded the whole body.
  void body_done() { body_left_ = 0; }
  void poison() { broken_ = true; }
  // Says goodbye: what was written arrives although unread bytes are left.
  void finish();

  const std::string& remote() const { return remote_; }
  const SSL* ssl() const { return ssl_.get(); }

  // httplib::Stream
  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* out, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  using httplib::Stream::write;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  // Reads some bytes into `buffer_`. 1: there are more; 0: the peer closed; -1: error or deadline.
  int fill(Clock::time_point deadline, bool idle);
  bool wait(short events, Clock::time_point deadline, bool idle) const;
  void begin_body();

  int socket_;
  std::string remote_;
  const ConnectionLimits& limits_;
  int stop_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  std::string buffer_;     // bytes read and not used
  std::size_t used_ = 0;   // of buffer_
  std::string head_text_;  // canonical, for the library
  std::size_t head_given_ = 0;
  Head head_;
  HeadError error_;
  std::uint64_t body_left_ = 0;  // bytes that may still be read for this request's body
  Clock::time_point body_deadline_;
  std::optional<HeadError> body_error_;
  bool broken_ = false;
};

}  // namespace sgl::server
