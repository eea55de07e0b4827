// Networks of grammars (grammar_network.h) in compiled constraints: the automaton of each rule. Shortest texts, left
// recursion and what else follows from them is found anew.
#include "runtime/constraint/compiled_io.h"
#include "runtime/constraint/grammar_network.h"

namespace sgl::constraint {
namespace {

// Nodes that are rules' own: the starts of recursive components, which are made of them, come last.
std::size_t own_nodes(const GrammarNetwork& network) {
  std::size_t out = network.nodes.size();
  for (const NetworkComponent& component : network.components) out -= component.recursive ? 1 : 0;
  return out;
}

void write_rule(CompiledWriter& out, const GrammarNetwork& network, RuleId id, std::size_t begin, std::size_t end) {
  const NetworkRule& rule = network.rules[id];
  out.flag(rule.nullable);
  out.flag(rule.foreign >= 0);
  if (rule.foreign >= 0) return write_constraint(out, *network.foreign[static_cast<std::size_t>(rule.foreign)]);
  out.number(end - begin);
  if (begin < end) out.flag(network.nodes[begin].ignored);
  for (std::size_t n = begin; n < end; ++n) {
    const NetworkNode& node = network.nodes[n];
    out.flag(node.final);
    out.number(node.edges_end - node.edges);
    for (const Edge& e : network.edges_of(node)) {
      out.number(e.lo), out.number(std::uint64_t{e.hi} - e.lo), out.number(e.to - begin);
    }
    out.number(node.calls_end - node.calls);
    for (const NfaCall& c : network.calls_of(node)) out.number(c.rule), out.number(c.to - begin);
  }
}

// Nothing leads back to the start, and it is not final: what is asked of a rule is a text that is not empty.
RuleAutomaton read_automaton(CompiledReader& in, std::size_t size, std::size_t rules) {
  RuleAutomaton out;
  for (std::size_t n = 0; n < size && in.ok(); ++n) {
    RuleAutomaton::Node& node = out.nodes.emplace_back();
    node.final = in.flag();
    if (n == 0 && node.final) in.fault("a rule ends where it begins");
    for (std::size_t e = in.count(); e > 0 && in.ok(); --e) {
      Edge edge;
      edge.lo = static_cast<std::uint8_t>(in.number(255));
      edge.hi = static_cast<std::uint8_t>(edge.lo + in.number(255U - edge.lo));
      edge.to = in.index(size);
      if (edge.to == 0) in.fault("a rule leads back to its start");
      node.edges.push_back(edge);
    }
    for (std::size_t c = in.count(); c > 0 && in.ok(); --c) {
      NfaCall call;
      call.rule = in.index(rules);
      call.to = in.index(size);
      if (call.to == 0) in.fault("a rule leads back to its start");
      node.calls.push_back(call);
    }
  }
  return out;
}

}  // namespace

void write_network(CompiledWriter& out, const GrammarNetwork& network) {
  // By rule: its nodes stand together, in the order of the rules. Rules that nothing uses have none.
  const std::size_t own = own_nodes(network);
  std::vector<std::size_t> begin(network.rules.size(), 0), end(network.rules.size(), 0);
  for (std::size_t n = own; n-- > 0;) {
    const RuleId rule = network.nodes[n].rule;
    begin[rule] = n;
    if (end[rule] == 0) end[rule] = n + 1;
  }
  out.number(network.rules.size());
  out.number(network.root);
  for (RuleId r = 0; r < network.rules.size(); ++r) write_rule(out, network, r, begin[r], end[r]);
}

std::shared_ptr<const GrammarNetwork> read_network(CompiledReader& in, std::size_t depth) {
  const GrammarLimits& limits = in.limits().grammar;
  std::size_t nodes_left = limits.max_nodes;
  const std::size_t count = in.count();
  if (count > limits.max_nodes) in.over_limit("its grammar has too many rules");
  std::vector<ReadyRule> rules(in.ok() ? count : 0);
  const RuleId root = in.index(rules.size());
  for (ReadyRule& rule : rules) {
    rule.nullable = in.flag();
    if (in.flag()) {
      rule.machine = read_constraint(in, depth + 1);
      if (!in.ok()) return nullptr;
      continue;
    }
    const std::size_t size = in.count();
    if (size > nodes_left) in.over_limit("its grammar has too many nodes");
    nodes_left -= std::min(size, nodes_left);
    if (size > 0) rule.ignored = in.flag();
    rule.automaton = read_automaton(in, size, rules.size());
    if (!in.ok()) return nullptr;
  }
  const auto there = [&](RuleId id) { return rules[id].machine || !rules[id].automaton.nodes.empty(); };
  for (const ReadyRule& rule : rules) {
    for (const RuleAutomaton::Node& node : rule.automaton.nodes) {
      for (const NfaCall& call : node.calls) {
        if (!there(call.rule)) in.fault("a rule is called that is not there");
      }
    }
  }
  if (!in.ok() || !there(root)) return in.fault("no start rule"), nullptr;
  std::optional<GrammarProblem> problem;
  auto network = GrammarNetwork::of_automata(rules, root, limits, problem);
  if (problem) in.fault(problem->message);
  return problem ? nullptr : network;
}

}  // namespace sgl::constraint
