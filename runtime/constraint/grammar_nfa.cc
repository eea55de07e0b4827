#include "runtime/constraint/grammar_nfa.h"

#include <map>

namespace sgl::constraint {

RuleId GrammarNfa::add_rule(std::string name) {
  NfaRule rule;
  rule.name = std::move(name);
  rule.start = node(), rule.final = node();
  rules.push_back(std::move(rule));
  return static_cast<RuleId>(rules.size() - 1);
}

std::uint32_t GrammarNfa::node() {
  if (nodes.size() >= max_nodes_) {
    over_limit_ = true;
    if (!nodes.empty()) return static_cast<std::uint32_t>(nodes.size() - 1);
  }
  nodes.emplace_back();
  return static_cast<std::uint32_t>(nodes.size() - 1);
}

bool GrammarNfa::count_edge() {
  constexpr std::size_t kEdgesPerNode = 16;  // on average
  over_limit_ = over_limit_ || ++edges_ > kEdgesPerNode * max_nodes_;
  return !over_limit_;
}
void GrammarNfa::edge(std::uint32_t from, unsigned lo, unsigned hi, std::uint32_t to) {
  if (count_edge()) nodes[from].edges.push_back({static_cast<std::uint8_t>(lo), static_cast<std::uint8_t>(hi), to});
}
void GrammarNfa::jump(std::uint32_t from, std::uint32_t to) {
  if (count_edge()) nodes[from].jumps.push_back(to);
}
void GrammarNfa::call(std::uint32_t from, RuleId rule, std::uint32_t to) {
  if (count_edge()) nodes[from].calls.push_back({rule, to});
}

void GrammarNfa::bytes(std::uint32_t from, std::string_view text, std::uint32_t to) {
  if (text.empty()) return jump(from, to);
  for (std::size_t i = 0; i < text.size() && !over_limit_; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::uint32_t next = i + 1 == text.size() ? to : node();
    edge(from, byte, byte, next);
    from = next;
  }
}

void GrammarNfa::characters(std::uint32_t from, const base::CodeSet& set, std::uint32_t to) {
  std::map<std::tuple<unsigned, unsigned, std::uint32_t>, std::uint32_t> suffixes;  // common ends are shared
  for (const ByteRanges& s : utf8_sequences(set)) {
    std::uint32_t next = to;
    for (int i = s.size - 1; i > 0; --i) {
      const auto [it, fresh] = suffixes.try_emplace({s.lo[i], s.hi[i], next}, 0);
      if (fresh) {
        it->second = node();
        edge(it->second, s.lo[i], s.hi[i], next);
      }
      next = it->second;
    }
    edge(from, s.lo[0], s.hi[0], next);
    if (over_limit_) return;
  }
}

void GrammarNfa::pattern(std::uint32_t from, const CharNfa& nfa, std::uint32_t to) {
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < nfa.states().size(); ++i) ids.push_back(node());
  if (ids.empty() || over_limit_) return;
  jump(from, ids[0]);
  for (std::size_t i = 0; i < ids.size() && !over_limit_; ++i) {
    const CharNfa::State& state = nfa.states()[i];
    for (std::uint32_t next : state.jumps) jump(ids[i], ids[next]);
    for (const CharNfa::Edge& e : state.edges) characters(ids[i], nfa.sets()[e.set], ids[e.to]);
    if (state.accepting) jump(ids[i], to);
  }
}

}  // namespace sgl::constraint
