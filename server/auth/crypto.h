// The few primitives of OpenSSL that authentication uses.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/base/base64.h"

namespace sgl::server {

std::string random_bytes(std::size_t count);
std::string sha256_hex(std::string_view bytes);
// Equal, in time that depends on the lengths alone.
bool equal_secret(std::string_view a, std::string_view b);
using base::base64url;
using base::from_base64url;

}  // namespace sgl::server
