// JSON Web Tokens (RFC 7519, 7515, 7517, 7518, 8037, and the advice of RFC 8725): verification only, against keys in
// files. A key says which algorithms it may be used with, so a token cannot choose one that its key is not for.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::server {

// HS256, HS384, HS512, RS256, PS256, ES256, EdDSA (Ed25519).
struct JwtKey {
  enum class Kind { kSecret, kRsa, kP256, kEd25519 } kind = Kind::kSecret;
  std::string id;         // kid, "" for none
  std::string algorithm;  // the only one allowed, "" for all that fit the kind
  std::string secret;     // kSecret
  std::shared_ptr<EVP_PKEY> key;
};

// Keys of a file: a JWKS, a single JWK, a PEM public key, or (for `secret`, HS…) the bytes of a shared secret of at
// least 32 bytes in a file that ends with ".secret". Errors: invalid, naming the file.
base::Expected<std::vector<JwtKey>> load_jwt_keys(const std::string& path);

struct JwtRules {
  std::string issuer;        // required `iss`, "" for any
  std::string audience;      // must be in `aud`, "" for any
  std::int64_t leeway = 30;  // seconds that clocks may differ
};

// The claims of a token that is valid now. Errors: invalid, a sentence that tells the bearer nothing about keys.
// O(token); tokens over 16 KiB are refused.
base::Expected<nlohmann::json> verify_jwt(std::string_view token, const std::vector<JwtKey>& keys,
                                          const JwtRules& rules, std::int64_t now);

}  // namespace sgl::server
