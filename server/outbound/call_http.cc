#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/base/json.h"
#include "server/outbound/address.h"
#include "server/outbound/call.h"

namespace sgl::server {
namespace {

using Json = nlohmann::ordered_json;
using base::Expected;

constexpr int kMaxRedirects = 3;         // enough for a moved endpoint
constexpr std::size_t kShownBody = 200;  // bytes of a failure's body in the message

base::Error failed(const std::string& tool, const std::string& what) {
  return {base::ErrorKind::kFailed, fmt::format("tool '{}': {}", tool, what)};
}

struct Target {
  std::string scheme, host, path, method, body;
  int port = 443;
};

// The arguments as a query: texts as they are, other values as JSON.
std::string with_query(std::string path, const std::string& arguments) {
  Json json;
  if (base::parse_json(arguments, json) || !json.is_object()) return path;
  char separator = path.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [key, value] : json.items()) {
    if (value.is_null()) continue;
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    path += separator + httplib::detail::encode_query_param(key) + "=" + httplib::detail::encode_query_param(text);
    separator = '&';
  }
  return path;
}

// Where a redirect leads; nullopt: somewhere that the binding does not allow, or nowhere.
std::optional<Target> redirected(const Target& from, const ToolBinding& binding, int status,
                                 const std::string& location) {
  Target to = from;
  if (location.starts_with("/") && !location.starts_with("//")) {
    to.path = location;
  } else {
    const std::size_t scheme = location.find("://");
    if (scheme == std::string::npos || location.substr(0, scheme) != from.scheme) return std::nullopt;
    const std::string rest = location.substr(scheme + 3);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string host = rest.substr(0, slash);
    to.path = slash == rest.size() ? "/" : rest.substr(slash);
    to.port = from.scheme == "https" ? 443 : 80;
    if (const std::size_t colon = host.find(':'); colon != std::string::npos) {
      const std::string port = host.substr(colon + 1);
      if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
      to.port = std::stoi(port);
      host.resize(colon);
    }
    std::transform(host.begin(), host.end(), host.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    to.host = host;
  }
  const bool clean = std::all_of(to.path.begin(), to.path.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (!clean || !host_allowed(binding.http.hosts, to.host)) return std::nullopt;
  if (status == 303 || ((status == 301 || status == 302) && to.method == "POST")) {
    to.method = "GET";
    to.body.clear();
  }
  return to;
}

struct Reply {
  int status = 0;
  std::string body, location;
};

// One request to one host, at an address that was looked at: the name is not resolved again.
Expected<Reply> request(const std::string& tool, const ToolBinding& binding, const Target& target, bool own_host,
                        CallControl& control) {
  const HttpBinding& http = binding.http;
  auto addresses = resolve(target.host, http.allow_private, [&control] { return control.over(); });
  if (control.over()) return control.error(tool);
  if (!addresses.ok())
    return base::Error{addresses.error().kind, fmt::format("tool '{}': {}", tool, addresses.error().message)};
  const bool six = target.host.find(':') != std::string::npos;
  const std::string authority = six ? fmt::format("[{}]", target.host) : target.host;
  httplib::Client client(fmt::format("{}://{}:{}", target.scheme, authority, target.port));
  if (!client.is_valid()) return failed(tool, fmt::format("'{}' is no address of a server", target.host));
  client.set_hostname_addr_map({{target.host, addresses->front()}});
  client.set_follow_location(false);
  client.set_keep_alive(false);
  client.set_connection_timeout(control.left());
  client.set_read_timeout(control.left());
  client.set_write_timeout(control.left());
  if (target.scheme == "https") {
    client.enable_server_certificate_verification(true);
    if (!http.ca.empty()) client.set_ca_cert_path(http.ca);
  }
  httplib::Request ask;
  ask.method = target.method;
  ask.path = target.path;
  ask.body = target.body;
  ask.headers = {{"Accept", binding.answer == ToolAnswer::kJson ? "application/json" : "text/plain"},
                 {"Accept-Encoding", "identity"},
                 {"User-Agent", "sgl"}};
  if (target.method == "POST") ask.headers.emplace("Content-Type", "application/json");
  // Secrets are for the host that the operator wrote down, not for those it redirects to.
  for (const auto& [name, value] : own_host ? http.headers : decltype(http.headers)()) ask.headers.emplace(name, value);
  Reply out;
  bool large = false;
  ask.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    large = large || out.body.size() + size > binding.max_response;
    if (large || control.over()) return false;
    out.body.append(data, size);
    return true;
  };
  control.interrupt_by([&client] { client.stop(); });
  const httplib::Result result = client.send(ask);
  control.interrupt_by({});
  if (large)
    return base::over_limit(fmt::format("tool '{}': the answer has more than {} bytes", tool, binding.max_response));
  if (control.over()) return control.error(tool);
  if (!result) {
    const bool trust = result.error() == httplib::Error::SSLServerVerification;
    return base::Error{base::ErrorKind::kUnavailable,
                       fmt::format("tool '{}': {} cannot be reached: {}", tool, target.host,
                                   trust ? "its certificate is not trusted" : httplib::to_string(result.error()))};
  }
  out.status = result->status;
  out.location = result->get_header_value("Location");
  return out;
}

// The beginning of a body, for a message.
std::string shown(const std::string& body) {
  std::string out = body.substr(0, kShownBody);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = ' ';
  }
  return body.size() > kShownBody ? out + " …" : out;
}

}  // namespace

Expected<std::string> call_http(const std::string& tool, const ToolBinding& binding, const std::string& arguments,
                                CallControl& control) {
  const HttpBinding& http = binding.http;
  Target target{http.scheme, http.host, http.path, http.method, arguments, http.port};
  if (http.method == "GET") {
    target.path = with_query(http.path, arguments);
    target.body.clear();
  }
  for (int i = 0; i <= kMaxRedirects; ++i) {
    const bool own = target.host == http.host && target.port == http.port;
    SGL_TRY(const Reply reply, request(tool, binding, target, own, control));
    if (reply.status >= 300 && reply.status < 400 && !reply.location.empty()) {
      const auto next = redirected(target, binding, reply.status, reply.location);
      if (!next) return failed(tool, "it redirects to a place that its 'hosts' do not allow");
      target = *next;
      continue;
    }
    if (reply.status < 200 || reply.status >= 300) {
      return failed(tool, fmt::format("it answered with status {}{}{}", reply.status, reply.body.empty() ? "" : ": ",
                                      shown(reply.body)));
    }
    return read_answer(tool, binding, reply.body);
  }
  return failed(tool, fmt::format("it redirects more than {} times", kMaxRedirects));
}

}  // namespace sgl::server
