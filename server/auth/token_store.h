// Access tokens in SQLite. Only a salted hash of a token's secret is kept; its prefix identifies it in lists and logs.
//
// A token is "sgl_" + 8 characters of prefix + "_" + 43 characters of secret (32 random bytes, base64url). The hash is
// SHA-256 over a 16-byte salt and the whole token: the secret has 256 random bits, so a slow hash would add nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/principal.h"
#include "server/store/sqlite.h"

namespace sgl::server {

struct TokenRecord {
  std::string id;  // "sgl_" and the prefix
  std::string note;
  Principal principal;
  std::int64_t created = 0;             // seconds since 1970
  std::optional<std::int64_t> expires;  // nullopt: never
  std::optional<std::int64_t> revoked;
  std::optional<std::int64_t> last_used;  // to the minute
};
nlohmann::ordered_json to_json(const TokenRecord& record);

class TokenStore {
 public:
  static base::Expected<std::unique_ptr<TokenStore>> open(const std::string& path);

  struct Created {
    TokenRecord record;
    std::string secret;  // the whole token; it cannot be shown again
  };
  // `wanted.id` and `created` are filled in.
  base::Expected<Created> create(TokenRecord wanted);
  base::Expected<std::vector<TokenRecord>> list();
  // Errors: not_found.
  base::Expected<TokenRecord> show(const std::string& id);
  base::Status revoke(const std::string& id);
  // A new token with the same rights; the old one ends after `grace` seconds.
  base::Expected<Created> rotate(const std::string& id, std::int64_t grace);

  enum class Check { kGood, kUnknown, kExpired, kRevoked };
  struct Found {
    Check check = Check::kUnknown;
    TokenRecord record;  // when kGood
  };
  // Compares in constant time, and hashes also when there is no such token. Errors: unavailable (the store is lost).
  base::Expected<Found> find(std::string_view token, std::int64_t now);

  // Tokens spent on a day (UTC, days since 1970) by a principal; for daily quotas and /v1/admin/usage.
  struct Usage {
    std::int64_t day = 0;
    std::string tenant, id;
    std::int64_t requests = 0, prompt_tokens = 0, generated_tokens = 0;
  };
  base::Status add_usage(const Usage& usage);
  base::Expected<std::vector<Usage>> usage(std::int64_t since_day);

 private:
  explicit TokenStore(std::unique_ptr<Database> db) : db_(std::move(db)) {}
  base::Expected<std::optional<TokenRecord>> read(const std::string& id, std::string* salt, std::string* hash);

  std::mutex mutex_;
  std::unique_ptr<Database> db_;
};

}  // namespace sgl::server
