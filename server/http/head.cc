#include "server/http/head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/base/utf8.h"

namespace sgl::server {
namespace {

bool is_token_char(unsigned char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(static_cast<char>(c)) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_token_char(c); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

HeadError bad(std::string message) {
  return {400, std::move(message)};
}

std::optional<HeadError> parse_request_line(std::string_view line, const HeadLimits& limits, Head& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad("the request line is not 'METHOD target HTTP/1.1'");
  const std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method)) return bad("the method is malformed");
  constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
    return HeadError{501, "there is no such method here"};
  }
  if (version == "HTTP/1.0") {
    head.minor = 0;
  } else if (version != "HTTP/1.1") {
    return HeadError{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  if (target.size() > limits.max_target) {
    return HeadError{414, fmt::format("the request target is longer than {} bytes", limits.max_target)};
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.substr(0, scheme.size()) != scheme) continue;  // absolute form, as proxies get it
    const std::size_t slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (target.empty() || (target.front() != '/' && target != "*")) return bad("the request target is malformed");
  for (const char c : target) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7F || c == '#') {
      return bad("the request target has a character that must be escaped");
    }
  }
  const std::size_t question = target.find('?');
  auto path = percent_decode(target.substr(0, question));
  if (!path) return bad("the path has a malformed escape");
  head.method = method;
  head.target = target;
  head.path = std::move(*path);
  if (question != std::string_view::npos) head.query = target.substr(question + 1);
  return std::nullopt;
}

std::optional<HeadError> parse_header(std::string_view line, Head& head) {
  if (line.front() == ' ' || line.front() == '\t') return bad("folded header lines are not accepted");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bad("a header line has no colon");
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return bad("a header name is malformed");
  const std::string_view value = trimmed(line.substr(colon + 1));
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if ((u < ' ' && c != '\t') || u == 0x7F) return bad("a header value has a control character");
  }
  head.headers.emplace_back(lower(name), std::string(value));
  return std::nullopt;
}

std::optional<HeadError> read_length(Head& head) {
  for (const auto& [name, value] : head.headers) {
    if (name != "content-length") continue;
    if (head.content_length) return bad("there are several Content-Length headers");
    if (value.empty() || value.size() > 18 ||
        !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return bad("the Content-Length is not a number");
    }
    head.content_length = std::stoull(value);
  }
  int codings = 0;
  for (const auto& [name, value] : head.headers) {
    if (name != "transfer-encoding") continue;
    if (++codings > 1) return bad("there are several Transfer-Encoding headers");
    if (head.minor == 0) return bad("HTTP/1.0 has no Transfer-Encoding");
    if (head.content_length) return bad("Content-Length and Transfer-Encoding together are not accepted");
    if (lower(value) != "chunked") return HeadError{501, "the only Transfer-Encoding that is understood is 'chunked'"};
    head.chunked = true;
  }
  return std::nullopt;
}

std::optional<HeadError> interpret(Head& head) {
  if (auto error = read_length(head)) return error;
  std::size_t hosts = 0;
  head.keep_alive = head.minor == 1;
  for (const auto& [name, value] : head.headers) {
    if (name == "host") ++hosts;
    if (name == "connection") {
      const std::string options = lower(value);
      if (options.find("close") != std::string::npos) head.keep_alive = false;
      if (head.minor == 0 && options.find("keep-alive") != std::string::npos) head.keep_alive = true;
    }
    if (name == "expect") {
      if (lower(value) != "100-continue") return HeadError{417, "the only expectation that is met is '100-continue'"};
      head.expects_continue = head.minor == 1;
    }
  }
  if (hosts > 1 || (hosts == 0 && head.minor == 1)) return bad("there must be one Host header");
  const bool may_have_body =
      head.method == "POST" || head.method == "PUT" || head.method == "PATCH" || head.method == "DELETE";
  if (head.has_body() && !may_have_body) return bad(fmt::format("a {} request has no body", head.method));
  return std::nullopt;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Head::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::optional<std::size_t> head_end(std::string_view bytes) {
  const std::size_t at = bytes.find("\r\n\r\n");
  if (at == std::string_view::npos) return std::nullopt;
  return at + 4;
}

std::variant<Head, HeadError> parse_head(std::string_view bytes, const HeadLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return HeadError{431, fmt::format("the request's head is longer than {} bytes", limits.max_bytes)};
  }
  Head head;
  bool first = true;
  while (true) {
    const std::size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos) return bad("the head does not end with an empty line");
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    // A lone CR or LF is a line end to some parsers and not to others.
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      return bad("a line of the head has a control character");
    }
    if (line.empty() && !first) break;
    if (line.size() > limits.max_line) {
      if (first) return HeadError{414, fmt::format("the request target is longer than {} bytes", limits.max_target)};
      return HeadError{431, fmt::format("a header line is longer than {} bytes", limits.max_line)};
    }
    auto error = first ? parse_request_line(line, limits, head) : parse_header(line, head);
    if (error) return *error;
    first = false;
    if (head.headers.size() > limits.max_headers) {
      return HeadError{431, fmt::format("there are more than {} header lines", limits.max_headers)};
    }
  }
  if (!bytes.empty()) return bad("bytes follow the head");
  if (auto error = interpret(head)) return *error;
  return head;
}

std::string canonical_head(const Head& head) {
  // The handlers read the headers of `Head`; the library needs only what frames the body and the connection.
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: -\r\n", head.method, head.target);
  if (head.content_length) out += fmt::format("Content-Length: {}\r\n", *head.content_length);
  if (head.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (head.expects_continue) out += "Expect: 100-continue\r\n";
  if (!head.keep_alive) out += "Connection: close\r\n";
  return out + "\r\n";
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) return std::nullopt;
    out.push_back(c);
  }
  if (!base::is_valid_utf8(out)) return std::nullopt;
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    std::string value(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    std::replace(value.begin(), value.end(), '+', ' ');
    return percent_decode(value);
  }
  return std::nullopt;
}

}  // namespace sgl::server
