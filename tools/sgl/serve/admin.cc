// sgl cert, sgl token, sgl audit: what an operator does beside the running server.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "runtime/base/file.h"
#include "server/api/audit.h"
#include "server/auth/token_store.h"
#include "server/tls/self_signed.h"
#include "tools/common/cli.h"
#include "tools/common/terminal.h"
#include "tools/sgl/serve/serve.h"

namespace sgl::tools {
namespace {

using Json = nlohmann::ordered_json;

int refuse(const base::Error& error) {
  complain(error.message);
  return error.kind == base::ErrorKind::kUnavailable ? kFailed : kUsage;
}

struct CertCommand {
  std::vector<std::string> hosts;
  std::string certificate = "cert.pem", key = "key.pem";
  int days = 365;
  bool force = false;
};

int self_signed(const CertCommand& command) {
  for (const std::string& path : {command.certificate, command.key}) {
    if (!command.force && std::filesystem::exists(path)) {
      complain(fmt::format("'{}' is there already; pass --force to replace it", path));
      return kUsage;
    }
  }
  const auto made = server::make_self_signed(command.hosts, command.days);
  if (!made.ok()) return refuse(made.error());
  chmod(command.key.c_str(), 0600);   // one that is there keeps its mode, which may let others read
  const mode_t before = umask(0077);  // a new one is private from the start
  const base::Status key = base::write_file_atomic(command.key, made->key_pem);
  umask(before);
  if (!key.ok()) return refuse(key.error());
  if (const base::Status cert = base::write_file_atomic(command.certificate, made->certificate_pem); !cert.ok())
    return refuse(cert.error());
  return print_out(
      fmt::format("wrote {} and {} (for {}, {} days)\nstart: sgl serve --ssl-cert-file {} --ssl-key-file {}\n"
                  "clients: curl --cacert {} https://{}:30000/health\n",
                  command.certificate, command.key, fmt::join(command.hosts, ", "), command.days, command.certificate,
                  command.key, command.certificate, command.hosts.front()));
}

struct TokenCommand {
  std::string state_dir, id, tenant = "default", note;
  std::vector<std::string> scopes, models, programs, quotas;
  int days = 0;
  std::int64_t grace = 3600;
  bool json = false;
};

std::string when(const std::optional<std::int64_t>& time) {
  return time ? fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(static_cast<std::time_t>(*time))) : "never";
}

std::string state_of(const server::TokenRecord& r) {
  if (r.revoked) return "revoked";
  return r.expires && *r.expires <= std::time(nullptr) ? "expired" : "good";
}

int print_created(const TokenCommand& command, const server::TokenStore::Created& created) {
  if (command.json) {
    Json out = server::to_json(created.record);
    out["token"] = created.secret;
    return print_out(out.dump() + "\n");
  }
  // The token alone on standard output, so that it can be piped into a file.
  complain(fmt::format("token {} for tenant '{}'; this is the only time that it is shown:", created.record.id,
                       created.record.principal.tenant));
  return print_out(created.secret + "\n");
}

base::Status read_quotas(const std::vector<std::string>& given, server::Quotas& out) {
  for (const std::string& pair : given) {
    const std::size_t equals = pair.find('=');
    const std::string name = pair.substr(0, equals);
    std::int64_t* target = name == "requests_per_minute" ? &out.requests_per_minute
                           : name == "tokens_per_minute" ? &out.tokens_per_minute
                           : name == "tokens_per_day"    ? &out.tokens_per_day
                           : name == "concurrent"        ? &out.concurrent
                           : name == "max_n"             ? &out.max_n
                           : name == "max_forks"         ? &out.max_forks
                           : name == "max_context"       ? &out.max_context
                           : name == "weight"            ? &out.weight
                                                         : nullptr;
    const std::string number = equals == std::string::npos ? "" : pair.substr(equals + 1);
    if (target == nullptr || number.empty() || number.size() > 15 ||
        number.find_first_not_of("0123456789") != std::string::npos) {
      return base::invalid(
          fmt::format("--quota {}: write NAME=NUMBER with one of requests_per_minute, tokens_per_minute, "
                      "tokens_per_day, concurrent, max_n, max_forks, max_context, weight",
                      pair));
    }
    *target = std::stoll(number);
  }
  return {};
}

int create_token(server::TokenStore& store, const TokenCommand& command) {
  server::TokenRecord wanted;
  wanted.note = command.note;
  wanted.principal.tenant = command.tenant;
  auto scopes = server::Scopes::parse(command.scopes);
  if (!scopes.ok()) return refuse(scopes.error());
  wanted.principal.scopes = *scopes;
  wanted.principal.models = command.models;
  wanted.principal.programs = command.programs;
  if (const base::Status good = read_quotas(command.quotas, wanted.principal.quotas); !good.ok())
    return refuse(good.error());
  if (command.days > 0) wanted.expires = std::time(nullptr) + std::int64_t{command.days} * 86'400;
  const auto created = store.create(std::move(wanted));
  return created.ok() ? print_created(command, *created) : refuse(created.error());
}

int list_tokens(server::TokenStore& store, const TokenCommand& command) {
  const auto tokens = store.list();
  if (!tokens.ok()) return refuse(tokens.error());
  std::string out;
  if (!command.json && !tokens->empty()) {
    out = fmt::format("{:<14} {:<12} {:<8} {:<17} {:<17} {:<32} {}\n", "ID", "TENANT", "STATE", "EXPIRES", "LAST USED",
                      "SCOPES", "NOTE");
  }
  for (const server::TokenRecord& r : *tokens) {
    out += command.json ? server::to_json(r).dump() + "\n"
                        : fmt::format("{:<14} {:<12} {:<8} {:<17} {:<17} {:<32} {}\n", r.id, r.principal.tenant,
                                      state_of(r), when(r.expires), when(r.last_used),
                                      fmt::format("{}", fmt::join(r.principal.scopes.names(), ",")), r.note);
  }
  if (tokens->empty() && !command.json) complain("there are no tokens");
  return print_out(out);
}

int with_store(const TokenCommand& command, const std::function<int(server::TokenStore&)>& action) {
  std::error_code error;
  std::filesystem::create_directories(command.state_dir, error);
  if (!error) std::filesystem::permissions(command.state_dir, std::filesystem::perms::owner_all, error);
  auto store = server::TokenStore::open(command.state_dir + "/tokens.db");
  return store.ok() ? action(**store) : refuse(store.error());
}

}  // namespace

int cert(int argc, char** argv) {
  CLI::App app{"Makes certificates for trying out TLS.", "sgl cert"};
  app.require_subcommand(1);
  std::function<int()> action;
  CertCommand command;
  CLI::App* sub = app.add_subcommand("self-signed", "Write a key (0600) and a self-signed certificate");
  sub->add_option("--host", command.hosts, "host name or address; may be repeated")->required();
  sub->add_option("--cert", command.certificate, "file for the certificate")->capture_default_str();
  sub->add_option("--key", command.key, "file for the key")->capture_default_str();
  sub->add_option("--days", command.days, "how long it is valid")->check(CLI::Range(1, 3650))->capture_default_str();
  sub->add_flag("--force", command.force, "replace files that are there");
  sub->footer("Example:\n  sgl cert self-signed --host localhost --host 127.0.0.1");
  sub->callback([&] { action = [&] { return self_signed(command); }; });
  return parse_and_run(app, argc, argv, action);
}

int token(int argc, char** argv) {
  CLI::App app{"Makes, lists and revokes access tokens of a server (also while it runs).", "sgl token"};
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  sgl token create --state-dir state --scope generate --scope programs:run --tenant acme --days 90 > token.txt\n"
      "  sgl token create --state-dir state --scope generate --quota requests_per_minute=60 --quota "
      "tokens_per_day=100000\n"
      "  sgl token list --state-dir state\n"
      "  sgl token rotate --state-dir state sgl_AbCd1234 --grace 3600 > token.txt");
  std::function<int()> action;
  TokenCommand c;
  const auto add = [&](const char* name, const char* help, bool takes_id, std::function<int(server::TokenStore&)> run) {
    CLI::App* sub = app.add_subcommand(name, help);
    sub->add_option("--state-dir", c.state_dir, "the server's state folder")->required()->envname("SGL_STATE_DIR");
    sub->add_flag("--json", c.json, "JSON instead of text");
    if (takes_id) sub->add_option("id", c.id, "the token's id, as sgl token list shows it")->required();
    sub->callback([&, run = std::move(run)] { action = [&, run] { return with_store(c, run); }; });
    return sub;
  };
  CLI::App* create =
      add("create", "Make a token; it is shown once", false, [&](server::TokenStore& s) { return create_token(s, c); });
  create->add_option("--scope", c.scopes, "generate, programs:run, programs:write, metrics, admin; may be repeated")
      ->required()
      ->delimiter(',');
  create->add_option("--tenant", c.tenant, "who it belongs to: the unit of caches, programs and fairness")
      ->capture_default_str();
  create->add_option("--note", c.note, "what it is for");
  create->add_option("--days", c.days, "how long it is valid (0: until it is revoked)")->check(CLI::Range(0, 3660));
  create->add_option("--model", c.models, "allowed model; may be repeated (none given: all)");
  create->add_option("--program", c.programs, "allowed program, by name or id; may be repeated (none given: all)");
  create->add_option("--quota", c.quotas, "NAME=NUMBER; may be repeated");
  add("list", "List tokens", false, [&](server::TokenStore& s) { return list_tokens(s, c); });
  add("show", "Show what a token may do", true, [&](server::TokenStore& s) {
    const auto record = s.show(c.id);
    return record.ok() ? print_out(server::to_json(*record).dump(c.json ? -1 : 2) + "\n") : refuse(record.error());
  });
  add("revoke", "End a token at once", true, [&](server::TokenStore& s) {
    const base::Status revoked = s.revoke(c.id);
    return revoked.ok() ? print_out(fmt::format("revoked {}\n", c.id)) : refuse(revoked.error());
  });
  CLI::App* rotate = add("rotate", "Make a new token with the same rights; the old one ends after a while", true,
                         [&](server::TokenStore& s) {
                           const auto created = s.rotate(c.id, c.grace);
                           return created.ok() ? print_created(c, *created) : refuse(created.error());
                         });
  rotate->add_option("--grace", c.grace, "seconds until the old one ends")
      ->check(CLI::Range(0, 30 * 86'400))
      ->capture_default_str();
  return parse_and_run(app, argc, argv, action);
}

int audit(int argc, char** argv) {
  CLI::App app{"Checks audit logs.", "sgl audit"};
  app.require_subcommand(1);
  std::function<int()> action;
  std::string file, previous;
  CLI::App* sub = app.add_subcommand("verify", "Check that no line of a log was changed or removed");
  sub->add_option("file", file, "the log")->required();
  sub->add_option("--after", previous, "head of the log before it, as this command prints it");
  sub->footer(
      "Exit codes: 0 whole; 1 changed; 2 cannot be read. Keep the head that is printed: it shows later that the\n"
      "end was not cut off.");
  sub->callback([&] {
    action = [&] {
      const auto verdict = server::verify_audit(file, previous);
      if (!verdict.ok()) {
        complain(verdict.error().message);
        return verdict.error().kind == base::ErrorKind::kNotFound ? kUsage : kFailed;
      }
      return print_out(fmt::format("whole: {} lines, numbers {} to {}\nhead: {}\n", verdict->lines, verdict->first,
                                   verdict->last, verdict->head));
    };
  });
  return parse_and_run(app, argc, argv, action);
}

}  // namespace sgl::tools
