// Masks of states that are inside regular parts: what tokens do within a part is found out once, for all states.
#include <algorithm>

#include "runtime/constraint/mask_builder.h"

namespace sgl::constraint {
namespace {

// Goes through the trie with a part alone.
class PartWalk {
 public:
  PartWalk(const Vocabulary::Impl& vocabulary, const RegularParts& parts) : vocabulary_(vocabulary), parts_(parts) {}

  Vocabulary::Impl::PartTokens run(std::int32_t place) {
    Vocabulary::Impl::PartTokens out{TokenMask(vocabulary_.bytes.size()), {}};
    const std::vector<TrieNode>& trie = vocabulary_.trie;
    std::vector<TokenId> leaving;
    std::vector<std::int32_t> stack(vocabulary_.longest + 1, place);
    std::vector<bool> ended(vocabulary_.longest + 1, false);  // the part may have ended on the way
    for (std::uint32_t i = 1; i < trie.size();) {
      const std::size_t depth = trie[i].depth;
      const std::int32_t next = parts_.part_step(stack[depth - 1], static_cast<unsigned char>(trie[i].byte));
      if (next < 0) {
        if (ended[depth - 1]) tokens_below(i, leaving);
        i = trie[i].end;
        continue;
      }
      stack[depth] = next;
      ended[depth] = ended[depth - 1] || parts_.part_ends(next);
      for (TokenId t = trie[i].token; t >= 0; t = vocabulary_.next_same[static_cast<std::size_t>(t)]) out.inside.set(t);
      ++i;
    }
    out.leaving = make_trie(leaving, vocabulary_.bytes, nullptr);
    return out;
  }

 private:
  // Of tokens with the same bytes the first of their chain is enough.
  void tokens_below(std::uint32_t top, std::vector<TokenId>& out) const {
    for (std::uint32_t i = top; i < vocabulary_.trie[top].end; ++i) {
      if (vocabulary_.trie[i].token >= 0) out.push_back(vocabulary_.trie[i].token);
    }
  }

  const Vocabulary::Impl& vocabulary_;
  const RegularParts& parts_;
};

}  // namespace

std::shared_ptr<const Vocabulary::Impl::PartTokens> Vocabulary::Impl::part_tokens(const RegularParts& parts_of,
                                                                                  std::int32_t place) const {
  constexpr std::size_t kMost = 2'000;  // of some 50 kB
  const Key key{parts_of.parts_id(), place, -1};
  {
    const std::lock_guard lock(mutex);
    const auto it = parts.find(key);
    if (it != parts.end()) return it->second;
  }
  auto made = std::make_shared<const PartTokens>(PartWalk(*this, parts_of).run(place));
  const std::lock_guard lock(mutex);
  if (parts.size() >= kMost) parts.clear();
  parts[key] = made;
  return made;
}

bool MaskBuilder::by_ways(StateId state, const RegularWays& ways) {
  for (const std::int32_t place : ways.places) {
    const auto tokens = vocabulary_.part_tokens(*ways.parts, place);
    add_all(tokens->inside);
    if (!below(tokens->leaving, 0, state)) return false;
  }
  worst_ = std::max(worst_, ways.worst);
  if (ways.elsewhere.none()) return true;
  const std::vector<TrieNode>& trie = vocabulary_.trie;
  for (std::uint32_t i = 1; i < trie.size(); i = trie[i].end) {
    if (!ways.elsewhere.test(trie[i].byte)) continue;
    const StateId next = machine_.step(state, static_cast<unsigned char>(trie[i].byte));
    if (next == kOverLimit || out_of_time()) return false;
    if (next == kNoState) continue;
    if (trie[i].token >= 0) add(trie[i].token, {}, next);
    if (!below(trie, i, next)) return false;
  }
  return true;
}

}  // namespace sgl::constraint
