// The prefix cache: a radix tree over tokens, one per namespace, that finds the computed KV of any token prefix (after
// RadixAttention: Zheng et al., "SGLang: Efficient Execution of Structured Language Model Programs", 2024,
// arXiv:2312.07104, section 3).
//
// Each node is one page: it owns the KV of the half-open token interval [depth · page_size, depth · page_size + n) of
// every sequence that begins with the tokens on its path, 1 <= n <= page_size. Only full nodes have children. A node
// whose page is still being filled by its sequence grows in place; slots beyond n belong to that sequence alone.
//
// A sequence that shares a prefix uses the full pages as they are and copies the shared slots of the page in which it
// departs (`Match::partial`), so that reuse is exact to the token for every page size.
//
// Eviction takes unlocked leaves, least recently used first. A node's `locks` count the running sequences whose deepest
// node is in its subtree, so an unlocked node has only unlocked descendants: all of them can go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/kv/page_pool.h"

namespace sgl::kv {

using Token = std::int32_t;
using Namespace = base::Id<struct NamespaceTag>;  // tenant: prefixes are shared only inside one
using NodeId = base::Id<struct NodeTag>;

// Lexicographic order of chunks, comparable with views of tokens.
struct ChunkLess {
  using is_transparent = void;
  bool operator()(std::span<const Token> a, std::span<const Token> b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
  }
};

// KV found for the beginning of a token sequence: positions [0, tokens).
struct Match {
  std::vector<PageId> pages;      // full pages: positions [0, pages.size() · page_size)
  NodeId node;                    // deepest full node (or the namespace's root): what the sequence locks
  std::optional<PageId> partial;  // page holding the following positions up to `tokens`, to be copied
  std::size_t tokens = 0;
};

class RadixTree {
 public:
  explicit RadixTree(PagePool& pool);

  // The longest cached prefix of `tokens`, at most `limit` tokens of it. Marks what it finds as used now. Nothing is
  // held: lock the node and retain the pages before anything else is evicted. O(tokens · log branching).
  Match match(Namespace ns, std::span<const Token> tokens, std::size_t limit);

  void lock(NodeId node);    // O(depth)
  void unlock(NodeId node);  // O(depth)

  // Makes the KV of tokens [0, tokens.size()) findable. `pages` is the sequence's table; `at` the node that it locks
  // and `from` the length published up to there (what the previous call was given, or the full part of its match). Each
  // new node takes one hold on its page. Where another sequence has published the same tokens, that node is used and
  // the sequence's page stays its own. The lock moves from `at` to the returned node. O(new tokens).
  NodeId publish(Namespace ns, std::span<const Token> tokens, std::span<const PageId> pages, NodeId at,
                 std::size_t from);

  // Evicts up to `pages` pages; returns how many. O(log leaves) each.
  std::size_t evict(std::size_t pages);
  // Evicts one namespace's unlocked nodes; returns how many pages.
  std::size_t evict_namespace(Namespace ns);

  std::size_t cached_pages() const { return cached_; }        // nodes, locked or not: each holds one page
  std::size_t evictable_pages() const { return evictable_; }  // could be evicted now
  std::int64_t evicted_pages() const { return evicted_; }     // since the beginning

  // Structure, locks and counters agree with each other. O(nodes); for debug builds and tests.
  bool consistent() const;

 private:
  struct Node {
    NodeId parent;
    Namespace ns;
    std::vector<Token> tokens;  // empty for a root
    PageId page;                // not for a root
    // Lexicographic order puts the child that shares most tokens with a chunk next to the chunk's place.
    std::map<std::vector<Token>, NodeId, ChunkLess> children;
    std::size_t locks = 0;
    std::uint64_t used = 0;  // logical time
    bool root = false;
    bool live = false;
    bool listed = false;  // in leaves_, at `place`
    std::set<std::pair<std::uint64_t, NodeId>>::iterator place;
  };

  NodeId root_of(Namespace ns);
  NodeId make_node();
  NodeId add_child(NodeId parent, std::span<const Token> chunk, PageId page);
  // Extends the sequence's own partial node by what it has filled since; the node where that leads.
  NodeId extend(NodeId id, std::span<const Token> chunk);
  // Removes unlocked partial children that `chunk` begins with: the new node holds all they hold.
  void drop_subsumed(NodeId parent, std::span<const Token> chunk);
  void remove(NodeId id);
  void drop_idle_root(NodeId id);
  void touch(NodeId id);
  void enlist(NodeId id);  // into the eviction order, if it is an unlocked leaf
  void delist(NodeId id);
  Node& node(NodeId id) { return nodes_[id.value]; }
  const Node& node(NodeId id) const { return nodes_[id.value]; }

  PagePool& pool_;
  std::vector<Node> nodes_;
  std::vector<NodeId> unused_;
  std::unordered_map<Namespace, NodeId> roots_;
  std::set<std::pair<std::uint64_t, NodeId>> leaves_;  // unlocked leaves by last use
  std::uint64_t clock_ = 0;
  std::size_t cached_ = 0, evictable_ = 0;
  std::int64_t evicted_ = 0;
};

}  // namespace sgl::kv
