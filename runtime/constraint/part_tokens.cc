// Masks of states that are inside automata: what tokens do within one is found out once, for all states.
#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>

#include "runtime/constraint/mask_builder.h"

namespace sgl::constraint {
namespace {

using PartTokens = Vocabulary::Impl::PartTokens;

// Goes through the trie with an automaton alone.
class PartWalk {
 public:
  PartWalk(const Vocabulary::Impl& vocabulary, const RegularParts& parts) : vocabulary_(vocabulary), parts_(parts) {}

  PartTokens run(std::int32_t place, std::uint32_t top) {
    const std::vector<TrieNode>& trie = vocabulary_.trie;
    const std::size_t base = trie[top].depth;
    struct At {
      Row* row = nullptr;
      bool ended = false;  // it may have been left on the way
    };
    std::vector<At> stack(vocabulary_.longest + 1 - base);
    stack[0] = {row(place), row(place)->ends};
    path_.assign(1, top);
    for (std::uint32_t i = top + 1; i < trie[top].end;) {
      const std::size_t depth = trie[i].depth - base;
      const At& from = stack[depth - 1];
      const std::int32_t next = step(*from.row, trie[i].byte);
      if (next < 0) {
        if (next == RegularParts::kUnsure || from.ended) leave(i, depth);
        i = trie[i].end;
        continue;
      }
      Row* const to = from.row->rows[trie[i].byte];
      stack[depth] = {to, from.ended || to->ends};
      path_.resize(depth);
      path_.push_back(i);
      for (TokenId t = trie[i].token; t >= 0; t = vocabulary_.next_same[static_cast<std::size_t>(t)])
        out_.few.push_back(t);
      ++i;
    }
    // A mask is taken over word by word, a list token by token.
    constexpr std::size_t kTokensPerWord = 4;
    if (out_.few.size() * kTokensPerWord > vocabulary_.bytes.size() / 64) {
      TokenMask mask(vocabulary_.bytes.size());
      for (const TokenId t : out_.few) mask.set(t);
      out_.many = std::make_shared<const TokenMask>(std::move(mask));
      out_.few = {};
    }
    out_.few.shrink_to_fit();
    out_.leaving.shrink_to_fit();
    return std::move(out_);
  }

 private:
  // A place and where its bytes lead, as far as that was asked for.
  static constexpr std::int32_t kUnknown = -3;
  struct Row {
    std::int32_t place = 0;
    bool ends = false;
    std::array<std::int32_t, 256> next;
    std::array<Row*, 256> rows{};
  };

  Row* row(std::int32_t place) {
    auto& slot = rows_[place];
    if (slot == nullptr) {
      slot = std::make_unique<Row>();
      slot->place = place, slot->ends = parts_.part_ends(place);
      slot->next.fill(kUnknown);
    }
    return slot.get();
  }

  std::int32_t step(Row& from, std::uint32_t byte) {
    std::int32_t& next = from.next[byte];
    if (next == kUnknown) {
      next = parts_.part_step(from.place, static_cast<unsigned char>(byte));
      if (next >= 0) from.rows[byte] = row(next);
    }
    return next;
  }

  // At a node, after those of the path above it, which come once.
  void leave(std::uint32_t node, std::size_t depth) {
    path_.resize(depth);
    std::size_t same = 1;
    while (same < std::min(open_.size(), depth) && open_[same] == path_[same]) ++same;
    for (std::size_t d = same; d < depth; ++d) out_.leaving.push_back({path_[d], false});
    open_ = path_;
    out_.leaving.push_back({node, true});
  }

  const Vocabulary::Impl& vocabulary_;
  const RegularParts& parts_;
  std::unordered_map<std::int32_t, std::unique_ptr<Row>> rows_;
  std::vector<std::uint32_t> path_;  // nodes from the top
  std::vector<std::uint32_t> open_;  // the path at the last one that was left
  PartTokens out_;
};

}  // namespace

std::shared_ptr<const PartTokens> Vocabulary::Impl::part_tokens(const RegularParts& parts_of, std::int32_t place,
                                                                std::uint32_t node) const {
  constexpr std::size_t kMostBytes = 64 << 20;  // some thousands, of which most take a few kB
  const Key key{parts_of.parts_id(), place, node};
  {
    const std::lock_guard lock(mutex);
    const auto it = parts.find(key);
    if (it != parts.end()) return it->second;
  }
  auto made = std::make_shared<const PartTokens>(PartWalk(*this, parts_of).run(place, node));
  const std::lock_guard lock(mutex);
  if (part_bytes > kMostBytes) parts.clear(), part_bytes = 0;
  if (parts.emplace(key, made).second) {
    part_bytes += 200 + made->few.size() * sizeof(TokenId) + made->leaving.size() * sizeof(PartTokens::Step) +
                  (made->many ? bytes.size() / 8 : 0);
  }
  return made;
}

bool MaskBuilder::under(std::uint32_t top, StateId state) {
  // In a small part of the trie it is quicker to look at every node.
  constexpr std::uint32_t kWorth = 200;
  const std::vector<TrieNode>& trie = vocabulary_.trie;
  if (trie[top].end - top > kWorth) {
    const RegularWays ways = machine_.regular_ways(state);
    if (ways.parts != nullptr) return by_ways(top, state, ways);
  }
  stack_[trie[top].depth] = state;
  for (std::uint32_t i = top + 1; i < trie[top].end;) {
    const TrieNode& node = trie[i];
    const StateId next = machine_.step(stack_[node.depth - 1], static_cast<unsigned char>(node.byte));
    if (next == kOverLimit || out_of_time()) return false;
    if (next == kNoState) {
      i = node.end;
      continue;
    }
    if (node.token >= 0) add(node.token, {}, next);
    if (node.end - i > kWorth) {
      if (!under(i, next)) return false;
      i = node.end;
      continue;
    }
    stack_[node.depth] = next;
    ++i;
  }
  return true;
}

// Every node is looked at once at most: those below bytes that may begin something else by the machine alone.
bool MaskBuilder::by_ways(std::uint32_t top, StateId state, const RegularWays& ways) {
  const std::vector<TrieNode>& trie = vocabulary_.trie;
  worst_ = std::max(worst_, ways.worst);
  const auto visit = [&](std::uint32_t node, StateId next) {
    if (trie[node].token >= 0) add(trie[node].token, {}, next);
    return under(node, next);
  };
  struct Leaving {
    std::shared_ptr<const PartTokens> tokens;
    std::size_t at = 0;
  };
  std::vector<Leaving> lists;
  for (const std::int32_t place : ways.places) {
    lists.push_back({vocabulary_.part_tokens(*ways.parts, place, top), 0});
    const PartTokens& tokens = *lists.back().tokens;
    if (tokens.many) add_all(*tokens.many);
    for (const TokenId token : tokens.few) mask_.set(token);
  }
  stack_[trie[top].depth] = state;
  for (std::uint32_t done = top + 1; done < trie[top].end;) {
    // The next node at which one of the automata is left, or on the way to one.
    std::uint32_t node = trie[top].end;
    bool leaves = false;
    for (Leaving& list : lists) {
      const auto& steps = list.tokens->leaving;
      while (list.at < steps.size() && steps[list.at].node < done) ++list.at;
      if (list.at == steps.size() || steps[list.at].node > node) continue;
      leaves = steps[list.at].leaves || (leaves && steps[list.at].node == node);
      node = steps[list.at].node;
    }
    if (node == trie[top].end) break;
    done = trie[node].end;
    if (trie[node].depth == trie[top].depth + 1 && ways.elsewhere.test(trie[node].byte)) continue;
    const StateId next = machine_.step(stack_[trie[node].depth - 1], static_cast<unsigned char>(trie[node].byte));
    if (next == kOverLimit || out_of_time()) return false;
    if (next == kNoState) continue;
    if (leaves && !visit(node, next)) return false;
    if (leaves) continue;
    stack_[trie[node].depth] = next;
    done = node + 1;
  }
  if (ways.elsewhere.none()) return true;
  for (std::uint32_t i = top + 1; i < trie[top].end; i = trie[i].end) {
    if (!ways.elsewhere.test(trie[i].byte)) continue;
    const StateId next = machine_.step(state, static_cast<unsigned char>(trie[i].byte));
    if (next == kOverLimit || (next >= 0 && !visit(i, next))) return false;
  }
  return true;
}

}  // namespace sgl::constraint
