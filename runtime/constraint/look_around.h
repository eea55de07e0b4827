// Patterns with look-around as automata: which are regular, because what an assertion says of the text before a place
// is a state of another automaton that has read it, and what it says of the text after it is an obligation, a state of
// another automaton that must accept the rest. Private to runtime/constraint.
#pragma once

#include "runtime/constraint/pattern.h"

namespace sgl::constraint {

bool has_look_around(const PatternNode& pattern);

// The texts that match as a whole or (search) contain a match, as a deterministic automaton without assertions. A state
// is what the look-behinds have seen and a set of places in the pattern, each with its obligations; so it can take
// exponentially many. Errors: `limit`.
base::Expected<CharNfa> without_look_around(const PatternNode& pattern, bool search, const Limits& limits);

}  // namespace sgl::constraint
