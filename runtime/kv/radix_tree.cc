#include "runtime/kv/radix_tree.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sgl::kv {
namespace {

std::size_t common_prefix(std::span<const Token> a, std::span<const Token> b) {
  const std::size_t n = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin()).first - a.begin());
}

}  // namespace

RadixTree::RadixTree(PagePool& pool) : pool_(pool) {}

NodeId RadixTree::make_node() {
  NodeId id;
  if (unused_.empty()) {
    id = NodeId(static_cast<std::uint32_t>(nodes_.size()));
    nodes_.emplace_back();
  } else {
    id = unused_.back();
    unused_.pop_back();
    node(id) = Node{};
  }
  node(id).live = true;
  return id;
}

NodeId RadixTree::root_of(Namespace ns) {
  const auto it = roots_.find(ns);
  if (it != roots_.end()) return it->second;
  const NodeId id = make_node();
  node(id).root = true;
  node(id).parent = id;
  node(id).ns = ns;
  roots_.emplace(ns, id);
  return id;
}

void RadixTree::delist(NodeId id) {
  Node& n = node(id);
  if (!n.listed) return;
  leaves_.erase(n.place);
  n.listed = false;
}

void RadixTree::enlist(NodeId id) {
  Node& n = node(id);
  if (n.listed || n.root || n.locks != 0 || !n.children.empty()) return;
  n.place = leaves_.emplace_hint(leaves_.end(), n.used, id);  // what is used now comes last
  n.listed = true;
}

void RadixTree::touch(NodeId id) {
  delist(id);
  node(id).used = ++clock_;
  enlist(id);
}

Match RadixTree::match(Namespace ns, std::span<const Token> tokens, std::size_t limit) {
  const std::size_t size = pool_.page_size();
  tokens = tokens.first(std::min(limit, tokens.size()));
  Match out;
  out.node = root_of(ns);
  while (!tokens.empty()) {
    const std::span<const Token> chunk = tokens.first(std::min(size, tokens.size()));
    const auto& children = node(out.node).children;
    const auto after = children.lower_bound(chunk);
    std::size_t shared = 0;
    NodeId best;
    for (auto it = after == children.begin() ? after : std::prev(after); it != children.end(); ++it) {
      const std::size_t n = common_prefix(it->first, chunk);
      if (n > shared) {
        shared = n;
        best = it->second;
      }
      if (it == after) break;
    }
    if (shared == 0) break;
    touch(best);
    out.tokens += shared;
    if (shared < size) {
      out.partial = node(best).page;
      break;
    }
    out.pages.push_back(node(best).page);
    out.node = best;
    tokens = tokens.subspan(size);
  }
  return out;
}

void RadixTree::lock(NodeId id) {
  for (;;) {
    Node& n = node(id);
    if (n.locks++ == 0 && !n.root) {
      --evictable_;
      delist(id);
    }
    if (n.root) return;
    id = n.parent;
  }
}

void RadixTree::unlock(NodeId id) {
  for (;;) {
    Node& n = node(id);
    SGL_ASSERT(n.live && n.locks > 0);
    const bool root = n.root;
    const NodeId parent = n.parent;
    if (--n.locks == 0 && !root) {
      ++evictable_;
      n.used = ++clock_;
      enlist(id);
    }
    if (root) return drop_idle_root(id);
    id = parent;
  }
}

void RadixTree::drop_idle_root(NodeId id) {
  Node& n = node(id);
  if (!n.root || n.locks != 0 || !n.children.empty()) return;
  roots_.erase(n.ns);
  n.live = false;
  unused_.push_back(id);
}

void RadixTree::remove(NodeId id) {
  SGL_ASSERT(node(id).live && !node(id).root && node(id).locks == 0 && node(id).children.empty());
  delist(id);
  const NodeId parent = node(id).parent;
  node(parent).children.erase(node(id).tokens);
  pool_.release(node(id).page);
  node(id).live = false;
  node(id).tokens.clear();
  unused_.push_back(id);
  --cached_;
  --evictable_;
  enlist(parent);
  drop_idle_root(parent);
}

NodeId RadixTree::add_child(NodeId parent, std::span<const Token> chunk, PageId page) {
  const NodeId id = make_node();
  Node& n = node(id);
  n.parent = parent;
  n.ns = node(parent).ns;
  n.tokens.assign(chunk.begin(), chunk.end());
  n.page = page;
  n.locks = 1;  // by the publishing sequence
  n.used = ++clock_;
  pool_.retain(page);
  node(parent).children.emplace(n.tokens, id);
  ++cached_;
  return id;
}

void RadixTree::drop_subsumed(NodeId parent, std::span<const Token> chunk) {
  // Their slots live on in the new node: no cached token is lost, so this does not count as eviction.
  for (std::size_t n = 1; n < chunk.size(); ++n) {
    const auto it = node(parent).children.find(chunk.first(n));
    if (it != node(parent).children.end() && node(it->second).locks == 0) remove(it->second);
  }
}

NodeId RadixTree::extend(NodeId id, std::span<const Token> chunk) {
  const NodeId parent = node(id).parent;
  const auto same = node(parent).children.find(chunk);
  if (same != node(parent).children.end() && same->second != id) {
    // Somebody else published these tokens meanwhile: go on from there, and let go of the shorter node.
    const NodeId other = same->second;
    if (node(other).locks++ == 0) {
      --evictable_;
      delist(other);
    }
    if (--node(id).locks == 0) {
      ++evictable_;
      remove(id);
    }
    return other;
  }
  auto handle = node(parent).children.extract(node(id).tokens);
  node(id).tokens.assign(chunk.begin(), chunk.end());
  handle.key() = node(id).tokens;
  node(parent).children.insert(std::move(handle));
  node(id).used = ++clock_;
  return id;
}

NodeId RadixTree::publish(Namespace ns, std::span<const Token> tokens, std::span<const PageId> pages, NodeId at,
                          std::size_t from) {
  const std::size_t size = pool_.page_size();
  SGL_ASSERT(node(at).live && node(at).ns == ns && node(at).locks > 0 && pages.size() * size >= tokens.size());
  if (tokens.size() <= from) return at;
  std::size_t begin = from / size * size;
  if (from % size != 0) {  // `at` is the node of a page that was partly filled last time
    if (node(at).page == pages[begin / size]) {
      at = extend(at, tokens.subspan(begin, std::min(size, tokens.size() - begin)));
      begin += size;
    } else {
      // Another sequence's page, which had the same tokens so far: step back and publish our own beside it.
      const NodeId parent = node(at).parent;
      if (--node(at).locks == 0) {
        ++evictable_;
        node(at).used = ++clock_;
        enlist(at);
      }
      at = parent;
    }
  }
  for (; begin < tokens.size(); begin += size) {
    const std::span<const Token> chunk = tokens.subspan(begin, std::min(size, tokens.size() - begin));
    const auto found = node(at).children.find(chunk);
    if (found != node(at).children.end()) {
      at = found->second;
      if (node(at).locks++ == 0) {
        --evictable_;
        delist(at);
      }
      node(at).used = ++clock_;
      continue;
    }
    at = add_child(at, chunk, pages[begin / size]);
    drop_subsumed(node(at).parent, chunk);
  }
  return at;
}

std::size_t RadixTree::evict(std::size_t pages) {
  std::size_t done = 0;
  while (done < pages && !leaves_.empty()) {
    remove(leaves_.begin()->second);
    ++done;
  }
  evicted_ += static_cast<std::int64_t>(done);
  return done;
}

std::size_t RadixTree::evict_namespace(Namespace ns) {
  std::size_t done = 0;
  for (bool more = true; more;) {
    more = false;
    std::vector<NodeId> now;
    for (const auto& [used, id] : leaves_) {
      if (node(id).ns == ns) now.push_back(id);
    }
    for (const NodeId id : now) remove(id);
    done += now.size();
    more = !now.empty();
  }
  evicted_ += static_cast<std::int64_t>(done);
  return done;
}

bool RadixTree::consistent() const {
  std::size_t cached = 0, evictable = 0, leaves = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& n = nodes_[i];
    if (!n.live) continue;
    const NodeId id(static_cast<std::uint32_t>(i));
    std::size_t below = 0;
    for (const auto& [tokens, child] : n.children) {
      const Node& c = node(child);
      if (!c.live || c.parent != id || c.tokens != tokens || c.ns != n.ns || tokens.empty()) return false;
      below += c.locks;
    }
    if (below > n.locks) return false;
    if (n.root) {
      if (!roots_.contains(n.ns)) return false;
      continue;
    }
    if (n.tokens.size() > pool_.page_size()) return false;
    if (n.tokens.size() < pool_.page_size() && !n.children.empty()) return false;
    if (pool_.holders(n.page) == 0) return false;
    ++cached;
    if (n.locks == 0) {
      ++evictable;
      if (n.children.empty()) ++leaves;
      if (n.listed != n.children.empty()) return false;
      if (leaves_.contains({n.used, id}) != n.children.empty()) return false;
    }
  }
  return cached == cached_ && evictable == evictable_ && leaves == leaves_.size();
}

}  // namespace sgl::kv
