#include "server/http/listen.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace sgl::server {
namespace {

// Connections that wait to be accepted; the kernel lowers it to its own limit (4,096 on Debian).
constexpr int kBacklog = 4096;

std::string reason() {
  return std::strerror(errno);
}

}  // namespace

base::Expected<int> listen_tcp(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0)
    return base::invalid(fmt::format("there is no address for host '{}': {}", host, gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  std::string why;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) continue;
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
    why = reason();
    close(fd);
  }
  return base::invalid(fmt::format("cannot listen on {}:{}: {}", host, port, why));
}

base::Expected<int> listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::invalid(fmt::format("the path of a Unix socket has at most {} bytes", sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return base::invalid("cannot make a Unix socket: " + reason());
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    const bool stale = S_ISSOCK(info.st_mode) && connect(fd, raw, sizeof address) != 0 && errno == ECONNREFUSED;
    if (!stale) {
      close(fd);
      return base::invalid(fmt::format("'{}' is there already and in use", path));
    }
    unlink(path.c_str());
  }
  const mode_t before = umask(0117);
  const bool bound = bind(fd, raw, sizeof address) == 0;
  umask(before);
  if (bound && listen(fd, kBacklog) == 0) return fd;
  const std::string why = reason();
  close(fd);
  return base::invalid(fmt::format("cannot listen on '{}': {}", path, why));
}

int port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
    return text;
  }
  if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
    const std::string out = text;
    return out.rfind("::ffff:", 0) == 0 ? out.substr(7) : out;  // an IPv4 peer of a dual socket
  }
  return "unix";
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr address{};  // only an address: a name may begin with "127." and lead anywhere
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

}  // namespace sgl::server
