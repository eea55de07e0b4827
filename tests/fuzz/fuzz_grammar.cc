// A grammar, a line `----`, and a text. A first line `tags` makes the rest of the grammar the JSON of structural tags.
// Under small limits everything ends soon; and what the machine says of the text agrees with itself: prefixes of what
// is accepted can be completed, and the shortest completion of every prefix is accepted and as long as it is said.
#include <chrono>
#include <string>

#include "runtime/base/check.h"
#include "runtime/constraint/grammar.h"
#include "runtime/constraint/machine.h"
#include "runtime/constraint/structural_tags.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace sgl::constraint;

GrammarLimits small_limits() {
  GrammarLimits limits;
  limits.max_bytes = 16 << 10;
  limits.max_nesting = 50;
  limits.max_rules = 200;
  limits.max_nodes = 3'000;
  limits.max_states = 3'000;
  limits.max_stack_nodes = 20'000;
  limits.max_depth = 60;
  limits.max_threads = 300;
  return limits;
}

// From `state` on, at most so many bytes.
void check_completion(const Machine& machine, StateId state) {
  constexpr std::uint64_t kMost = 200;
  if (machine.rest(state) > kMost || !machine.certain(state)) return;
  for (std::uint64_t rest = machine.rest(state); rest > 0; --rest) {
    SGL_ASSERT(machine.rest(state) == rest && !machine.accepting(state));
    const int byte = machine.shortest_byte(state);
    SGL_ASSERT(byte >= 0);
    const StateId next = machine.step(state, static_cast<unsigned char>(byte));
    if (next == kOverLimit) return;
    SGL_ASSERT(next >= 0);
    state = next;
  }
  SGL_ASSERT(machine.accepting(state));
}

void check_text(const Constraint& constraint, std::string_view text) {
  const bool whole = accepts(constraint, text);
  SGL_ASSERT(!whole || accepts_prefix(constraint, text));
  SGL_ASSERT(!whole || text.size() >= min_length(constraint));
  const auto machine = constraint.impl().machine();
  StateId state = Machine::kStart;
  check_completion(*machine, state);
  for (std::size_t i = 0; i < text.size() && i < 100; ++i) {
    state = machine->step(state, static_cast<unsigned char>(text[i]));
    if (state < 0) return;
    SGL_ASSERT(machine->rest(state) < kInfinite);
    const int only = machine->only_byte(state);
    if (only >= 0)
      SGL_ASSERT(!machine->accepting(state) && machine->step(state, static_cast<unsigned char>(only)) != kNoState);
    check_completion(*machine, state);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sgl::fuzz::split;
  const auto [grammar, text] = split(sgl::fuzz::as_text(data, size), "\n----\n");
  if (grammar.starts_with("tags\n")) {
    SchemaOptions options;
    options.limits.max_bytes = 16 << 10, options.limits.max_nesting = 50;
    options.limits.max_goals = 500, options.limits.max_states = 3'000, options.limits.max_frames = 3'000;
    options.limits.time = std::chrono::milliseconds(1'000);
    const SchemaResult made = compile_structural_tags_json(grammar.substr(5), options, small_limits());
    SGL_ASSERT(made.ok() || !made.message.empty());
    if (made.ok()) check_text(*made.constraint, text);
    return 0;
  }
  GrammarOptions options;
  options.limits = small_limits();
  const GrammarResult made = compile_grammar(grammar, options);
  SGL_ASSERT(made.ok() || !made.message.empty());
  SGL_ASSERT(made.offset <= grammar.size());
  if (made.ok()) check_text(*made.constraint, text);
  return 0;
}
