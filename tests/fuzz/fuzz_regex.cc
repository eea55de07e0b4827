// The first line as a pattern, the rest as a text. Under small limits everything ends soon, and the answers about the
// text agree with each other: those of the automaton over bytes, and those of the automaton over characters.
#include <optional>
#include <string>

#include "runtime/base/check.h"
#include "runtime/base/utf8.h"
#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/constraint.h"
#include "tests/fuzz/fuzz.h"

namespace {

// What must hold of an automaton over characters, whatever the pattern; `whole`: what bytes say of the text, if known.
void check_characters(std::string_view pattern, std::string_view text, std::optional<bool> whole) {
  using namespace sgl::constraint;
  CharDfa::Limits limits{.max_states = 500, .max_table = 50'000, .max_pattern_bytes = 512, .max_nesting = 50};
  const auto made = CharDfa::pattern(pattern, false, limits);
  if (!made.ok()) {
    SGL_ASSERT(!made.error().message.empty());
    return;
  }
  const CharDfa& dfa = **made;
  if (whole && sgl::base::is_valid_utf8(text)) SGL_ASSERT(dfa.accepts(text) == *whole);
  if (dfa.empty()) return;
  const auto samples = dfa.samples(dfa.start(), 3);
  SGL_ASSERT(!samples.empty());
  for (const std::string& sample : samples) SGL_ASSERT(dfa.accepts(sample));
  SGL_ASSERT(dfa.count(dfa.start()) >= samples.size());
  const auto any = dfa.shortest_between(dfa.start(), 0, 1000);
  SGL_ASSERT(!any.ok() || *any >= dfa.shortest_bytes(dfa.start()));
}

}  // namespace

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
    check_characters(pattern, text, std::nullopt);
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
  check_characters(pattern, text, whole);
  return 0;
}
