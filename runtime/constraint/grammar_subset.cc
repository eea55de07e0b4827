#include "runtime/constraint/grammar_subset.h"

#include <algorithm>
#include <map>

#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {
namespace {

using Node = RuleAutomaton::Node;
using Places = std::vector<std::uint32_t>;

class Subsets {
 public:
  Subsets(const GrammarNfa& nfa, RuleId rule, const std::vector<bool>& nullable, SubsetScratch& scratch)
      : nfa_(nfa), rule_(nfa.rules[rule]), nullable_(nullable), stamps_(scratch.stamps), stamp_(scratch.stamp) {
    stamps_.resize(nfa_.nodes.size(), 0);
  }

  // Nullopt: deterministic, it would be large.
  std::optional<RuleAutomaton> deterministic() {
    RuleAutomaton out;
    Places start{rule_.start};
    close(start);
    const std::size_t most_nodes = 4 * members(start) + 64;
    make(start, out, [&](Places& places) { return number(places, out); });
    out.nodes[0].final = false;
    for (std::uint32_t i = 0; i < index_.size(); ++i) {
      const auto at = index_.at(i);
      const Places places(at.begin(), at.end());
      if (out.nodes.size() > most_nodes || visits_ > kMostVisits) return std::nullopt;
      make(
          places, out, [&](Places& next) { return number(next, out); }, i + 1);
    }
    return out;
  }

  // A node for every place that an edge or call leads to. Nullopt: it would have more edges and calls than `max_edges`.
  std::optional<RuleAutomaton> nondeterministic(std::size_t max_edges) {
    RuleAutomaton out;
    std::map<std::uint32_t, std::uint32_t> ids;
    Places todo;
    const auto id = [&](std::uint32_t place) {
      const auto [it, fresh] = ids.try_emplace(place, static_cast<std::uint32_t>(todo.size() + 1));
      if (fresh) todo.push_back(place);
      return it->second;
    };
    std::size_t edges = 0;
    const auto add = [&](std::uint32_t place) {
      Node node;
      Places places{place};
      close(places);
      edges += places.size();
      for (std::uint32_t p : places) {
        node.final = node.final || p == rule_.final;
        for (const Edge& e : nfa_.nodes[p].edges) node.edges.push_back({e.lo, e.hi, id(e.to)});
        for (const NfaCall& c : nfa_.nodes[p].calls) node.calls.push_back({c.rule, id(c.to)});
      }
      out.nodes.push_back(std::move(node));
    };
    add(rule_.start);
    out.nodes[0].final = false;
    for (std::size_t i = 0; i < todo.size(); ++i) {
      if (edges > max_edges || visits_ > 2 * kMostVisits) return std::nullopt;
      add(todo[i]);
    }
    return out;
  }

 private:
  static constexpr std::size_t kMostVisits = 8'000'000;  // of places, for all sets; well under a second

  // With what they lead to without bytes; sorted.
  void close(Places& places) {
    ++stamp_;
    std::size_t kept = 0;
    for (std::uint32_t p : places) {
      if (stamps_[p] != stamp_) places[kept++] = p;
      stamps_[p] = stamp_;
    }
    places.resize(kept);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const NfaNode& node = nfa_.nodes[places[i]];
      const auto visit = [&](std::uint32_t to) {
        if (stamps_[to] == stamp_) return;
        stamps_[to] = stamp_;
        places.push_back(to);
      };
      for (std::uint32_t to : node.jumps) visit(to);
      for (const NfaCall& c : node.calls) {
        if (nullable_[c.rule]) visit(c.to);
      }
    }
    visits_ += places.size();
    std::erase_if(places, [&](std::uint32_t p) {
      return nfa_.nodes[p].edges.empty() && nfa_.nodes[p].calls.empty() && p != rule_.final;
    });
    std::sort(places.begin(), places.end());
  }

  // How many places the rule has, about: as far as they can be reached.
  std::size_t members(const Places& start) {
    Places todo = start;
    ++stamp_;
    for (std::uint32_t p : start) stamps_[p] = stamp_;
    for (std::size_t i = 0; i < todo.size(); ++i) {
      const auto visit = [&](std::uint32_t to) {
        if (stamps_[to] != stamp_) todo.push_back(to);
        stamps_[to] = stamp_;
      };
      const std::uint32_t p = todo[i];
      for (std::uint32_t to : nfa_.nodes[p].jumps) visit(to);
      for (const Edge& e : nfa_.nodes[p].edges) visit(e.to);
      for (const NfaCall& c : nfa_.nodes[p].calls) visit(c.to);
    }
    return todo.size();
  }

  std::uint32_t number(Places& places, RuleAutomaton& out) {
    close(places);
    const auto [id, fresh] = index_.add(places);
    if (fresh) out.nodes.resize(id + 2);
    return id + 1;
  }

  // Fills in the node `at` for the places.
  template <typename Number>
  void make(const Places& places, RuleAutomaton& out, Number number, std::size_t at = 0) {
    if (out.nodes.size() <= at) out.nodes.resize(at + 1);
    Node node;
    node.final = std::binary_search(places.begin(), places.end(), rule_.final);
    std::vector<Edge> edges;
    std::map<RuleId, Places> calls;
    for (std::uint32_t p : places) {
      edges.insert(edges.end(), nfa_.nodes[p].edges.begin(), nfa_.nodes[p].edges.end());
      for (const NfaCall& c : nfa_.nodes[p].calls) calls[c.rule].push_back(c.to);
    }
    split(std::move(edges), node, number);
    for (auto& entry : calls) node.calls.push_back({entry.first, number(entry.second)});
    out.nodes[at] = std::move(node);
  }

  // Disjoint ranges, in order; a sweep over where ranges begin and end.
  template <typename Number>
  void split(std::vector<Edge> edges, Node& node, Number number) {
    if (edges.empty()) return;
    std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.lo < b.lo; });
    std::vector<Edge> open;
    std::size_t next = 0;
    for (unsigned byte = edges[0].lo; byte < 256;) {
      while (next < edges.size() && edges[next].lo == byte) open.push_back(edges[next++]);
      unsigned end = next < edges.size() ? edges[next].lo - 1U : 255U;  // last byte for which `open` stays as it is
      Places targets;
      for (const Edge& e : open) {
        end = std::min<unsigned>(end, e.hi);
        targets.push_back(e.to);
      }
      if (!targets.empty()) {
        std::sort(targets.begin(), targets.end());
        const std::uint32_t to = number(targets);
        if (!node.edges.empty() && node.edges.back().to == to && node.edges.back().hi + 1U == byte) {
          node.edges.back().hi = static_cast<std::uint8_t>(end);
        } else {
          node.edges.push_back({static_cast<std::uint8_t>(byte), static_cast<std::uint8_t>(end), to});
        }
      }
      std::erase_if(open, [&](const Edge& e) { return e.hi <= end; });
      byte = end + 1;
    }
  }

  const GrammarNfa& nfa_;
  const NfaRule& rule_;
  const std::vector<bool>& nullable_;
  TupleIndex index_;  // by its number: the places of node number + 1
  std::vector<std::uint64_t>& stamps_;
  std::uint64_t& stamp_;
  std::size_t visits_ = 0;
};

// Moore's algorithm: nodes with the same ways on become one, but for the start. Left as it is when that takes long.
void merge_equal(RuleAutomaton& automaton) {
  constexpr std::size_t kMostWork = 2'000'000;
  std::vector<Node>& nodes = automaton.nodes;
  std::vector<std::uint32_t> classes(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) classes[i] = i == 0 ? 0 : nodes[i].final ? 1 : 2;
  std::size_t count = 0;
  for (std::size_t work = 0;;) {
    TupleIndex signatures;
    std::vector<std::uint32_t> next(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      Places signature{classes[i]};
      for (const Edge& e : nodes[i].edges) {
        const std::uint32_t range = std::uint32_t{e.lo} << 8 | e.hi;
        const std::size_t size = signature.size();
        // Neighbouring ranges to nodes of one class are one range.
        if (size >= 3 && signature[size - 1] == classes[e.to] && (signature[size - 2] & 255) + 1 == e.lo) {
          signature[size - 2] = (signature[size - 2] & ~255U) | e.hi;
          continue;
        }
        signature.push_back(range);
        signature.push_back(classes[e.to]);
      }
      signature.push_back(UINT32_MAX);
      for (const NfaCall& c : nodes[i].calls) {
        signature.push_back(c.rule);
        signature.push_back(classes[c.to]);
      }
      work += signature.size();
      next[i] = signatures.add(signature).first;
    }
    if (work > kMostWork) return;
    classes.swap(next);
    if (signatures.size() == count) break;
    count = signatures.size();
  }
  std::vector<Node> merged(count);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    Node node;
    node.final = nodes[i].final;
    for (const Edge& e : nodes[i].edges) {
      if (!node.edges.empty() && node.edges.back().to == classes[e.to] && node.edges.back().hi + 1 == e.lo) {
        node.edges.back().hi = e.hi;
      } else {
        node.edges.push_back({e.lo, e.hi, classes[e.to]});
      }
    }
    for (const NfaCall& c : nodes[i].calls) node.calls.push_back({c.rule, classes[c.to]});
    merged[classes[i]] = std::move(node);
  }
  nodes = std::move(merged);
}

}  // namespace

std::optional<RuleAutomaton> without_empty_moves(const GrammarNfa& nfa, RuleId rule, const std::vector<bool>& nullable,
                                                 std::size_t max_edges, SubsetScratch& scratch) {
  if (auto made = Subsets(nfa, rule, nullable, scratch).deterministic()) {
    merge_equal(*made);
    return std::move(*made);
  }
  return Subsets(nfa, rule, nullable, scratch).nondeterministic(max_edges);
}

}  // namespace sgl::constraint
