// Keys of JSON Web Tokens from files: JWK sets (RFC 7517), PEM, shared secrets.
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>

#include "runtime/base/file.h"
#include "server/auth/crypto.h"
#include "server/auth/jwt.h"

namespace sgl::server {
namespace {

using Json = nlohmann::json;
using Kind = JwtKey::Kind;

constexpr std::size_t kMaxFile = 1 << 20;  // bytes
constexpr std::size_t kMinSecret = 32;     // bytes: RFC 7518, 3.2, for HS256
constexpr int kMinRsaBits = 2048;          // RFC 7518, 3.3

std::shared_ptr<EVP_PKEY> own(EVP_PKEY* key) {
  ERR_clear_error();
  return key == nullptr ? nullptr : std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free);
}

std::optional<std::string> member(const Json& jwk, const char* name) {
  if (!jwk.contains(name) || !jwk[name].is_string()) return std::nullopt;
  return from_base64url(jwk[name].get<std::string>());
}

std::shared_ptr<EVP_PKEY> from_params(const char* type, OSSL_PARAM_BLD* build) {
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* ctx = EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr);
  EVP_PKEY* key = nullptr;
  if (ctx != nullptr && params != nullptr && EVP_PKEY_fromdata_init(ctx) == 1) {
    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
  }
  EVP_PKEY_CTX_free(ctx);
  OSSL_PARAM_free(params);
  return own(key);
}

std::shared_ptr<EVP_PKEY> rsa_key(const std::string& n, const std::string& e) {
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> build(OSSL_PARAM_BLD_new(),
                                                                              OSSL_PARAM_BLD_free);
  const auto number = [](const std::string& bytes) {
    return std::unique_ptr<BIGNUM, decltype(&BN_free)>(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
        BN_free);
  };
  const auto modulus = number(n);
  const auto exponent = number(e);
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return from_params("RSA", build.get());
}

std::shared_ptr<EVP_PKEY> p256_key(const std::string& x, const std::string& y) {
  if (x.size() != 32 || y.size() != 32) return nullptr;
  const std::string point = "\x04" + x + y;
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> build(OSSL_PARAM_BLD_new(),
                                                                              OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return from_params("EC", build.get());
}

// Is the key of a kind and size that is used here?
bool classify(JwtKey& out) {
  if (!out.key) return false;
  switch (EVP_PKEY_get_base_id(out.key.get())) {
    case EVP_PKEY_RSA:
      out.kind = Kind::kRsa;
      return EVP_PKEY_get_bits(out.key.get()) >= kMinRsaBits;
    case EVP_PKEY_EC: {
      char group[32] = "";
      std::size_t size = 0;
      EVP_PKEY_get_group_name(out.key.get(), group, sizeof group, &size);
      out.kind = Kind::kP256;
      return std::string_view(group) == "prime256v1" || std::string_view(group) == "P-256";
    }
    case EVP_PKEY_ED25519:
      out.kind = Kind::kEd25519;
      return true;
    default:
      return false;
  }
}

base::Expected<JwtKey> from_jwk(const Json& jwk) {
  JwtKey out;
  const auto text = [&](const char* name) {
    return jwk.contains(name) && jwk[name].is_string() ? jwk[name].get<std::string>() : std::string();
  };
  out.id = text("kid");
  out.algorithm = text("alg");
  const std::string type = text("kty");
  if (type == "oct") {
    const auto secret = member(jwk, "k");
    if (!secret || secret->size() < kMinSecret) {
      return base::invalid(fmt::format("a shared secret needs at least {} bytes", kMinSecret));
    }
    out.secret = *secret;
    return out;
  }
  const auto x = member(jwk, "x");
  if (type == "RSA") {
    const auto n = member(jwk, "n");
    const auto e = member(jwk, "e");
    if (n && e) out.key = rsa_key(*n, *e);
  } else if (type == "EC" && text("crv") == "P-256") {
    const auto y = member(jwk, "y");
    if (x && y) out.key = p256_key(*x, *y);
  } else if (type == "OKP" && text("crv") == "Ed25519") {
    if (x && x->size() == 32) {
      out.key = own(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                reinterpret_cast<const unsigned char*>(x->data()), x->size()));
    }
  } else {
    return base::invalid(fmt::format("keys of kind '{}' are not supported", type));
  }
  if (!classify(out)) return base::invalid("a key is malformed or too weak (RSA needs 2048 bits)");
  return out;
}

}  // namespace

base::Expected<std::vector<JwtKey>> load_jwt_keys(const std::string& path) {
  SGL_TRY(const std::string bytes, base::read_file(path, kMaxFile));
  const auto refuse = [&](const std::string& why) { return base::invalid(fmt::format("'{}': {}", path, why)); };
  std::vector<JwtKey> out;
  if (path.size() > 7 && path.compare(path.size() - 7, 7, ".secret") == 0) {
    JwtKey key;
    key.secret = bytes;
    while (!key.secret.empty() && (key.secret.back() == '\n' || key.secret.back() == '\r')) key.secret.pop_back();
    if (key.secret.size() < kMinSecret)
      return refuse(fmt::format("a shared secret needs at least {} bytes", kMinSecret));
    out.push_back(std::move(key));
    return out;
  }
  if (bytes.find("-----BEGIN") != std::string::npos) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())),
                                                       BIO_free);
    JwtKey key;
    key.key = own(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
    if (!classify(key)) return refuse("is no PEM public key of RSA (2048 bits or more), P-256 or Ed25519");
    out.push_back(std::move(key));
    return out;
  }
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) return refuse("is neither a JWK set nor a PEM public key");
  const Json keys = json.contains("keys") ? json["keys"] : Json::array({json});
  if (!keys.is_array() || keys.empty()) return refuse("has no keys");
  for (const Json& jwk : keys) {
    if (!jwk.is_object()) return refuse("a key is not an object");
    if (jwk.contains("use") && jwk["use"] != "sig") continue;  // for encryption
    auto key = from_jwk(jwk);
    if (!key.ok()) return refuse(key.error().message);
    out.push_back(std::move(*key));
  }
  if (out.empty()) return refuse("has no key for signatures");
  return out;
}

}  // namespace sgl::server
