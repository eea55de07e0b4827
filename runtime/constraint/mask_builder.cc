#include "runtime/constraint/mask_builder.h"

#include <algorithm>

namespace sgl::constraint {

bool MaskBuilder::at(StateId state) {
  if (machine_.accepting(state)) {
    for (TokenId id : vocabulary_.eos) mask_.set(id);
  }
  const PlainRegion region = machine_.plain_region(state);
  // With little budget left each token has to be looked at.
  const bool ample = !budget_ || (vocabulary_.all_bytes && static_cast<std::int64_t>(region.worst_rest) <= *budget_);
  if (region.max_chars > 0 && ample) return in_plain_region(region, state);
  return below(vocabulary_.trie, 0, state);
}

bool MaskBuilder::in_plain_region(const PlainRegion& region, StateId state) {
  const StringTokens& strings = vocabulary_.strings;
  worst_ = region.worst_rest;
  if (region.max_chars >= strings.longest_plain && region.escapes != PlainRegion::Escapes::kNone) {
    add_all(region.escapes == PlainRegion::Escapes::kAll ? *strings.inside_all : *strings.inside_canonical);
  } else {
    add_all(*vocabulary_.plain_up_to(region.max_chars));
    if (!below(strings.with_escapes, 0, state)) return false;
  }
  return below(strings.with_quote, 0, state);
}

void MaskBuilder::add_all(const TokenMask& mask) {
  const auto from = mask.words();
  const auto to = mask_.words();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] |= from[i];
}

bool MaskBuilder::below(const std::vector<TrieNode>& trie, std::uint32_t top, StateId state) {
  const std::uint32_t base_depth = trie[top].depth;
  stack_.assign(vocabulary_.longest + 1, state);
  for (std::uint32_t i = top + 1; i < trie[top].end;) {
    const TrieNode& node = trie[i];
    const std::size_t depth = node.depth - base_depth;
    const StateId next = machine_.step(stack_[depth - 1], static_cast<unsigned char>(node.byte));
    if (next == kOverLimit) return false;
    if (next == kNoState) {
      i = node.end;
      continue;
    }
    stack_[depth] = next;
    if (node.token >= 0) add(node.token, {}, next);
    ++i;
  }
  return true;
}

bool MaskBuilder::healing(std::string_view rest) {
  const std::vector<TrieNode>& trie = vocabulary_.trie;
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    std::uint32_t child = node + 1;
    while (child < trie[node].end && trie[child].byte != static_cast<unsigned char>(rest[i])) child = trie[child].end;
    if (child >= trie[node].end) return true;
    node = child;
    if (trie[node].token >= 0) add(trie[node].token, rest.substr(i + 1), Machine::kStart);
  }
  return below(trie, node, Machine::kStart);
}

void MaskBuilder::add(TokenId token, std::string_view text, StateId state) {
  const std::uint64_t rest = std::min(machine_.rest(state) + text.size(), kInfinite);
  if (budget_ && !fits(text, state, rest)) return;
  worst_ = std::max(worst_, rest);
  for (; token >= 0; token = vocabulary_.next_same[static_cast<std::size_t>(token)]) mask_.set(token);
}

bool MaskBuilder::fits(std::string_view text, StateId state, std::uint64_t rest) const {
  const auto budget = static_cast<std::uint64_t>(std::max<std::int64_t>(*budget_, 0));
  if (rest == 0 || (vocabulary_.all_bytes && rest <= budget)) return true;
  if (rest > budget * vocabulary_.longest) return false;
  return vocabulary_.tokens_to_finish(machine_, text, state) <= budget;
}

CachedMask MaskBuilder::take() && {
  return {std::make_shared<const TokenMask>(std::move(mask_)), worst_};
}

}  // namespace sgl::constraint
