// Base64 for names in URLs (RFC 4648, section 5): bytes as text, without padding.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sgl::base {

std::string base64url(std::string_view bytes);
// Strict: no padding, no other characters, no stray bits. Nullopt: no bytes are written so.
std::optional<std::string> from_base64url(std::string_view text);
// Characters of so many bytes.
constexpr std::size_t base64url_size(std::size_t bytes) {
  return (4 * bytes + 2) / 3;
}

}  // namespace sgl::base
