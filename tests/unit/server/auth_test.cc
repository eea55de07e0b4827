// Tokens in the store, and who a request comes from.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "server/auth/authenticator.h"
#include "server/auth/crypto.h"

using namespace sgl;
using namespace sgl::server;

namespace {

struct Scratch {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("sgl-auth-" + std::to_string(getpid()));
  Scratch() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string db() const { return (path / "tokens.db").string(); }
};

TokenRecord wanted(std::vector<std::string> scopes) {
  TokenRecord r;
  r.principal.tenant = "acme";
  r.principal.scopes = *Scopes::parse(scopes);
  r.principal.quotas.requests_per_minute = 7;
  r.principal.programs = {"judge"};
  return r;
}

Request with_header(const std::string& name, const std::string& value) {
  Request r;
  r.head.headers = {{name, value}};
  return r;
}

}  // namespace

TEST_CASE("a token's life: created, found, rotated, revoked; the file holds no secret") {
  const Scratch scratch;
  auto store = TokenStore::open(scratch.db());
  REQUIRE(store.ok());
  const auto created = (*store)->create(wanted({"generate", "programs:run"}));
  REQUIRE(created.ok());
  CHECK(created->secret.rfind(created->record.id + "_", 0) == 0);
  const std::int64_t now = std::time(nullptr);
  auto found = (*store)->find(created->secret, now);
  REQUIRE(found.ok());
  CHECK(found->check == TokenStore::Check::kGood);
  CHECK(found->record.principal.tenant == "acme");
  CHECK(found->record.principal.scopes.has(Scope::kGenerate));
  CHECK_FALSE(found->record.principal.scopes.has(Scope::kAdmin));
  CHECK(found->record.principal.quotas.requests_per_minute == 7);
  CHECK(found->record.principal.programs == std::vector<std::string>{"judge"});
  struct stat info {};
  CHECK(stat(scratch.db().c_str(), &info) == 0);
  CHECK((info.st_mode & 0077) == 0);
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    CHECK(bytes.find(created->secret.substr(13)) == std::string::npos);
  }
  std::string wrong = created->secret;
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  for (const std::string& bad :
       {wrong, created->record.id, created->secret + "x", std::string("sgl_"), std::string()}) {
    CHECK((*store)->find(bad, now)->check == TokenStore::Check::kUnknown);
  }
  const auto rotated = (*store)->rotate(created->record.id, 60);
  REQUIRE(rotated.ok());
  CHECK((*store)->find(rotated->secret, now)->check == TokenStore::Check::kGood);
  CHECK((*store)->find(created->secret, now)->check == TokenStore::Check::kGood);
  CHECK((*store)->find(created->secret, now + 600)->check == TokenStore::Check::kExpired);
  REQUIRE((*store)->revoke(rotated->record.id).ok());
  CHECK((*store)->find(rotated->secret, now)->check == TokenStore::Check::kRevoked);
  CHECK_FALSE((*store)->revoke("sgl_nothere1").ok());
  // Another process sees the same.
  auto again = TokenStore::open(scratch.db());
  REQUIRE(again.ok());
  CHECK((*again)->list()->size() == 2);
  const auto shown = to_json((*again)->list()->front());
  CHECK(shown["scopes"] == nlohmann::ordered_json::array({"generate", "programs:run"}));
  CHECK(shown.dump().find(created->secret) == std::string::npos);
}

TEST_CASE("keys, schemes, headers") {
  AuthOptions options;
  options.api_key = "a-key-of-enough-characters";
  options.admin_api_key = "the-admin-key-of-enough-characters";
  const auto auth = Authenticator::create(options, nullptr);
  REQUIRE(auth.ok());
  const auto scopes = [&](const Request& r) -> std::optional<Scopes> {
    const auto known = (*auth)->authenticate(r);
    const auto* who = std::get_if<Principal>(&known);
    return who == nullptr ? std::nullopt : std::optional(who->scopes);
  };
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER "}) {
    const auto known = scopes(with_header("authorization", scheme + options.api_key));
    REQUIRE(known);
    CHECK(known->has(Scope::kGenerate));
    CHECK_FALSE(known->has(Scope::kAdmin));
  }
  REQUIRE(scopes(with_header("x-api-key", options.admin_api_key)));
  CHECK(scopes(with_header("x-api-key", options.admin_api_key))->has(Scope::kAdmin));
  for (const std::string& bad : {std::string("Bearer"), std::string("Bearer "), "Basic " + options.api_key,
                                 options.api_key, "Bearer " + options.api_key + " ", std::string("Bearer x")}) {
    CAPTURE(bad);
    CHECK_FALSE(scopes(with_header("authorization", bad)));
  }
  CHECK_FALSE(scopes(Request()));
}

TEST_CASE("an empty key opens nothing") {
  const auto auth = Authenticator::create({}, nullptr);
  REQUIRE(auth.ok());
  CHECK(std::holds_alternative<Denied>((*auth)->authenticate(with_header("x-api-key", ""))));
  CHECK(std::holds_alternative<Denied>((*auth)->authenticate(with_header("authorization", "Bearer "))));
  CHECK(std::holds_alternative<Denied>((*auth)->authenticate(Request())));
}

TEST_CASE("a client certificate is who the rules say") {
  AuthOptions options;
  options.certificates = {{"CN=ci,O=Acme", "builds", *Scopes::parse({"generate"})}};
  const auto auth = Authenticator::create(options, nullptr);
  REQUIRE(auth.ok());
  Request r;
  r.client_certificate = "CN=ci,O=Acme";
  auto known = (*auth)->authenticate(r);
  REQUIRE(std::holds_alternative<Principal>(known));
  CHECK(std::get<Principal>(known).tenant == "builds");
  r.client_certificate = "CN=ci,O=Evil";
  CHECK(std::holds_alternative<Denied>((*auth)->authenticate(r)));
}

TEST_CASE("base64url is strict") {
  for (const std::string& bytes :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc"), std::string("\xff\x00\x10", 3)}) {
    CHECK(from_base64url(base64url(bytes)) == bytes);
  }
  for (const char* bad : {"a", "ab=", "a b", "YR", "+/aa"}) CHECK_FALSE(from_base64url(bad).has_value());
}
