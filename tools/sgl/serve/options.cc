#include "tools/sgl/serve/options.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>

#include "runtime/base/file.h"
#include "tools/common/cli.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServeFooter =
    "Every option can also be given as an environment variable (SGL_ and the name in capitals: SGL_PORT=8080) or in a\n"
    "TOML file (--config serve.toml; `sgl serve --print-config` writes one). Secrets come from files or "
    "SGL_API_KEY.\n\n"
    "Examples:\n"
    "  sgl serve                                    the bundled model on http://127.0.0.1:30000\n"
    "  sgl serve --model-path models/small --port 8080\n"
    "  sgl cert self-signed --host localhost && sgl serve --ssl-key-file key.pem --ssl-cert-file cert.pem\n"
    "  sgl serve --state-dir /var/lib/sgl --host 0.0.0.0 --ssl-key-file key.pem --ssl-cert-file cert.pem\n"
    "  curl http://127.0.0.1:30000/v1/chat/completions -d "
    "'{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n"
    "Signals: TERM and INT drain and end (twice: at once), HUP reads certificates, keys and logs again.\n"
    "Exit codes: 0 drained; 1 something had to be cut off; 2 wrong usage, or a model or file that cannot be used.";

// What is read as text first and then turned into AppOptions.
struct Raw {
  std::string api_key, api_key_file, admin_api_key, admin_api_key_file;
  std::vector<std::string> certificates, keys, ocsp;
  std::string password_file, password;
  std::string client_ca, client_certificates = "none";
  std::vector<std::string> client_rules;
  std::string model_name;
  int body_mb = 8, drain = 30, request_timeout = 600;
  std::size_t kv_mb = 1024, results_mb = server::RunStore::kKeepBytes >> 20;
  bool print_config = false;
};

std::string environment_name(const std::string& option) {
  std::string out = "SGL_";
  for (const char c : option)
    out.push_back(c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return out;
}

// Adds an option under "--name" and its aliases, with its environment variable.
template <typename T>
CLI::Option* add(CLI::App& app, const std::string& names, T& value, const std::string& help) {
  const std::string first =
      names.substr(names.find("--") + 2, names.find(',', names.find("--")) - names.find("--") - 2);
  return app.add_option(names, value, help)->envname(environment_name(first))->capture_default_str();
}
CLI::Option* add_flag(CLI::App& app, const std::string& name, bool& value, const std::string& help) {
  return app.add_flag("--" + name, value, help)->envname(environment_name(name));
}

void add_listening(CLI::App& app, ServeCommand& c, Raw& raw) {
  add(app, "--host", c.app.http.host, "address to listen on; others than loopback need TLS and authentication")
      ->group("Listening");
  add(app, "--port", c.app.http.port, "port (0: any free one)")->check(CLI::Range(0, 65535))->group("Listening");
  add(app, "--uds", c.app.http.uds, "Unix socket to listen on instead of host and port")->group("Listening");
  add_flag(app, "insecure", c.app.insecure, "listen beyond this machine without TLS or authentication")
      ->group("Listening");
  add(app, "--max-connections", c.app.http.max_connections, "connections at once")
      ->check(CLI::Range(1, 100'000))
      ->group("Listening");
  add(app, "--max-connections-per-address", c.app.http.max_per_address, "of these, from one address")
      ->check(CLI::Range(1, 100'000))
      ->group("Listening");
  add(app, "--keep-alive-requests", c.app.http.keep_alive_requests, "requests on one connection")
      ->check(CLI::Range(1, 1'000'000))
      ->group("Listening");
  add(app, "--max-body-mb", raw.body_mb, "longest request body, MiB")->check(CLI::Range(1, 1024))->group("Listening");
  add(app, "--request-timeout", raw.request_timeout, "seconds that a generation may take")
      ->check(CLI::Range(1, 86'400))
      ->group("Listening");
  add(app, "--drain-timeout", raw.drain, "seconds that requests in work get when the server ends")
      ->check(CLI::Range(0, 86'400))
      ->group("Listening");
}

void add_tls(CLI::App& app, Raw& raw) {
  add(app, "--ssl-cert-file,--ssl-certfile", raw.certificates,
      "certificate and chain, PEM; repeated for several names (SNI)")
      ->group("TLS");
  add(app, "--ssl-key-file,--ssl-keyfile", raw.keys, "its private key, PEM; as often as --ssl-cert-file")->group("TLS");
  app.add_option("--ssl-keyfile-password", raw.password, "password of the keys; better: --ssl-keyfile-password-file")
      ->envname("SGL_SSL_KEYFILE_PASSWORD")
      ->configurable(false)
      ->group("TLS");
  add(app, "--ssl-keyfile-password-file", raw.password_file, "file with the password of the keys")->group("TLS");
  add(app, "--ssl-ocsp-file", raw.ocsp, "OCSP response to staple, DER; as often as --ssl-cert-file")->group("TLS");
  add(app, "--ssl-ca-certs", raw.client_ca, "authorities of client certificates, PEM")->group("TLS");
  add(app, "--ssl-cert-reqs", raw.client_certificates, "client certificates: none, optional, required")
      ->check(CLI::IsMember({"none", "optional", "required"}))
      ->group("TLS");
  add(app, "--client-cert", raw.client_rules,
      "who a client certificate is: SUBJECT=TENANT:SCOPE,SCOPE (RFC 2253 subject); may be repeated")
      ->group("TLS");
}

void add_auth(CLI::App& app, ServeCommand& c, Raw& raw) {
  app.add_option("--api-key", raw.api_key, "key that clients must send; better: --api-key-file or SGL_API_KEY")
      ->envname("SGL_API_KEY")
      ->configurable(false)
      ->group("Authentication");
  app.add_option("--admin-api-key", raw.admin_api_key, "key that may do everything; better: --admin-api-key-file")
      ->envname("SGL_ADMIN_API_KEY")
      ->configurable(false)
      ->group("Authentication");
  add(app, "--api-key-file", raw.api_key_file, "file with the API key")->group("Authentication");
  add(app, "--admin-api-key-file", raw.admin_api_key_file, "file with the admin API key")->group("Authentication");
  add(app, "--jwt-keys", c.app.auth.jwt.keys, "keys of JSON Web Tokens: JWKS, PEM, or a shared secret in FILE.secret")
      ->group("Authentication");
  add(app, "--jwt-issuer", c.app.auth.jwt.rules.issuer, "required issuer")->group("Authentication");
  add(app, "--jwt-audience", c.app.auth.jwt.rules.audience, "required audience")->group("Authentication");
  add(app, "--jwt-leeway", c.app.auth.jwt.rules.leeway, "seconds that clocks may differ")
      ->check(CLI::Range(0, 3600))
      ->group("Authentication");
  add(app, "--jwt-tenant-claim", c.app.auth.jwt.tenant_claim, "claim with the tenant")->group("Authentication");
  add(app, "--jwt-scope-claim", c.app.auth.jwt.scope_claim, "claim with the scopes")->group("Authentication");
  add_flag(app, "share-cache", c.app.service.share_cache,
           "one prefix cache for all tenants (timing then tells one what others asked)")
      ->group("Authentication");
}

void add_model(CLI::App& app, ServeCommand& c, Raw& raw) {
  app.add_option("-m,--model-path,--model", c.model,
                 "model folder in Hugging Face's format; default: the bundled model")
      ->envname("SGL_MODEL")
      ->group("Model");
  add(app, "--served-model-name", raw.model_name, "name that clients use; default: the folder's")->group("Model");
  add(app, "--chat-template", c.app.chat_template, "file with a chat template (Jinja) instead of the model's own")
      ->group("Model");
  add(app, "--context-length", c.app.service.max_context, "tokens of one request (0: the model's)")
      ->check(CLI::Range(0, 1 << 30))
      ->group("Model");
  add(app, "--threads", c.engine.threads, "threads for the model (0: one per physical core)")
      ->check(CLI::Range(0, 1024))
      ->group("Model");
  add(app, "--quantize", c.load.quantize, kQuantizeHelp)
      ->check(CLI::IsMember({"none", "q8", "q4", "q4a"}))
      ->group("Model");
  add(app, "--kv-cache-dtype", c.load.kv_cache_dtype, kKvCacheHelp)
      ->check(CLI::IsMember({"auto", "f32", "f16", "q8"}))
      ->group("Model");
  add(app, "--max-running-requests", c.engine.max_batch, "sequences decoded together")
      ->check(CLI::Range(1, 65'536))
      ->group("Model");
  add(app, "--chunked-prefill-size", c.engine.prefill_chunk, "prompt tokens in one step")
      ->check(CLI::Range(1, 1 << 20))
      ->group("Model");
  add(app, "--kv-cache-mb", raw.kv_mb, "memory for the KV cache, MiB")->check(CLI::Range(1, 1 << 20))->group("Model");
  add(app, "--dp", c.engine.replicas,
      "replicas of the engine over the same weights, each with its own cache and its part of\nthe threads and of the "
      "KV memory; a request goes to the one that has its prompt cached")
      ->check(CLI::Range(1, 64))
      ->group("Model");
}

void add_operation(CLI::App& app, ServeCommand& c, Raw& raw) {
  add(app, "--state-dir", c.app.state_dir, "folder for tokens, programs and background runs")->group("Operation");
  add(app, "--tools", c.app.tools, "file that says what programs' tools are bound to (TOML)")->group("Operation");
  add(app, "--audit-log", c.app.audit_log, "file for the audit log (JSON lines, chained by hashes)")
      ->group("Operation");
  add_flag(app, "log-prompts", c.app.service.log_prompts, "prompts and answers in the audit log")->group("Operation");
  add(app, "--max-waiting", c.app.service.max_waiting, "requests in work before 503")
      ->check(CLI::Range(1, 1'000'000))
      ->group("Operation");
  add(app, "--background-runs", c.app.runs.background, "background runs that execute at once")
      ->check(CLI::Range(1, 10'000))
      ->group("Operation");
  add(app, "--background-results-mb", raw.results_mb,
      "disk for results of background runs, MiB, half of it for one tenant; beyond it the oldest go before their week")
      ->check(CLI::Range(1, 1 << 20))
      ->group("Operation");
  add(app, "--log-level", c.log_level, "debug, info, warning, error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->group("Operation");
  add_flag(app, "log-json", c.log_json, "logs as JSON lines")->group("Operation");
}

// All options as TOML. A list that nothing was given for is left out: read back, it would be one that lacks its value.
std::string printed_config(const CLI::App& app) {
  std::string out;
  const std::string all = app.config_to_str(true, true);
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    const std::string_view line = std::string_view(all).substr(at, end - at);
    const std::size_t equals = line.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : line.substr(equals + 1);
    if (value != "[]" && value != "\"[]\"") out += std::string(line) + "\n";
    at = end + 1;
  }
  return out;
}

// Of an option's value in argv: "--api-key KEY" or "--api-key=KEY".
void hide_keys(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    for (const std::string_view name : {"--api-key", "--admin-api-key", "--ssl-keyfile-password"}) {
      const std::string_view argument = argv[i];
      if (argument == name && i + 1 < argc) std::memset(argv[i + 1], '*', std::strlen(argv[i + 1]));
      if (argument.size() > name.size() && argument.substr(0, name.size()) == name && argument[name.size()] == '=') {
        std::memset(argv[i] + name.size() + 1, '*', argument.size() - name.size() - 1);
      }
    }
  }
}

base::Expected<std::string> read_secret(const std::string& path, const std::string& given) {
  if (path.empty()) return given;
  SGL_TRY(std::string text, base::read_file(path, 64 << 10));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.empty()) return base::invalid(fmt::format("'{}' is empty", path));
  return text;
}

base::Status read_tls(const Raw& raw, server::TlsOptions& out) {
  SGL_TRY(const std::string password, read_secret(raw.password_file, raw.password));
  if (raw.certificates.size() != raw.keys.size()) {
    return base::invalid("there must be one --ssl-key-file for every --ssl-cert-file");
  }
  if (raw.ocsp.size() > raw.certificates.size())
    return base::invalid("there are more --ssl-ocsp-file than certificates");
  for (std::size_t i = 0; i < raw.certificates.size(); ++i) {
    out.certificates.push_back({raw.certificates[i], raw.keys[i], password, i < raw.ocsp.size() ? raw.ocsp[i] : ""});
  }
  using server::ClientCertificates;
  out.client_certificates = raw.client_certificates == "required"   ? ClientCertificates::kRequired
                            : raw.client_certificates == "optional" ? ClientCertificates::kOptional
                                                                    : ClientCertificates::kNone;
  out.client_ca = raw.client_ca;
  if (out.client_certificates != ClientCertificates::kNone && (out.client_ca.empty() || out.certificates.empty())) {
    return base::invalid("client certificates need --ssl-ca-certs, --ssl-cert-file and --ssl-key-file");
  }
  return {};
}

// SUBJECT=TENANT:SCOPE,SCOPE; a subject has '=' itself, so the last one before the last ':' divides.
base::Expected<server::CertificateRule> read_rule(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t equals = colon == std::string::npos ? colon : text.rfind('=', colon);
  if (equals == std::string::npos || equals == 0) {
    return base::invalid(
        fmt::format("--client-cert {}: write SUBJECT=TENANT:SCOPE,SCOPE, such as 'CN=ci=builds:generate'", text));
  }
  std::vector<std::string> names;
  for (std::size_t at = colon + 1; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  SGL_TRY(const server::Scopes scopes, server::Scopes::parse(names));
  return server::CertificateRule{text.substr(0, equals), text.substr(equals + 1, colon - equals - 1), scopes};
}

base::Status finish(const Raw& raw, ServeCommand& c) {
  server::AppOptions& app = c.app;
  SGL_TRY(app.auth.api_key, read_secret(raw.api_key_file, raw.api_key));
  SGL_TRY(app.auth.admin_api_key, read_secret(raw.admin_api_key_file, raw.admin_api_key));
  SGL_TRY_STATUS(read_tls(raw, app.tls));
  for (const std::string& text : raw.client_rules) {
    SGL_TRY(auto rule, read_rule(text));
    app.auth.certificates.push_back(std::move(rule));
  }
  app.auth.open = app.auth.api_key.empty() && app.auth.admin_api_key.empty() && app.auth.jwt.keys.empty() &&
                  app.state_dir.empty() && app.auth.certificates.empty();
  app.http.limits.max_body = static_cast<std::size_t>(raw.body_mb) << 20;
  app.drain_timeout = std::chrono::seconds(raw.drain);
  app.service.request_timeout = std::chrono::seconds(raw.request_timeout);
  c.engine.max_kv_bytes = raw.kv_mb << 20;
  app.runs.store_bytes = raw.results_mb << 20;
  app.service.model_name = raw.model_name;
  return {};
}

}  // namespace

std::optional<ServeCommand> read_serve_command(int argc, char** argv, ServeAs as, int& exit_code) {
  const bool serve = as == ServeAs::kServe;
  CLI::App app{serve ? "Serves a model and programs over HTTP: programs, SGLang's API and the OpenAI API on one port."
                     : "Checks the security of a server's options and files, and says what to mend. Takes the options "
                       "of sgl serve.",
               serve ? "sgl serve" : "sgl doctor"};
  ServeCommand out;
  Raw raw;
  app.set_config("--config", "", "TOML file with options");
  add_listening(app, out, raw);
  add_tls(app, raw);
  add_auth(app, out, raw);
  add_model(app, out, raw);
  add_operation(app, out, raw);
  app.add_flag("--print-config", raw.print_config, "print the options as TOML, without secrets, and end")
      ->configurable(false);
  if (serve) app.footer(kServeFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? kOk : kUsage;
    return std::nullopt;
  }
  hide_keys(argc, argv);
  if (raw.print_config) {
    exit_code = print_out(printed_config(app));
    return std::nullopt;
  }
  if (const base::Status good = finish(raw, out); !good.ok()) {
    complain(good.error().message);
    exit_code = kUsage;
    return std::nullopt;
  }
  return out;
}

}  // namespace sgl::tools
