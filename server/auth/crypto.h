// The few primitives of OpenSSL that authentication uses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sgl::server {

std::string random_bytes(std::size_t count);
std::string sha256_hex(std::string_view bytes);
// Equal, in time that depends on the lengths alone.
bool equal_secret(std::string_view a, std::string_view b);
std::string base64url(std::string_view bytes);
// Strict: no padding, no other characters, no stray bits.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace sgl::server
