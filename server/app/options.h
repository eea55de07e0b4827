// How a server is set up, and what speaks against it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/api/service.h"
#include "server/auth/authenticator.h"
#include "server/http/server.h"
#include "server/jobs/runs.h"
#include "server/tls/context.h"

namespace sgl::server {

struct AppOptions {
  HttpOptions http;
  TlsOptions tls;  // without certificates: plain HTTP
  AuthOptions auth;
  ServiceOptions service;
  std::string chat_template;  // a file, "" for the model's own
  // Tokens, programs and background runs live here (0700); "" for none: then programs are forgotten at the end, and
  // there are no tokens and no background runs.
  std::string state_dir;
  std::string audit_log;  // a file, "" for none
  std::string tools;      // file that binds programs' tools (outbound/bindings.h), "" for none
  RunLimitsOptions runs;
  bool insecure = false;  // listen beyond this machine although TLS or authentication is missing
  std::chrono::seconds drain_timeout{30};
  std::chrono::milliseconds drain_delay{500};  // between /ready turning 503 and the end of accepting
};

struct Finding {
  enum class Level { kGood, kAdvice, kProblem } level = Level::kGood;
  std::string text;  // what is so
  std::string mend;  // what to do, "" when nothing
};

// The key that the documentation shows; nobody may use it.
constexpr std::string_view kSampleKey = "sgl-example-key-change-me";
constexpr std::size_t kMinKey = 16;  // characters

// The security checklist: keys, TLS, files, address. Reads the files that are named.
std::vector<Finding> check_security(const AppOptions& options);
// The problems that keep a server from starting, as one sentence; "" when there is none. With `insecure`, address
// problems are none.
std::string refusal(const AppOptions& options);

}  // namespace sgl::server
