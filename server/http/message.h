// Requests and responses as handlers see them: independent of the HTTP library.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/hangup.h"
#include "server/http/head.h"

namespace sgl::server {

struct Request {
  Head head;
  std::string body;
  std::string remote;              // address of the peer; "unix" for a Unix socket
  bool encrypted = false;          // came over TLS
  std::string client_certificate;  // subject of a verified client certificate (RFC 2253), "" without one
  std::string id;                  // of the request, for logs and the response's x-request-id
  std::chrono::steady_clock::time_point received;  // when the head was complete
  HangupWatch* hangup = nullptr;                   // tells when the client is gone; see Hangup
  int socket = -1;

  const std::string& method() const { return head.method; }
  const std::string& path() const { return head.path; }
  std::string_view header(std::string_view name) const { return head.header(name); }
};

// Writes the body of a streamed response piece by piece. False: the client is gone (or too slow); stop.
using StreamWriter = std::function<bool(std::string_view)>;

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type = "application/json";
  std::string body;
  // Set: the body is what this writes (chunked), and `body` is not looked at. Runs on the connection's thread.
  std::function<void(const StreamWriter&)> stream;

  Response& header(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

using Handler = std::function<Response(const Request&)>;

}  // namespace sgl::server
