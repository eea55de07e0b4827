// What can be reached in a grammar's network of nondeterministic automata.
#include "runtime/constraint/grammar_subset.h"

namespace sgl::constraint {

std::vector<bool> nullable_rules(const GrammarNfa& nfa) {
  std::vector<bool> nullable(nfa.rules.size(), false);
  std::vector<std::vector<std::uint32_t>> waiting(nfa.rules.size());  // places after calls that can be reached
  std::vector<std::uint8_t> seen(nfa.nodes.size());
  std::vector<RuleId> final_of(nfa.nodes.size(), kNoRule);
  std::vector<std::uint32_t> todo;
  const auto visit = [&](std::uint32_t node) {
    if (seen[node]++ == 0) todo.push_back(node);
    seen[node] = 1;
  };
  const auto found = [&](RuleId rule) {
    if (nullable[rule]) return;
    nullable[rule] = true;
    for (std::uint32_t to : waiting[rule]) visit(to);
  };
  for (RuleId r = 0; r < nfa.rules.size(); ++r) {
    final_of[nfa.rules[r].final] = r;
    if (!nfa.rules[r].machine) visit(nfa.rules[r].start);
    if (nfa.rules[r].machine && min_length(*nfa.rules[r].machine) == 0) found(r);
  }
  while (!todo.empty()) {
    const std::uint32_t node = todo.back();
    todo.pop_back();
    if (final_of[node] != kNoRule) found(final_of[node]);
    for (std::uint32_t to : nfa.nodes[node].jumps) visit(to);
    for (const NfaCall& c : nfa.nodes[node].calls) {
      if (nullable[c.rule])
        visit(c.to);
      else
        waiting[c.rule].push_back(c.to);
    }
  }
  return nullable;
}

std::vector<bool> used_rules(const GrammarNfa& nfa) {
  std::vector<bool> used(nfa.rules.size(), false);
  std::vector<bool> seen(nfa.nodes.size());
  std::vector<std::uint32_t> todo;
  const auto visit = [&](std::uint32_t node) {
    if (!seen[node]) todo.push_back(node);
    seen[node] = true;
  };
  const auto use = [&](RuleId rule) {
    used[rule] = true;
    visit(nfa.rules[rule].start);
  };
  use(nfa.root);
  while (!todo.empty()) {
    const std::uint32_t node = todo.back();
    todo.pop_back();
    for (const Edge& e : nfa.nodes[node].edges) visit(e.to);
    for (std::uint32_t to : nfa.nodes[node].jumps) visit(to);
    for (const NfaCall& c : nfa.nodes[node].calls) use(c.rule), visit(c.to);
  }
  return used;
}

}  // namespace sgl::constraint
