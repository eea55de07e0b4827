#include <fmt/format.h>

#include <algorithm>

#include "runtime/constraint/vocabulary.h"

namespace sgl::constraint {

using base::Expected;

struct Matcher::Chunk {
  std::vector<Place> places;
  std::shared_ptr<const Chunk> before;
};

namespace {

constexpr std::size_t kRecent = 128;  // places that a copy copies; chains of chunks are this much shorter than texts

base::Error over_limit(const Automaton& automaton) {
  return base::over_limit(
      fmt::format("the constraint needs more than {} automaton states", automaton.limits().max_states));
}

// Computes one mask by walking the trie with the automaton.
class MaskBuilder {
 public:
  MaskBuilder(const Vocabulary::Impl& vocabulary, const Automaton& automaton, std::optional<std::int64_t> budget)
      : vocabulary_(vocabulary), automaton_(automaton), budget_(budget), mask_(vocabulary.bytes.size()) {}

  // Tokens below `top` (a trie node whose bytes have led to `state`).
  bool below(std::uint32_t top, StateId state) {
    const std::vector<TrieNode>& trie = vocabulary_.trie;
    const std::uint32_t base_depth = trie[top].depth;
    stack_.assign(vocabulary_.longest + 1, state);
    for (std::uint32_t i = top + 1; i < trie[top].end;) {
      const TrieNode& node = trie[i];
      const std::size_t depth = node.depth - base_depth;
      const StateId next = automaton_.step(stack_[depth - 1], static_cast<unsigned char>(node.byte));
      if (next == kOverLimit) return false;
      if (next == kDead) {
        i = node.end;
        continue;
      }
      stack_[depth] = next;
      if (node.token >= 0) add(node.token, {}, next);
      ++i;
    }
    return true;
  }

  // Tokens that stay within the healing text or go past its end.
  bool healing(std::string_view rest) {
    const std::vector<TrieNode>& trie = vocabulary_.trie;
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      std::uint32_t child = node + 1;
      while (child < trie[node].end && trie[child].byte != static_cast<unsigned char>(rest[i])) child = trie[child].end;
      if (child >= trie[node].end) return true;
      node = child;
      if (trie[node].token >= 0) add(trie[node].token, rest.substr(i + 1), automaton_.start());
    }
    return below(node, automaton_.start());
  }

  void eos() {
    for (TokenId id : vocabulary_.eos) mask_.set(id);
  }

  CachedMask take() && { return {std::make_shared<const TokenMask>(std::move(mask_)), worst_}; }

 private:
  // After the token, `text` and a completion of `state` are still to come.
  void add(TokenId token, std::string_view text, StateId state) {
    const std::uint64_t rest = std::min(automaton_.rest(state) + text.size(), kInfinite);
    if (budget_ && !fits(text, state, rest)) return;
    worst_ = std::max(worst_, rest);
    for (; token >= 0; token = vocabulary_.next_same[static_cast<std::size_t>(token)]) mask_.set(token);
  }

  bool fits(std::string_view text, StateId state, std::uint64_t rest) const {
    const auto budget = static_cast<std::uint64_t>(std::max<std::int64_t>(*budget_, 0));
    if (rest == 0 || (vocabulary_.all_bytes && rest <= budget)) return true;
    if (rest > budget * vocabulary_.longest) return false;
    return vocabulary_.tokens_to_finish(automaton_, text, state) <= budget;
  }

  const Vocabulary::Impl& vocabulary_;
  const Automaton& automaton_;
  const std::optional<std::int64_t> budget_;
  TokenMask mask_;
  std::uint64_t worst_ = 0;
  std::vector<StateId> stack_;
};

}  // namespace

Matcher::Matcher(std::shared_ptr<const Constraint> constraint, std::shared_ptr<const Vocabulary> vocabulary,
                 std::string_view healing)
    : constraint_(std::move(constraint)), vocabulary_(std::move(vocabulary)), healing_(healing) {
  recent_.push_back({constraint_->impl().automaton.start(), 0, false});
}

void Matcher::push(const Place& place) {
  if (recent_.size() == kRecent) {
    older_ = std::make_shared<const Chunk>(Chunk{std::move(recent_), std::move(older_)});
    recent_.clear();
  }
  recent_.push_back(place);
  ++accepted_;
}

std::size_t Matcher::accepted() const {
  return accepted_;
}

void Matcher::rollback(std::size_t n) {
  SGL_ASSERT(n <= accepted_);
  accepted_ -= n;
  while (n >= recent_.size()) {
    n -= recent_.size();
    recent_ = older_->places;
    older_ = std::shared_ptr<const Chunk>(older_)->before;
  }
  recent_.resize(recent_.size() - n);
}

Expected<std::shared_ptr<const TokenMask>> Matcher::masked(std::optional<std::int64_t> budget) {
  const Automaton& automaton = constraint_->impl().automaton;
  const Vocabulary::Impl& vocabulary = vocabulary_->impl();
  const Place& place = now();
  if (place.ended) return std::make_shared<const TokenMask>(vocabulary.bytes.size());
  MaskBuilder builder(vocabulary, automaton, budget);
  if (place.healed < healing_.size()) {
    if (!builder.healing(std::string_view(healing_).substr(place.healed))) return over_limit(automaton);
    return std::move(builder).take().mask;
  }
  const Vocabulary::Impl::Key key{automaton.id(), place.state, budget ? std::max<std::int64_t>(*budget, 0) : -1};
  if (const auto cached = vocabulary.cached(key)) return cached->mask;
  if (budget && vocabulary.all_bytes) {
    // With every byte a token, no more tokens than bytes are needed.
    SGL_TRY(std::shared_ptr<const TokenMask> all, masked(std::nullopt));
    const auto whole = vocabulary.cached({automaton.id(), place.state, -1});
    if (whole && whole->worst_rest <= static_cast<std::uint64_t>(key.budget)) return all;
  }
  if (automaton.accepting(place.state)) builder.eos();
  if (!builder.below(0, place.state)) return over_limit(automaton);
  const CachedMask made = std::move(builder).take();
  vocabulary.store(key, made, automaton.limits().max_mask_bytes);
  return made.mask;
}

Expected<std::shared_ptr<const TokenMask>> Matcher::mask() {
  return masked(std::nullopt);
}
Expected<std::shared_ptr<const TokenMask>> Matcher::mask_within(std::int64_t budget_tokens) {
  return masked(budget_tokens);
}

bool Matcher::accept(TokenId id) {
  const Automaton& automaton = constraint_->impl().automaton;
  const Vocabulary::Impl& vocabulary = vocabulary_->impl();
  if (id < 0 || static_cast<std::size_t>(id) >= vocabulary.bytes.size() || now().ended) return false;
  Place place = now();
  if (vocabulary.is_eos[static_cast<std::size_t>(id)]) {
    if (!is_complete()) return false;
    place.ended = true;
    push(place);
    return true;
  }
  std::string_view bytes = vocabulary.bytes[static_cast<std::size_t>(id)];
  if (bytes.empty()) return false;
  const std::string_view healing = std::string_view(healing_).substr(place.healed);
  const std::size_t shared = std::min(healing.size(), bytes.size());
  if (bytes.substr(0, shared) != healing.substr(0, shared)) return false;
  place.healed += static_cast<std::uint32_t>(shared);
  for (char c : bytes.substr(shared)) {
    place.state = automaton.step(place.state, static_cast<unsigned char>(c));
    if (place.state < 0) return false;
  }
  push(place);
  return true;
}

std::string Matcher::forced_bytes() {
  const Automaton& automaton = constraint_->impl().automaton;
  if (now().ended) return {};
  std::string out = healing_.substr(now().healed);
  // Every state leads to an accepting one, so the only way onwards ends.
  for (StateId state = now().state; state >= 0;) {
    const int byte = automaton.only_byte(state);
    if (byte < 0) break;
    out.push_back(static_cast<char>(byte));
    state = automaton.step(state, static_cast<unsigned char>(byte));
  }
  return out;
}

bool Matcher::is_complete() const {
  return now().healed == healing_.size() && constraint_->impl().automaton.accepting(now().state);
}

bool Matcher::is_final() {
  return is_complete() && (now().ended || constraint_->impl().automaton.final(now().state));
}

}  // namespace sgl::constraint
