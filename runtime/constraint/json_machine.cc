#include "runtime/constraint/json_machine.h"

#include <algorithm>

namespace sgl::constraint {
namespace {

using Kind = Thread::Kind;

std::uint64_t mix(std::uint64_t h, std::uint64_t x) {  // the finaliser of splitmix64
  h ^= x + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2);
  h ^= h >> 30, h *= 0xbf58476d1ce4e5b9;
  return h ^ h >> 27;
}

std::uint64_t hash_of(const Thread& t) {
  std::uint64_t h = static_cast<std::uint64_t>(t.kind) | std::uint64_t{t.spaces} << 8 | std::uint64_t{t.kept} << 16 |
                    std::uint64_t{t.frame} << 32;
  for (std::uint64_t x : {std::uint64_t{static_cast<std::uint32_t>(t.what)} << 32 | static_cast<std::uint32_t>(t.q),
                          std::uint64_t{t.n} << 32 | t.pending, std::uint64_t{t.depth} << 32 | t.lo,
                          std::uint64_t{t.hi} << 32 | t.taken_lo, std::uint64_t{t.taken_hi}})
    h = mix(h, x);
  return h;
}

// Longest way that an escape or a cut character may still take: \ud83d\ude00 after its backslash.
constexpr std::uint64_t kLongestPending = 11;

constexpr std::size_t kMaxThreads = 5'000;  // ways to read one text, followed side by side; some microseconds each

bool in_string(Kind kind) {
  return kind == Kind::kText || kind == Kind::kListed || kind == Kind::kUnlisted;
}

}  // namespace

JsonMachine::JsonMachine(SchemaDoc doc, const SchemaOptions& options)
    : Machine(options.limits.max_states), options_(options), goals_(std::move(doc), options_) {
  frames_.emplace_back();
  frame_index_.emplace(0, 0);
  const GoalId root = goals_.root();
  if (goals_.cost(root) >= kInfinite) return;
  goals_.explore();
  if (!goals_.problem()) intern({{.kind = Kind::kValue, .what = static_cast<std::int32_t>(root)}});
}

bool JsonMachine::worn() const {
  const std::lock_guard lock(mutex_);
  return states() > max_states() / 2 || frames_.size() > options_.limits.max_frames / 2 || texts_.size() > 100'000 ||
         taken_bytes_ > (64 << 20) || goals_.size() > options_.limits.max_goals / 2;
}

std::size_t JsonMachine::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t threads = 0;
  for (const Threads& list : threads_) threads += list.size();
  return states() * 400 + threads * sizeof(Thread) + frames_.size() * 200 + goals_.bytes() + taken_bytes_;
}

StateId JsonMachine::intern(Threads threads) const {
  if (threads.empty()) return kNoState;
  std::sort(threads.begin(), threads.end());
  threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
  std::uint64_t h = threads.size();
  for (const Thread& t : threads) h = mix(h, hash_of(t));
  const auto [first, last] = index_.equal_range(h);
  for (auto it = first; it != last; ++it) {
    if (threads_[static_cast<std::size_t>(it->second)] == threads) return it->second;
  }
  if (frames_.size() > options_.limits.max_frames || threads.size() > kMaxThreads || goals_.problem())
    return kOverLimit;
  Facts facts{false, true, kInfinite};
  for (const Thread& t : threads) {
    const bool number_ends = t.kind == Kind::kNumber && t.frame == 0 && goals_.number(t.what).accepting(t.q);
    facts.accepting = facts.accepting || number_ends || t.kind == Kind::kDone;
    facts.final = facts.final && t.kind == Kind::kDone;
    facts.rest = std::min(facts.rest, rest_of(t));
  }
  const StateId id = add_state(facts);
  if (id < 0) return id;
  threads_.push_back(std::move(threads));
  index_.emplace(h, id);
  return id;
}

StateId JsonMachine::step_all(const Threads& from, unsigned char byte, Text text) const {
  Threads out;
  for (const Thread& t : from) step_thread(t, byte, text, out);
  return intern(std::move(out));
}

StateId JsonMachine::expand(StateId from, unsigned char byte) const {
  return step_all(threads_[static_cast<std::size_t>(from)], byte, nullptr);
}

// Texts are kept while a name or item is read that must not come again, and entered in its frame when it ends.
Machine::Walk JsonMachine::advance(Walk walk, unsigned char byte) const {
  StateId next = step(walk.state, byte);
  const std::lock_guard lock(mutex_);
  const auto kept = [&](StateId state) -> const Thread* {
    if (state < 0) return nullptr;
    for (const Thread& t : threads_[static_cast<std::size_t>(state)]) {
      if (t.kept) return &t;
    }
    return nullptr;
  };
  const Thread* before = kept(walk.state);
  if (before != nullptr && (byte == '"' || !in_string(before->kind))) {
    const std::string text = texts_[walk.text];
    next = step_all(threads_[static_cast<std::size_t>(walk.state)], byte, &text);
  }
  const Thread* after = kept(next);
  if (after == nullptr) return {next, 0};
  if (before == nullptr && after->kind == Kind::kUnlisted) return {next, 0};  // the quote is not part of a name
  std::string text = before == nullptr ? std::string() : texts_[walk.text];
  text.push_back(static_cast<char>(byte));
  const auto [it, fresh] = text_index_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
  if (fresh) texts_.push_back(std::move(text));
  return {next, it->second};
}

PlainRegion JsonMachine::plain_region(StateId state) const {
  const std::lock_guard lock(mutex_);
  const Threads& threads = threads_[static_cast<std::size_t>(state)];
  PlainRegion best;
  bool counted = false;
  for (const Thread& t : threads) {
    if (!in_string(t.kind) || t.pending != 0) return {};
    if (t.kind == Kind::kListed) continue;
    const bool name = t.kind == Kind::kUnlisted;
    const TextShape* shape = name ? nullptr : &goals_.text(t.what);
    const CharDfa* dfa = name ? object_of(frame(t.frame)).keys.get() : shape->dfa.get();
    const std::int64_t max = name ? -1 : shape->max;
    counted = counted || max >= 0;
    if (dfa != nullptr && (!dfa->loops_on_plain(t.q) || max >= 0)) continue;
    const std::uint64_t chars = max < 0 ? kInfinite : static_cast<std::uint64_t>(max) - t.n;
    const bool all = !name && shape->escapes == Escapes::kAll;
    using E = PlainRegion::Escapes;
    const E escapes = dfa != nullptr ? E::kNone : all ? E::kAll : E::kCanonical;
    if (chars < best.max_chars || (chars == best.max_chars && escapes <= best.escapes)) continue;
    best = {chars, escapes, std::min(rest_of(t) + kLongestPending + 2, kInfinite)};
  }
  // Of several strings with bounds, each has its own; another than the one found might allow more.
  if (best.max_chars < kInfinite && threads.size() > 1) return {};
  if (best.escapes == PlainRegion::Escapes::kCanonical && counted) best.escapes = PlainRegion::Escapes::kNone;
  return best;
}

int JsonMachine::only_byte(StateId state) const {
  if (accepting(state) || plain_region(state).max_chars > 0) return -1;
  {
    const std::lock_guard lock(mutex_);
    const auto it = only_.find(state);
    if (it != only_.end()) return it->second;
  }
  int only = -1;
  for (int byte = 0; byte < 256; ++byte) {
    const StateId next = step(state, static_cast<unsigned char>(byte));
    if (next == kNoState) continue;
    if (only >= 0 || next < 0) {
      only = -1;
      break;
    }
    only = byte;
  }
  const std::lock_guard lock(mutex_);
  only_[state] = only;
  return only;
}

int JsonMachine::shortest_byte(StateId state) const {
  {
    const std::lock_guard lock(mutex_);
    const auto it = shortest_.find(state);
    if (it != shortest_.end()) return it->second;
  }
  int best = -1;
  std::uint64_t least = rest(state);
  for (int byte = 0; byte < 256; ++byte) {
    const StateId next = step(state, static_cast<unsigned char>(byte));
    if (next >= 0 && rest(next) < least) least = rest(next), best = byte;
  }
  const std::lock_guard lock(mutex_);
  shortest_[state] = best;
  return best;
}

}  // namespace sgl::constraint
