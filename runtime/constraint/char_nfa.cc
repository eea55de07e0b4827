#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "runtime/constraint/gated_nfa.h"
#include "runtime/constraint/look_around.h"
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

}  // namespace

std::uint32_t CharNfa::set_index(const CodeSet& set) {
  const auto it = std::find(sets_.begin(), sets_.end(), set);
  if (it != sets_.end()) return static_cast<std::uint32_t>(it - sets_.begin());
  sets_.push_back(set);
  return static_cast<std::uint32_t>(sets_.size() - 1);
}

namespace {

std::uint32_t index_of(std::vector<CodeSet>& sets, const CodeSet& set) {
  const auto it = std::find(sets.begin(), sets.end(), set);
  if (it != sets.end()) return static_cast<std::uint32_t>(it - sets.begin());
  sets.push_back(set);
  return static_cast<std::uint32_t>(sets.size() - 1);
}

class GatedBuilder {
 public:
  explicit GatedBuilder(const Limits& limits) : limits_(limits) {}

  Expected<GatedNfa> run(const PatternNode& pattern, bool any_before, bool any_after) {
    const std::uint32_t start = state(), first = state(), last = state(), accept = state();
    out_.states[start].jumps.push_back(first);
    out_.states[last].jumps.push_back(accept);
    if (any_before) out_.states[start].edges.push_back({index_of(out_.sets, kAnyChar), start});
    if (any_after) out_.states[accept].edges.push_back({index_of(out_.sets, kAnyChar), accept});
    out_.start = start, out_.accept = accept;
    SGL_TRY_STATUS(add(pattern, first, last));
    return std::move(out_);
  }

 private:
  std::uint32_t state() {
    out_.states.emplace_back();
    return static_cast<std::uint32_t>(out_.states.size() - 1);
  }
  void jump(std::uint32_t from, std::uint32_t to) { out_.states[from].jumps.push_back(to); }

  // Connects `from` to `to` by the texts of `node`. Repetition expands, so work is bounded, not only size.
  Status add(const PatternNode& node, std::uint32_t from, std::uint32_t to) {
    if (out_.states.size() > limits_.max_states || ++work_ > 4 * limits_.max_states) return too_large(limits_);
    using Kind = PatternNode::Kind;
    switch (node.kind) {
      case Kind::kEmpty:
        jump(from, to);
        return {};
      case Kind::kSet:
        out_.states[from].edges.push_back({index_of(out_.sets, node.set), to});
        return {};
      case Kind::kSequence:
        for (const PatternNode& child : node.children) {
          const std::uint32_t next = state();
          SGL_TRY_STATUS(add(child, from, next));
          from = next;
        }
        jump(from, to);
        return {};
      case Kind::kChoice:
        for (const PatternNode& child : node.children) SGL_TRY_STATUS(add(child, from, to));
        return {};
      case Kind::kBegin:
        return gate(GatedNfa::Gate::kBegin, node, from, to);
      case Kind::kEnd:
        return gate(GatedNfa::Gate::kEnd, node, from, to);
      case Kind::kLook:
        return gate(GatedNfa::Gate::kLook, node, from, to);
      case Kind::kRepeat:
        return repeat(node, from, to);
    }
    return {};
  }

  Status gate(GatedNfa::Gate kind, const PatternNode& node, std::uint32_t from, std::uint32_t to) {
    const std::uint32_t made = state();
    jump(from, made);
    out_.states[made].gate = kind;
    out_.states[made].gate_to = to;
    out_.states[made].look = &node;
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
      jump(from, loop), jump(loop, to);
      SGL_TRY_STATUS(add(body, loop, back));
      jump(back, loop);
      return {};
    }
    for (std::uint32_t i = node.min; i < node.max; ++i) {
      jump(from, to);
      const std::uint32_t next = state();
      SGL_TRY_STATUS(add(body, from, next));
      from = next;
    }
    jump(from, to);
    return {};
  }

  const Limits& limits_;
  std::size_t work_ = 0;
  GatedNfa out_;
};

}  // namespace

Expected<GatedNfa> build_gated(const PatternNode& pattern, bool any_before, bool any_after, const Limits& limits) {
  return GatedBuilder(limits).run(pattern, any_before, any_after);
}

class CharNfaBuilder {
 public:
  // Removes the anchors. A state of the result is a state there and what is known of the place: whether no character
  // has come yet (^ holds) and whether $ has been passed (no character may come).
  enum Place : std::uint32_t { kInside = 0, kAtBegin = 1, kAtEnd = 2 };

  static Expected<CharNfa> resolve(GatedNfa raw, const Limits& limits) {
    CharNfa out;
    out.sets_ = std::move(raw.sets);
    std::unordered_map<std::uint64_t, std::uint32_t> index;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> todo;
    const auto id = [&](std::uint32_t s, std::uint32_t place) {
      const auto [it, fresh] =
          index.try_emplace(std::uint64_t{s} << 2 | place, static_cast<std::uint32_t>(todo.size()));
      if (fresh) {
        todo.emplace_back(s, place);
        out.states_.emplace_back();
      }
      return it->second;
    };
    id(raw.start, kAtBegin);
    for (std::size_t i = 0; i < todo.size(); ++i) {
      if (todo.size() > limits.max_states) return too_large(limits);
      const auto [s, place] = todo[i];
      const GatedNfa::State& from = raw.states[s];
      CharNfa::State made;
      made.accepting = s == raw.accept;
      for (std::uint32_t to : from.jumps) made.jumps.push_back(id(to, place));
      if (from.gate == GatedNfa::Gate::kBegin && (place & kAtBegin) != 0) made.jumps.push_back(id(from.gate_to, place));
      if (from.gate == GatedNfa::Gate::kEnd) made.jumps.push_back(id(from.gate_to, place | kAtEnd));
      if ((place & kAtEnd) == 0) {
        for (const CharNfa::Edge& e : from.edges) made.edges.push_back({e.set, id(e.to, kInside)});
      }
      out.states_[i] = std::move(made);
    }
    return out;
  }
};

Expected<CharNfa> CharNfa::build(const PatternNode& pattern, bool search, const Limits& limits) {
  if (has_look_around(pattern)) return without_look_around(pattern, search, limits);
  SGL_TRY(GatedNfa raw, build_gated(pattern, search, search, limits));
  return CharNfaBuilder::resolve(std::move(raw), limits);
}

Expected<CharNfa> CharNfa::beginning(const PatternNode& pattern, const Limits& limits) {
  SGL_TRY(GatedNfa raw, build_gated(pattern, false, true, limits));
  return CharNfaBuilder::resolve(std::move(raw), limits);
}

Expected<CharNfa> CharNfa::ending(const PatternNode& pattern, const Limits& limits) {
  SGL_TRY(GatedNfa raw, build_gated(pattern, true, false, limits));
  return CharNfaBuilder::resolve(std::move(raw), limits);
}

CharNfa CharNfa::of(std::vector<State> states, std::vector<CodeSet> sets) {
  CharNfa out;
  out.states_ = std::move(states);
  out.sets_ = std::move(sets);
  return out;
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
