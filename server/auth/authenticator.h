// From a request's credentials to a principal: static keys, the token store, JWTs, client certificates. Deny by
// default.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/auth/jwt.h"
#include "server/auth/quota.h"
#include "server/auth/token_store.h"
#include "server/http/message.h"

namespace sgl::server {

struct JwtOptions {
  std::string keys;  // file, see load_jwt_keys; "" turns JWTs off
  JwtRules rules;
  std::string tenant_claim = "tenant";
  std::string scope_claim = "scope";  // a string with spaces, or a list
};

// A client certificate with this subject (RFC 2253) is this principal.
struct CertificateRule {
  std::string subject;
  std::string tenant;
  Scopes scopes;
};

struct AuthOptions {
  std::string api_key;        // everything but admin
  std::string admin_api_key;  // everything
  JwtOptions jwt;
  std::vector<CertificateRule> certificates;
  bool open = false;  // no credentials are asked for (loopback without any configured): everybody may do everything but
                      // admin
};

struct Denied {
  int status = 401;
  std::string message;
  bool guessed = false;  // credentials were given and are wrong
};

class Authenticator {
 public:
  // `store` may be null. Errors: the JWT keys cannot be read.
  static base::Expected<std::unique_ptr<Authenticator>> create(AuthOptions options, TokenStore* store);

  // Thread-safe.
  std::variant<Principal, Denied> authenticate(const Request& request) const;
  // Reads the JWT keys again; on an error the old ones stay.
  base::Status reload();
  bool asks_for_credentials() const { return !options_.open; }

 private:
  Authenticator(AuthOptions options, TokenStore* store) : options_(std::move(options)), store_(store) {}
  std::variant<Principal, Denied> by_secret(const std::string& secret) const;
  std::variant<Principal, Denied> by_jwt(const std::string& token) const;
  std::optional<Principal> by_certificate(const std::string& subject) const;

  const AuthOptions options_;
  TokenStore* store_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<JwtKey>> jwt_keys_;
};

// The bearer token or x-api-key of a request; nullopt: there is none.
std::optional<std::string> credentials(const Request& request);

}  // namespace sgl::server
