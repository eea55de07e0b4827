// Heads of HTTP requests, JSON bodies, tokens. What is accepted as a head frames its body in one way only, and means
// the same in its canonical form; whatever the bytes, nothing crashes, and a refusal is a response.
#include <string>

#include "runtime/base/check.h"
#include "server/api/error.h"
#include "server/auth/crypto.h"
#include "server/auth/jwt.h"
#include "server/http/head.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace sgl::server;

void check_head(std::string_view text) {
  const auto end = head_end(text);
  const auto parsed = parse_head(text.substr(0, end.value_or(text.size())));
  if (const auto* error = std::get_if<HeadError>(&parsed)) {
    SGL_ASSERT(error->status >= 400 && error->status < 600 && !error->message.empty());
    return;
  }
  const Head& head = std::get<Head>(parsed);
  SGL_ASSERT(end.has_value());
  SGL_ASSERT(!(head.chunked && head.content_length));
  for (const auto& [name, value] : head.headers) {
    SGL_ASSERT(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  const auto again = parse_head(canonical_head(head));
  const Head& same = std::get<Head>(again);
  SGL_ASSERT(same.method == head.method && same.path == head.path && same.query == head.query);
  SGL_ASSERT(same.chunked == head.chunked && same.content_length == head.content_length);
  (void)query_value(head.query, "a");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sgl::fuzz::as_text(data, size);
  check_head(text);
  Json body;
  if (const auto error = parse_body(std::string(text), body)) {
    SGL_ASSERT(error->status == 400 && !error->message.empty());
  } else {
    SGL_ASSERT(body.is_object());
    (void)dump(body);
  }
  if (const auto bytes = from_base64url(text)) SGL_ASSERT(base64url(*bytes) == text);
  JwtKey key;
  key.secret = "0123456789abcdef0123456789abcdef";
  SGL_ASSERT(!verify_jwt(text, {key}, {}, 1'800'000'000).ok());
  return 0;
}
