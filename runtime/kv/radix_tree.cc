#include "runtime/kv/radix_tree.h"

#include <algorithm>
#include <array>
#include <random>

#include "runtime/base/check.h"

namespace sgl::kv {
namespace {

std::size_t common_prefix(std::span<const Token> a, std::span<const Token> b) {
  const std::size_t n = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin()).first - a.begin());
}

// Not predictable from outside, for the keys of hashes: what is found does not depend on it.
std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// For heaps with the oldest on top.
constexpr auto kYounger = [](const auto& a, const auto& b) { return a.used > b.used; };

constexpr std::size_t kAhead = 16;  // pages of a prompt whose nodes are asked for together

}  // namespace

RadixTree::RadixTree(PagePool& pool) : pool_(pool), seed_(random_seed()), index_(pool.pages()), groups_(pool.pages()) {
  SGL_ASSERT(pool.pages() < kPoint);
}

NodeId RadixTree::make_node() {
  NodeId id;
  if (unused_.empty()) {
    id = NodeId(static_cast<std::uint32_t>(nodes_.size()));
    nodes_.emplace_back();
    chunks_.resize(chunks_.size() + pool_.page_size());
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
  Node& n = node(id);
  n.root = true;
  n.parent = id;
  n.ns = ns;
  n.key = seed_ ^ (std::uint64_t{ns.value} << 16);
  roots_.emplace(ns, id);
  return id;
}

void RadixTree::delist(NodeId id) {
  leaves_ -= node(id).listed;
  node(id).listed = false;
}

void RadixTree::enlist(NodeId id) {
  Node& n = node(id);
  if (n.listed || n.root || n.locks != 0 || n.children != 0) return;
  n.listed = true;
  ++leaves_;
  if (!recent_.empty() && n.used < recent_.back().used) {
    older_.push_back({n.used, id});
    std::ranges::push_heap(older_, kYounger);
  } else {
    recent_.push_back({n.used, id});
  }
  drop_out_of_date();
}

void RadixTree::drop_out_of_date() {
  if (recent_.size() + older_.size() <= 2 * leaves_ + 1024) return;
  const auto out_of_date = [&](const Listed& l) { return !is_listed(l); };
  std::erase_if(recent_, out_of_date);
  std::erase_if(older_, out_of_date);
  std::ranges::make_heap(older_, kYounger);
}

std::optional<NodeId> RadixTree::oldest() {
  while (!recent_.empty() && !is_listed(recent_.front())) recent_.pop_front();
  while (!older_.empty() && !is_listed(older_.front())) {
    std::ranges::pop_heap(older_, kYounger);
    older_.pop_back();
  }
  if (recent_.size() > 1) __builtin_prefetch(&node(recent_[1].id));
  if (older_.empty()) return recent_.empty() ? std::nullopt : std::optional(recent_.front().id);
  if (recent_.empty() || older_.front().used < recent_.front().used) return older_.front().id;
  return recent_.front().id;
}

void RadixTree::hold(NodeId id) {
  if (node(id).locks++ == 0) {
    --evictable_;
    delist(id);
  }
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
  for (bool departed = false; !departed && tokens.size() >= size;) {
    const std::size_t count = std::min(kAhead, tokens.size() / size);
    std::array<std::uint64_t, kAhead> keys{};
    std::uint64_t key = node(out.node).key;
    for (std::size_t i = 0; i < count; ++i) {
      keys[i] = key = child_key(key, tokens.subspan(i * size, size));
      index_.prefetch(key);
    }
    std::size_t known = 0;
    while (known < count && prefetch_node(keys[known])) ++known;
    if (known * size < tokens.size()) {  // where it departs, as far as is known
      groups_.prefetch(group_key(known == 0 ? node(out.node).key : keys[known - 1], tokens[known * size]));
    }
    for (std::size_t i = 0; i < count && !departed; ++i) {
      const std::optional<NodeId> next = child(out.node, tokens.first(size), keys[i]);
      departed = !next;
      if (departed) break;
      touch(*next);
      out.pages.push_back(node(*next).page);
      out.node = *next;
      out.tokens += size;
      tokens = tokens.subspan(size);
    }
  }
  if (tokens.empty()) return out;
  const std::span<const Token> last = tokens.first(std::min(size, tokens.size()));
  const std::optional<NodeId> near = nearest(out.node, last);
  const std::size_t shared = near ? common_prefix(chunk(*near), last) : 0;
  if (shared > 0) {
    touch(*near);
    out.tokens += shared;
    out.partial = node(*near).page;
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
  if (!n.root || n.locks != 0 || n.children != 0) return;
  roots_.erase(n.ns);
  n.live = false;
  unused_.push_back(id);
}

void RadixTree::remove(NodeId id) {
  SGL_ASSERT(node(id).live && !node(id).root && node(id).locks == 0 && node(id).children == 0);
  delist(id);
  detach(id);
  const NodeId parent = node(id).parent;
  pool_.release(node(id).page);
  node(id).live = false;
  unused_.push_back(id);
  --cached_;
  --evictable_;
  enlist(parent);
  drop_idle_root(parent);
}

NodeId RadixTree::add_child(NodeId parent, std::span<const Token> chunk, std::uint64_t key, PageId page) {
  const NodeId id = make_node();
  Node& n = node(id);
  n.parent = parent;
  n.ns = node(parent).ns;
  n.page = page;
  n.locks = 1;  // by the publishing sequence
  n.used = ++clock_;
  pool_.retain(page);
  attach(id, chunk, key);
  ++cached_;
  return id;
}

void RadixTree::drop_subsumed(NodeId parent, std::span<const Token> chunk) {
  // Their slots live on in the new node: no cached token is lost, so this does not count as eviction.
  for (std::size_t n = 1; n < chunk.size() && node(parent).partials > 0; ++n) {
    const auto found = child(parent, chunk.first(n), child_key(node(parent).key, chunk.first(n)));
    if (found && node(*found).locks == 0) remove(*found);
  }
}

NodeId RadixTree::extend(NodeId id, std::span<const Token> chunk) {
  const NodeId parent = node(id).parent;
  const std::uint64_t key = child_key(node(parent).key, chunk);
  const auto same = child(parent, chunk, key);
  if (same && *same != id) {
    // Somebody else published these tokens meanwhile: go on from there, and let go of the shorter node.
    hold(*same);
    if (--node(id).locks == 0) {
      ++evictable_;
      remove(id);
    }
    return *same;
  }
  detach(id);
  attach(id, chunk, key);
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
  const auto piece = [&](std::size_t first) { return tokens.subspan(first, std::min(size, tokens.size() - first)); };
  std::array<std::uint64_t, kAhead> keys{};  // of the next pages
  for (std::size_t next = kAhead; begin < tokens.size(); begin += size, ++next) {
    if (next == kAhead) {
      next = 0;
      std::uint64_t key = node(at).key;
      for (std::size_t i = 0; i < kAhead && begin + i * size < tokens.size(); ++i) {
        groups_.prefetch(group_key(key, tokens[begin + i * size]));
        keys[i] = key = child_key(key, piece(begin + i * size));
        index_.prefetch(key);
      }
    }
    const std::uint64_t key = keys[next];
    if (const auto found = child(at, piece(begin), key)) {
      at = *found;
      hold(at);
      node(at).used = ++clock_;
      continue;
    }
    at = add_child(at, piece(begin), key, pages[begin / size]);
    drop_subsumed(node(at).parent, piece(begin));
  }
  return at;
}

std::size_t RadixTree::evict(std::size_t pages) {
  std::size_t done = 0;
  for (; done < pages; ++done) {
    const std::optional<NodeId> id = oldest();
    if (!id) break;
    // All that the removal will read, so that it waits once.
    const Node& n = node(*id);
    index_.prefetch(n.key);
    groups_.prefetch(n.group);
    __builtin_prefetch(&node(n.parent), 1);
    if (n.above != kNone) __builtin_prefetch(&points_[n.above], 1);
    pool_.prefetch(n.page);
    remove(*id);
  }
  evicted_ += static_cast<std::int64_t>(done);
  return done;
}

std::size_t RadixTree::evict_namespace(Namespace ns) {
  std::vector<NodeId> leaves;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].listed && nodes_[i].ns == ns) leaves.emplace_back(i);
  }
  std::size_t done = 0;
  for (NodeId id : leaves) {
    // A leaf, then what it leaves behind as a leaf.
    for (bool more = true; more; ++done) {
      const NodeId parent = node(id).parent;
      remove(id);
      id = parent;
      more = node(id).listed;
    }
  }
  evicted_ += static_cast<std::int64_t>(done);
  return done;
}

bool RadixTree::consistent() const {
  struct Below {
    std::size_t children = 0, partials = 0, locks = 0;
  };
  std::vector<Below> below(nodes_.size());
  std::size_t cached = 0, evictable = 0, leaves = 0;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& n = nodes_[i];
    if (!n.live && n.listed) return false;
    if (!n.live || n.root) continue;
    if (!findable(NodeId(i)) || pool_.holders(n.page) == 0) return false;
    if (n.count > pool_.page_size() || (n.count < pool_.page_size() && n.children != 0)) return false;
    if (n.listed != (n.locks == 0 && n.children == 0)) return false;
    Below& parent = below[n.parent.value];
    ++parent.children, parent.partials += n.count < pool_.page_size(), parent.locks += n.locks;
    ++cached;
    evictable += n.locks == 0;
    leaves += n.listed;
  }
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& n = nodes_[i];
    if (!n.live) continue;
    if (n.children != below[i].children || n.partials != below[i].partials || below[i].locks > n.locks) return false;
    if (n.root && !roots_.contains(n.ns)) return false;
  }
  const auto ordered = [](const Listed& a, const Listed& b) { return a.used < b.used; };
  const auto out_of_date = [&](const Listed& l) { return !is_listed(l); };
  const std::size_t entries = recent_.size() + older_.size() -
                              static_cast<std::size_t>(std::ranges::count_if(recent_, out_of_date)) -
                              static_cast<std::size_t>(std::ranges::count_if(older_, out_of_date));
  return cached == cached_ && index_.size() == cached_ && evictable == evictable_ && leaves == leaves_ &&
         entries == leaves_ && std::ranges::is_sorted(recent_, ordered) &&
         recent_.size() + older_.size() <= 2 * leaves_ + 1024 + nodes_.size();
}

}  // namespace sgl::kv
