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
//
// Between two operations the engine reads its weights, which empties the caches: what an operation costs is the memory
// that it waits for. Full pages are therefore found through an index by the hash of all tokens up to them, whose
// entries and nodes are asked for together. Only the page in which a sequence departs is looked for among the children
// of a node: those that begin with the same token, which an index finds as well, are a trie over octal digits of their
// tokens without the digits in which none differ (after Morrison's PATRICIA, J. ACM 15, 1968). Where few begin alike,
// this costs the same however many children there are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/base/ids.h"
#include "runtime/base/large_pages.h"
#include "runtime/kv/page_pool.h"
#include "runtime/kv/prefix_index.h"

namespace sgl::kv {

using Token = std::int32_t;
using Namespace = base::Id<struct NamespaceTag>;  // tenant: prefixes are shared only inside one
using NodeId = base::Id<struct NodeTag>;

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
  // held: lock the node and retain the pages before anything else is evicted. Expected O(tokens), and O(digits of a
  // page) for the place where it departs.
  Match match(Namespace ns, std::span<const Token> tokens, std::size_t limit);

  void lock(NodeId node);    // O(depth)
  void unlock(NodeId node);  // O(depth)

  // Makes the KV of tokens [0, tokens.size()) findable. `pages` is the sequence's table; `at` the node that it locks
  // and `from` the length published up to there (what the previous call was given, or the full part of its match). Each
  // new node takes one hold on its page. Where another sequence has published the same tokens, that node is used and
  // the sequence's page stays its own. The lock moves from `at` to the returned node.
  // Expected O(new tokens).
  NodeId publish(Namespace ns, std::span<const Token> tokens, std::span<const PageId> pages, NodeId at,
                 std::size_t from);

  // Evicts up to `pages` pages; returns how many. Amortized O(1) each, O(log) after a whole branch has gone.
  std::size_t evict(std::size_t pages);
  // Evicts one namespace's unlocked nodes; returns how many pages. O(nodes).
  std::size_t evict_namespace(Namespace ns);

  std::size_t cached_pages() const { return cached_; }        // nodes, locked or not: each holds one page
  std::size_t evictable_pages() const { return evictable_; }  // could be evicted now
  std::int64_t evicted_pages() const { return evicted_; }     // since the beginning

  // Structure, locks and counters agree with each other. O(nodes); for debug builds and tests.
  bool consistent() const;

 private:
  // A child or a point of a trie of children; kNone: nothing.
  using Link = std::uint32_t;
  static constexpr Link kNone = UINT32_MAX, kPoint = 1U << 31;
  static constexpr std::size_t kLarge = base::kLargePage / 2;  // tables of so many bytes lie in large pages
  // Where the tokens of children part: at one of their digits, counted from the first token's highest.
  struct alignas(64) Point {  // one cache line
    std::uint32_t digit = 0;
    std::uint32_t above = kNone;  // the point whose child this one is
    std::uint32_t count = 0;      // of children, at least two
    std::array<Link, 8> child = {kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone};  // by the digit's value
  };
  struct alignas(64) Node {  // one cache line
    std::uint64_t key = 0;   // hash of the namespace and all tokens up to and including the node's
    std::uint64_t used = 0;  // logical time
    NodeId parent;
    Namespace ns;
    PageId page;              // not for a root
    std::uint32_t count = 0;  // tokens; 0 for a root
    std::uint32_t locks = 0;
    std::uint32_t children = 0;
    std::uint32_t partials = 0;   // of them, that are not full
    std::uint32_t group = 0;      // of the parent's children that begin with the same token: its key in groups_
    std::uint32_t above = kNone;  // the point of the group's trie that has this node as a child; kNone: it is alone
    bool root = false;
    bool live = false;
    bool listed = false;  // an unlocked leaf: in the eviction order as of `used`
  };
  struct Listed {
    std::uint64_t used = 0;
    NodeId id;
  };

  NodeId root_of(Namespace ns);
  NodeId make_node();
  NodeId add_child(NodeId parent, std::span<const Token> chunk, std::uint64_t key, PageId page);
  // Extends the sequence's own partial node by what it has filled since; the node where that leads.
  NodeId extend(NodeId id, std::span<const Token> chunk);
  // Removes unlocked partial children that `chunk` begins with: the new node holds all they hold.
  void drop_subsumed(NodeId parent, std::span<const Token> chunk);
  void remove(NodeId id);
  void drop_idle_root(NodeId id);
  void hold(NodeId id);  // one lock more on this node alone
  void touch(NodeId id);
  void enlist(NodeId id);  // into the eviction order, if it is an unlocked leaf
  void delist(NodeId id);
  std::optional<NodeId> oldest();  // of the eviction order
  void drop_out_of_date();         // once they are more than the listed nodes

  // The index and the tries (radix_children.cc).
  std::uint64_t child_key(std::uint64_t parent, std::span<const Token> chunk) const;
  std::span<const Token> chunk(NodeId id) const;
  // The child of `parent` with exactly these tokens; `key` is child_key of them.
  std::optional<NodeId> child(NodeId parent, std::span<const Token> chunk, std::uint64_t key) const;
  bool prefetch_node(std::uint64_t key) const;  // false: there is none
  // The children of a node with this key that begin with the token.
  static std::uint32_t group_key(std::uint64_t parent, Token first);
  Link group(NodeId parent, Token first) const;
  NodeId any_below(Link link) const;
  // A child that shares as many of the tokens as any does; nullopt: none shares the first.
  std::optional<NodeId> nearest(NodeId parent, std::span<const Token> chunk) const;
  // Makes it findable, with these tokens; `key` is child_key of them.
  void attach(NodeId id, std::span<const Token> chunk, std::uint64_t key);
  void detach(NodeId id);
  void branch(NodeId id, std::uint32_t above, std::uint32_t digit, Link other);
  void replace(std::uint32_t group, std::uint32_t above, Link old, Link now);
  void set_above(Link link, std::uint32_t point);
  bool findable(NodeId id) const;

  Node& node(NodeId id) { return nodes_[id.value]; }
  const Node& node(NodeId id) const { return nodes_[id.value]; }
  bool is_listed(const Listed& l) const { return node(l.id).listed && node(l.id).used == l.used; }

  PagePool& pool_;
  std::uint64_t seed_;  // so that nobody can choose tokens whose hashes meet
  std::vector<Node, base::LargePages<Node, kLarge>> nodes_;
  std::vector<Token, base::LargePages<Token, kLarge>> chunks_;  // page_size for every node
  std::vector<NodeId> unused_;
  std::vector<Point, base::LargePages<Point, kLarge>> points_;
  std::vector<std::uint32_t> unused_points_;
  PrefixIndex index_;   // nodes
  PrefixIndex groups_;  // the tries of children that begin with the same token: a Link each
  std::unordered_map<Namespace, NodeId> roots_;
  // The eviction order. An entry is out of date once its node is no longer listed as of its time; it is dropped when it
  // comes up. What is used goes to the end of `recent_`; only nodes that become leaves again have an older time.
  std::deque<Listed> recent_;
  std::vector<Listed> older_;  // a heap, the oldest on top
  std::size_t leaves_ = 0;     // listed nodes
  std::uint64_t clock_ = 0;
  std::size_t cached_ = 0, evictable_ = 0;
  std::int64_t evicted_ = 0;
};

}  // namespace sgl::kv
