#include "server/auth/jwt.h"

#include <fmt/format.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <optional>

#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

using Json = nlohmann::json;
using Kind = JwtKey::Kind;

constexpr std::size_t kMaxToken = 16 << 10;  // bytes; headers are limited to less in most servers
constexpr int kMaxDepth = 16;                // of claims

struct Algorithm {
  std::string_view name;
  Kind kind;
  const EVP_MD* (*digest)();
  bool pss;
};
constexpr std::array<Algorithm, 7> kAlgorithms = {{{"HS256", Kind::kSecret, EVP_sha256, false},
                                                   {"HS384", Kind::kSecret, EVP_sha384, false},
                                                   {"HS512", Kind::kSecret, EVP_sha512, false},
                                                   {"RS256", Kind::kRsa, EVP_sha256, false},
                                                   {"PS256", Kind::kRsa, EVP_sha256, true},
                                                   {"ES256", Kind::kP256, EVP_sha256, false},
                                                   {"EdDSA", Kind::kEd25519, nullptr, false}}};

const Algorithm* algorithm_named(std::string_view name) {
  const auto it =
      std::find_if(kAlgorithms.begin(), kAlgorithms.end(), [&](const Algorithm& a) { return a.name == name; });
  return it == kAlgorithms.end() ? nullptr : &*it;
}

bool hmac_fits(const Algorithm& algorithm, const JwtKey& key, std::string_view text, std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(algorithm.digest(), key.secret.data(), static_cast<int>(key.secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size) == nullptr) {
    return false;
  }
  return equal_secret({reinterpret_cast<const char*>(mac.data()), size}, signature);
}

// JWS has r and s as 32 bytes each; OpenSSL wants them in DER.
std::optional<std::string> der_signature(std::string_view raw) {
  if (raw.size() != 64) return std::nullopt;
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> sig(ECDSA_SIG_new(), ECDSA_SIG_free);
  if (!sig || ECDSA_SIG_set0(sig.get(), BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr)) != 1) {
    return std::nullopt;
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(sig.get(), &der);
  if (size <= 0) return std::nullopt;
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool signature_fits(const Algorithm& algorithm, const JwtKey& key, std::string_view text, std::string_view signature) {
  if (algorithm.kind == Kind::kSecret) return hmac_fits(algorithm, key, text, signature);
  std::string held(signature);
  if (algorithm.kind == Kind::kP256) {
    auto der = der_signature(signature);
    if (!der) return false;
    held = std::move(*der);
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> ctx(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  const EVP_MD* digest = algorithm.digest == nullptr ? nullptr : algorithm.digest();
  bool good = ctx && EVP_DigestVerifyInit(ctx.get(), &parameters, digest, nullptr, key.key.get()) == 1;
  if (good && algorithm.pss) {
    good = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  good = good && EVP_DigestVerify(ctx.get(), reinterpret_cast<const unsigned char*>(held.data()), held.size(),
                                  reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  ERR_clear_error();
  return good;
}

std::optional<Json> parse_part(std::string_view part) {
  const auto bytes = from_base64url(part);
  if (!bytes) return std::nullopt;
  Json out = Json::parse(
      *bytes, [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxDepth; }, false);
  if (!out.is_object()) return std::nullopt;
  return out;
}

// A time claim (NumericDate); nullopt: absent. False: of a wrong type.
bool read_time(const Json& claims, const char* name, std::optional<double>& out) {
  if (!claims.contains(name)) return true;
  if (!claims[name].is_number()) return false;
  out = claims[name].get<double>();
  return true;
}

base::Status check_claims(const Json& claims, const JwtRules& rules, std::int64_t now) {
  std::optional<double> expires;
  std::optional<double> begins;
  std::optional<double> issued;
  if (!read_time(claims, "exp", expires) || !read_time(claims, "nbf", begins) || !read_time(claims, "iat", issued)) {
    return base::invalid("a time in the token is not a number");
  }
  const auto time = static_cast<double>(now);
  const auto leeway = static_cast<double>(rules.leeway);
  if (!expires) return base::invalid("the token has no 'exp'");
  if (time >= *expires + leeway) return base::invalid("the token has expired");
  if (begins && time < *begins - leeway) return base::invalid("the token is not valid yet");
  if (issued && time < *issued - leeway) return base::invalid("the token was issued in the future");
  if (!rules.issuer.empty() && (!claims.contains("iss") || claims["iss"] != rules.issuer)) {
    return base::invalid("the token comes from another issuer");
  }
  if (!rules.audience.empty()) {
    const Json audience = claims.value("aud", Json());
    const bool ours =
        audience == rules.audience ||
        (audience.is_array() && std::find(audience.begin(), audience.end(), Json(rules.audience)) != audience.end());
    if (!ours) return base::invalid("the token is for another audience");
  }
  return {};
}

}  // namespace

base::Expected<Json> verify_jwt(std::string_view token, const std::vector<JwtKey>& keys, const JwtRules& rules,
                                std::int64_t now) {
  const base::Error malformed = base::invalid("the token is malformed");
  if (token.size() > kMaxToken) return malformed;
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return malformed;
  const auto header = parse_part(token.substr(0, first));
  const auto signature = from_base64url(token.substr(second + 1));
  if (!header || !signature || !header->contains("alg") || !(*header)["alg"].is_string()) return malformed;
  if (header->contains("crit")) return base::invalid("the token asks for extensions that are not understood");
  const Algorithm* algorithm = algorithm_named((*header)["alg"].get<std::string>());
  if (algorithm == nullptr) return base::invalid("the token's algorithm is not accepted");
  const std::string kid =
      header->contains("kid") && (*header)["kid"].is_string() ? (*header)["kid"].get<std::string>() : "";
  bool good = false;
  for (const JwtKey& key : keys) {
    if (key.kind != algorithm->kind) continue;  // algorithm confusion ends here
    if (!key.algorithm.empty() && key.algorithm != algorithm->name) continue;
    if (!kid.empty() && !key.id.empty() && kid != key.id) continue;
    if (signature_fits(*algorithm, key, token.substr(0, second), *signature)) {
      good = true;
      break;
    }
  }
  if (!good) return base::invalid("the token's signature is not valid");
  auto claims = parse_part(token.substr(first + 1, second - first - 1));
  if (!claims) return malformed;
  SGL_TRY_STATUS(check_claims(*claims, rules, now));
  return std::move(*claims);
}

}  // namespace sgl::server
