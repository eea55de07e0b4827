// SHA-256 (FIPS 180-4). Own code because the runtime builds without OpenSSL (docs/architecture.md, rule 2); it
// identifies plans and protects them against corruption, it guards no secret.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sgl::base {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

// 64 lower-case hexadecimal digits.
std::string hex(const Sha256& digest);

}  // namespace sgl::base
