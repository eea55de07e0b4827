#include "runtime/constraint/plain_trie.h"

#include <algorithm>
#include <array>

#include "runtime/base/utf8.h"

namespace sgl::constraint {
namespace {

template <bool kBounded>
void walk(const CharTrie& trie, const StringPart& part, Remainders* bounds, const std::vector<TokenId>& next_same,
          TokenMask& mask, std::uint64_t& worst) {
  const CharDfa& dfa = *part.dfa;
  const std::vector<CharNode>& nodes = trie.nodes;
  // Where any characters lead on for a while, tokens that are no longer may come without a look at them.
  const std::span<const std::uint16_t> sure = kBounded ? std::span<const std::uint16_t>() : dfa.sure_steps(trie.ascii);
  if (!sure.empty()) worst = std::max<std::uint64_t>(worst, dfa.longest_shortest());
  std::array<CharDfa::State, kMaxPlainChars + 1> states;
  states[0] = part.q;
  for (std::size_t i = 1; i < nodes.size();) {
    const CharNode& node = nodes[i];
    const CharDfa::State q = dfa.step(states[node.depth - 1], node.character);
    if (q == CharDfa::kDead || (kBounded && bounds->at(q, node.depth) >= kInfinite)) {
      i = node.end;
      continue;
    }
    if (!sure.empty() && node.height <= sure[static_cast<std::size_t>(q)]) {
      const std::size_t end = node.end < nodes.size() ? nodes[node.end].first : trie.tokens.size();
      for (std::size_t t = node.first; t < end; ++t) mask.set(trie.tokens[t]);
      i = node.end;
      continue;
    }
    states[node.depth] = q;
    if (node.token >= 0) {
      worst = std::max(worst, kBounded ? bounds->at(q, node.depth) : dfa.shortest_bytes(q));
      for (TokenId t = node.token; t >= 0; t = next_same[static_cast<std::size_t>(t)]) mask.set(t);
    }
    ++i;
  }
}

}  // namespace

CharTrie make_char_trie(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes,
                        std::vector<TokenId>& next_same) {
  CharTrie out;
  out.tokens = order;
  std::vector<CharNode>& nodes = out.nodes;
  nodes.push_back({0, -1, 0, 0, 0, 0});
  std::vector<std::uint32_t> path{0};  // nodes from the root to the last one made
  std::vector<char32_t> previous, text;
  const auto leave = [&] {
    CharNode& node = nodes[path.back()];
    node.end = static_cast<std::uint32_t>(nodes.size());
    path.pop_back();
    if (path.empty()) return;
    CharNode& parent = nodes[path.back()];
    parent.height = std::max(parent.height, static_cast<std::uint16_t>(node.height + 1));
  };
  for (std::size_t n = 0; n < order.size(); ++n) {
    const TokenId id = order[n];
    text.clear();
    const std::string_view spelled = bytes[static_cast<std::size_t>(id)];
    for (std::size_t at = 0; at < spelled.size();) {
      const base::DecodedChar c = base::decode_utf8(spelled, at);
      text.push_back(c.code);
      out.ascii = out.ascii && c.code < 0x80;
      at += c.bytes;
    }
    if (text == previous) {
      TokenId& head = nodes[path.back()].token;
      next_same[static_cast<std::size_t>(id)] = head;
      head = id;
      continue;
    }
    const auto common = static_cast<std::size_t>(
        std::mismatch(text.begin(), text.end(), previous.begin(), previous.end()).first - text.begin());
    while (path.size() > common + 1) leave();
    for (std::size_t i = common; i < text.size(); ++i) {
      path.push_back(static_cast<std::uint32_t>(nodes.size()));
      nodes.push_back(
          {0, -1, static_cast<std::uint32_t>(i + 1) & 0x7FF, text[i] & 0x1FFFFF, static_cast<std::uint32_t>(n), 0});
    }
    nodes.back().token = id;
    previous.swap(text);
  }
  while (!path.empty()) leave();
  return out;
}

std::uint64_t Remainders::compute(CharDfa::State q, std::size_t chars) const {
  const auto done = static_cast<std::int64_t>(chars);
  const std::int64_t min = std::max<std::int64_t>(part_.min_left - done, 0);
  if (part_.max_left >= 0 && done > part_.max_left) return kInfinite;
  if (part_.max_left < 0 && min == 0) return part_.dfa->shortest_bytes(q);
  const auto least = part_.dfa->shortest_between(q, min, part_.max_left < 0 ? -1 : part_.max_left - done);
  return least.ok() && *least != UINT32_MAX ? *least : kInfinite;
}

void walk_plain(const CharTrie& trie, const StringPart& part, Remainders* bounds, const std::vector<TokenId>& next_same,
                TokenMask& mask, std::uint64_t& worst) {
  if (bounds != nullptr) {
    walk<true>(trie, part, bounds, next_same, mask, worst);
  } else {
    walk<false>(trie, part, bounds, next_same, mask, worst);
  }
}

}  // namespace sgl::constraint
