// JSON Web Tokens signed here with OpenSSL's own functions, and the attacks of RFC 8725.
#include "server/auth/jwt.h"

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/auth/crypto.h"

using namespace sgl;
using namespace sgl::server;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;
const std::string kSecret = "0123456789abcdef0123456789abcdef";

std::string unsigned_part(const Json& header, const Json& claims) {
  return base64url(header.dump()) + "." + base64url(claims.dump());
}

std::string hmac(const std::string& secret, const std::string& text, const EVP_MD* md) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(md, secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

std::string sign(EVP_PKEY* key, const std::string& text, const EVP_MD* md, bool pss) {
  EVP_MD_CTX* ctx = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  REQUIRE(EVP_DigestSignInit(ctx, &parameters, md, nullptr, key) == 1);
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  EVP_DigestSign(ctx, nullptr, &size, bytes, text.size());
  std::string out(size, '\0');
  REQUIRE(EVP_DigestSign(ctx, reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()) == 1);
  out.resize(size);
  EVP_MD_CTX_free(ctx);
  return out;
}

std::string raw_ecdsa(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* sig = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string out(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(sig), reinterpret_cast<unsigned char*>(out.data()), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(sig), reinterpret_cast<unsigned char*>(out.data()) + 32, 32);
  ECDSA_SIG_free(sig);
  return out;
}

struct Scratch {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("sgl-jwt-" + std::to_string(getpid()));
  Scratch() { std::filesystem::create_directories(path); }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  std::string pem(const std::string& name, EVP_PKEY* key) const {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(out, key);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    const std::string text(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return write(name, text);
  }
};

Json claims(std::int64_t expires = kNow + 100) {
  return {{"sub", "anna"}, {"exp", expires}, {"iss", "me"}, {"aud", {"sgl", "other"}}};
}

bool good(const std::string& token, const std::vector<JwtKey>& keys, const JwtRules& rules = {}) {
  return verify_jwt(token, keys, rules, kNow).ok();
}

}  // namespace

TEST_CASE("shared secrets: HS256, HS384, HS512") {
  const Scratch scratch;
  const auto keys = load_jwt_keys(scratch.write("k.secret", kSecret + "\n"));
  REQUIRE(keys.ok());
  const std::pair<const char*, const EVP_MD*> algorithms[] = {
      {"HS256", EVP_sha256()}, {"HS384", EVP_sha384()}, {"HS512", EVP_sha512()}};
  for (const auto& [name, md] : algorithms) {
    const std::string part = unsigned_part({{"alg", name}}, claims());
    CHECK(good(part + "." + base64url(hmac(kSecret, part, md)), *keys));
    CHECK_FALSE(good(part + "." + base64url(hmac("another secret of enough bytes ....", part, md)), *keys));
    CHECK_FALSE(good(part + "." + base64url(hmac(kSecret, part, md).substr(0, 20)), *keys));
    CHECK_FALSE(good(part + ".", *keys));
  }
  CHECK_FALSE(load_jwt_keys(scratch.write("short.secret", "too short")).ok());
}

TEST_CASE("public keys: RS256, PS256, ES256, EdDSA, from PEM and from a JWK set") {
  const Scratch scratch;
  EVP_PKEY* rsa = EVP_RSA_gen(2048);
  EVP_PKEY* p256 = EVP_EC_gen("P-256");
  EVP_PKEY* ed = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  struct Case {
    const char* name;
    EVP_PKEY* key;
    const EVP_MD* md;
    bool pss;
  };
  for (const Case& c : {Case{"RS256", rsa, EVP_sha256(), false}, Case{"PS256", rsa, EVP_sha256(), true},
                        Case{"ES256", p256, EVP_sha256(), false}, Case{"EdDSA", ed, nullptr, false}}) {
    CAPTURE(c.name);
    const auto keys = load_jwt_keys(scratch.pem("k.pem", c.key));
    REQUIRE(keys.ok());
    const std::string part = unsigned_part({{"alg", c.name}}, claims());
    std::string signature = sign(c.key, part, c.md, c.pss);
    if (c.key == p256) signature = raw_ecdsa(signature);
    CHECK(good(part + "." + base64url(signature), *keys));
    std::string broken = signature;
    broken[5] = static_cast<char>(broken[5] ^ 1);
    CHECK_FALSE(good(part + "." + base64url(broken), *keys));
    const std::string other = unsigned_part({{"alg", c.name}}, {{"sub", "eve"}, {"exp", kNow + 100}});
    CHECK_FALSE(good(other + "." + base64url(signature), *keys));
  }
  // As a JWK set, chosen by kid.
  unsigned char raw[32];
  std::size_t size = sizeof raw;
  EVP_PKEY_get_raw_public_key(ed, raw, &size);
  const Json jwks = {{"keys",
                      {{{"kty", "OKP"},
                        {"crv", "Ed25519"},
                        {"kid", "one"},
                        {"alg", "EdDSA"},
                        {"x", base64url({reinterpret_cast<char*>(raw), size})}}}}};
  const auto keys = load_jwt_keys(scratch.write("jwks.json", jwks.dump()));
  REQUIRE(keys.ok());
  const std::string part = unsigned_part({{"alg", "EdDSA"}, {"kid", "one"}}, claims());
  CHECK(good(part + "." + base64url(sign(ed, part, nullptr, false)), *keys));
  const std::string wrong = unsigned_part({{"alg", "EdDSA"}, {"kid", "two"}}, claims());
  CHECK_FALSE(good(wrong + "." + base64url(sign(ed, wrong, nullptr, false)), *keys));
  for (EVP_PKEY* key : {rsa, p256, ed}) EVP_PKEY_free(key);
}

TEST_CASE("alg none, algorithm confusion, crit, malformed tokens") {
  const Scratch scratch;
  EVP_PKEY* rsa = EVP_RSA_gen(2048);
  const std::string path = scratch.pem("k.pem", rsa);
  const auto keys = load_jwt_keys(path);
  REQUIRE(keys.ok());
  for (const char* none : {"none", "None", "NONE", ""})
    CHECK_FALSE(good(unsigned_part({{"alg", none}}, claims()) + ".", *keys));
  // The public key's text as a shared secret.
  std::ifstream in(path);
  const std::string pem((std::istreambuf_iterator<char>(in)), {});
  const std::string confused = unsigned_part({{"alg", "HS256"}}, claims());
  CHECK_FALSE(good(confused + "." + base64url(hmac(pem, confused, EVP_sha256())), *keys));
  const std::string crit = unsigned_part({{"alg", "RS256"}, {"crit", {"b64"}}}, claims());
  CHECK_FALSE(good(crit + "." + base64url(sign(rsa, crit, EVP_sha256(), false)), *keys));
  for (const char* text : {"", ".", "..", "...", "a.b", "a.b.c", "e30.e30.", "e30=.e30.AA", "!!!.e30.AA"})
    CHECK_FALSE(good(text, *keys));
  CHECK_FALSE(good(std::string(20'000, 'a') + ".b.c", *keys));
  EVP_PKEY* weak = EVP_RSA_gen(1024);
  CHECK_FALSE(load_jwt_keys(scratch.pem("weak.pem", weak)).ok());
  EVP_PKEY_free(rsa);
  EVP_PKEY_free(weak);
}

TEST_CASE("times, issuer and audience") {
  const Scratch scratch;
  const auto keys = load_jwt_keys(scratch.write("k.secret", kSecret));
  REQUIRE(keys.ok());
  const auto token = [&](const Json& c) {
    const std::string part = unsigned_part({{"alg", "HS256"}}, c);
    return part + "." + base64url(hmac(kSecret, part, EVP_sha256()));
  };
  const auto with = [](const char* name, Json value) {
    Json c = claims();
    c[name] = std::move(value);
    return c;
  };
  CHECK_FALSE(good(token({{"sub", "x"}}), *keys));     // no exp
  CHECK_FALSE(good(token(claims(kNow - 31)), *keys));  // expired, beyond the leeway
  CHECK(good(token(claims(kNow - 29)), *keys));        // inside it
  CHECK_FALSE(good(token(with("nbf", kNow + 31)), *keys));
  CHECK(good(token(with("nbf", kNow + 29)), *keys));
  CHECK_FALSE(good(token(with("iat", kNow + 31)), *keys));
  CHECK_FALSE(good(token(with("exp", "soon")), *keys));
  JwtRules rules;
  rules.issuer = "me";
  rules.audience = "sgl";
  CHECK(good(token(claims()), *keys, rules));
  CHECK_FALSE(good(token(with("iss", "you")), *keys, rules));
  CHECK_FALSE(good(token(with("aud", "other")), *keys, rules));
  CHECK(good(token(with("aud", "sgl")), *keys, rules));
}
