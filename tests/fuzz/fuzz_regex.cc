// The first line as a pattern, the rest as a text. Under small limits everything ends soon, and the answers about the
// text agree with each other.
#include "runtime/base/check.h"
#include "runtime/constraint/constraint.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sgl;
  constraint::Limits limits;
  limits.max_pattern_bytes = 512;
  limits.max_states = 2'000;
  limits.max_nesting = 50;
  const auto [pattern, text] = fuzz::split(fuzz::as_text(data, size), "\n");
  const auto compiled = constraint::compile_regex(pattern, limits);
  if (!compiled.ok()) {
    SGL_ASSERT(!compiled.error().message.empty());
    return 0;
  }
  const bool whole = constraint::accepts(**compiled, text);
  const bool prefix = constraint::accepts_prefix(**compiled, text);
  SGL_ASSERT(prefix || !whole);
  if (whole) {
    SGL_ASSERT(text.size() >= constraint::min_length(**compiled));
    const auto longest = constraint::max_length(**compiled);
    SGL_ASSERT(!longest || text.size() <= *longest);
  }
  return 0;
}
