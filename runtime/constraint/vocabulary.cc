#include "runtime/constraint/vocabulary.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace sgl::constraint {

std::vector<TrieNode> make_trie(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes,
                                std::vector<TokenId>* next_same) {
  std::vector<TrieNode> trie{{0, -1, 0, 0}};
  std::vector<std::uint32_t> path{0};  // nodes from the root to the last one made
  std::string_view previous;
  for (TokenId id : order) {
    const std::string_view text = bytes[static_cast<std::size_t>(id)];
    if (text == previous) {
      TokenId& head = trie[path.back()].token;
      if (next_same != nullptr) (*next_same)[static_cast<std::size_t>(id)] = head;
      head = id;
      continue;
    }
    const auto common = static_cast<std::size_t>(
        std::mismatch(text.begin(), text.end(), previous.begin(), previous.end()).first - text.begin());
    while (path.size() > common + 1) {
      trie[path.back()].end = static_cast<std::uint32_t>(trie.size());
      path.pop_back();
    }
    for (std::size_t i = common; i < text.size(); ++i) {
      path.push_back(static_cast<std::uint32_t>(trie.size()));
      trie.push_back({0, -1, static_cast<std::uint32_t>(i + 1) & 0xFFFFFF, static_cast<unsigned char>(text[i])});
    }
    trie.back().token = id;
    previous = text;
  }
  for (std::uint32_t node : path) trie[node].end = static_cast<std::uint32_t>(trie.size());
  return trie;
}

std::size_t TokenMask::count() const {
  std::size_t out = 0;
  for (std::uint64_t word : bits_) out += static_cast<std::size_t>(std::popcount(word));
  return out;
}

Vocabulary::Vocabulary(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vocabulary::~Vocabulary() = default;

std::shared_ptr<const Vocabulary> Vocabulary::build(std::shared_ptr<const tokenizer::Tokenizer> tokenizer) {
  auto impl = std::make_unique<Impl>();
  for (std::size_t id = 0; id < tokenizer->vocab_size(); ++id)
    impl->bytes.push_back(tokenizer->token_bytes(static_cast<TokenId>(id)));
  impl->eos.assign(tokenizer->eos().begin(), tokenizer->eos().end());
  impl->tokenizer = std::move(tokenizer);
  impl->finish();
  return std::shared_ptr<const Vocabulary>(new Vocabulary(std::move(impl)));
}

std::shared_ptr<const Vocabulary> Vocabulary::from_bytes(std::vector<std::string> bytes, std::vector<TokenId> eos) {
  auto impl = std::make_unique<Impl>();
  impl->owned = std::move(bytes);
  impl->bytes.assign(impl->owned.begin(), impl->owned.end());
  impl->eos = std::move(eos);
  impl->finish();
  return std::shared_ptr<const Vocabulary>(new Vocabulary(std::move(impl)));
}

std::size_t Vocabulary::size() const {
  return impl_->bytes.size();
}
std::string_view Vocabulary::bytes(TokenId id) const {
  return id < 0 || static_cast<std::size_t>(id) >= size() ? std::string_view()
                                                          : impl_->bytes[static_cast<std::size_t>(id)];
}
std::span<const TokenId> Vocabulary::eos() const {
  return impl_->eos;
}

void Vocabulary::Impl::finish() {
  is_eos.assign(bytes.size(), false);
  std::erase_if(eos, [&](TokenId id) { return id < 0 || static_cast<std::size_t>(id) >= bytes.size(); });
  for (TokenId id : eos) is_eos[static_cast<std::size_t>(id)] = true;
  next_same.assign(bytes.size(), -1);
  std::vector<TokenId> order(bytes.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](TokenId id) {
    return bytes[static_cast<std::size_t>(id)].empty() || is_eos[static_cast<std::size_t>(id)];
  });
  std::stable_sort(order.begin(), order.end(), [&](TokenId a, TokenId b) {
    return bytes[static_cast<std::size_t>(a)] < bytes[static_cast<std::size_t>(b)];
  });
  trie = make_trie(order, bytes, &next_same);
  by_bytes = order;
  index_children();
  find_spaces();
  std::size_t singles = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::string_view text = bytes[static_cast<std::size_t>(order[i])];
    longest = std::max(longest, text.size());
    if (text.size() == 1 && (i == 0 || text != bytes[static_cast<std::size_t>(order[i - 1])])) ++singles;
  }
  all_bytes = singles == 256;
  strings.build(order, bytes);
  free.build(order, bytes);
  // A table that grows later would do so while someone waits for a mask.
  index.reserve(kMaxEntries + 1);
  masks.reserve(std::min<std::size_t>(kMaxMaskBytes / 4 * 5 / (bytes.size() / 8 + 100), kMaxEntries / 8));
}

void Vocabulary::Impl::index_children() {
  child_begin.reserve(trie.size() + 1);
  child_nodes.reserve(trie.size());
  child_bytes.reserve(trie.size());
  for (std::uint32_t node = 0; node < trie.size(); ++node) {
    child_begin.push_back(static_cast<std::uint32_t>(child_nodes.size()));
    for (std::uint32_t i = node + 1; i < trie[node].end; i = trie[i].end) {
      child_nodes.push_back(i);
      child_bytes.push_back(static_cast<unsigned char>(trie[i].byte));
    }
  }
  child_begin.push_back(static_cast<std::uint32_t>(child_nodes.size()));
}

void Vocabulary::Impl::find_spaces() {
  spaces = TokenMask(bytes.size());
  for (std::uint32_t i = 1; i < trie.size();) {
    if (!is_space(trie[i].byte)) {
      if (trie[i].depth > 1) after_spaces.push_back(i);
      i = trie[i].end;
      continue;
    }
    for (TokenId t = trie[i].token; t >= 0; t = next_same[static_cast<std::size_t>(t)]) spaces.set(t);
    ++i;
  }
}

std::size_t Vocabulary::Impl::KeyHash::operator()(const Key& key) const {
  std::uint64_t h = key.machine * 0x9e3779b97f4a7c15 ^ static_cast<std::uint64_t>(key.state);
  h = (h ^ h >> 32) * 0xbf58476d1ce4e5b9 ^ static_cast<std::uint64_t>(key.budget);
  return static_cast<std::size_t>((h ^ h >> 29) * 0x94d049bb133111eb);
}

std::optional<CachedMask> Vocabulary::Impl::cached(const Key& key) const {
  const std::lock_guard lock(mutex);
  const auto it = index.find(key);
  if (it == index.end()) return std::nullopt;
  recent.splice(recent.begin(), recent, it->second);
  return it->second->mask;
}

void Vocabulary::Impl::store(const Key& key, const CachedMask& mask) const {
  const std::lock_guard lock(mutex);
  if (index.contains(key)) return;
  recent.push_front({key, mask});
  index[key] = recent.begin();
  // Masks that are not shared count by entries.
  const std::size_t most = ablation.interning ? kMaxEntries : kMaxMaskBytes / (bytes.size() / 8 + 100);
  while (recent.size() > most) {
    index.erase(recent.back().key);
    recent.pop_back();
  }
}

void ablate(const Vocabulary& vocabulary, const Ablation& ablation) {
  vocabulary.impl().ablation = ablation;
  vocabulary.impl().strings.remember(ablation.memo);
  CharDfa::set_interning(ablation.interning);
}

std::pair<std::shared_ptr<const TokenMask>, std::uint64_t> Vocabulary::Impl::intern(const TokenMask& mask) const {
  if (!ablation.interning) return {std::make_shared<const TokenMask>(mask), 0};
  // Four lanes, so that the multiplications overlap.
  std::uint64_t lanes[4] = {1, 2, 3, 4};
  const auto words = mask.words();
  for (std::size_t i = 0; i < words.size(); ++i) lanes[i % 4] = (lanes[i % 4] ^ words[i]) * 0x9e3779b97f4a7c15;
  std::uint64_t hash = 0;
  for (std::uint64_t lane : lanes) hash = (hash ^ lane ^ lane >> 29) * 0xbf58476d1ce4e5b9;
  const std::lock_guard lock(mutex);
  const auto known = masks.find(hash);
  if (known != masks.end()) {
    const auto same = known->second->words();
    if (std::equal(words.begin(), words.end(), same.begin(), same.end())) return {known->second, hash};
  }
  evict(words.size() * 8 + 100);
  auto made = std::make_shared<const TokenMask>(mask);
  masks[hash] = made;
  return {std::move(made), hash};
}

void Vocabulary::Impl::evict(std::size_t bytes_each) const {
  // A mask goes with the last entry that has it. An entry that shares its mask frees nothing, so there is a bound on
  // the entries of one call, unless masks take a quarter more than they may.
  constexpr int kAtOnce = 64;
  const auto over = [&](std::size_t limit) { return masks.size() * bytes_each > limit; };
  for (int n = 0; over(kMaxMaskBytes) && !recent.empty() && (n < kAtOnce || over(kMaxMaskBytes / 4 * 5)); ++n) {
    const CachedMask& oldest = recent.back().mask;
    const auto it = masks.find(oldest.hash);
    const bool last = it != masks.end() && it->second == oldest.mask && it->second.use_count() == 2;
    if (last) masks.erase(it);
    index.erase(recent.back().key);
    recent.pop_back();
  }
  if (recent.empty() && over(kMaxMaskBytes)) masks.clear();
}

std::vector<std::uint64_t> Vocabulary::Impl::fewest_tokens(std::string_view text) const {
  std::vector<std::uint64_t> cost(text.size() + 1, kNoTokens);
  cost.back() = 0;
  for (std::size_t at = text.size(); at-- > 0;) {
    std::uint32_t node = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
      node = child(node, static_cast<unsigned char>(text[i]));
      if (node == 0) break;
      if (trie[node].token >= 0) cost[at] = std::min(cost[at], cost[i + 1] + 1);
    }
    cost[at] = std::min(cost[at], kNoTokens);
  }
  return cost;
}

std::uint64_t Vocabulary::Impl::tokens_to_finish(const Machine& machine, std::string_view text, StateId state) const {
  const auto key = [&](StateId s) { return Key{machine.id(), s, -1}; };
  const auto known = [&](StateId s) -> std::optional<std::uint64_t> {
    if (machine.rest(s) == 0) return 0;
    const std::lock_guard lock(mutex);
    if (finishing.empty()) return std::nullopt;
    const Finishing& slot = finishing[KeyHash()(key(s)) % kFinishing];
    return slot.key == key(s) ? std::optional(slot.tokens) : std::nullopt;
  };
  if (text.empty()) {
    if (const auto tokens = known(state)) return *tokens;
  }
  // The shortest completion is the same from every place along it, so all of them are answered at once.
  constexpr std::uint64_t kMaxBytes =
      1 << 20;  // longer ones are not searched; they would take seconds to generate at least
  if (machine.rest(state) > kMaxBytes) return kNoTokens;
  std::string whole(text);
  std::vector<StateId> states;  // after every byte of the completion
  for (StateId s = state; machine.rest(s) > 0;) {
    const int shortest = machine.certain(s) ? machine.shortest_byte(s) : -1;
    if (shortest < 0) return kNoTokens;
    const auto byte = static_cast<unsigned char>(shortest);
    states.push_back(s);
    whole.push_back(static_cast<char>(byte));
    s = machine.step(s, byte);
    if (s < 0) return kNoTokens;
  }
  const std::vector<std::uint64_t> cost = fewest_tokens(whole);
  const std::lock_guard lock(mutex);
  if (finishing.empty()) finishing.resize(kFinishing);
  for (std::size_t i = 0; i < states.size(); ++i)
    finishing[KeyHash()(key(states[i])) % kFinishing] = {key(states[i]), cost[text.size() + i]};
  return cost[0];
}

}  // namespace sgl::constraint
