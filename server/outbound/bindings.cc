#include "server/outbound/bindings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "runtime/base/file.h"

namespace sgl::server {
namespace {

using base::Expected;
using base::invalid;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Reads one table [tools.NAME].
class Reader {
 public:
  Reader(std::string name, const toml::table& table, const std::filesystem::path& folder, bool commands)
      : name_(std::move(name)), table_(table), folder_(folder), commands_(commands) {}

  Expected<ToolBinding> read() {
    SGL_TRY_STATUS(known_keys());
    SGL_TRY(const std::string timeout, text("timeout", ""));
    if (!timeout.empty()) {
      SGL_TRY(out_.timeout, duration(timeout));
    }
    SGL_TRY(out_.max_response, size("max_response", kToolResponse, kMaxToolResponse));
    SGL_TRY(const std::string answer, text("answer", "json"));
    if (answer != "json" && answer != "text") return bad("answer", "\"json\" or \"text\"");
    out_.answer = answer == "json" ? ToolAnswer::kJson : ToolAnswer::kText;
    const bool url = table_.contains("url"), command = table_.contains("command");
    if (url == command) return invalid(fmt::format("tool '{}': give either 'url' or 'command'", name_));
    SGL_TRY_STATUS(command ? read_command() : read_http());
    return std::move(out_);
  }

 private:
  base::Error bad(std::string_view key, std::string_view wanted) const {
    return invalid(fmt::format("tool '{}': '{}' must be {}", name_, key, wanted));
  }

  base::Status known_keys() const {
    static constexpr std::array kKeys = {"url",    "method", "hosts",         "headers", "timeout", "max_response",
                                         "answer", "result", "allow_private", "ca",      "command"};
    for (const auto& [key, value] : table_) {
      if (std::find(kKeys.begin(), kKeys.end(), key.str()) == kKeys.end()) {
        return invalid(
            fmt::format("tool '{}': there is no key '{}'; there are: {}", name_, key.str(), fmt::join(kKeys, ", ")));
      }
    }
    return {};
  }

  Expected<std::string> text(std::string_view key, std::string_view otherwise) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return std::string(otherwise);
    const auto value = node->value_exact<std::string>();
    if (!value) return bad(key, "a text");
    return *value;
  }

  Expected<bool> flag(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return false;
    const auto value = node->value_exact<bool>();
    if (!value) return bad(key, "true or false");
    return *value;
  }

  Expected<std::size_t> size(std::string_view key, std::size_t otherwise, std::size_t most) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return otherwise;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < 1 || *value > static_cast<std::int64_t>(most))
      return bad(key, fmt::format("a number of bytes from 1 to {}", most));
    return static_cast<std::size_t>(*value);
  }

  Expected<std::vector<std::string>> texts(std::string_view key) const {
    std::vector<std::string> out;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return out;
    const toml::array* items = node->as_array();
    if (items == nullptr) return bad(key, "a list of texts");
    for (const toml::node& item : *items) {
      const auto value = item.value_exact<std::string>();
      if (!value || value->empty()) return bad(key, "a list of texts that are not empty");
      out.push_back(*value);
    }
    return out;
  }

  // "500ms", "10s", "2m".
  Expected<std::chrono::milliseconds> duration(const std::string& text) const {
    std::size_t digits = 0;
    while (digits < text.size() && digits < 9 && text[digits] >= '0' && text[digits] <= '9') ++digits;
    const std::string unit = text.substr(digits);
    const std::int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
    const std::int64_t value = digits == 0 ? 0 : std::stoll(text.substr(0, digits)) * factor;
    if (value < 1 || value > kMaxToolTimeout.count())
      return bad("timeout", "a time from 1ms to 10m, such as \"500ms\" or \"10s\"");
    return std::chrono::milliseconds(value);
  }

  base::Status read_command() {
    if (!commands_)
      return invalid(fmt::format("tool '{}': a 'command' can be bound only in `sgl run --allow-exec`", name_));
    out_.is_command = true;
    SGL_TRY(out_.command.words, texts("command"));
    if (out_.command.words.empty()) return bad("command", "a program with its arguments");
    return {};
  }

  base::Status read_http() {
    HttpBinding& http = out_.http;
    SGL_TRY(const std::string url, text("url", ""));
    SGL_TRY_STATUS(read_url(url));
    SGL_TRY(http.method, text("method", "POST"));
    if (http.method != "POST" && http.method != "GET") return bad("method", "\"POST\" or \"GET\"");
    SGL_TRY(http.hosts, texts("hosts"));
    for (std::string& host : http.hosts) host = lower(host);
    if (http.hosts.empty()) http.hosts.push_back(http.host);
    if (!host_allowed(http.hosts, http.host))
      return bad("hosts", fmt::format("a list that has the URL's own host, {}", http.host));
    SGL_TRY(http.pointer, text("result", ""));
    if (!http.pointer.empty() && http.pointer[0] != '/')
      return bad("result", "a JSON pointer, such as \"/data/value\"");
    if (!http.pointer.empty() && out_.answer == ToolAnswer::kText)
      return bad("result", "absent where the answer is text");
    SGL_TRY(http.allow_private, flag("allow_private"));
    SGL_TRY(http.ca, text("ca", ""));
    if (!http.ca.empty()) {
      http.ca = (folder_ / http.ca).string();
      SGL_TRY(const std::string readable, base::read_file(http.ca, std::size_t{16} << 20));
      (void)readable;
    }
    return read_headers();
  }

  base::Status read_url(const std::string& url) {
    HttpBinding& http = out_.http;
    const std::size_t scheme = url.find("://");
    http.scheme = scheme == std::string::npos ? "" : lower(url.substr(0, scheme));
    if (http.scheme != "https" && http.scheme != "http")
      return bad("url", "an address such as \"https://api.example.com/weather\"");
    std::string rest = url.substr(scheme + 3);
    const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
    std::string authority = rest.substr(0, slash);
    http.path = rest.substr(slash);
    if (http.path.empty() || http.path[0] == '?') http.path = "/" + http.path;
    const bool clean = std::all_of(url.begin(), url.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
    if (!clean || url.find('#') != std::string::npos || authority.find('@') != std::string::npos) {
      return bad("url", "an address without spaces, fragment, user or password");
    }
    http.port = http.scheme == "https" ? 443 : 80;
    const std::size_t bracket = authority.rfind(']'), colon = authority.rfind(':');
    if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
      const std::string port = authority.substr(colon + 1);
      const bool digits =
          !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
      http.port = digits ? std::stoi(port) : 0;
      if (http.port < 1 || http.port > 65535) return bad("url", "an address with a port from 1 to 65535");
      authority.resize(colon);
    }
    if (authority.size() > 2 && authority.front() == '[' && authority.back() == ']')
      authority = authority.substr(1, authority.size() - 2);
    http.host = lower(authority);
    if (http.host.empty()) return bad("url", "an address with a host");
    const bool here = http.host == "localhost" || http.host == "127.0.0.1" || http.host == "::1";
    if (http.scheme == "http" && !here) return bad("url", "https:// (http:// only for this machine)");
    return {};
  }

  base::Status read_headers() {
    const toml::node* node = table_.get("headers");
    if (node == nullptr) return {};
    const toml::table* headers = node->as_table();
    if (headers == nullptr) return bad("headers", "a table of texts");
    for (const auto& [key, value] : *headers) {
      const auto text = value.value_exact<std::string>();
      if (!text) return bad("headers", "a table of texts");
      SGL_TRY(std::string filled, fill_in(*text));
      const std::string name(key.str());
      if (text->find("${") == std::string::npos) out_.http.bare_headers.push_back(name);
      const auto token = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
      const auto printable = [](unsigned char c) { return c >= 0x20 && c != 0x7F; };
      if (name.empty() || !std::all_of(name.begin(), name.end(), token) ||
          !std::all_of(filled.begin(), filled.end(), printable)) {
        return bad("headers", fmt::format("names of letters, digits and '-', with values of one line ('{}')", name));
      }
      out_.http.headers.emplace_back(name, std::move(filled));
    }
    return {};
  }

  // Puts secrets where `${env:NAME}` and `${file:PATH}` stand.
  Expected<std::string> fill_in(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t open = std::min(text.find("${", at), text.size());
      out.append(text, at, open - at);
      if (open == text.size()) break;
      const std::size_t close = text.find('}', open);
      if (close == std::string::npos) return bad("headers", "values in which every ${ is closed");
      const std::string what = text.substr(open + 2, close - open - 2);
      SGL_TRY(const std::string secret, secret_of(what));
      out += secret;
      at = close + 1;
    }
    return out;
  }

  Expected<std::string> secret_of(const std::string& what) {
    if (what.starts_with("env:")) {
      const char* value = std::getenv(what.c_str() + 4);
      if (value == nullptr)
        return invalid(fmt::format("tool '{}': the environment has no variable '{}'", name_, what.substr(4)));
      return std::string(value);
    }
    if (what.starts_with("file:")) {
      const std::filesystem::path path = folder_ / what.substr(5);
      SGL_TRY(std::string value, base::read_file(path, 64 << 10));
      out_.http.secret_files.push_back(path.string());
      while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
      return value;
    }
    return bad("headers", fmt::format("values with ${{env:NAME}} or ${{file:PATH}}, not ${{{}}}", what));
  }

  std::string name_;
  const toml::table& table_;
  const std::filesystem::path& folder_;
  bool commands_;
  ToolBinding out_;
};

}  // namespace

bool host_allowed(const std::vector<std::string>& hosts, std::string_view host) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& allowed) {
    if (!allowed.starts_with("*.")) return allowed == host;
    const std::string_view end = std::string_view(allowed).substr(1);
    return host.size() > end.size() && host.ends_with(end);
  });
}

Expected<ToolBindings> parse_tool_bindings(std::string_view text, const std::filesystem::path& folder, bool commands) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& where = parsed.error().source().begin;
    return invalid(fmt::format("line {}, column {}: {}", where.line, where.column, parsed.error().description()));
  }
  ToolBindings out;
  for (const auto& [key, value] : parsed.table()) {
    if (key.str() != "tools")
      return invalid(fmt::format("there is no section '{}'; tools stand in [tools.NAME]", key.str()));
  }
  const toml::node* node = parsed.table().get("tools");
  if (node == nullptr) return out;
  const toml::table* tools = node->as_table();
  if (tools == nullptr) return invalid("'tools' must be a table: [tools.NAME]");
  for (const auto& [key, value] : *tools) {
    const std::string name(key.str());
    const toml::table* table = value.as_table();
    if (table == nullptr) return invalid(fmt::format("tool '{}' must be a table: [tools.{}]", name, name));
    SGL_TRY(ToolBinding binding, Reader(name, *table, folder, commands).read());
    out.emplace(name, std::move(binding));
  }
  return out;
}

Expected<ToolBindings> read_tool_bindings(const std::filesystem::path& file, bool commands) {
  SGL_TRY(const std::string text, base::read_file(file, kMaxToolsFile));
  auto out = parse_tool_bindings(text, file.parent_path(), commands);
  if (!out.ok()) return base::Error{out.error().kind, fmt::format("{}: {}", file.string(), out.error().message)};
  return out;
}

}  // namespace sgl::server
