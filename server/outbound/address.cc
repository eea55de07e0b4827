#include "server/outbound/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace sgl::server {
namespace {

struct Block4 {
  std::uint32_t address;
  int bits;
};
constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}
// The special-purpose registry, and what is not unicast.
constexpr Block4 kNotPublic4[] = {
    {v4(0, 0, 0, 0), 8},      {v4(10, 0, 0, 0), 8},     {v4(100, 64, 0, 0), 10}, {v4(127, 0, 0, 0), 8},
    {v4(169, 254, 0, 0), 16}, {v4(172, 16, 0, 0), 12},  {v4(192, 0, 0, 0), 24},  {v4(192, 0, 2, 0), 24},
    {v4(192, 88, 99, 0), 24}, {v4(192, 168, 0, 0), 16}, {v4(198, 18, 0, 0), 15}, {v4(198, 51, 100, 0), 24},
    {v4(203, 0, 113, 0), 24}, {v4(224, 0, 0, 0), 4},    {v4(240, 0, 0, 0), 4},
};

bool public4(std::uint32_t address) {
  return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4),
                      [&](const Block4& block) { return (address ^ block.address) >> (32 - block.bits) == 0; });
}

using Bytes6 = std::array<std::uint8_t, 16>;

bool begins6(const Bytes6& a, std::initializer_list<std::uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), a.begin());
}

std::uint32_t embedded4(const Bytes6& a, std::size_t at) {
  return v4(a[at], a[at + 1], a[at + 2], a[at + 3]);
}

bool public6(const Bytes6& a) {
  static constexpr std::uint8_t kZeros[12] = {};
  if (begins6(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return public4(embedded4(a, 12));     // ::ffff:0:0/96
  if (begins6(a, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return public4(embedded4(a, 12));  // 64:ff9b::/96
  if (begins6(a, {0x20, 0x02})) return public4(embedded4(a, 2));                                    // 2002::/16
  if (std::memcmp(a.data(), kZeros, sizeof kZeros) == 0) return false;  // ::, ::1, and the old IPv4-compatible ones
  if ((a[0] & 0xE0) != 0x20) return false;                              // all that is assigned is 2000::/3
  if (begins6(a, {0x20, 0x01}) && a[2] < 2) return false;               // 2001::/23: protocols, Teredo among them
  return !begins6(a, {0x20, 0x01, 0x0D, 0xB8}) && !begins6(a, {0x3F, 0xFF, 0x00});  // documentation
}

// A question to the resolver. Its thread cannot be made to stop, so it shares what it writes to with the one who asks.
// (glibc's getaddrinfo_a would do, but ThreadSanitizer does not know the threads that it makes, and dies in them.)
class Lookup {
 public:
  Lookup(std::string name, Resolver ask) : host_(std::move(name)), ask_(std::move(ask)) {}
  ~Lookup() {
    if (found_ != nullptr) freeaddrinfo(found_);
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  void run() {
    addrinfo* found = nullptr;
    const int state = ask_(host_, &found);
    const std::lock_guard lock(mutex_);
    found_ = found, state_ = state;
    answered_.notify_all();
  }
  // 0 or the resolver's error; nullopt: `over` before it answered.
  std::optional<int> wait(const std::function<bool()>& over) {
    constexpr std::chrono::milliseconds kSlice(50);
    std::unique_lock lock(mutex_);
    while (!state_) {
      lock.unlock();
      if (over()) return std::nullopt;
      lock.lock();
      answered_.wait_for(lock, kSlice, [&] { return state_.has_value(); });
    }
    return state_;
  }
  // Once answered.
  const addrinfo* found() const { return found_; }

 private:
  const std::string host_;
  const Resolver ask_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<int> state_;
  addrinfo* found_ = nullptr;
};

// Lookups under way, also those that nobody waits for any more: a resolver that does not answer keeps each of them for
// half a minute or so.
constexpr int kMaxLookups = 256;
std::atomic<int> lookups = 0;

// False: there are too many.
bool start(const std::shared_ptr<Lookup>& lookup) {
  if (lookups.fetch_add(1) >= kMaxLookups) {
    lookups.fetch_sub(1);
    return false;
  }
  try {
    std::thread([lookup] {
      lookup->run();
      lookups.fetch_sub(1);
    }).detach();
  } catch (const std::system_error&) {  // no more threads
    lookups.fetch_sub(1);
    return false;
  }
  return true;
}

}  // namespace

bool is_public_address(std::string_view address) {
  const std::string text(address);
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return public4(ntohl(four.s_addr));
  Bytes6 six{};
  return inet_pton(AF_INET6, text.c_str(), six.data()) == 1 && public6(six);
}

int system_resolver(const std::string& host, addrinfo** found) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  return getaddrinfo(host.c_str(), nullptr, &hints, found);
}

base::Expected<std::vector<std::string>> resolve(const std::string& host, bool allow_private,
                                                 const std::function<bool()>& over, const Resolver& ask) {
  const auto lookup = std::make_shared<Lookup>(host, ask);
  if (!start(lookup)) {
    return base::Error{base::ErrorKind::kUnavailable,
                       fmt::format("too many names are being looked up to ask for '{}' too; try again later", host)};
  }
  const std::optional<int> failed = lookup->wait(over);
  if (!failed)
    return base::Error{base::ErrorKind::kUnavailable, fmt::format("the resolver has not answered for '{}'", host)};
  if (*failed != 0) {
    return base::Error{base::ErrorKind::kUnavailable,
                       fmt::format("the host '{}' has no address: {}", host, gai_strerror(*failed))};
  }
  std::vector<std::string> out;
  for (const addrinfo* one = lookup->found(); one != nullptr; one = one->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    const void* bytes = one->ai_family == AF_INET
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr)
                            : &reinterpret_cast<const sockaddr_in6*>(one->ai_addr)->sin6_addr;
    if (inet_ntop(one->ai_family, bytes, text, sizeof text) == nullptr) continue;
    if (allow_private || is_public_address(text)) out.emplace_back(text);
  }
  if (out.empty()) {
    return base::Error{
        base::ErrorKind::kFailed,
        fmt::format("the host '{}' has no public address; `allow_private = true` in its binding would allow others",
                    host)};
  }
  return out;
}

}  // namespace sgl::server
