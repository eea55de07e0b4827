#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "runtime/constraint/pattern.h"

namespace sgl::constraint {

using base::CodeSet;
using base::Expected;
using base::Status;

namespace {

base::Error too_large(const Limits& limits) {
  return base::over_limit(fmt::format("pattern needs more than {} automaton states", limits.max_states));
}
const CodeSet kAnyChar{{0, base::kMaxCodePoint}};

// The automaton of a pattern with its anchors still in it.
struct RawState {
  std::vector<CharNfa::Edge> edges;
  std::vector<std::uint32_t> jumps;
  std::uint32_t begin = 0, end = 0;  // where ^ and $ lead, 0: nowhere
};

}  // namespace

std::uint32_t CharNfa::set_index(const CodeSet& set) {
  const auto it = std::find(sets_.begin(), sets_.end(), set);
  if (it != sets_.end()) return static_cast<std::uint32_t>(it - sets_.begin());
  sets_.push_back(set);
  return static_cast<std::uint32_t>(sets_.size() - 1);
}

class CharNfaBuilder {
 public:
  explicit CharNfaBuilder(const Limits& limits) : limits_(limits) {}

  Expected<CharNfa> run(const PatternNode& pattern, bool search) {
    const std::uint32_t start = state(), first = state(), last = state(), accept = state();
    raw_[start].jumps.push_back(first);
    raw_[last].jumps.push_back(accept);
    if (search) {
      const std::uint32_t any = out_.set_index(kAnyChar);
      raw_[start].edges.push_back({any, start});
      raw_[accept].edges.push_back({any, accept});
    }
    SGL_TRY_STATUS(add(pattern, first, last));
    return resolve(start, accept);
  }

 private:
  std::uint32_t state() {
    raw_.emplace_back();
    return static_cast<std::uint32_t>(raw_.size() - 1);
  }

  // Connects `from` to `to` by the texts of `node`. Repetition expands, so work is bounded, not only size.
  Status add(const PatternNode& node, std::uint32_t from, std::uint32_t to) {
    if (raw_.size() > limits_.max_states || ++work_ > 4 * limits_.max_states) return too_large(limits_);
    using Kind = PatternNode::Kind;
    switch (node.kind) {
      case Kind::kEmpty:
        raw_[from].jumps.push_back(to);
        return {};
      case Kind::kSet: {
        const std::uint32_t set = out_.set_index(node.set);
        raw_[from].edges.push_back({set, to});
        return {};
      }
      case Kind::kSequence:
        for (std::size_t i = 0; i < node.children.size(); ++i) {
          const std::uint32_t next = state();
          SGL_TRY_STATUS(add(node.children[i], from, next));
          from = next;
        }
        raw_[from].jumps.push_back(to);
        return {};
      case Kind::kChoice:
        for (const PatternNode& child : node.children) SGL_TRY_STATUS(add(child, from, to));
        return {};
      case Kind::kBegin:
      case Kind::kEnd: {
        const std::uint32_t gate = state();
        raw_[from].jumps.push_back(gate);
        (node.kind == Kind::kBegin ? raw_[gate].begin : raw_[gate].end) = to;
        return {};
      }
      case Kind::kRepeat:
        return repeat(node, from, to);
    }
    return {};
  }

  Status repeat(const PatternNode& node, std::uint32_t from, std::uint32_t to) {
    const PatternNode& body = node.children[0];
    for (std::uint32_t i = 0; i < node.min; ++i) {
      const std::uint32_t next = state();
      SGL_TRY_STATUS(add(body, from, next));
      from = next;
    }
    if (node.max == UINT32_MAX) {
      const std::uint32_t loop = state(), back = state();
      raw_[from].jumps.push_back(loop);
      raw_[loop].jumps.push_back(to);
      SGL_TRY_STATUS(add(body, loop, back));
      raw_[back].jumps.push_back(loop);
      return {};
    }
    for (std::uint32_t i = node.min; i < node.max; ++i) {
      raw_[from].jumps.push_back(to);
      const std::uint32_t next = state();
      SGL_TRY_STATUS(add(body, from, next));
      from = next;
    }
    raw_[from].jumps.push_back(to);
    return {};
  }

  // Removes the anchors. A state of the result is a state here and what is known of the place: whether no character has
  // come yet (^ holds) and whether $ has been passed (no character may come).
  enum Place : std::uint32_t { kInside = 0, kAtBegin = 1, kAtEnd = 2 };

  Expected<CharNfa> resolve(std::uint32_t start, std::uint32_t accept) {
    std::unordered_map<std::uint64_t, std::uint32_t> index;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> todo;
    const auto id = [&](std::uint32_t s, std::uint32_t place) {
      const auto [it, fresh] =
          index.try_emplace(std::uint64_t{s} << 2 | place, static_cast<std::uint32_t>(todo.size()));
      if (fresh) {
        todo.emplace_back(s, place);
        out_.states_.emplace_back();
      }
      return it->second;
    };
    id(start, kAtBegin);
    for (std::size_t i = 0; i < todo.size(); ++i) {
      if (todo.size() > limits_.max_states) return too_large(limits_);
      const auto [s, place] = todo[i];
      CharNfa::State made;
      made.accepting = s == accept;
      for (std::uint32_t to : raw_[s].jumps) made.jumps.push_back(id(to, place));
      if (raw_[s].begin != 0 && (place & kAtBegin) != 0) made.jumps.push_back(id(raw_[s].begin, place));
      if (raw_[s].end != 0) made.jumps.push_back(id(raw_[s].end, place | kAtEnd));
      if ((place & kAtEnd) == 0) {
        for (const CharNfa::Edge& e : raw_[s].edges) made.edges.push_back({e.set, id(e.to, kInside)});
      }
      out_.states_[i] = std::move(made);
    }
    return std::move(out_);
  }

  const Limits& limits_;
  std::size_t work_ = 0;
  std::vector<RawState> raw_;
  CharNfa out_;
};

Expected<CharNfa> CharNfa::build(const PatternNode& pattern, bool search, const Limits& limits) {
  return CharNfaBuilder(limits).run(pattern, search);
}

Expected<CharNfa> CharNfa::lengths(std::int64_t min, std::int64_t max, const Limits& limits) {
  CharNfa out;
  const std::int64_t last = max < 0 ? min : max;
  if (last >= static_cast<std::int64_t>(limits.max_states)) return too_large(limits);
  const std::uint32_t any = out.set_index(kAnyChar);
  for (std::int64_t i = 0; i <= last; ++i) {
    State state;
    state.accepting = i >= min;
    if (i < last) state.edges.push_back({any, static_cast<std::uint32_t>(i + 1)});
    if (i == last && max < 0) state.edges.push_back({any, static_cast<std::uint32_t>(i)});
    out.states_.push_back(std::move(state));
  }
  return out;
}

Expected<CharNfa> CharNfa::intersect(const CharNfa& a, const CharNfa& b, const Limits& limits) {
  CharNfa out;
  std::unordered_map<std::uint64_t, std::uint32_t> index;
  std::unordered_map<std::uint64_t, std::uint32_t> sets;  // pair of sets to set here, UINT32_MAX: empty
  std::vector<std::pair<std::uint32_t, std::uint32_t>> todo;
  const auto id = [&](std::uint32_t x, std::uint32_t y) {
    const auto [it, fresh] = index.try_emplace(std::uint64_t{x} << 32 | y, static_cast<std::uint32_t>(todo.size()));
    if (fresh) {
      todo.emplace_back(x, y);
      out.states_.emplace_back();
    }
    return it->second;
  };
  id(0, 0);
  for (std::size_t i = 0; i < todo.size(); ++i) {
    if (todo.size() > limits.max_states) return too_large(limits);
    const auto [x, y] = todo[i];
    State made;
    made.accepting = a.states_[x].accepting && b.states_[y].accepting;
    for (std::uint32_t to : a.states_[x].jumps) made.jumps.push_back(id(to, y));
    for (std::uint32_t to : b.states_[y].jumps) made.jumps.push_back(id(x, to));
    for (const Edge& e : a.states_[x].edges) {
      for (const Edge& f : b.states_[y].edges) {
        const auto [it, fresh] = sets.try_emplace(std::uint64_t{e.set} << 32 | f.set, UINT32_MAX);
        if (fresh) {
          const CodeSet both = a.sets_[e.set].intersected(b.sets_[f.set]);
          if (!both.empty()) it->second = out.set_index(both);
        }
        if (it->second != UINT32_MAX) made.edges.push_back({it->second, id(e.to, f.to)});
      }
    }
    out.states_[i] = std::move(made);
  }
  return out;
}

FragmentId CharNfa::emit(Graph& graph, Spelling spelling) const {
  const FragmentId id = graph.begin();
  std::vector<FragmentId> set_fragments;
  for (const CodeSet& set : sets_) set_fragments.push_back(graph.characters(set, spelling));
  // Sets that are one byte per character need no call.
  const CodeSet plain =
      spelling == Spelling::kRaw ? CodeSet{{0, 0x7F}} : CodeSet{{0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0x7F}};
  std::vector<bool> simple;
  for (const CodeSet& set : sets_) simple.push_back(set.intersected(plain) == set);
  std::vector<NodeId> nodes{graph.fragment(id).start};
  while (nodes.size() < states_.size()) nodes.push_back(graph.node());
  for (std::size_t i = 0; i < states_.size() && !graph.over_limit(); ++i) {
    for (std::uint32_t to : states_[i].jumps) graph.jump(nodes[i], nodes[to]);
    if (states_[i].accepting) graph.jump(nodes[i], graph.fragment(id).exit);
    for (const Edge& e : states_[i].edges) {
      if (!simple[e.set]) {
        graph.call(nodes[i], set_fragments[e.set], nodes[e.to]);
        continue;
      }
      for (const base::CodeRange& r : sets_[e.set].ranges()) graph.edge(nodes[i], r.lo, r.hi, nodes[e.to]);
    }
  }
  graph.seal(id);
  return id;
}

}  // namespace sgl::constraint
