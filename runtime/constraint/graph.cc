#include "runtime/constraint/graph.h"

#include <algorithm>
#include <queue>
#include <unordered_map>

#include "runtime/base/utf8.h"

namespace sgl::constraint {

using base::CodeSet;

FragmentId Graph::begin() {
  Fragment fragment;
  fragment.start = node();
  fragment.exit = node();
  nodes_[fragment.exit].exit = true;
  fragments_.push_back(fragment);
  return static_cast<FragmentId>(fragments_.size() - 1);
}

// Over the limit all nodes are the same one; the graph is thrown away then.
NodeId Graph::node() {
  if (nodes_.size() >= max_nodes_) {
    over_limit_ = true;
    if (!nodes_.empty()) return static_cast<NodeId>(nodes_.size() - 1);
  }
  nodes_.emplace_back();
  return static_cast<NodeId>(nodes_.size() - 1);
}

void Graph::edge(NodeId from, unsigned lo, unsigned hi, NodeId to) {
  if (!over_limit_) nodes_[from].edges.push_back({static_cast<std::uint8_t>(lo), static_cast<std::uint8_t>(hi), to});
}
void Graph::jump(NodeId from, NodeId to) {
  if (!over_limit_) nodes_[from].jumps.push_back(to);
}
void Graph::call(NodeId from, FragmentId fragment, NodeId to) {
  if (!over_limit_) nodes_[from].calls.push_back({fragment, to});
}

void Graph::bytes(NodeId from, std::string_view text, NodeId to) {
  if (text.empty()) return jump(from, to);
  for (std::size_t i = 0; i < text.size() && !over_limit_; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const NodeId next = i + 1 == text.size() ? to : node();
    edge(from, byte, byte, next);
    from = next;
  }
}

void Graph::repeat(NodeId from, FragmentId item, std::string_view separator, std::int64_t min, std::int64_t max,
                   NodeId to) {
  if (min == 0) jump(from, to);
  if (max == 0) return;
  // `before`: an item comes next; `after`: an item has just been.
  NodeId before = from;
  for (std::int64_t count = 1; !over_limit_; ++count) {
    const bool endless = max < 0 && count >= std::max<std::int64_t>(min, 1);
    // A loop must not come back to `from`, which may have been reached by something else too.
    if (endless && before == from) {
      before = node();
      jump(from, before);
    }
    const NodeId after = node();
    call(before, item, after);
    if (count >= min) jump(after, to);
    if (endless) return bytes(after, separator, before);
    if (count == max) return;
    before = node();
    bytes(after, separator, before);
  }
}

namespace {

// Splits lo … hi, all of one encoded length, into sequences of byte ranges.
void split_utf8(char32_t lo, char32_t hi, std::vector<ByteRanges>& out) {
  for (int i = 1; i < 4; ++i) {
    const char32_t low_bits = (char32_t{1} << (6 * i)) - 1;
    if ((lo & ~low_bits) == (hi & ~low_bits)) continue;
    if ((lo & low_bits) != 0) {
      split_utf8(lo, lo | low_bits, out);
      return split_utf8((lo | low_bits) + 1, hi, out);
    }
    if ((hi & low_bits) != low_bits) {
      split_utf8(lo, (hi & ~low_bits) - 1, out);
      return split_utf8(hi & ~low_bits, hi, out);
    }
  }
  std::string first, last;
  base::append_utf8(first, lo);
  base::append_utf8(last, hi);
  ByteRanges ranges;
  ranges.size = static_cast<int>(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    ranges.lo[i] = static_cast<std::uint8_t>(first[i]);
    ranges.hi[i] = static_cast<std::uint8_t>(last[i]);
  }
  out.push_back(ranges);
}

}  // namespace

std::vector<ByteRanges> utf8_sequences(const CodeSet& set) {
  static const CodeSet kByLength[4] = {
      {{0, 0x7F}}, {{0x80, 0x7FF}}, {{0x800, 0xD7FF}, {0xE000, 0xFFFF}}, {{0x10000, 0x10FFFF}}};
  std::vector<ByteRanges> sequences;
  for (const CodeSet& length : kByLength) {
    const CodeSet part = set.intersected(length);
    for (const base::CodeRange& r : part.ranges()) split_utf8(r.lo, r.hi, sequences);
  }
  return sequences;
}

void Graph::utf8(NodeId from, const CodeSet& set, NodeId to) {
  const std::vector<ByteRanges> sequences = utf8_sequences(set);
  // Sequences with a common end share its nodes.
  std::map<std::tuple<unsigned, unsigned, NodeId>, NodeId> suffixes;
  for (const ByteRanges& s : sequences) {
    NodeId next = to;
    for (int i = s.size - 1; i > 0; --i) {
      const auto [it, fresh] = suffixes.try_emplace({s.lo[i], s.hi[i], next}, 0);
      if (fresh) {
        it->second = node();
        edge(it->second, s.lo[i], s.hi[i], next);
      }
      next = it->second;
    }
    edge(from, s.lo[0], s.hi[0], next);
  }
}

namespace {
constexpr std::pair<char, char> kShortEscapes[] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                                   {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
}  // namespace

FragmentId Graph::characters(const CodeSet& set, Spelling spelling) {
  for (const auto& [known, how, id] : sets_) {
    if (how == spelling && known == set) return id;
  }
  const FragmentId id = begin();
  const NodeId start = fragments_[id].start, exit = fragments_[id].exit;
  if (spelling == Spelling::kRaw) {
    utf8(start, set, exit);
  } else {
    static const CodeSet kPlain{{0x20, 0x21}, {0x23, 0x5B}, {0x5D, base::kMaxCodePoint}};
    utf8(start, set.intersected(kPlain), exit);
    const NodeId escaped = node();
    edge(start, '\\', '\\', escaped);
    for (const auto& [meaning, letter] : kShortEscapes) {
      if (set.contains(static_cast<unsigned char>(meaning))) {
        edge(escaped, static_cast<unsigned char>(letter), static_cast<unsigned char>(letter), exit);
      }
    }
    if (spelling == Spelling::kJsonFree) {
      free_escapes(escaped, exit);
    } else {
      for (unsigned c = 0; c < 0x20; ++c) {
        const auto same = [&](const auto& escape) { return escape.first == static_cast<char>(c); };
        if (!set.contains(c) || std::any_of(std::begin(kShortEscapes), std::end(kShortEscapes), same)) continue;
        const NodeId last = node();
        bytes(escaped, c < 16 ? "u000" : "u001", last);
        const unsigned digit = c % 16;
        edge(last, digit < 10 ? '0' + digit : 'a' + digit - 10, digit < 10 ? '0' + digit : 'a' + digit - 10, exit);
        if (digit >= 10) edge(last, 'A' + digit - 10, 'A' + digit - 10, exit);
      }
    }
  }
  seal(id);
  sets_.emplace_back(set, spelling, id);
  return id;
}

// After a backslash: "/" and uXXXX, where surrogates stand in pairs.
void Graph::free_escapes(NodeId from, NodeId to) {
  const auto hex = [&](NodeId a, NodeId b) { edge(a, '0', '9', b), edge(a, 'a', 'f', b), edge(a, 'A', 'F', b); };
  edge(from, '/', '/', to);
  const NodeId u = node(), three = node(), two = node(), one = node(), d = node();
  edge(from, 'u', 'u', u);
  edge(u, '0', '9', three), edge(u, 'a', 'c', three), edge(u, 'A', 'C', three);
  edge(u, 'e', 'f', three), edge(u, 'E', 'F', three), edge(u, 'd', 'd', d), edge(u, 'D', 'D', d);
  hex(three, two), hex(two, one), hex(one, to);
  edge(d, '0', '7', two);
  const NodeId high_two = node(), high_one = node(), slash = node(), low = node(), low_d = node(), low_second = node();
  edge(d, '8', '9', high_two), edge(d, 'a', 'b', high_two), edge(d, 'A', 'B', high_two);
  hex(high_two, high_one), hex(high_one, slash);
  edge(slash, '\\', '\\', low), edge(low, 'u', 'u', low_d);
  edge(low_d, 'd', 'd', low_second), edge(low_d, 'D', 'D', low_second);
  edge(low_second, 'c', 'f', two), edge(low_second, 'C', 'F', two);
}

FragmentId Graph::texts(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  const FragmentId id = begin();
  std::unordered_map<std::uint64_t, NodeId> edges;  // node << 8 | byte
  for (const std::string& text : list) {
    NodeId at = fragments_[id].start;
    for (char c : text) {
      if (over_limit_) break;
      const auto byte = static_cast<unsigned char>(c);
      const auto [it, fresh] = edges.try_emplace(std::uint64_t{at} << 8 | byte, 0);
      if (fresh) {
        it->second = node();
        edge(at, byte, byte, it->second);
      }
      at = it->second;
    }
    jump(at, fragments_[id].exit);
  }
  seal(id);
  return id;
}

void Graph::seal(FragmentId id) {
  if (over_limit_) return;
  Fragment& fragment = fragments_[id];
  // The nodes reachable from the start, and the ways into each of them with their least bytes.
  struct Way {
    NodeId from;
    std::uint64_t cost;
  };
  std::vector<NodeId> members{fragment.start};
  std::unordered_map<NodeId, std::vector<Way>> into;
  into.try_emplace(fragment.start);
  const auto way = [&](NodeId from, NodeId to, std::uint64_t cost) {
    const auto [it, fresh] = into.try_emplace(to);
    it->second.push_back({from, cost});
    if (fresh) members.push_back(to);
  };
  for (std::size_t i = 0; i < members.size(); ++i) {
    const NodeId from = members[i];
    for (const Edge& e : nodes_[from].edges) way(from, e.to, 1);
    for (NodeId to : nodes_[from].jumps) way(from, to, 0);
    for (const Call& c : nodes_[from].calls) way(from, c.back, fragments_[c.fragment].shortest);
  }
  // Dijkstra's algorithm from the exit backwards.
  using Entry = std::pair<std::uint64_t, NodeId>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  nodes_[fragment.exit].rest = 0;
  queue.push({0, fragment.exit});
  while (!queue.empty()) {
    const auto [rest, at] = queue.top();
    queue.pop();
    if (rest != nodes_[at].rest) continue;
    const auto it = into.find(at);
    if (it == into.end()) continue;
    for (const Way& w : it->second) {
      const std::uint64_t total = std::min(rest + w.cost, kInfinite);
      if (total >= nodes_[w.from].rest) continue;
      nodes_[w.from].rest = total;
      queue.push({total, w.from});
    }
  }
  fragment.shortest = nodes_[fragment.start].rest;
  longest(fragment, members);
}

std::size_t Graph::bytes() const {
  std::size_t out = nodes_.size() * sizeof(Node) + fragments_.size() * sizeof(Fragment);
  for (const Node& n : nodes_) {
    out += n.edges.capacity() * sizeof(Edge) + n.jumps.capacity() * sizeof(NodeId) + n.calls.capacity() * sizeof(Call);
  }
  return out;
}

// Longest way from the start to the exit over live nodes, by topological order; a cycle that takes bytes is unbounded.
void Graph::longest(Fragment& fragment, const std::vector<NodeId>& members) {
  struct Way {
    NodeId to;
    std::optional<std::uint64_t> cost;
  };
  const auto ways = [&](NodeId from) {
    std::vector<Way> out;
    const auto live = [&](NodeId to) { return nodes_[to].rest < kInfinite; };
    for (const Edge& e : nodes_[from].edges) {
      if (live(e.to)) out.push_back({e.to, 1});
    }
    for (NodeId to : nodes_[from].jumps) {
      if (live(to)) out.push_back({to, 0});
    }
    for (const Call& c : nodes_[from].calls) {
      if (live(c.back) && fragments_[c.fragment].shortest < kInfinite)
        out.push_back({c.back, fragments_[c.fragment].longest});
    }
    return out;
  };
  fragment.longest = std::nullopt;
  if (fragment.shortest >= kInfinite) return;
  std::unordered_map<NodeId, std::size_t> open;  // ways in that are not done yet
  std::size_t live_nodes = 0;
  for (NodeId from : members) {
    if (nodes_[from].rest >= kInfinite) continue;
    ++live_nodes;
    for (const Way& w : ways(from)) {
      if (!w.cost) return;
      ++open[w.to];
    }
  }
  // Cycles of jumps alone would be reported as unbounded too; the compilers make none that is live.
  std::unordered_map<NodeId, std::uint64_t> far{{fragment.start, 0}};
  std::vector<NodeId> ready{fragment.start};
  std::size_t done = 0;
  if (open.contains(fragment.start)) return;
  while (!ready.empty()) {
    const NodeId from = ready.back();
    ready.pop_back();
    ++done;
    for (const Way& w : ways(from)) {
      std::uint64_t& length = far[w.to];
      length = std::min(std::max(length, far[from] + *w.cost), kInfinite);
      if (--open[w.to] == 0) ready.push_back(w.to);
    }
  }
  if (done == live_nodes && far[fragment.exit] < kInfinite) fragment.longest = far[fragment.exit];
}

}  // namespace sgl::constraint
