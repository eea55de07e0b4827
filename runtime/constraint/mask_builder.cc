#include "runtime/constraint/mask_builder.h"

#include <algorithm>

#include "runtime/constraint/char_dfa.h"

namespace sgl::constraint {
namespace {

constexpr std::uint64_t kLongestEscape = 12;  // \ud83d\ude00

// A cleared mask that is used again and again.
TokenMask& scratch(std::size_t size) {
  thread_local TokenMask mask;
  if (mask.size() != size) {
    mask = TokenMask(size);
  } else {
    std::fill(mask.words().begin(), mask.words().end(), 0);
  }
  return mask;
}

std::uint64_t longest_text(const StringPart& part) {
  std::size_t out = 0;
  for (std::string_view text : part.texts) out = std::max(out, text.size());
  return out;
}

}  // namespace

MaskBuilder::MaskBuilder(const Vocabulary::Impl& vocabulary, const Machine& machine, std::optional<std::int64_t> budget)
    : vocabulary_(vocabulary),
      machine_(machine),
      budget_(budget),
      mask_(scratch(vocabulary.bytes.size())),
      deadline_(std::chrono::steady_clock::now() + machine.mask_time()) {}

bool MaskBuilder::out_of_time() {
  constexpr std::uint32_t kSteps = 128;  // some microseconds where states are known, milliseconds where they are not
  if (looked_++ % kSteps == 0) late_ = late_ || std::chrono::steady_clock::now() > deadline_;
  return late_;
}

bool MaskBuilder::at(StateId state) {
  if (machine_.accepting(state)) {
    for (TokenId id : vocabulary_.eos) mask_.set(id);
  }
  const bool slices = vocabulary_.ablation.slices;
  if (slices) {
    if (const auto text = machine_.free_text(state)) return free(state, *text);
  }
  std::vector<StringPart> parts = slices ? machine_.string_parts(state) : std::vector<StringPart>();
  if (parts.empty()) {
    if (!slices || budget_) return below(vocabulary_.trie, 0, state);
    stack_.assign(vocabulary_.longest + 1, state);
    const StateId after = after_spaces(state);
    return after >= 0 ? spaced(state, after) : under(0, state);
  }
  if (!budget_) {
    add_parts(std::move(parts));
    return quotes(state);
  }
  // With little budget left each token has to be looked at, but where all plain ones leave the same to be done.
  const StringPart& first = parts.front();
  // Not so where the text so far must not end, a name that is there already: there a character brings the end nearer.
  const bool alike = parts.size() == 1 && first.kind == StringPart::Kind::kFree && first.min_left == 0 &&
                     !first.excludes && machine_.shortest_byte(state) == '"';
  if (!alike) return below(vocabulary_.trie, 0, state);
  if (fits({}, state, machine_.rest(state))) {
    worst_ = std::max(worst_, machine_.enough(state));
    add_all(
        vocabulary_.strings.plain_up_to(first.max_left < 0 ? kInfinite : static_cast<std::uint64_t>(first.max_left)));
  }
  return below(vocabulary_.strings.with_escapes(), 0, state) && below(vocabulary_.strings.with_quote(), 0, state);
}

StateId MaskBuilder::after_spaces(StateId state) const {
  const StateId after = machine_.step(state, ' ');
  if (after < 0) return kNoState;
  for (const unsigned char space : {' ', '\n', '\r', '\t'}) {
    if (machine_.step(state, space) != after || machine_.step(after, space) != after) return kNoState;
  }
  if (machine_.regular_ways(state).parts != nullptr) return kNoState;  // those are quicker still
  return after;
}

bool MaskBuilder::spaced(StateId state, StateId after) {
  const std::vector<TrieNode>& trie = vocabulary_.trie;
  const auto visit = [&](std::uint32_t node, StateId from) {
    const StateId next = machine_.step(from, static_cast<unsigned char>(trie[node].byte));
    if (next == kOverLimit || out_of_time()) return false;
    if (next == kNoState) return true;
    if (trie[node].token >= 0) add(trie[node].token, {}, next);
    return under(node, next);
  };
  add_all(vocabulary_.spaces);
  worst_ = std::max(worst_, machine_.enough(after));
  for (const std::uint32_t node : vocabulary_.after_spaces) {
    if (!visit(node, after)) return false;
  }
  for (std::uint32_t i = 1; i < trie.size(); i = trie[i].end) {
    if (!Vocabulary::Impl::is_space(trie[i].byte) && !visit(i, state)) return false;
  }
  return true;
}

// What may come depends on how many characters tokens have, and which those are is known.
bool MaskBuilder::free(StateId state, const FreeText& text) {
  constexpr std::uint64_t kRestOfCharacter = 3;
  const auto most = text.max_left < 0 ? kInfinite : static_cast<std::uint64_t>(text.max_left);
  const FreeTokens& tokens = vocabulary_.free;
  if (!budget_) {
    add_all(tokens.up_to(most));
    worst_ = std::max(worst_, kRestOfCharacter + static_cast<std::uint64_t>(text.min_left));
    return true;
  }
  if (text.min_left > 0) return below(vocabulary_.trie, 0, state);
  // After whole characters the text may end; those that are cut need a look.
  add_all(tokens.whole_up_to(most));
  worst_ = std::max(worst_, kRestOfCharacter);
  return below(tokens.cut(), 0, state);
}

// Tokens without a quote. When some part takes all of them, as one of a pattern and its complement often does, there is
// no need to look at what the others take.
void MaskBuilder::add_parts(std::vector<StringPart> parts) {
  const auto is_free = [](const StringPart& part) { return part.max_left < 0 && part.min_left == 0; };
  if (parts.size() > 1) {
    std::stable_partition(parts.begin(), parts.end(), [&](const StringPart& part) {
      if (part.kind != StringPart::Kind::kDfa) return part.kind == StringPart::Kind::kFree;
      const std::span<const std::uint16_t> sure = part.dfa->sure_steps(false);
      return is_free(part) && !sure.empty() && sure[static_cast<std::size_t>(part.q)] == CharDfa::kEndless;
    });
  }
  for (const StringPart& part : parts) {
    const bool others = &part != parts.data();
    if (others && part.kind == StringPart::Kind::kDfa && is_free(part) &&
        has_all(vocabulary_.strings.inside(part.all_escapes))) {
      worst_ = std::max(worst_, part.tail + part.dfa->longest_shortest() + kLongestEscape);
    } else {
      add_part(part);
    }
  }
}

void MaskBuilder::add_part(const StringPart& part) {
  const StringTokens& strings = vocabulary_.strings;
  constexpr std::uint64_t kFew = 64;  // texts that are looked at one by one
  if (part.kind == StringPart::Kind::kTexts) {
    for (std::string_view text : part.texts) add_beginnings(text);
    worst_ = std::max(worst_, part.tail + longest_text(part));
  } else if (part.kind == StringPart::Kind::kDfa && part.max_left < 0 && part.min_left == 0 && !part.all_escapes &&
             part.dfa->count(part.q) <= kFew) {
    for (const std::string& text : part.dfa->texts_from(part.q)) {
      const std::string spelled = json_content(text);
      add_beginnings(spelled);
      worst_ = std::max(worst_, part.tail + spelled.size());
    }
  } else if (part.kind == StringPart::Kind::kFree &&
             (part.max_left < 0 || part.max_left > static_cast<std::int64_t>(vocabulary_.longest))) {
    add_all(strings.inside(part.all_escapes));
    worst_ = std::max(worst_, part.tail + kLongestEscape);
  } else {
    const StringTokens::Allowed allowed = strings.allowed(part);
    add_all(*allowed.mask);
    worst_ = std::max(worst_, part.tail + allowed.worst + kLongestEscape);
  }
}

// Tokens with a quote. Most plain characters lead to one state where any others may follow; what comes after the quote
// is walked once for all tokens that go through it.
bool MaskBuilder::quotes(StateId state) {
  const StringTokens& strings = vocabulary_.strings;
  const std::vector<TrieNode>& trie = strings.with_quote();
  StateId any = kNoState;  // after any plain characters
  std::bitset<256> through;
  for (std::uint32_t i = 1; i < trie.size(); i = trie[i].end) {
    if (trie[i].byte == '"' || trie[i].byte == '\\') continue;
    const StateId next = machine_.step(state, static_cast<unsigned char>(trie[i].byte));
    if (next == kOverLimit || out_of_time()) return false;
    if (next == kNoState) continue;
    if (any == kNoState && goes_anywhere(next)) any = next;
    if (next == any) through.set(trie[i].byte);
  }
  if (any == kNoState) return below(trie, 0, state);
  const StateId closed = machine_.step(any, '"');
  if (closed == kOverLimit || (closed != kNoState && !after_quote(closed, through))) return false;
  // The rest one by one.
  if (!below(strings.other_quotes(), 0, state)) return false;
  for (std::uint32_t i = 1; i < trie.size(); i = trie[i].end) {
    if (trie[i].byte == '"' || trie[i].byte == '\\' || through.test(trie[i].byte)) continue;
    const StateId next = machine_.step(state, static_cast<unsigned char>(trie[i].byte));
    if (next == kOverLimit || (next != kNoState && !below(trie, i, next))) return false;
  }
  return true;
}

bool MaskBuilder::goes_anywhere(StateId state) const {
  const std::vector<StringPart> parts = machine_.string_parts(state);
  return parts.size() == 1 && parts[0].kind == StringPart::Kind::kFree && parts[0].max_left < 0 &&
         parts[0].min_left == 0;
}

bool MaskBuilder::after_quote(StateId closed, const std::bitset<256>& firsts) {
  const StringTokens& strings = vocabulary_.strings;
  const std::vector<TrieNode>& trie = strings.after_quote();
  const auto take = [&](TokenId suffix, StateId state) {
    if (suffix < 0) return;
    for (const StringTokens::End& end : strings.ends()[static_cast<std::size_t>(suffix)]) {
      if (firsts.test(end.first)) mask_.set(end.token);
    }
    worst_ = std::max(worst_, machine_.enough(state));
  };
  take(trie[0].token, closed);
  stack_.assign(vocabulary_.longest + 1, closed);
  for (std::uint32_t i = 1; i < trie.size();) {
    const StateId next = machine_.step(stack_[trie[i].depth - 1], static_cast<unsigned char>(trie[i].byte));
    if (next == kOverLimit || out_of_time()) return false;
    if (next == kNoState) {
      i = trie[i].end;
      continue;
    }
    stack_[trie[i].depth] = next;
    take(trie[i].token, next);
    ++i;
  }
  return true;
}

// The tokens that `text` begins with.
void MaskBuilder::add_beginnings(std::string_view text) {
  const std::vector<TrieNode>& trie = vocabulary_.trie;
  std::uint32_t node = 0;
  for (char c : text) {
    node = vocabulary_.child(node, static_cast<unsigned char>(c));
    if (node == 0) return;
    for (TokenId t = trie[node].token; t >= 0; t = vocabulary_.next_same[static_cast<std::size_t>(t)]) mask_.set(t);
  }
}

void MaskBuilder::add_all(const TokenMask& mask) {
  const auto from = mask.words();
  const auto to = mask_.words();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] |= from[i];
}

bool MaskBuilder::has_all(const TokenMask& mask) const {
  const auto wanted = mask.words();
  const auto have = std::as_const(mask_).words();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if ((wanted[i] & ~have[i]) != 0) return false;
  }
  return true;
}

bool MaskBuilder::below(const std::vector<TrieNode>& trie, std::uint32_t top, StateId state) {
  const std::uint32_t base_depth = trie[top].depth;
  stack_.assign(vocabulary_.longest + 1, state);
  for (std::uint32_t i = top + 1; i < trie[top].end;) {
    const TrieNode& node = trie[i];
    const std::size_t depth = node.depth - base_depth;
    const StateId next = machine_.step(stack_[depth - 1], static_cast<unsigned char>(node.byte));
    if (next == kOverLimit || out_of_time()) return false;
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
    node = vocabulary_.child(node, static_cast<unsigned char>(rest[i]));
    if (node == 0) return true;
    if (trie[node].token >= 0) add(trie[node].token, rest.substr(i + 1), Machine::kStart);
  }
  return below(trie, node, Machine::kStart);
}

void MaskBuilder::add(TokenId token, std::string_view text, StateId state) {
  const std::uint64_t rest = std::min(machine_.rest(state) + text.size(), kInfinite);
  if (budget_ && !fits(text, state, rest)) return;
  worst_ = std::max(worst_, std::min(machine_.enough(state) + text.size(), kInfinite));
  for (; token >= 0; token = vocabulary_.next_same[static_cast<std::size_t>(token)]) mask_.set(token);
}

bool MaskBuilder::fits(std::string_view text, StateId state, std::uint64_t rest) {
  const auto budget = static_cast<std::uint64_t>(std::max<std::int64_t>(*budget_, 0));
  if (rest == 0 || (vocabulary_.all_bytes && machine_.enough(state) + text.size() <= budget)) return true;
  if (!machine_.bounded() && rest > budget * vocabulary_.longest) return false;
  const std::uint64_t tokens = vocabulary_.tokens_to_finish(machine_, text, state);
  doubtful_ = doubtful_ || tokens >= kNoTokens;
  return tokens <= budget;
}

void MaskBuilder::along(std::string_view text) {
  const std::vector<std::uint64_t> after = vocabulary_.fewest_tokens(text);
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    node = vocabulary_.child(node, static_cast<unsigned char>(text[i]));
    if (node == 0) return;
    if (after[i + 1] > static_cast<std::uint64_t>(std::max<std::int64_t>(*budget_, 0))) continue;
    for (TokenId t = vocabulary_.trie[node].token; t >= 0; t = vocabulary_.next_same[static_cast<std::size_t>(t)])
      mask_.set(t);
  }
}

CachedMask MaskBuilder::take() && {
  auto [mask, hash] = vocabulary_.intern(mask_);
  return {std::move(mask), worst_, hash};
}

}  // namespace sgl::constraint
