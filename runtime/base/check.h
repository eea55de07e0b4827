// Assertions for bugs. Nothing that a user or client sends may reach one (docs/architecture.md, rule 4).
#pragma once

namespace sgl::base {
// Prints file, line and condition to stderr and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}  // namespace sgl::base

// Always on: the conditions are cheap, and running on after a broken invariant corrupts results.
#define SGL_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::sgl::base::assertion_failed(#condition, __FILE__, __LINE__))
