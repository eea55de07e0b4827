// The grammar behind a constraint: a recursive transition network over bytes without recursion. Fragments call each
// other, so that a part that occurs many times exists once. Private to runtime/constraint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/unicode.h"
#include "runtime/constraint/constraint.h"
#include "runtime/constraint/machine.h"

namespace sgl::constraint {

using NodeId = std::uint32_t;
using FragmentId = std::uint32_t;

// The UTF-8 forms of a set of characters: texts of `size` bytes, each byte within its range.
struct ByteRanges {
  int size = 0;
  std::uint8_t lo[4] = {}, hi[4] = {};
};
std::vector<ByteRanges> utf8_sequences(const base::CodeSet& set);

struct Edge {
  std::uint8_t lo = 0, hi = 0;  // inclusive
  NodeId to = 0;
};
struct Call {
  FragmentId fragment = 0;
  NodeId back = 0;  // where matching goes on after the fragment
};
struct Node {
  std::vector<Edge> edges;
  std::vector<NodeId> jumps;
  std::vector<Call> calls;
  std::uint64_t rest = kInfinite;  // least bytes from here to the fragment's exit; kInfinite: it cannot be reached
  bool exit = false;
};
struct Fragment {
  NodeId start = 0, exit = 0;
  std::uint64_t shortest = kInfinite;    // bytes; kInfinite: no text
  std::optional<std::uint64_t> longest;  // nullopt: unbounded
};

// How the characters of a string stand in the text.
enum class Spelling : std::uint8_t {
  kRaw,       // as UTF-8
  kJson,      // inside a JSON string: raw, or `"`, `\\` and control characters in their short escapes
  kJsonFree,  // as kJson, and every other escape that JSON allows (\/ and \uXXXX with pairs of surrogates)
};

// Builds fragments bottom-up. After `limit` nodes the graph stays as it is and over_limit() is true; every function may
// be called on, and compile functions check it at their ends.
class Graph {
 public:
  explicit Graph(std::size_t max_nodes) : max_nodes_(max_nodes) {}

  FragmentId begin();  // a new fragment; its start and exit
  // Computes the lengths. Fragments that it calls are sealed before it. No further changes to it.
  void seal(FragmentId id);
  NodeId node();
  void edge(NodeId from, unsigned lo, unsigned hi, NodeId to);
  void jump(NodeId from, NodeId to);
  void call(NodeId from, FragmentId fragment, NodeId to);
  void bytes(NodeId from, std::string_view text, NodeId to);
  // x{min,max} of a fragment with `separator` between; max < 0: unbounded.
  void repeat(NodeId from, FragmentId item, std::string_view separator, std::int64_t min, std::int64_t max, NodeId to);
  // One character of `set` (an index of a set once registered); fragments are shared.
  FragmentId characters(const base::CodeSet& set, Spelling spelling);
  // A choice among texts, as a trie.
  FragmentId texts(std::vector<std::string> texts);

  bool over_limit() const { return over_limit_; }
  const Fragment& fragment(FragmentId id) const { return fragments_[id]; }
  const Node& at(NodeId id) const { return nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }
  std::size_t bytes() const;  // O(size)

 private:
  void utf8(NodeId from, const base::CodeSet& set, NodeId to);
  void free_escapes(NodeId from, NodeId to);
  void longest(Fragment& fragment, const std::vector<NodeId>& members);

  std::size_t max_nodes_;
  bool over_limit_ = false;
  std::vector<Node> nodes_;
  std::vector<Fragment> fragments_;
  std::vector<std::tuple<base::CodeSet, Spelling, FragmentId>> sets_;
};

}  // namespace sgl::constraint
