// One rule's automaton without empty moves, deterministic where that stays small. Private to runtime/constraint.
#pragma once

#include <optional>
#include <vector>

#include "runtime/constraint/grammar_nfa.h"

namespace sgl::constraint {

// Node 0 is the start: nothing leads to it, and it is not final, for what is asked of a rule is a text that is not
// empty (calls of rules that may be empty can be passed over instead).
struct RuleAutomaton {
  struct Node {
    std::vector<Edge> edges;
    std::vector<NfaCall> calls;
    bool final = false;
  };
  std::vector<Node> nodes;
};

// By rule: its end can be reached without bytes. O(network).
std::vector<bool> nullable_rules(const GrammarNfa& nfa);
// By rule: the root leads to it. O(network).
std::vector<bool> used_rules(const GrammarNfa& nfa);

// Used for one rule after the other of the same network.
struct SubsetScratch {
  std::vector<std::uint64_t> stamps;  // by node: the last search that met it
  std::uint64_t stamp = 0;
};

// `nullable`: by rule, whether it may be empty. Nullopt: it would have more edges and calls than `max_edges`, or take
// seconds.
std::optional<RuleAutomaton> without_empty_moves(const GrammarNfa& nfa, RuleId rule, const std::vector<bool>& nullable,
                                                 std::size_t max_edges, SubsetScratch& scratch);

}  // namespace sgl::constraint
