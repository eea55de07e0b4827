// Result type of everything that can fail at run time, and the error it carries.
//
// Three kinds of failure, three types (docs/architecture.md, rule 4): a user's mistake is a diagnostic with a source
// range (compiler/diag) or an `Error` of kind `invalid`; a runtime condition is an `Error` of another kind that a
// program can meet; a bug is an assertion (SGL_ASSERT). Exceptions are thrown only for bugs.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "runtime/base/check.h"

namespace sgl::base {

// What went wrong, for code that reacts to it. `error_kind_name` gives the stable spelling shown to users.
enum class ErrorKind {
  kInvalid,      // the input is wrong: malformed file, bad argument, unsupported construct
  kNotFound,     // a file, model or name that is not there
  kLimit,        // a resource limit of the request was reached (tokens, time, memory, fuel, states)
  kCancelled,    // the caller cancelled
  kUnavailable,  // the machine cannot do it now (no pages, no memory, shutting down)
  kFailed,       // the program itself failed (`fail "…"`), or an arithmetic error in it
  kInternal,     // a bug that was contained; the message says where
};

// Stable lower-case spelling, e.g. "limit".
const char* error_kind_name(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string message;  // one sentence for a person; names the file, field or place
};

// A value or an Error. Never empty, never both.
template <typename T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}          // NOLINT: implicit by design
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}      // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition: ok().
  T& value() & { SGL_ASSERT(ok()); return *std::get_if<0>(&state_); }
  const T& value() const& { SGL_ASSERT(ok()); return *std::get_if<0>(&state_); }
  T&& value() && { SGL_ASSERT(ok()); return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Precondition: !ok().
  const Error& error() const& { SGL_ASSERT(!ok()); return *std::get_if<1>(&state_); }
  Error&& error() && { SGL_ASSERT(!ok()); return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

// Success or an Error.
template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { SGL_ASSERT(!ok()); return *error_; }
  Error&& error() && { SGL_ASSERT(!ok()); return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Expected<void>;

inline Error invalid(std::string message) { return {ErrorKind::kInvalid, std::move(message)}; }
inline Error not_found(std::string message) { return {ErrorKind::kNotFound, std::move(message)}; }
inline Error over_limit(std::string message) { return {ErrorKind::kLimit, std::move(message)}; }

}  // namespace sgl::base

// Evaluates an Expected expression; on error returns it from the enclosing function, else binds the value.
#define SGL_CONCAT_(a, b) a##b
#define SGL_CONCAT(a, b) SGL_CONCAT_(a, b)
#define SGL_TRY(decl, expr) SGL_TRY_(decl, expr, SGL_CONCAT(sgl_try_, __LINE__))
#define SGL_TRY_(decl, expr, tmp)                  \
  auto tmp = (expr);                               \
  if (!tmp.ok()) return std::move(tmp).error();    \
  decl = std::move(tmp).value()
// The same for Status.
#define SGL_TRY_STATUS(expr)                                                     \
  do {                                                                           \
    auto sgl_try_status = (expr);                                                \
    if (!sgl_try_status.ok()) return std::move(sgl_try_status).error();          \
  } while (false)
