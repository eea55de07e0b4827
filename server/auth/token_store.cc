#include "server/auth/token_store.h"

#include <fmt/format.h>

#include <ctime>

#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY, salt TEXT NOT NULL, hash TEXT NOT NULL, tenant TEXT NOT NULL, rights TEXT NOT NULL,
  note TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER, revoked INTEGER, last_used INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS usage (
  day INTEGER NOT NULL, tenant TEXT NOT NULL, id TEXT NOT NULL, requests INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL, generated_tokens INTEGER NOT NULL, PRIMARY KEY (day, tenant, id)) STRICT;
)";
constexpr std::string_view kStart = "sgl_";
constexpr std::size_t kPrefix =
    8;  // characters; lists of a million tokens have no collision that create() does not see
constexpr std::size_t kSecret = 43;     // characters: 32 bytes
constexpr std::int64_t kUsedStep = 60;  // seconds: `last_used` is not written for every request

Json quotas_json(const Quotas& q) {
  return {{"requests_per_minute", q.requests_per_minute},
          {"tokens_per_minute", q.tokens_per_minute},
          {"tokens_per_day", q.tokens_per_day},
          {"concurrent", q.concurrent},
          {"max_n", q.max_n},
          {"max_forks", q.max_forks},
          {"max_context", q.max_context},
          {"weight", q.weight}};
}

Json rights_json(const Principal& p) {
  return {
      {"scopes", p.scopes.names()}, {"models", p.models}, {"programs", p.programs}, {"quotas", quotas_json(p.quotas)}};
}

// What the store wrote itself; a row that somebody else changed gives no rights.
Principal principal_from(const std::string& id, const std::string& tenant, const std::string& rights) {
  Principal p;
  p.id = id;
  p.tenant = tenant;
  const Json json = Json::parse(rights, nullptr, false);
  if (!json.is_object()) return p;
  const auto strings = [&](const char* name) {
    std::vector<std::string> out;
    if (json.contains(name) && json[name].is_array()) {
      for (const Json& item : json[name]) {
        if (item.is_string()) out.push_back(item.get<std::string>());
      }
    }
    return out;
  };
  if (auto scopes = Scopes::parse(strings("scopes")); scopes.ok()) p.scopes = *scopes;
  p.models = strings("models");
  p.programs = strings("programs");
  const Json quotas = json.value("quotas", Json::object());
  const auto number = [&](const char* name) {
    return quotas.is_object() && quotas.contains(name) && quotas[name].is_number_integer()
               ? quotas[name].get<std::int64_t>()
               : 0;
  };
  p.quotas = {number("requests_per_minute"),
              number("tokens_per_minute"),
              number("tokens_per_day"),
              number("concurrent"),
              number("max_n"),
              number("max_forks"),
              number("max_context"), number("weight")};
  return p;
}

std::string new_prefix() {
  // Letters and digits only, so that a double click selects a token as a whole.
  std::string out;
  while (out.size() < kPrefix) {
    for (const char c : base64url(random_bytes(12))) {
      if (c != '-' && c != '_' && out.size() < kPrefix) out.push_back(c);
    }
  }
  return out;
}

std::string hash_of(const std::string& salt, std::string_view token) {
  return sha256_hex(salt + std::string(token));
}

}  // namespace

nlohmann::ordered_json to_json(const TokenRecord& r) {
  Json out = {{"id", r.id}, {"tenant", r.principal.tenant}, {"note", r.note}};
  const Json rights = rights_json(r.principal);
  for (const auto& [key, value] : rights.items()) out[key] = value;
  out["created"] = r.created;
  out["expires"] = r.expires ? Json(*r.expires) : Json();
  out["revoked"] = r.revoked ? Json(*r.revoked) : Json();
  out["last_used"] = r.last_used ? Json(*r.last_used) : Json();
  return out;
}

base::Expected<std::unique_ptr<TokenStore>> TokenStore::open(const std::string& path) {
  SGL_TRY(auto db, Database::open(path));
  SGL_TRY_STATUS(db->execute(kSchema));
  return std::unique_ptr<TokenStore>(new TokenStore(std::move(db)));
}

base::Expected<TokenStore::Created> TokenStore::create(TokenRecord wanted) {
  const std::lock_guard lock(mutex_);
  for (int attempt = 0; attempt < 5; ++attempt) {
    wanted.id = std::string(kStart) + new_prefix();
    SGL_TRY(const auto there, read(wanted.id, nullptr, nullptr));
    if (there) continue;
    wanted.principal.id = wanted.id;
    wanted.created = std::time(nullptr);
    const std::string token = wanted.id + "_" + base64url(random_bytes(32));
    const std::string salt = base64url(random_bytes(16));
    SGL_TRY(auto insert, db_->prepare("INSERT INTO tokens (id, salt, hash, tenant, rights, note, created, expires) "
                                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
    insert.bind(1, wanted.id).bind(2, salt).bind(3, hash_of(salt, token)).bind(4, wanted.principal.tenant);
    insert.bind(5, rights_json(wanted.principal).dump()).bind(6, wanted.note).bind(7, wanted.created);
    if (wanted.expires) insert.bind(8, *wanted.expires);
    SGL_TRY_STATUS(insert.run());
    return Created{std::move(wanted), token};
  }
  return base::Error{base::ErrorKind::kInternal, "no free token prefix was found"};
}

base::Expected<std::optional<TokenRecord>> TokenStore::read(const std::string& id, std::string* salt,
                                                            std::string* hash) {
  SGL_TRY(auto select, db_->prepare("SELECT tenant, rights, note, created, expires, revoked, last_used, salt, hash "
                                    "FROM tokens WHERE id = ?"));
  select.bind(1, id);
  SGL_TRY(const bool found, select.step());
  if (!found) return std::optional<TokenRecord>();
  TokenRecord r;
  r.id = id;
  r.principal = principal_from(id, select.text(0), select.text(1));
  r.note = select.text(2);
  r.created = select.number(3);
  if (!select.is_null(4)) r.expires = select.number(4);
  if (!select.is_null(5)) r.revoked = select.number(5);
  if (!select.is_null(6)) r.last_used = select.number(6);
  if (salt != nullptr) *salt = select.text(7);
  if (hash != nullptr) *hash = select.text(8);
  return std::optional<TokenRecord>(std::move(r));
}

base::Expected<std::vector<TokenRecord>> TokenStore::list() {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto select, db_->prepare("SELECT id FROM tokens ORDER BY created, id"));
  std::vector<std::string> ids;
  while (true) {
    SGL_TRY(const bool row, select.step());
    if (!row) break;
    ids.push_back(select.text(0));
  }
  std::vector<TokenRecord> out;
  for (const std::string& id : ids) {
    SGL_TRY(auto record, read(id, nullptr, nullptr));
    if (record) out.push_back(std::move(*record));
  }
  return out;
}

base::Expected<TokenRecord> TokenStore::show(const std::string& id) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto record, read(id, nullptr, nullptr));
  if (!record) return base::not_found(fmt::format("there is no token '{}'", id));
  return std::move(*record);
}

base::Status TokenStore::revoke(const std::string& id) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto update, db_->prepare("UPDATE tokens SET revoked = coalesce(revoked, ?) WHERE id = ?"));
  update.bind(1, std::int64_t{std::time(nullptr)}).bind(2, id);
  SGL_TRY_STATUS(update.run());
  if (db_->changes() == 0) return base::not_found(fmt::format("there is no token '{}'", id));
  return {};
}

base::Expected<TokenStore::Created> TokenStore::rotate(const std::string& id, std::int64_t grace) {
  SGL_TRY(TokenRecord old, show(id));
  if (old.revoked) return base::invalid(fmt::format("the token '{}' is revoked", id));
  TokenRecord fresh = old;
  fresh.revoked.reset();
  fresh.last_used.reset();
  SGL_TRY(auto created, create(std::move(fresh)));
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto update, db_->prepare("UPDATE tokens SET expires = min(coalesce(expires, ?1), ?1) WHERE id = ?2"));
  update.bind(1, std::time(nullptr) + grace).bind(2, id);
  SGL_TRY_STATUS(update.run());
  return created;
}

base::Expected<TokenStore::Found> TokenStore::find(std::string_view token, std::int64_t now) {
  const std::size_t id_size = kStart.size() + kPrefix;
  const bool shaped =
      token.size() == id_size + 1 + kSecret && token.substr(0, kStart.size()) == kStart && token[id_size] == '_';
  const std::string id(token.substr(0, std::min(id_size, token.size())));
  std::string salt(22, 'A');
  std::string hash(64, '0');
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto record, read(id, &salt, &hash));
  const bool same = equal_secret(hash_of(salt, token), hash);
  if (!record || !shaped || !same) return Found{};
  if (record->revoked) return Found{Check::kRevoked, {}};
  if (record->expires && *record->expires <= now) return Found{Check::kExpired, {}};
  if (!record->last_used || *record->last_used + kUsedStep <= now) {
    SGL_TRY(auto update, db_->prepare("UPDATE tokens SET last_used = ? WHERE id = ?"));
    update.bind(1, now).bind(2, id);
    (void)update.run().ok();  // a store that cannot be written still knows who somebody is
  }
  return Found{Check::kGood, std::move(*record)};
}

base::Status TokenStore::add_usage(const Usage& u) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto add, db_->prepare("INSERT INTO usage VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET "
                                 "requests = requests + ?4, prompt_tokens = prompt_tokens + ?5, "
                                 "generated_tokens = generated_tokens + ?6"));
  add.bind(1, u.day).bind(2, u.tenant).bind(3, u.id).bind(4, u.requests).bind(5, u.prompt_tokens);
  add.bind(6, u.generated_tokens);
  return add.run();
}

base::Expected<std::vector<TokenStore::Usage>> TokenStore::usage(std::int64_t since_day) {
  const std::lock_guard lock(mutex_);
  SGL_TRY(auto select, db_->prepare("SELECT day, tenant, id, requests, prompt_tokens, generated_tokens FROM usage "
                                    "WHERE day >= ? ORDER BY day, tenant, id"));
  select.bind(1, since_day);
  std::vector<Usage> out;
  while (true) {
    SGL_TRY(const bool row, select.step());
    if (!row) return out;
    out.push_back(
        {select.number(0), select.text(1), select.text(2), select.number(3), select.number(4), select.number(5)});
  }
}

}  // namespace sgl::server
