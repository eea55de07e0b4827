#include "runtime/constraint/grammar_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "runtime/constraint/grammar_parts.h"
#include "runtime/constraint/grammar_subset.h"

namespace sgl::constraint {
namespace {

using Queue = std::priority_queue<std::pair<std::uint64_t, std::uint32_t>,
                                  std::vector<std::pair<std::uint64_t, std::uint32_t>>, std::greater<>>;

// Bytes of a shortest text that is not empty.
std::uint64_t shortest_text(const Constraint& constraint) {
  const auto machine = constraint.impl().machine();
  if (machine->rest(Machine::kStart) > 0) return machine->rest(Machine::kStart);
  std::uint64_t out = kInfinite;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const StateId next = machine->step(Machine::kStart, static_cast<unsigned char>(byte));
    if (next >= 0) out = std::min(out, machine->rest(next) + 1);
  }
  return out;
}

class NetworkBuilder {
 public:
  explicit NetworkBuilder(const GrammarLimits& limits) : limits_(limits) {}

  std::shared_ptr<GrammarNetwork> run(const GrammarNfa& nfa, std::vector<std::string>& warnings,
                                      std::optional<GrammarProblem>& problem) {
    nullable_ = nullable_rules(nfa);
    used_ = used_rules(nfa);
    begin(nfa.rules.size(), nfa.root);
    if (!make_nodes(nfa)) return too_large(problem);
    find_shortest();
    for (RuleId r = 0; r < nfa.rules.size(); ++r) warn(nfa, r, warnings);
    return finish(problem);
  }

  std::shared_ptr<GrammarNetwork> run(const std::vector<ReadyRule>& rules, RuleId root,
                                      std::optional<GrammarProblem>& problem) {
    for (const ReadyRule& rule : rules) {
      nullable_.push_back(rule.nullable);
      used_.push_back(rule.machine != nullptr || !rule.automaton.nodes.empty());
    }
    begin(rules.size(), root);
    for (RuleId r = 0; r < rules.size(); ++r) {
      add_rule(r);
      if (rules[r].machine) {
        add_machine(r, rules[r].machine);
      } else {
        add_automaton(r, rules[r].automaton, rules[r].ignored);
      }
      if (over_limit()) return too_large(problem);
    }
    find_shortest();
    return finish(problem);
  }

 private:
  void begin(std::size_t rules, RuleId root) {
    out_->rules.resize(rules);
    out_->root = root;
  }
  std::shared_ptr<GrammarNetwork> too_large(std::optional<GrammarProblem>& problem) const {
    problem = GrammarProblem{GrammarStatus::kLimit, 0,
                             fmt::format("the grammar needs a network of more than {} nodes", limits_.max_nodes), true};
    return nullptr;
  }
  std::shared_ptr<GrammarNetwork> finish(std::optional<GrammarProblem>& problem) {
    if (out_->rules[out_->root].shortest >= kInfinite && !out_->rules[out_->root].nullable) {
      problem = GrammarProblem{GrammarStatus::kUnsatisfiable, 0, "no text can be derived from the start rule", true};
      return nullptr;
    }
    trim();
    find_components();
    join_starts();
    out_->parts = GrammarParts::all().places(*out_);
    return out_;
  }

  std::size_t most_edges() const { return 16 * limits_.max_nodes; }
  bool over_limit() const {
    return out_->nodes.size() > limits_.max_nodes || out_->edges.size() + out_->calls.size() > most_edges();
  }

  bool make_nodes(const GrammarNfa& nfa) {
    SubsetScratch scratch;
    for (RuleId r = 0; r < nfa.rules.size(); ++r) {
      add_rule(r);
      if (!used_[r]) continue;
      if (nfa.rules[r].machine) {
        add_machine(r, nfa.rules[r].machine);
        continue;
      }
      const auto made = without_empty_moves(nfa, r, nullable_, most_edges(), scratch);
      if (!made) return false;
      add_automaton(r, *made, nfa.rules[r].ignored);
      if (over_limit()) return false;
    }
    return true;
  }

  void add_rule(RuleId r) {
    NetworkRule& rule = out_->rules[r];
    rule.nullable = nullable_[r];
    rule.component = r;
    rule.start = static_cast<std::uint32_t>(out_->nodes.size());
  }
  void add_machine(RuleId r, const std::shared_ptr<const Constraint>& machine) {
    out_->rules[r].foreign = static_cast<std::int32_t>(out_->foreign.size());
    out_->foreign.push_back(machine);
    NetworkNode node;
    node.rule = r;
    out_->nodes.push_back(node);
  }
  void add_automaton(RuleId r, const RuleAutomaton& automaton, bool ignored) {
    const std::uint32_t start = out_->rules[r].start;
    for (const RuleAutomaton::Node& from : automaton.nodes) {
      NetworkNode node;
      node.rule = r, node.final = from.final, node.ignored = ignored;
      node.edges = static_cast<std::uint32_t>(out_->edges.size());
      for (const Edge& e : from.edges) out_->edges.push_back({e.lo, e.hi, start + e.to});
      node.edges_end = static_cast<std::uint32_t>(out_->edges.size());
      node.calls = static_cast<std::uint32_t>(out_->calls.size());
      for (const NfaCall& c : from.calls) out_->calls.push_back({c.rule, start + c.to});
      node.calls_end = static_cast<std::uint32_t>(out_->calls.size());
      out_->nodes.push_back(node);
    }
  }

  // Least bytes from every node to the end of its rule: Knuth's generalisation of Dijkstra's algorithm, in which a call
  // costs what the rule costs, once that is known.
  void find_shortest() {
    GrammarNetwork& net = *out_;
    struct Way {
      std::uint32_t from;
      RuleId rule;  // kNoRule: a byte
    };
    std::vector<std::vector<Way>> into(net.nodes.size());
    std::vector<std::vector<NfaCall>> callers(net.rules.size());  // rule: the node that calls; to: where it goes on
    std::vector<RuleId> start_of(net.nodes.size(), kNoRule);
    for (RuleId r = 0; r < net.rules.size(); ++r) {
      if (used_[r]) start_of[net.rules[r].start] = r;
    }
    Queue queue;
    for (std::uint32_t n = 0; n < net.nodes.size(); ++n) {
      for (const Edge& e : net.edges_of(net.nodes[n])) into[e.to].push_back({n, kNoRule});
      for (const NfaCall& c : net.calls_of(net.nodes[n])) {
        into[c.to].push_back({n, c.rule});
        callers[c.rule].push_back({n, c.to});
      }
      const std::int32_t foreign = net.rules[net.nodes[n].rule].foreign;
      if (net.nodes[n].final) queue.push({0, n});
      if (foreign >= 0) queue.push({shortest_text(*net.foreign[static_cast<std::size_t>(foreign)]), n});
    }
    while (!queue.empty()) {
      const auto [rest, n] = queue.top();
      queue.pop();
      if (net.nodes[n].rest < kInfinite || rest >= kInfinite) continue;
      net.nodes[n].rest = rest;
      for (const Way& way : into[n]) {
        const std::uint64_t cost = way.rule == kNoRule ? 1 : net.rules[way.rule].shortest;
        if (cost < kInfinite) queue.push({rest + cost, way.from});
      }
      const RuleId rule = start_of[n];
      if (rule == kNoRule) continue;
      net.rules[rule].shortest = rest;
      for (const NfaCall& c : callers[rule]) {
        if (net.nodes[c.to].rest < kInfinite) queue.push({net.nodes[c.to].rest + rest, c.rule});
      }
    }
  }

  void warn(const GrammarNfa& nfa, RuleId r, std::vector<std::string>& warnings) const {
    constexpr std::size_t kMost = 100;
    if (!nfa.rules[r].listed || warnings.size() >= kMost) return;
    const NetworkRule& rule = out_->rules[r];
    if (!nfa.rules[r].used) {
      warnings.push_back(fmt::format("the rule '{}' is not used", nfa.rules[r].name));
    } else if (used_[r] && rule.shortest >= kInfinite && !rule.nullable) {
      warnings.push_back(fmt::format("the rule '{}' matches no text", nfa.rules[r].name));
    }
  }

  // Without edges and calls from which no end can be reached.
  void trim() {
    GrammarNetwork& net = *out_;
    std::vector<Edge> edges;
    std::vector<NfaCall> calls;
    for (NetworkNode& node : net.nodes) {
      const auto edges_begin = static_cast<std::uint32_t>(edges.size());
      const auto calls_begin = static_cast<std::uint32_t>(calls.size());
      if (node.rest < kInfinite) {
        for (const Edge& e : net.edges_of(node)) {
          if (net.nodes[e.to].rest < kInfinite) edges.push_back(e);
        }
        for (const NfaCall& c : net.calls_of(node)) {
          if (net.nodes[c.to].rest < kInfinite && net.rules[c.rule].shortest < kInfinite) calls.push_back(c);
        }
      }
      if (node.rest < kInfinite) {
        std::uint64_t& longest = net.rules[node.rule].longest_rest;
        longest = std::max(longest, node.rest);
      }
      node.edges = edges_begin, node.edges_end = static_cast<std::uint32_t>(edges.size());
      node.calls = calls_begin, node.calls_end = static_cast<std::uint32_t>(calls.size());
    }
    net.edges = std::move(edges), net.calls = std::move(calls);
  }

  // Tarjan's algorithm over "begins with a call of", without recursion. Components are numbered callees first.
  void find_components() {
    GrammarNetwork& net = *out_;
    const std::size_t n = net.rules.size();
    std::vector<std::uint32_t> order(n, 0), low(n, 0);
    std::vector<bool> on_stack(n);
    std::vector<RuleId> stack;
    std::vector<std::pair<RuleId, std::uint32_t>> open;  // with the next call to look at
    std::uint32_t clock = 0;
    const auto begin = [&](RuleId r) {
      order[r] = low[r] = ++clock;
      stack.push_back(r), on_stack[r] = true;
      open.emplace_back(r, net.nodes[net.rules[r].start].calls);
    };
    for (RuleId root = 0; root < n; ++root) {
      if (!used_[root] || order[root] != 0) continue;
      begin(root);
      while (!open.empty()) {
        const RuleId r = open.back().first;
        const NetworkNode& start = net.nodes[net.rules[r].start];
        if (open.back().second < start.calls_end) {
          const RuleId callee = net.calls[open.back().second++].rule;
          if (order[callee] == 0)
            begin(callee);
          else if (on_stack[callee])
            low[r] = std::min(low[r], order[callee]);
          continue;
        }
        open.pop_back();
        if (!open.empty()) low[open.back().first] = std::min(low[open.back().first], low[r]);
        if (low[r] == order[r]) close_component(r, stack, on_stack);
      }
    }
    const auto count = static_cast<std::uint32_t>(net.components.size());
    for (std::uint32_t i = 0; i < count; ++i) net.components[i].rank = count - 1 - i;
  }
  void close_component(RuleId root, std::vector<RuleId>& stack, std::vector<bool>& on_stack) {
    GrammarNetwork& net = *out_;
    NetworkComponent component;
    RuleId r = kNoRule;
    do {
      r = stack.back();
      stack.pop_back();
      on_stack[r] = false;
      net.rules[r].component = static_cast<std::uint32_t>(net.components.size());
      net.rules[r].place = static_cast<std::uint32_t>(component.rules.size());
      component.rules.push_back(r);
    } while (r != root);
    const NetworkNode& start = net.nodes[net.rules[root].start];
    component.start = net.rules[root].start;
    component.recursive =
        component.rules.size() > 1 || std::any_of(net.calls.begin() + start.calls, net.calls.begin() + start.calls_end,
                                                  [&](const NfaCall& c) { return c.rule == root; });
    net.components.push_back(std::move(component));
  }

  // Gives each recursive component its start, and its rules where they go on.
  void join_starts() {
    GrammarNetwork& net = *out_;
    for (NetworkComponent& component : net.components) {
      if (!component.recursive) continue;
      NetworkNode joined;
      joined.rule = component.rules[0];
      joined.edges = static_cast<std::uint32_t>(net.edges.size());
      std::vector<NfaCall> calls;
      for (RuleId r : component.rules) {
        const NetworkNode start = net.nodes[net.rules[r].start];
        for (std::uint32_t i = start.edges; i < start.edges_end; ++i) {
          const Edge e = net.edges[i];
          net.edges.push_back(e);
        }
        for (std::uint32_t i = start.calls; i < start.calls_end; ++i) {
          const NfaCall c = net.calls[i];
          const bool inside = &net.component_of(c.rule) == &component;
          if (inside)
            net.rules[c.rule].resume.push_back(c.to);
          else
            calls.push_back(c);
        }
      }
      joined.edges_end = static_cast<std::uint32_t>(net.edges.size());
      joined.calls = static_cast<std::uint32_t>(net.calls.size());
      net.calls.insert(net.calls.end(), calls.begin(), calls.end());
      joined.calls_end = static_cast<std::uint32_t>(net.calls.size());
      component.start = static_cast<std::uint32_t>(net.nodes.size());
      net.nodes.push_back(joined);
    }
  }

  const GrammarLimits& limits_;
  std::shared_ptr<GrammarNetwork> out_ = std::make_shared<GrammarNetwork>();
  std::vector<bool> nullable_, used_;
};

}  // namespace

std::shared_ptr<const GrammarNetwork> GrammarNetwork::build(const GrammarNfa& nfa, const GrammarLimits& limits,
                                                            std::vector<std::string>& warnings,
                                                            std::optional<GrammarProblem>& problem) {
  return NetworkBuilder(limits).run(nfa, warnings, problem);
}

std::shared_ptr<const GrammarNetwork> GrammarNetwork::of_automata(const std::vector<ReadyRule>& rules, RuleId root,
                                                                  const GrammarLimits& limits,
                                                                  std::optional<GrammarProblem>& problem) {
  return NetworkBuilder(limits).run(rules, root, problem);
}

std::vector<std::uint64_t> GrammarNetwork::to_goal(RuleId goal) const {
  const NetworkComponent& component = component_of(goal);
  std::vector<std::uint64_t> out(component.rules.size(), kInfinite);
  // Ways from the end of one rule to the end of another, backwards.
  struct Way {
    std::size_t from;
    std::uint64_t cost;
  };
  std::vector<std::vector<Way>> into(component.rules.size());
  for (std::size_t i = 0; i < component.rules.size(); ++i) {
    for (std::uint32_t to : rules[component.rules[i]].resume)
      into[rules[nodes[to].rule].place].push_back({i, nodes[to].rest});
  }
  Queue queue;
  queue.push({0, rules[goal].place});
  while (!queue.empty()) {
    const auto [cost, at] = queue.top();
    queue.pop();
    if (out[at] < kInfinite || cost >= kInfinite) continue;
    out[at] = cost;
    for (const Way& way : into[at]) queue.push({cost + way.cost, static_cast<std::uint32_t>(way.from)});
  }
  return out;
}

}  // namespace sgl::constraint
