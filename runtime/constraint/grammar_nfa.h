// A grammar as a network of nondeterministic automata: one per rule, over bytes and calls of rules. Private to
// runtime/constraint.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/grammar_doc.h"
#include "runtime/constraint/graph.h"
#include "runtime/constraint/pattern.h"

namespace sgl::constraint {

struct NfaCall {
  RuleId rule = 0;
  std::uint32_t to = 0;
};

struct NfaNode {
  std::vector<Edge> edges;  // of graph.h: a range of bytes, a node
  std::vector<std::uint32_t> jumps;
  std::vector<NfaCall> calls;
};

struct NfaRule {
  std::string name;
  std::uint32_t start = 0, final = 0;
  bool ignored = false;  // what %ignore allows between terminals
  bool listed = false;   // somebody wrote it, so that warnings may speak of it
  bool used = false;     // a listed one: the start rule leads to it, though it may have been copied there
  std::shared_ptr<const Constraint> machine;  // not null: its texts instead of an automaton's
};

// Nodes of a rule never lead to those of another but by calls.
class GrammarNfa {
 public:
  explicit GrammarNfa(std::size_t max_nodes) : max_nodes_(max_nodes) {}

  RuleId add_rule(std::string name);
  std::uint32_t node();
  void edge(std::uint32_t from, unsigned lo, unsigned hi, std::uint32_t to);
  void jump(std::uint32_t from, std::uint32_t to);
  void call(std::uint32_t from, RuleId rule, std::uint32_t to);
  void bytes(std::uint32_t from, std::string_view text, std::uint32_t to);
  void characters(std::uint32_t from, const base::CodeSet& set, std::uint32_t to);
  void pattern(std::uint32_t from, const CharNfa& nfa, std::uint32_t to);

  // Once there are too many nodes or edges, nothing more is added.
  bool over_limit() const { return over_limit_; }
  std::vector<NfaRule> rules;
  std::vector<NfaNode> nodes;
  RuleId root = 0;

 private:
  bool count_edge();

  std::size_t max_nodes_, edges_ = 0;
  bool over_limit_ = false;
};

// What the rules of `doc` say, names being resolved. Fills doc.problem when a pattern or schema in it is wrong, or the
// network is too large.
GrammarNfa make_nfa(GrammarDoc& doc, const GrammarLimits& limits);

}  // namespace sgl::constraint
