#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>

#include "server/app/options.h"
#include "server/http/listen.h"
#include "server/outbound/bindings.h"
#include "server/tls/self_signed.h"

namespace sgl::server {
namespace {

using Level = Finding::Level;

// Of a key that was given: too short, the documentation's, or too simple; "" when it is good.
std::string key_fault(const std::string& key) {
  if (key == kSampleKey) return "is the documentation's sample key, which everybody knows";
  if (key.size() < kMinKey) return fmt::format("has fewer than {} characters", kMinKey);
  const std::size_t distinct = [&] {
    bool seen[256] = {};
    std::size_t count = 0;
    for (const char c : key) {
      bool& s = seen[static_cast<unsigned char>(c)];
      count += s ? 0 : 1;
      s = true;
    }
    return count;
  }();
  if (distinct < 6) return "consists of too few different characters to be hard to guess";
  return "";
}

bool has_credentials(const AppOptions& o) {
  return !o.auth.api_key.empty() || !o.auth.admin_api_key.empty() || !o.auth.jwt.keys.empty() || !o.state_dir.empty() ||
         (o.tls.client_certificates == ClientCertificates::kRequired && !o.auth.certificates.empty());
}

bool beyond_this_machine(const AppOptions& o) {
  return o.http.uds.empty() && !is_loopback(o.http.host);
}

void check_keys(const AppOptions& o, std::vector<Finding>& out) {
  const auto check = [&](const char* name, const std::string& key) {
    if (key.empty()) return;
    const std::string fault = key_fault(key);
    if (fault.empty()) {
      out.push_back({Level::kGood, fmt::format("{} is long enough", name), ""});
    } else {
      out.push_back({Level::kProblem, fmt::format("{} {}", name, fault), "make one with: openssl rand -hex 32"});
    }
  };
  check("the API key", o.auth.api_key);
  check("the admin API key", o.auth.admin_api_key);
  if (!o.auth.api_key.empty() && o.auth.api_key == o.auth.admin_api_key) {
    out.push_back({Level::kProblem, "the API key and the admin API key are the same", "give them different values"});
  }
}

void check_address(const AppOptions& o, std::vector<Finding>& out) {
  if (!beyond_this_machine(o)) {
    out.push_back({Level::kGood,
                   o.http.uds.empty() ? fmt::format("{} is only reachable from this machine", o.http.host)
                                      : fmt::format("{} is a Unix socket", o.http.uds),
                   ""});
    return;
  }
  if (o.tls.certificates.empty()) {
    out.push_back({Level::kProblem,
                   fmt::format("{} is reachable from other machines, and there is no TLS", o.http.host),
                   "add --ssl-cert-file and --ssl-key-file (sgl cert self-signed makes them for trying out)"});
  }
  if (!has_credentials(o)) {
    out.push_back({Level::kProblem,
                   fmt::format("{} is reachable from other machines, and nobody has to authenticate", o.http.host),
                   "add --api-key-file, or --state-dir and tokens (sgl token create)"});
  }
  if (!o.tls.certificates.empty() && has_credentials(o)) {
    out.push_back({Level::kGood,
                   fmt::format("{} is reachable from other machines, with TLS and authentication", o.http.host), ""});
  }
}

void check_private_file(const std::string& path, const char* what, std::vector<Finding>& out) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    out.push_back({Level::kProblem, fmt::format("{} '{}' is not there", what, path), "name a file that exists"});
  } else if ((info.st_mode & 0077) != 0) {
    out.push_back({Level::kProblem,
                   fmt::format("{} '{}' can be read or written by others (mode {:o})", what, path, info.st_mode & 0777),
                   fmt::format("chmod 600 {}", path)});
  } else {
    out.push_back({Level::kGood, fmt::format("{} '{}' is private", what, path), ""});
  }
}

void check_certificates(const AppOptions& o, std::vector<Finding>& out) {
  for (const CertificateFiles& files : o.tls.certificates) {
    check_private_file(files.key, "the private key", out);
    const auto facts = certificate_facts(files.certificate);
    if (!facts.ok()) {
      out.push_back({Level::kProblem, facts.error().message, "name a PEM file with the certificate and its chain"});
      continue;
    }
    if (facts->days_left < 0) {
      out.push_back({Level::kProblem, fmt::format("the certificate '{}' has expired", files.certificate), "renew it"});
    } else if (facts->days_left < 14) {
      out.push_back({Level::kAdvice,
                     fmt::format("the certificate '{}' expires in {} days", files.certificate, facts->days_left),
                     "renew it"});
    } else {
      out.push_back({Level::kGood,
                     fmt::format("the certificate '{}' is valid for {} days", files.certificate, facts->days_left),
                     ""});
    }
    if (facts->self_signed) {
      out.push_back({Level::kAdvice, "the certificate is self-signed: clients must be given it (--cacert)",
                     "take one of an authority for public use"});
    }
  }
}

bool is_credential(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array kWords = {"authorization", "cookie", "key", "token", "secret", "password"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](const char* word) { return name.find(word) != std::string::npos; });
}

void check_tool(const std::string& name, const HttpBinding& http, std::vector<Finding>& out) {
  for (const std::string& path : http.secret_files)
    check_private_file(path, fmt::format("a secret of the tool '{}',", name).c_str(), out);
  for (const std::string& header : http.bare_headers) {
    if (!is_credential(header)) continue;
    out.push_back({Level::kProblem,
                   fmt::format("the tool '{}' has its header '{}' written out in the file", name, header),
                   "put the secret into a private file and write ${file:PATH}, or ${env:NAME}"});
  }
  for (const std::string& host : http.hosts) {
    // "*.com": below such a name anybody may have one.
    if (!host.starts_with("*.") || host.find('.', 2) != std::string::npos) continue;
    out.push_back({Level::kProblem,
                   fmt::format("the tool '{}' may be redirected to any host below '{}'", name, host.substr(2)),
                   "name the hosts, or a domain that you trust as a whole"});
  }
  const bool here = is_loopback(http.host);
  if (http.allow_private && !here) {
    out.push_back({Level::kAdvice,
                   fmt::format("the tool '{}' may reach private addresses, whatever '{}' resolves to", name, http.host),
                   "drop allow_private unless the endpoint is in your own network"});
  } else if (!http.allow_private && here) {
    out.push_back(
        {Level::kProblem,
         fmt::format("every call of the tool '{}' will be refused: '{}' is no public address", name, http.host),
         "set allow_private = true for it"});
  }
}

void check_tools(const std::string& path, std::vector<Finding>& out) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 0022) != 0) {
    out.push_back(
        {Level::kProblem,
         fmt::format("'{}', which binds tools, can be changed by others (mode {:o})", path, info.st_mode & 0777),
         fmt::format("chmod go-w {}", path)});
  }
  const auto bindings = read_tool_bindings(path, false);
  if (!bindings.ok()) {
    out.push_back({Level::kProblem, bindings.error().message, "the server does not start with it (docs/tools.md)"});
    return;
  }
  const std::size_t before = out.size();
  for (const auto& [name, binding] : *bindings) check_tool(name, binding.http, out);
  const bool good = std::all_of(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                                [](const Finding& f) { return f.level == Level::kGood; });
  if (good) out.push_back({Level::kGood, fmt::format("'{}' binds {} tools", path, bindings->size()), ""});
}

}  // namespace

std::vector<Finding> check_security(const AppOptions& o) {
  std::vector<Finding> out;
  check_keys(o, out);
  check_address(o, out);
  check_certificates(o, out);
  if (!o.auth.jwt.keys.empty() && o.auth.jwt.rules.audience.empty()) {
    out.push_back({Level::kAdvice, "JWTs for any audience are accepted", "set --jwt-audience"});
  }
  if (!o.state_dir.empty()) {
    struct stat info {};
    if (stat(o.state_dir.c_str(), &info) == 0 && (info.st_mode & 0077) != 0) {
      out.push_back(
          {Level::kProblem,
           fmt::format("the state folder '{}' is open to others (mode {:o})", o.state_dir, info.st_mode & 0777),
           fmt::format("chmod 700 {}", o.state_dir)});
    }
  }
  if (!o.tools.empty()) check_tools(o.tools, out);
  if (o.audit_log.empty()) out.push_back({Level::kAdvice, "there is no audit log", "set --audit-log FILE"});
  if (o.service.log_prompts)
    out.push_back({Level::kAdvice, "prompts and answers are written to the audit log",
                   "drop --log-prompts unless you need them"});
  if (o.service.share_cache)
    out.push_back({Level::kAdvice, "tenants share one prefix cache: timing tells one what others asked",
                   "drop --share-cache unless all tenants trust each other"});
  if (std::time(nullptr) < 1'700'000'000) {
    out.push_back(
        {Level::kProblem, "the clock is wrong: it shows a time before 2023", "set it (timedatectl set-ntp true)"});
  }
  if (geteuid() == 0)
    out.push_back({Level::kAdvice, "this runs as root", "run it as a user of its own (docs/deploy.md)"});
  return out;
}

std::string refusal(const AppOptions& o) {
  std::vector<Finding> findings;
  check_keys(o, findings);
  if (!o.insecure) check_address(o, findings);
  for (const Finding& f : findings) {
    if (f.level == Level::kProblem) {
      return fmt::format(
          "{}; {}{}", f.text, f.mend,
          f.text.find("reachable") != std::string::npos ? ", or pass --insecure if you know what you do" : "");
    }
  }
  return "";
}

}  // namespace sgl::server
