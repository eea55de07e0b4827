#include "runtime/constraint/string_walk.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>

#include "runtime/base/utf8.h"

namespace sgl::constraint {
namespace {

constexpr std::size_t kKnown = 4'000;  // masks of automata that are kept: some 75 MB for a vocabulary of 150,000 tokens

using base::CodeRange;
using base::CodeSet;

// Not ASCII, and no white space in the sense of \s.
const CodeSet kForeign{{0x80, 0x9F},     {0xA1, 0x167F},   {0x1681, 0x1FFF}, {0x200B, 0x2027}, {0x202A, 0x202E},
                       {0x2030, 0x205E}, {0x2060, 0x2FFF}, {0x3001, 0xD7FF}, {0xE000, 0xFEFE}, {0xFF00, 0x10FFFF}};

// How many characters; 0 when the text has others than plain ones or is cut.
std::size_t plain_characters(std::string_view text) {
  std::size_t out = 0;
  Pending pending = 0;
  for (char c : text) {
    if (pending == 0 && !is_plain(static_cast<unsigned char>(c))) return 0;
    const CharStep step = next_byte(pending, static_cast<unsigned char>(c), Escapes::kCanonical);
    if (step.kind == CharStep::Kind::kDead) return 0;
    pending = step.pending;
    if (step.kind == CharStep::Kind::kChar) ++out;
  }
  return pending == 0 ? out : 0;
}

bool stays_inside(std::string_view text, Escapes escapes) {
  Pending pending = 0;
  for (char c : text) {
    const CharStep step = next_byte(pending, static_cast<unsigned char>(c), escapes);
    if (step.kind == CharStep::Kind::kDead || step.kind == CharStep::Kind::kQuote) return false;
    pending = step.pending;
  }
  return true;
}

// Precondition: plain.
bool made_of(std::string_view text, bool space, const CodeSet& characters) {
  if (space != text.starts_with(' ')) return false;
  if (space) text.remove_prefix(1);
  Pending pending = 0;
  for (char c : text) {
    const CharStep step = next_byte(pending, static_cast<unsigned char>(c), Escapes::kCanonical);
    pending = step.pending;
    if (step.kind == CharStep::Kind::kChar && !characters.contains(step.character)) return false;
  }
  return !text.empty();
}

// How many of the states can be completed after so many characters.
std::size_t living(const CharDfa::Reach& reach, Remainders& bounds, std::size_t chars, std::uint64_t& worst) {
  std::size_t live = 0;
  for (CharDfa::State state : reach.states) {
    const std::uint64_t rest = bounds.at(state, chars);
    if (rest >= kInfinite) continue;
    ++live;
    worst = std::max(worst, rest);
  }
  return live;
}

}  // namespace

std::uint64_t pending_rest(const CharDfa& dfa, CharDfa::State q, Pending pending, Escapes escapes,
                           const std::function<std::uint64_t(CharDfa::State)>& after) {
  const CharRange range = pending_range(pending);
  std::uint64_t best = kInfinite;
  const auto consider = [&](char32_t lo, char32_t hi, std::uint32_t bytes) {
    for (CharDfa::State next : dfa.successors(q, lo, hi)) best = std::min(best, after(next) + bytes);
  };
  if (escapes == Escapes::kAll || !is_escape(pending)) {
    consider(range.lo, range.hi, range.bytes);
    return std::min(best, kInfinite);
  }
  // After a backslash, and in \u00XX, only some characters are meant.
  const bool slash = range.hi == base::kMaxCodePoint;
  for (char32_t c : {U'"', U'\\', U'\b', U'\f', U'\n', U'\r', U'\t'}) {
    if (slash) consider(c, c, 1);
  }
  for (char32_t c = 0; c < 0x20; ++c) {
    const bool brief = c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t';
    if (!brief && c >= range.lo && c <= range.hi) consider(c, c, slash ? 5 : range.bytes);
  }
  return std::min(best, kInfinite);
}

void StringTokens::build(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes) {
  size_ = bytes.size();
  bytes_ = &bytes;
  plain_chars_.assign(size_, 0);
  const CodeSet small{{'a', 'z'}}, letters{{'A', 'Z'}, {'a', 'z'}}, visible{{'!', '!'}, {'#', '['}, {']', '~'}};
  for (const CodeSet& set : {small, letters, visible, kForeign}) {
    for (bool space : {false, true}) groups_.push_back({space, set, 0, {}, {}, {}});
  }
  groups_.emplace_back();
  std::vector<std::vector<TokenId>> members(groups_.size());
  std::vector<TokenId> escapes, quotes;
  TokenMask canonical(size_), all(size_);
  for (TokenId id : order) {
    const std::string_view text = bytes[static_cast<std::size_t>(id)];
    longest_ = std::max(longest_, text.size());
    const std::size_t chars = plain_characters(text);
    if (chars > 0 && chars <= kMaxPlainChars) {
      plain_chars_[static_cast<std::size_t>(id)] = static_cast<std::uint16_t>(chars);
      longest_plain_ = std::max(longest_plain_, chars);
      canonical.set(id), all.set(id);
      std::size_t group = 0;
      while (group + 1 < groups_.size() && !made_of(text, groups_[group].space, groups_[group].characters)) ++group;
      members[group].push_back(id);
      auto& by_length = groups_[group].by_length;
      if (by_length.size() <= chars) by_length.resize(chars + 1);
      by_length[chars].push_back(id);
      groups_[group].longest = std::max(groups_[group].longest, chars);
    } else if (text.find('"') != std::string_view::npos) {
      quotes.push_back(id);
    } else {
      escapes.push_back(id);
      if (stays_inside(text, Escapes::kCanonical)) canonical.set(id);
      if (stays_inside(text, Escapes::kAll)) all.set(id);
    }
  }
  // Each of these tries has all tokens with the same bytes, or none of them.
  next_same_.assign(size_, -1);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    groups_[i].trie = make_char_trie(members[i], bytes, next_same_);
    TokenMask mask(size_);
    for (TokenId id : members[i]) mask.set(id);
    groups_[i].mask = std::make_shared<const TokenMask>(std::move(mask));
  }
  with_escapes_ = make_trie(escapes, bytes, &next_same_);
  with_quote_ = make_trie(quotes, bytes, &next_same_);
  sort_quotes(quotes, bytes);
  inside_canonical_ = std::make_shared<const TokenMask>(std::move(canonical));
  inside_all_ = std::make_shared<const TokenMask>(std::move(all));
  find_plain_masks();
  known_.reserve(kKnown + 1);
}

void StringTokens::sort_quotes(const std::vector<TokenId>& quotes, const std::vector<std::string_view>& bytes) {
  std::map<std::string_view, std::vector<End>> by_suffix;
  std::vector<TokenId> others;
  for (TokenId id : quotes) {
    const std::string_view text = bytes[static_cast<std::size_t>(id)];
    const std::size_t quote = text.find('"');
    if (quote > 0 && plain_characters(text.substr(0, quote)) > 0) {
      by_suffix[text.substr(quote + 1)].push_back({id, static_cast<unsigned char>(text[0])});
    } else {
      others.push_back(id);
    }
  }
  other_quotes_ = make_trie(others, bytes, nullptr);
  std::vector<std::string_view> suffixes;
  for (auto& [suffix, ends] : by_suffix) {
    suffixes.push_back(suffix);
    ends_.push_back(std::move(ends));
  }
  std::vector<TokenId> order(suffixes.size());
  std::iota(order.begin(), order.end(), 0);
  after_quote_ = make_trie(order, suffixes, nullptr);
}

void StringTokens::find_plain_masks() {
  std::vector<std::vector<TokenId>> by_length(longest_plain_ + 1);
  for (std::size_t id = 0; id < size_; ++id) {
    if (plain_chars_[id] > 0) by_length[plain_chars_[id]].push_back(static_cast<TokenId>(id));
  }
  TokenMask mask(size_);
  for (const std::vector<TokenId>& tokens : by_length) {
    for (TokenId id : tokens) mask.set(id);
    plain_masks_.push_back(mask);
  }
}

StringTokens::Allowed StringTokens::allowed(const StringPart& part) const {
  // Far from its bounds a text goes on as if there were none: a token and the shortest end after it fit in.
  const bool far = part.dfa != nullptr && part.min_left == 0 &&
                   (part.max_left < 0 || part.max_left >= static_cast<std::int64_t>(longest_ + part.dfa->size()));
  if (!far) return compute(part, true);
  if (!remember_) return compute(part, false);
  const Key key{part.dfa->id(), part.q};
  {
    const std::lock_guard lock(mutex_);
    const auto it = known_.find(key);
    if (it != known_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second);
      return it->second->second;
    }
  }
  const Allowed made = compute(part, false);
  const std::lock_guard lock(mutex_);
  if (known_.contains(key)) return made;  // another thread was first
  recent_.emplace_front(key, made);
  known_[key] = recent_.begin();
  if (recent_.size() > kKnown) {
    known_.erase(recent_.back().first);
    recent_.pop_back();
  }
  return made;
}

StringTokens::Allowed StringTokens::compute(const StringPart& part, bool bounded) const {
  std::uint64_t worst = 0;
  if (part.dfa == nullptr) {
    TokenMask mask = plain_up_to(static_cast<std::uint64_t>(part.max_left));
    walk(part, nullptr, mask, worst);
    return {std::make_shared<const TokenMask>(std::move(mask)), worst + static_cast<std::uint64_t>(part.min_left)};
  }
  constexpr std::size_t kColumns = 64;  // few tokens have more characters
  std::optional<Remainders> remainders;
  if (bounded) remainders.emplace(part, kColumns);
  Remainders* bounds = bounded ? &*remainders : nullptr;
  TokenMask mask(size_);
  for (const Group& group : groups_) {
    if (!take_together(part, bounds, group, mask, worst)) walk_plain(group.trie, part, bounds, next_same_, mask, worst);
  }
  walk(part, bounds, mask, worst);
  return {std::make_shared<const TokenMask>(std::move(mask)), worst};
}

void StringTokens::take_lengths(const Group& group, std::size_t first, std::size_t last, TokenMask& mask) const {
  const auto from = group.mask->words();
  const auto up_to = plain_up_to(last).words(), below = plain_up_to(first - 1).words();
  for (std::size_t i = 0; i < from.size(); ++i) mask.words()[i] |= from[i] & up_to[i] & ~below[i];
}

// As long as no text of the group's make dies, only the number of characters can matter: of each number all tokens may
// come, or none, or it depends on the state they lead to. Those are looked at one by one, unless there are many.
bool StringTokens::take_together(const StringPart& part, Remainders* bounds, const Group& group, TokenMask& mask,
                                 std::uint64_t& worst) const {
  if (group.characters.empty()) return false;
  constexpr std::size_t kSteps = 50'000;  // some 50 µs; what needs more is walked as quickly
  const CharDfa& dfa = *part.dfa;
  const std::size_t space = group.space ? 1 : 0;
  const CharDfa::State q = group.space ? dfa.step(part.q, ' ') : part.q;
  if (q == CharDfa::kDead) return true;  // all of them begin with the space
  const auto reach = dfa.reach(q, group.characters.ranges(), group.longest - std::min(group.longest, space), kSteps);
  if (!reach) return false;
  if (reach->none) return true;
  for (std::size_t i = 0; bounds == nullptr && i < reach->states.size(); ++i)
    worst = std::max<std::uint64_t>(worst, dfa.shortest_bytes(reach->states[i]));
  std::vector<std::size_t> depends;
  std::size_t tokens = 0, first = 1;  // the run of lengths that all may come begins there
  for (std::size_t chars = 1; chars <= group.longest + 1; ++chars) {
    const bool alive = chars <= group.longest && chars <= reach->steps + space;
    const std::size_t all = reach->states.size();
    const std::size_t live = !alive ? 0 : bounds == nullptr ? all : living(*reach, *bounds, chars, worst);
    if (alive && live == all) continue;
    if (first < chars) take_lengths(group, first, chars - 1, mask);
    first = chars + 1;
    if (chars > group.longest || (alive && live == 0)) continue;
    depends.push_back(chars);
    tokens += group.by_length[chars].size();
  }
  if (tokens > group.trie.nodes.size() / 16) return false;  // what was taken is right all the same
  for (std::size_t chars : depends) {
    for (TokenId id : group.by_length[chars]) {
      const std::string_view text = (*bytes_)[static_cast<std::size_t>(id)];
      CharDfa::State at = part.q;
      for (std::size_t i = 0; i < text.size() && at != CharDfa::kDead;) {
        const base::DecodedChar c = base::decode_utf8(text, i);
        at = dfa.step(at, c.code);
        i += c.bytes;
      }
      if (at == CharDfa::kDead) continue;
      const std::uint64_t rest = bounds != nullptr ? bounds->at(at, chars) : dfa.shortest_bytes(at);
      if (rest >= kInfinite) continue;
      worst = std::max(worst, rest);
      mask.set(id);
    }
  }
  return true;
}

void StringTokens::walk(const StringPart& part, Remainders* bounds, TokenMask& mask, std::uint64_t& worst) const {
  struct Place {
    CharDfa::State q = 0;
    std::int64_t chars = 0;
    Pending pending = 0;
  };
  const CharDfa* dfa = part.dfa;
  const Escapes escapes = part.all_escapes ? Escapes::kAll : Escapes::kCanonical;
  // Bytes that the content needs from a place between characters.
  const auto rest = [&](CharDfa::State q, std::int64_t chars) -> std::uint64_t {
    if (bounds != nullptr) return bounds->at(q, static_cast<std::size_t>(chars));
    if (dfa != nullptr) return dfa->shortest_bytes(q);
    if (part.max_left >= 0 && chars > part.max_left) return kInfinite;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(part.min_left - chars, 0));
  };
  // The last answers about unfinished characters: neighbours in the trie ask the same.
  struct Known {
    Place place{-1, -1, 0};
    std::uint64_t rest = 0;
  };
  std::array<Known, 64> known{};
  const auto rest_at = [&](const Place& p) -> std::uint64_t {
    if (p.pending == 0) return rest(p.q, p.chars);
    if (dfa == nullptr) return std::min(rest(0, p.chars + 1) + pending_range(p.pending).bytes, kInfinite);
    const std::uint64_t hash = (p.pending * 0x9E3779B97F4A7C15ULL) ^ (static_cast<std::uint64_t>(p.q) * 0x85EBCA6B);
    Known& slot = known[(hash ^ hash >> 32 ^ static_cast<std::uint64_t>(p.chars)) % known.size()];
    if (slot.place.q != p.q || slot.place.chars != p.chars || slot.place.pending != p.pending) {
      slot.place = p;
      slot.rest = pending_rest(*dfa, p.q, p.pending, escapes, [&](CharDfa::State q) { return rest(q, p.chars + 1); });
    }
    return slot.rest;
  };
  const std::vector<TrieNode>& trie = with_escapes_;
  std::vector<Place> stack(longest_ + 1);
  stack[0] = {part.q, 0, 0};
  for (std::uint32_t i = 1; i < trie.size();) {
    const TrieNode& node = trie[i];
    const Place& before = stack[node.depth - 1];
    Place& place = stack[node.depth];
    const CharStep step = next_byte(before.pending, static_cast<unsigned char>(node.byte), escapes);
    bool dead = step.kind == CharStep::Kind::kDead || step.kind == CharStep::Kind::kQuote;
    place = before;
    place.pending = step.pending;
    if (step.kind == CharStep::Kind::kChar) {
      ++place.chars;
      if (dfa != nullptr) place.q = dfa->step(before.q, step.character);
      dead = dead || place.q == CharDfa::kDead;
    }
    const std::uint64_t left = dead ? kInfinite : rest_at(place);
    if (left >= kInfinite) {
      i = node.end;
      continue;
    }
    if (node.token >= 0) {
      worst = std::max(worst, left);
      for (TokenId t = node.token; t >= 0; t = next_same_[static_cast<std::size_t>(t)]) mask.set(t);
    }
    ++i;
  }
}

}  // namespace sgl::constraint
