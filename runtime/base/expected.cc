#include "runtime/base/expected.h"

#include <cstdio>
#include <cstdlib>

namespace sgl::base {

const char* error_kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return "invalid";
    case ErrorKind::kNotFound: return "not_found";
    case ErrorKind::kLimit: return "limit";
    case ErrorKind::kCancelled: return "cancelled";
    case ErrorKind::kUnavailable: return "unavailable";
    case ErrorKind::kFailed: return "failed";
    case ErrorKind::kInternal: return "internal";
  }
  return "internal";
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "sgl: assertion failed: %s at %s:%d; this is a bug, please report it\n", condition, file, line);
  std::abort();
}

}  // namespace sgl::base
