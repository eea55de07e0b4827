// How the prefix cache finds children: the index over whole prefixes, and a trie over the digits of each node's
// children.
#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/kv/radix_tree.h"

namespace sgl::kv {
namespace {

__extension__ using U128 = unsigned __int128;

// A product whose halves are added: mixes 64 bits in some five cycles (as in wyhash).
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const U128 p = static_cast<U128>(a) * b;
  return static_cast<std::uint64_t>(p) ^ static_cast<std::uint64_t>(p >> 64);
}

// A token as a word of a trie's key; 0 is what comes after the last.
std::uint32_t word(std::span<const Token> chunk, std::size_t i) {
  return i < chunk.size() ? static_cast<std::uint32_t>(chunk[i]) + 1 : 0;
}

// A word has 11 octal digits, a branching point of 8 children then fills a cache line.
constexpr std::uint32_t kDigits = 11;

std::size_t digit_of(std::span<const Token> chunk, std::uint32_t digit) {
  return word(chunk, digit / kDigits) >> (3 * (kDigits - 1 - digit % kDigits)) & 7;
}

// Precondition: they differ.
std::uint32_t first_difference(std::span<const Token> a, std::span<const Token> b) {
  std::uint32_t i = 0;
  while (word(a, i) == word(b, i)) ++i;
  return i * kDigits + static_cast<std::uint32_t>(std::countl_zero(word(a, i) ^ word(b, i)) + 1) / 3;
}

}  // namespace

std::uint64_t RadixTree::child_key(std::uint64_t parent, std::span<const Token> chunk) const {
  // The chunk on its own, so that the hashes of several can be under way at the same time.
  std::uint64_t h = seed_ ^ chunk.size();
  std::size_t i = 0;
  for (; i + 1 < chunk.size(); i += 2) {
    const std::uint64_t two =
        static_cast<std::uint32_t>(chunk[i]) | (std::uint64_t{static_cast<std::uint32_t>(chunk[i + 1])} << 32);
    h = fold(h ^ two, 0xA0761D6478BD642F);
  }
  if (i < chunk.size()) h = fold(h ^ static_cast<std::uint32_t>(chunk[i]), 0xE7037ED1A0B428DB);
  return fold(parent ^ 0x8EBC6AF09C88C6E3, h ^ 0x589965CC75374CC3);
}

std::span<const Token> RadixTree::chunk(NodeId id) const {
  return std::span(chunks_).subspan(id.value * pool_.page_size(), node(id).count);
}

std::optional<NodeId> RadixTree::child(NodeId parent, std::span<const Token> tokens, std::uint64_t key) const {
  const auto found = index_.find(key, [&](std::uint32_t value) {
    const Node& n = nodes_[value];
    return n.parent == parent && !n.root && std::ranges::equal(chunk(NodeId(value)), tokens);
  });
  return found ? std::optional(NodeId(*found)) : std::nullopt;
}

bool RadixTree::prefetch_node(std::uint64_t key) const {
  const auto found = index_.find(key, [](std::uint32_t) { return true; });
  if (!found) return false;
  __builtin_prefetch(&nodes_[*found], 1);
  __builtin_prefetch(&chunks_[*found * pool_.page_size()]);
  return true;
}

std::uint32_t RadixTree::group_key(std::uint64_t parent, Token first) {
  return static_cast<std::uint32_t>(
      fold(parent ^ 0x9FB21C651E98DF25, static_cast<std::uint32_t>(first) ^ 0xD6E8FEB86659FD93));
}

NodeId RadixTree::any_below(Link link) const {
  while (link & kPoint) {
    link = *std::ranges::find_if(points_[link & ~kPoint].child, [](Link l) { return l != kNone; });
  }
  return NodeId(link);
}

RadixTree::Link RadixTree::group(NodeId parent, Token first) const {
  const auto same = [&](Link link) {
    const NodeId id = any_below(link);
    return node(id).parent == parent && chunk(id)[0] == first;
  };
  return groups_.find(group_key(node(parent).key, first), same).value_or(kNone);
}

std::optional<NodeId> RadixTree::nearest(NodeId parent, std::span<const Token> tokens) const {
  Link link = group(parent, tokens[0]);
  if (link == kNone) return std::nullopt;
  while (link & kPoint) {
    // Where no child has the digit, all below share equally much.
    const Point& p = points_[link & ~kPoint];
    link = p.child[digit_of(tokens, p.digit)];
    for (std::size_t i = 0; link == kNone; ++i) link = p.child[i];
  }
  return NodeId(link);
}

void RadixTree::set_above(Link link, std::uint32_t point) {
  if (link & kPoint) {
    points_[link & ~kPoint].above = point;
  } else {
    nodes_[link].above = point;
  }
}

// Puts `now` where `old` is: below the point `above`, or at the top of the group's trie.
void RadixTree::replace(std::uint32_t group, std::uint32_t above, Link old, Link now) {
  if (above == kNone) {
    groups_.erase(group, old);
    groups_.insert(group, now);
  } else {
    *std::ranges::find(points_[above].child, old) = now;
  }
  set_above(now, above);
}

// Puts a new point with the node and `other` below it where `other` is: below the point `above`.
void RadixTree::branch(NodeId id, std::uint32_t above, std::uint32_t digit, Link other) {
  auto fresh = static_cast<std::uint32_t>(points_.size());
  if (unused_points_.empty()) {
    points_.emplace_back();
  } else {
    fresh = unused_points_.back();
    unused_points_.pop_back();
    points_[fresh] = {};
  }
  replace(node(id).group, above, other, fresh | kPoint);
  Point& p = points_[fresh];
  p.digit = digit;
  p.count = 2;
  p.child[digit_of(chunk(id), digit)] = id.value;
  p.child[digit_of(chunk(any_below(other)), digit)] = other;
  set_above(id.value, fresh);
  set_above(other, fresh);
}

void RadixTree::attach(NodeId id, std::span<const Token> tokens, std::uint64_t key) {
  Node& n = node(id);
  n.count = static_cast<std::uint32_t>(tokens.size());
  std::ranges::copy(tokens, chunks_.begin() + static_cast<std::ptrdiff_t>(id.value * pool_.page_size()));
  n.key = key;
  index_.insert(key, id.value);
  ++node(n.parent).children;
  if (n.count < pool_.page_size()) ++node(n.parent).partials;
  n.group = group_key(node(n.parent).key, tokens[0]);
  Link link = group(n.parent, tokens[0]);
  if (link == kNone) return groups_.insert(n.group, id.value);
  const std::uint32_t digit = first_difference(chunk(*nearest(n.parent, tokens)), tokens);
  std::uint32_t above = kNone;
  while ((link & kPoint) != 0 && points_[link & ~kPoint].digit < digit) {
    above = link & ~kPoint;
    link = points_[above].child[digit_of(tokens, points_[above].digit)];
  }
  if ((link & kPoint) == 0 || points_[link & ~kPoint].digit > digit) return branch(id, above, digit, link);
  n.above = link & ~kPoint;
  points_[n.above].child[digit_of(tokens, digit)] = id.value;
  ++points_[n.above].count;
}

void RadixTree::detach(NodeId id) {
  Node& n = node(id);
  index_.erase(n.key, id.value);
  --node(n.parent).children;
  if (n.count < pool_.page_size()) --node(n.parent).partials;
  if (n.above == kNone) return groups_.erase(n.group, id.value);
  const std::uint32_t at = std::exchange(n.above, kNone);
  Point& p = points_[at];
  p.child[digit_of(chunk(id), p.digit)] = kNone;
  if (--p.count > 1) return;
  replace(n.group, p.above, at | kPoint, *std::ranges::find_if(p.child, [](Link l) { return l != kNone; }));
  unused_points_.push_back(at);
}

// The node is what is found for its tokens, and the tries above it are sound. For consistent().
bool RadixTree::findable(NodeId id) const {
  const Node& n = node(id);
  if (!node(n.parent).live || n.ns != node(n.parent).ns || n.count == 0) return false;
  const std::uint64_t key = child_key(node(n.parent).key, chunk(id));
  if (n.key != key || child(n.parent, chunk(id), key) != id || nearest(n.parent, chunk(id)) != id) return false;
  Link link = id.value;
  for (std::uint32_t above = n.above; above != kNone; above = points_[above].above) {
    const Point& p = points_[above];
    const auto links =
        static_cast<std::uint32_t>(p.child.size()) - static_cast<std::uint32_t>(std::ranges::count(p.child, kNone));
    if (links != p.count || links < 2 || p.child[digit_of(chunk(id), p.digit)] != link) return false;
    if ((link & kPoint) != 0 && points_[link & ~kPoint].digit <= p.digit) return false;
    link = above | kPoint;
  }
  return n.group == group_key(node(n.parent).key, chunk(id)[0]) && group(n.parent, chunk(id)[0]) == link;
}

}  // namespace sgl::kv
