#include "server/auth/authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

Denied wrong() {
  return {401, "the credentials are not valid", true};
}

Scopes all_but_admin() {
  Scopes out;
  for (const Scope scope : {Scope::kGenerate, Scope::kProgramsRun, Scope::kProgramsWrite, Scope::kMetrics})
    out.add(scope);
  return out;
}

Principal keyed(std::string id, Scopes scopes) {
  Principal out;
  out.id = std::move(id);
  out.scopes = scopes;
  return out;
}

bool looks_like_jwt(std::string_view secret) {
  return std::count(secret.begin(), secret.end(), '.') == 2;
}

std::vector<std::string> words(const nlohmann::json& claim) {
  std::vector<std::string> out;
  if (claim.is_array()) {
    for (const auto& item : claim) {
      if (item.is_string()) out.push_back(item.get<std::string>());
    }
  } else if (claim.is_string()) {
    const std::string text = claim.get<std::string>();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) out.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> credentials(const Request& request) {
  const std::string_view header = request.header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() > kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), header.begin(),
                 [](char want, char have) { return want == (have >= 'A' && have <= 'Z' ? have - 'A' + 'a' : have); })) {
    return std::string(header.substr(kScheme.size()));
  }
  const std::string_view key = request.header("x-api-key");
  if (!key.empty()) return std::string(key);
  return std::nullopt;
}

base::Expected<std::unique_ptr<Authenticator>> Authenticator::create(AuthOptions options, TokenStore* store) {
  std::unique_ptr<Authenticator> out(new Authenticator(std::move(options), store));
  SGL_TRY_STATUS(out->reload());
  return out;
}

base::Status Authenticator::reload() {
  if (options_.jwt.keys.empty()) return {};
  SGL_TRY(auto keys, load_jwt_keys(options_.jwt.keys));
  const std::lock_guard lock(mutex_);
  jwt_keys_ = std::make_shared<const std::vector<JwtKey>>(std::move(keys));
  return {};
}

std::variant<Principal, Denied> Authenticator::authenticate(const Request& request) const {
  const auto secret = credentials(request);
  if (secret) return by_secret(*secret);
  if (auto known = by_certificate(request.client_certificate)) return std::move(*known);
  if (options_.open) return keyed("open", all_but_admin());
  return Denied{401, "credentials are missing: send 'Authorization: Bearer TOKEN'", false};
}

std::variant<Principal, Denied> Authenticator::by_secret(const std::string& secret) const {
  // Both comparisons are always made, so that time tells nothing about which key is set. Hashes have one length.
  const std::string hash = sha256_hex(secret);
  const bool admin = equal_secret(hash, sha256_hex(options_.admin_api_key)) && !options_.admin_api_key.empty();
  const bool plain = equal_secret(hash, sha256_hex(options_.api_key)) && !options_.api_key.empty();
  if (admin) return keyed("admin-key", Scopes::all());
  if (plain) return keyed("key", all_but_admin());
  if (looks_like_jwt(secret) && !options_.jwt.keys.empty()) return by_jwt(secret);
  if (store_ != nullptr) {
    const auto found = store_->find(secret, std::time(nullptr));
    if (!found.ok()) return Denied{503, found.error().message, false};
    switch (found->check) {
      case TokenStore::Check::kGood:
        return found->record.principal;
      case TokenStore::Check::kExpired:
        return Denied{401, "the token has expired", true};
      case TokenStore::Check::kRevoked:
        return Denied{401, "the token was revoked", true};
      case TokenStore::Check::kUnknown:
        break;
    }
  }
  return wrong();
}

std::variant<Principal, Denied> Authenticator::by_jwt(const std::string& token) const {
  std::shared_ptr<const std::vector<JwtKey>> keys;
  {
    const std::lock_guard lock(mutex_);
    keys = jwt_keys_;
  }
  const auto claims = verify_jwt(token, *keys, options_.jwt.rules, std::time(nullptr));
  if (!claims.ok()) return Denied{401, claims.error().message, true};
  Principal out;
  const auto text = [&](const std::string& name) {
    return claims->contains(name) && (*claims)[name].is_string() ? (*claims)[name].get<std::string>() : std::string();
  };
  const std::string subject = text("sub");
  out.tenant = text(options_.jwt.tenant_claim);
  if (out.tenant.empty()) out.tenant = subject.empty() ? "default" : "jwt:" + subject;
  out.id = "jwt:" + (subject.empty() ? out.tenant : subject);
  for (const std::string& word : words(claims->value(options_.jwt.scope_claim, nlohmann::json()))) {
    if (const auto scope = scope_named(word)) out.scopes.add(*scope);  // others are somebody else's
  }
  return out;
}

std::optional<Principal> Authenticator::by_certificate(const std::string& subject) const {
  if (subject.empty()) return std::nullopt;
  for (const CertificateRule& rule : options_.certificates) {
    if (subject != rule.subject) continue;
    Principal out;
    out.tenant = rule.tenant;
    out.id = "cert:" + subject;
    out.scopes = rule.scopes;
    return out;
  }
  return std::nullopt;
}

}  // namespace sgl::server
