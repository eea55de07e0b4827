// What a handler answers when it refuses: one value for all dialects, spelled in the dialect's shape at the end.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "runtime/base/expected.h"
#include "server/api/json.h"
#include "server/http/message.h"

namespace sgl::server {

// Which shape errors have.
enum class Dialect {
  kPlain,   // programs, tokens, administration: {"error": {"kind", "message", "pointer"}}
  kNative,  // SGLang: {"error": {"message", "code", "pointer"}}
  kOpenAi,  // {"error": {"message", "type", "param", "code"}}
};

struct ApiError {
  ApiError() = default;
  ApiError(int s, std::string m, std::string p = "", std::string c = "", std::optional<double> retry = std::nullopt)
      : status(s), message(std::move(m)), pointer(std::move(p)), code(std::move(c)), retry_after(retry) {}

  int status = 400;
  std::string message;
  std::string pointer;                // JSON pointer to the wrong field, "" for none
  std::string code;                   // a stable word, "" for the one that goes with the status
  std::optional<double> retry_after;  // seconds
  Json details;                       // further members of the plain shape (diagnostics, …), null for none
};

// A failure of the runtime as a response: invalid 422, not_found 404, limit 422, cancelled 499, unavailable 503,
// failed 422, internal 500.
ApiError from_error(const base::Error& error);
Response error_response(const ApiError& error, Dialect dialect);
// The error's object alone, for the last event of a stream.
Json error_json(const ApiError& error, Dialect dialect);

// JSON as text; bytes that are not UTF-8 become U+FFFD.
std::string dump(const Json& json);
Response json_response(const Json& json, int status = 200);

// Parses a request body: at most `max_depth` levels, UTF-8, nothing after the value, no key twice.
std::optional<ApiError> parse_body(const std::string& body, Json& out, int max_depth = 64);

}  // namespace sgl::server
