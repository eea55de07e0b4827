// The head of an HTTP/1.x request, parsed strictly (RFC 9112): what two parsers could read differently is refused, so
// that no request can be smuggled past a proxy in front. The library behind it only ever sees the canonical form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sgl::server {

struct HeadLimits {
  std::size_t max_bytes = 32 << 10;  // of the whole head; browsers and proxies stay below 16 KB
  std::size_t max_line = 8000;       // bytes of one header line; the library's own buffer has 8,192
  std::size_t max_headers = 100;     // lines
  std::size_t max_target = 2048;     // bytes; also bounds the recursion of the library's route patterns
};

struct Head {
  std::string method;                                        // upper case
  std::string target;                                        // origin form: "/path?query"
  std::string path;                                          // percent-decoded
  std::string query;                                         // as sent, without '?'
  int minor = 1;                                             // HTTP/1.`minor`
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  // The first header of that name (lower case), or "".
  std::string_view header(std::string_view name) const;
};

// Why a head is refused, as a response.
struct HeadError {
  int status = 400;
  std::string message;
};

// `bytes` ends with the empty line. O(bytes).
std::variant<Head, HeadError> parse_head(std::string_view bytes, const HeadLimits& limits = {});

// Bytes of the head in `bytes` including its empty line; nullopt: there is no empty line yet.
std::optional<std::size_t> head_end(std::string_view bytes);

// The head as the library gets it: one spelling, without what it must not act on (ranges, compression).
std::string canonical_head(const Head& head);

// %XX decoding; nullopt for malformed escapes, control characters and invalid UTF-8. '+' stays.
std::optional<std::string> percent_decode(std::string_view text);
// The value of a parameter of a query string, decoded ('+' is a space); nullopt: not there, or malformed.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace sgl::server
