// Nondeterministic automata of patterns before their assertions are resolved. Private to char_nfa.cc and
// look_around.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/constraint/pattern.h"

namespace sgl::constraint {

struct GatedNfa {
  enum class Gate : std::uint8_t { kNone, kBegin, kEnd, kLook };
  struct State {
    std::vector<CharNfa::Edge> edges;
    std::vector<std::uint32_t> jumps;
    Gate gate = Gate::kNone;  // what must hold here for the jump to gate_to
    std::uint32_t gate_to = 0;
    const PatternNode* look = nullptr;  // kLook; belongs to the pattern
  };
  std::vector<State> states;
  std::vector<base::CodeSet> sets;
  std::uint32_t start = 0, accept = 0;
};

// Texts that match, with anything before (`any_before`) and after (`any_after`).
base::Expected<GatedNfa> build_gated(const PatternNode& pattern, bool any_before, bool any_after, const Limits& limits);

}  // namespace sgl::constraint
