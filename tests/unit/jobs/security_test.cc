// What keeps a server from starting.
#include <doctest/doctest.h>

#include "server/app/options.h"

using namespace sgl::server;

TEST_CASE("safe by default") {
  AppOptions o;
  CHECK(refusal(o).empty());  // loopback
  o.http.host = "0.0.0.0";
  CHECK(refusal(o).find("TLS") != std::string::npos);
  o.tls.certificates = {{"c.pem", "k.pem", "", ""}};
  CHECK(refusal(o).find("authenticate") != std::string::npos);
  o.auth.api_key = "f3b8a1c97d2e4f60b5a8";
  CHECK(refusal(o).empty());
  o.tls.certificates.clear();
  o.insecure = true;
  CHECK(refusal(o).empty());
}

TEST_CASE("weak keys are refused, also on loopback") {
  AppOptions o;
  for (const char* key : {"short", "sgl-example-key-change-me", "aaaaaaaaaaaaaaaaaaaaaaaa"}) {
    o.auth.api_key = key;
    CAPTURE(key);
    CHECK_FALSE(refusal(o).empty());
  }
  o.auth.api_key = o.auth.admin_api_key = "f3b8a1c97d2e4f60b5a8";
  CHECK(refusal(o).find("same") != std::string::npos);
}
