// Listening sockets. Private to server/http.
#pragma once

#include <string>

#include "runtime/base/expected.h"

struct sockaddr_storage;

namespace sgl::server {

// A listening TCP socket for a name or address. Errors: invalid (no such address, port taken, not permitted).
base::Expected<int> listen_tcp(const std::string& host, int port);
// A listening Unix socket, readable and writable for its owner and group. A stale socket at `path` is replaced; one
// that somebody listens on, and any other file, is an error.
base::Expected<int> listen_unix(const std::string& path);
int port_of(int socket);
std::string address_text(const sockaddr_storage& address);
// Is it only reachable from this machine?
bool is_loopback(const std::string& host);

}  // namespace sgl::server
