#include "server/api/error.h"

#include <fmt/format.h>

#include <cmath>

namespace sgl::server {
namespace {

const char* word_for(int status) {
  switch (status) {
    case 400:
      return "bad_request";
    case 401:
      return "unauthenticated";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "timeout";
    case 409:
      return "conflict";
    case 413:
      return "too_large";
    case 415:
      return "unsupported_media_type";
    case 422:
      return "unprocessable";
    case 429:
      return "rate_limited";
    case 499:
      return "cancelled";
    case 501:
      return "not_supported";
    case 503:
      return "unavailable";
    default:
      return "internal";
  }
}

// Clients of that API tell errors apart by these words.
const char* openai_type(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 404) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

// "/messages/0/content" as that API's "messages[0].content".
std::string dotted(const std::string& pointer) {
  std::string out;
  std::size_t at = 0;
  while (at < pointer.size()) {
    const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
    const std::string part = pointer.substr(at + 1, end - at - 1);
    const bool index = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    if (index) {
      out += "[" + part + "]";
    } else {
      out += (out.empty() ? "" : ".") + part;
    }
    at = end;
  }
  return out;
}

}  // namespace

ApiError from_error(const base::Error& error) {
  ApiError out;
  out.message = error.message;
  out.code = base::error_kind_name(error.kind);
  switch (error.kind) {
    case base::ErrorKind::kInvalid:
    case base::ErrorKind::kLimit:
    case base::ErrorKind::kFailed:
      out.status = 422;
      break;
    case base::ErrorKind::kNotFound:
      out.status = 404;
      break;
    case base::ErrorKind::kCancelled:
      out.status = 499;
      break;
    case base::ErrorKind::kUnavailable:
      out.status = 503;
      out.retry_after = 1;
      break;
    case base::ErrorKind::kInternal:
      out.status = 500;
      break;
  }
  return out;
}

Json error_json(const ApiError& error, Dialect dialect) {
  const std::string code = error.code.empty() ? word_for(error.status) : error.code;
  switch (dialect) {
    case Dialect::kNative: {
      Json out = {{"message", error.message}, {"type", code}, {"code", error.status}};
      if (!error.pointer.empty()) out["pointer"] = error.pointer;
      return {{"error", out}};
    }
    case Dialect::kOpenAi:
      return {{"error",
               {{"message", error.message},
                {"type", openai_type(error.status)},
                {"param", error.pointer.empty() ? Json() : Json(dotted(error.pointer))},
                {"code", code}}}};
    case Dialect::kPlain:
      break;
  }
  Json out = {{"kind", code}, {"message", error.message}};
  if (!error.pointer.empty()) out["pointer"] = error.pointer;
  if (error.details.is_object()) {
    for (const auto& [key, value] : error.details.items()) out[key] = value;
  }
  return {{"error", out}};
}

Response error_response(const ApiError& error, Dialect dialect) {
  Response out = json_response(error_json(error, dialect), error.status);
  if (error.retry_after) out.header("Retry-After", fmt::format("{}", std::max(1.0, std::ceil(*error.retry_after))));
  return out;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Response json_response(const Json& json, int status) {
  Response out;
  out.status = status;
  out.body = dump(json);
  return out;
}

std::optional<ApiError> parse_body(const std::string& body, Json& out, int max_depth) {
  if (body.empty()) return ApiError{400, "the body is empty; it must be a JSON object"};
  if (const auto mistake = parse_json(body, out, max_depth)) {
    if (!mistake->why.empty()) return ApiError{400, mistake->why};
    const std::string where = mistake->position > 0 ? fmt::format(" near byte {}", mistake->position) : "";
    return ApiError{400, fmt::format("the body is not valid JSON{}", where)};
  }
  if (!out.is_object()) return ApiError{400, "the body must be a JSON object"};
  return std::nullopt;
}

}  // namespace sgl::server
