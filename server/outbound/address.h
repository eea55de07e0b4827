// Which addresses a call to the outside may go to.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"

struct addrinfo;  // <netdb.h>

namespace sgl::server {

// Whether an address, as text (IPv4 or IPv6), is one of the public internet: global unicast in the registries of IANA
// (RFC 6890), with IPv4 addresses inside IPv6 ones (mapped, 6to4, NAT64) judged by themselves. Anything that is not an
// address is not public.
bool is_public_address(std::string_view address);

// A question to a resolver, as getaddrinfo answers it: 0 and a list for freeaddrinfo, or one of its errors.
using Resolver = std::function<int(const std::string& host, addrinfo** found)>;
int system_resolver(const std::string& host, addrinfo** found);

// The addresses of a name that may be connected to, in the resolver's order: all, or the public ones. Blocks until the
// resolver answers or `over` (asked some times a second) says that nobody waits any more; `ask` runs on a thread of its
// own and may outlive the call.
// Errors: `unavailable`: no such name, over, or 256 lookups are under way; `failed`: none of its addresses is public.
base::Expected<std::vector<std::string>> resolve(const std::string& host, bool allow_private,
                                                 const std::function<bool()>& over,
                                                 const Resolver& ask = system_resolver);

}  // namespace sgl::server
