// A grammar ready to be walked: an automaton per rule, over bytes and calls of rules, without empty moves, without what
// no text can use, and with left recursion turned into loops. Immutable. Private to runtime/constraint.
//
// Left recursion. A rule stands, as the left end of another one's text, for a chain of rules that each begin with the
// next. The rules that lead to each other so are one *component*, and a call of one of them (the *goal*) begins in the
// component's one start, which has the beginnings of all its rules but those that are rules of the component. When the
// text of a rule B is complete, it is the left end of another of them: the walk goes on at every r with C -> B r. (The
// left-corner relation of Moore 2000.) When B is the goal, the call may return instead. Every way from B leads to the
// goal in the end, since all rules of a component lead to each other.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "runtime/constraint/grammar_nfa.h"
#include "runtime/constraint/grammar_subset.h"

namespace sgl::constraint {

struct NetworkNode {
  RuleId rule = 0;
  bool final = false;    // the text of the rule may end here
  bool ignored = false;  // in what %ignore allows
  std::uint32_t edges = 0, edges_end = 0, calls = 0, calls_end = 0;
  std::uint64_t rest = kInfinite;  // least bytes from here to the end of the rule's text
};

struct NetworkRule {
  std::uint32_t start = 0;  // node; for a foreign rule its only one, in which the machine is walked
  bool nullable = false;
  std::uint64_t shortest = kInfinite;      // bytes of its shortest text that is not empty
  std::uint32_t component = 0, place = 0;  // its component, and which of its rules it is
  std::uint64_t longest_rest = 0;          // the greatest `rest` of its nodes
  std::int32_t foreign = -1;               // index of its machine
  std::vector<std::uint32_t> resume;       // where the component goes on after a text of this rule
};

struct NetworkComponent {
  bool recursive = false;
  std::uint32_t start = 0;    // node
  std::uint32_t rank = 0;     // above that of every component whose start calls it
  std::vector<RuleId> rules;  // of a recursive one
};

// A rule whose automaton is there already. Neither machine nor nodes: nothing uses the rule.
struct ReadyRule {
  bool nullable = false, ignored = false;
  std::shared_ptr<const Constraint> machine;  // its texts, instead of the automaton's
  RuleAutomaton automaton;
};

class GrammarNetwork {
 public:
  // Errors: kUnsatisfiable, kLimit. `warnings`: rules that are left out.
  static std::shared_ptr<const GrammarNetwork> build(const GrammarNfa& nfa, const GrammarLimits& limits,
                                                     std::vector<std::string>& warnings,
                                                     std::optional<GrammarProblem>& problem);
  // Of the rules that `build` would make. Precondition: those that are called are there. Errors as above.
  static std::shared_ptr<const GrammarNetwork> of_automata(const std::vector<ReadyRule>& rules, RuleId root,
                                                           const GrammarLimits& limits,
                                                           std::optional<GrammarProblem>& problem);

  std::vector<NetworkNode> nodes;
  std::vector<Edge> edges;
  std::vector<NfaCall> calls;
  std::vector<NetworkRule> rules;
  std::vector<NetworkComponent> components;
  std::vector<std::shared_ptr<const Constraint>> foreign;
  RuleId root = 0;
  std::vector<std::int32_t> parts;  // by node: its place in GrammarParts, RegularParts::kNowhere for none

  std::span<const Edge> edges_of(const NetworkNode& n) const {
    return std::span(edges).subspan(n.edges, n.edges_end - n.edges);
  }
  std::span<const NfaCall> calls_of(const NetworkNode& n) const {
    return std::span(calls).subspan(n.calls, n.calls_end - n.calls);
  }
  const NetworkComponent& component_of(RuleId rule) const { return components[rules[rule].component]; }
  // Nothing of the rule may follow the node: what comes after it is what comes after the rule.
  bool pure_final(const NetworkNode& n) const { return n.final && n.edges == n.edges_end && n.calls == n.calls_end; }
  // Least bytes from the end of a text of each rule of the component (as components[…].rules lists them) to the end of
  // one of `goal`. O(component).
  std::vector<std::uint64_t> to_goal(RuleId goal) const;
};

}  // namespace sgl::constraint
