#include "runtime/constraint/json_machine.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace sgl::constraint {
namespace {

using Kind = Thread::Kind;

std::uint64_t mix(std::uint64_t h, std::uint64_t x) {  // the finaliser of splitmix64
  h ^= x + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2);
  h ^= h >> 30, h *= 0xbf58476d1ce4e5b9;
  return h ^ h >> 27;
}

// Sums of products of pairs, which do not wait for each other (NH of UMAC, RFC 4418), mixed once.
std::uint64_t hash_of(const Thread& t) {
  const auto pair = [](std::uint64_t high, std::uint64_t low) { return high << 32 | (low & 0xFFFFFFFF); };
  const auto as_bits = [](std::int32_t x) { return static_cast<std::uint64_t>(static_cast<std::uint32_t>(x)); };
  const std::uint64_t head = static_cast<std::uint64_t>(t.kind) | static_cast<std::uint64_t>(t.spaces) << 8 |
                             std::uint64_t{t.kept} << 16 | std::uint64_t{t.breaks} << 17;
  const std::uint64_t sum = (pair(t.frame, head) + 0x9e3779b97f4a7c15) * (pair(as_bits(t.what), as_bits(t.q)) * 2 + 1) +
                            (pair(t.n, t.pending) + 0xd1b54a32d192ed03) * (pair(t.depth, t.lo) * 2 + 1) +
                            (pair(t.hi, t.taken_lo) + 0x8cb92ba72f3d8dd7) * (pair(t.taken_hi, t.spelled) * 2 + 1) +
                            pair(0, t.gap) * 0xaef17502108ef2d9;
  return sum ^ sum >> 32;
}

bool in_string(Kind kind) {
  return kind == Kind::kText || kind == Kind::kListed || kind == Kind::kUnlisted;
}

}  // namespace

JsonMachine::JsonMachine(SchemaDoc doc, const SchemaOptions& options, std::optional<std::uint64_t> longest,
                         bool explored)
    : Machine(options.limits.max_states), options_(options), longest_(longest), goals_(std::move(doc), options_) {
  frames_.emplace_back();
  const GoalId root = goals_.root();
  if (goals_.cost(root) >= kInfinite) return;
  if (!explored) goals_.explore();
  Threads start{{.kind = Kind::kValue, .what = static_cast<std::int32_t>(root)}};
  start[0].rest.bytes = rest_with_space(start[0]);
  if (!goals_.problem()) intern(start);
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

StateId JsonMachine::intern(Threads& threads) const {
  if (threads.empty()) return kNoState;
  // Mostly they are, since within strings each thread of a sorted state becomes one in the same frame.
  if (!std::is_sorted(threads.begin(), threads.end())) std::sort(threads.begin(), threads.end());
  threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
  merge_values(threads);
  std::uint64_t h = threads.size();
  for (const Thread& t : threads) h = mix(h, hash_of(t));
  const std::uint32_t known = index_.find(h, [&](std::uint32_t id) { return threads_[id] == threads; });
  if (known != InternIndex::kNone) return static_cast<StateId>(known);
  if (frames_.size() > options_.limits.max_frames || threads.size() > options_.limits.max_threads || goals_.problem())
    return kOverLimit;
  Facts facts;
  facts.final = true;
  for (const Thread& t : threads) {
    const bool number_ends = t.kind == Kind::kNumber && t.frame == 0 && goals_.number(t.what).accepting(t.q);
    facts.accepting = facts.accepting || number_ends || t.kind == Kind::kDone;
    facts.final = facts.final && t.kind == Kind::kDone;
    facts.rest = std::min(facts.rest, t.rest.bytes);
    facts.most = std::max(facts.most, most_of(t));
    facts.certain = facts.certain && !frame(t.frame).differ && !may_be_taken(t);
    if (t.kind == Kind::kValue || t.kind == Kind::kColon)
      facts.certain = facts.certain && !goals_.differs(static_cast<GoalId>(t.what));
    if (indented() && frame(t.frame).depth > kMaxIndentDepth) return kOverLimit;
  }
  if (!facts.certain) facts.most = with_room(facts.most);
  facts.may = may_follow(threads);
  const StateId id = add_state(facts);
  if (id < 0) return id;
  threads_.push_back(threads);
  alike_.emplace_back();
  index_.add(h, static_cast<std::uint32_t>(id));
  return id;
}

void JsonMachine::merge_values(Threads& threads) const {
  if (threads.size() < 2 || threads[0].kind != Kind::kValue) return;
  const auto by_goal = [](const Thread& t) { return std::tuple(t.kind, t.what, t.spaces, t.gap, t.breaks); };
  std::stable_sort(threads.begin(), threads.end(),
                   [&](const Thread& a, const Thread& b) { return by_goal(a) < by_goal(b); });
  Threads merged;
  for (std::size_t i = 0; i < threads.size();) {
    std::size_t end = i + 1;
    while (end < threads.size() && by_goal(threads[end]) == by_goal(threads[i])) ++end;
    const bool whole = threads[i].kind == Kind::kValue && end > i + 1;
    std::set<FrameId> members;
    for (std::size_t j = i; j < end; ++j) {
      const Frame& f = frame(threads[j].frame);
      if (!whole || unique_items(f)) {
        merged.push_back(threads[j]);
      } else if (f.kind == Frame::Kind::kAny) {
        members.insert(f.members.begin(), f.members.end());
      } else {
        members.insert(threads[j].frame);
      }
    }
    if (!members.empty()) {
      Frame any;
      any.kind = Frame::Kind::kAny;
      any.members.assign(members.begin(), members.end());
      Thread t = threads[i];
      t.frame = members.size() == 1 ? *members.begin() : intern_frame(std::move(any));
      t.rest.bytes = rest_with_space(t);
      merged.push_back(t);
    }
    i = end;
  }
  threads.swap(merged);
}

StateId JsonMachine::step_all(const Threads& from, unsigned char byte, Text text) const {
  scratch_.clear();
  for (const Thread& t : from) step_thread(t, byte, text, scratch_);
  return intern(scratch_);
}

StateId JsonMachine::expand(StateId from, unsigned char byte) const {
  const Threads& threads = threads_[static_cast<std::size_t>(from)];
  const StateId made = step_all(threads, byte, nullptr);
  if (made != kOverLimit && is_plain(byte) && in_string(threads[0].kind)) {
    std::optional<std::bitset<256>>& same = alike_[static_cast<std::size_t>(from)];
    if (!same) same = alike(threads);
    if (same->test(byte)) enter(from, *same, made);
  }
  return made;
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
  if (before == nullptr && threads_[static_cast<std::size_t>(walk.state)][0].spaces != Thread::Spaces::kSome)
    walk.text = 0;
  if (before != nullptr && (byte == '"' || !in_string(before->kind))) {
    const std::string text = texts_[walk.text];
    next = step_all(threads_[static_cast<std::size_t>(walk.state)], byte, &text);
  }
  const Thread* after = kept(next);
  if (after == nullptr) {
    // Between tokens of JSON there is no text to keep; white space in a row is counted instead.
    const bool space = next >= 0 && threads_[static_cast<std::size_t>(next)][0].spaces == Thread::Spaces::kSome;
    return {next, !space ? 0 : before == nullptr ? walk.text + 1 : 1};
  }
  if (before == nullptr && after->kind == Kind::kUnlisted) return {next, 0};  // the quote is not part of a name
  std::string text = before == nullptr ? std::string() : texts_[walk.text];
  text.push_back(static_cast<char>(byte));
  return {next, text_id(std::move(text))};
}

std::uint32_t JsonMachine::text_id(std::string text) const {
  const auto [it, fresh] = text_index_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
  if (fresh) texts_.push_back(std::move(text));
  return it->second;
}

Machine::Walk JsonMachine::settle(Walk walk) const {
  if (walk.text < static_cast<std::uint32_t>(options_.limits.whitespace_run)) return walk;
  const std::lock_guard lock(mutex_);
  Threads threads = threads_[static_cast<std::size_t>(walk.state)];
  if (threads[0].spaces != Thread::Spaces::kSome) return walk;  // then `text` is one
  for (Thread& t : threads) t.spaces = Thread::Spaces::kEnough;
  return {intern(threads), 0};
}

// Ways on without repetition: many threads go on alike.
struct JsonMachine::Parts {
  std::vector<StringPart> out;
  std::unordered_set<std::string_view> texts;

  void add(StringPart part) {
    const auto same = [&](const StringPart& p) {
      return p.kind == part.kind && p.all_escapes == part.all_escapes && p.max_left == part.max_left &&
             p.min_left == part.min_left && p.dfa == part.dfa && p.q == part.q && p.excludes == part.excludes;
    };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(std::move(part));
  }
};

std::vector<StringPart> JsonMachine::string_parts(StateId state) const {
  const std::lock_guard lock(mutex_);
  Parts parts;
  for (const Thread& t : threads_[static_cast<std::size_t>(state)]) {
    if (!in_string(t.kind) || t.pending != 0 || !string_part(t, parts)) return {};
  }
  if (!parts.texts.empty()) {
    StringPart listed;
    listed.kind = StringPart::Kind::kTexts;
    listed.texts.assign(parts.texts.begin(), parts.texts.end());
    parts.out.push_back(std::move(listed));
  }
  for (StringPart& part : parts.out) part.tail = most(state);
  return std::move(parts.out);
}

// False: how the string goes on cannot be said so simply.
bool JsonMachine::string_part(const Thread& t, Parts& out) const {
  if (t.kind == Kind::kListed) {
    const Frame& f = frame(t.frame);
    const ObjectShape& shape = object_of(f);
    for (std::uint32_t i = t.lo; i < t.hi; ++i) {
      const std::string_view key = shape.names[shape.sorted[i]].key;
      if (may_add(f, shape.sorted[i])) out.texts.insert(key.substr(t.depth));
    }
    return true;
  }
  StringPart part;
  part.excludes = t.hi != 0 || t.taken_hi != 0;
  if (t.kind == Kind::kUnlisted) {
    part.dfa = object_of(frame(t.frame)).keys.get();
  } else {
    const TextShape& shape = goals_.text(t.what);
    part.dfa = shape.dfa.get();
    part.all_escapes = shape.escapes == Escapes::kAll;
    if (shape.max >= 0) part.max_left = shape.max - t.n;
    part.min_left = std::max<std::int64_t>(shape.min - t.n, 0);
  }
  // Few texts of which some are taken, or taken ones that are as long as may be: each has to be looked at.
  const bool finite = part.max_left >= 0 || (part.dfa != nullptr && part.dfa->count(t.q) < CharDfa::kMany);
  if (finite && part.excludes) return false;
  part.kind = part.dfa != nullptr ? StringPart::Kind::kDfa : StringPart::Kind::kFree;
  part.q = part.dfa != nullptr ? t.q : 0;
  out.add(std::move(part));
  return true;
}

std::bitset<256> JsonMachine::may_follow(const Threads& threads) const {
  static const auto of = [](std::string_view bytes) {
    std::bitset<256> out;
    for (char c : bytes) out.set(static_cast<unsigned char>(c));
    return out;
  };
  static const std::bitset<256> kSpaces = of(" \n\t\r"), kValues = of("\"[{-0123456789ntf"),
                                kNumbers = of("0123456789.-+eE,]}"), kLetters = of("aeflnrsu"), kEnds = of(",]}");
  const std::bitset<256> spaces = options_.whitespace == Whitespace::kAny ? kSpaces : std::bitset<256>();
  std::bitset<256> out;
  const std::bitset<256> line_break = indented() ? of("\n") : std::bitset<256>();
  for (const Thread& t : threads) {
    if (t.gap != 0) {
      out.set(t.breaks ? '\n' : ' ');
      continue;
    }
    switch (t.kind) {
      case Kind::kValue:
        out |= kValues | spaces;
        break;
      case Kind::kWord:
        out |= kLetters;
        break;
      case Kind::kNumber:
        out |= kNumbers | spaces | line_break;
        break;
      case Kind::kText:
      case Kind::kListed:
      case Kind::kUnlisted:
        return std::bitset<256>().set() & ~(std::bitset<256>(0xFFFFFFFF));
      case Kind::kEmptyEnd:
      case Kind::kAfter:
        out |= kEnds | spaces | line_break;
        break;
      case Kind::kName:
        out |= of("\"") | spaces;
        break;
      case Kind::kColon:
        out |= of(":") | spaces;
        break;
      case Kind::kDone:
        break;
    }
  }
  return out;
}

std::bitset<256> JsonMachine::alike(const Threads& threads) const {
  static const std::bitset<256> kPlain = [] {
    std::bitset<256> out;
    for (int c = 0x20; c < 0x7F; ++c) out.set(static_cast<std::size_t>(c), is_plain(static_cast<unsigned char>(c)));
    return out;
  }();
  std::bitset<256> out = kPlain;
  const auto exclude = [&](const std::string& text, const Thread& t) {
    if (t.depth < text.size()) out.reset(static_cast<unsigned char>(text[t.depth]));
  };
  for (const Thread& t : threads) {
    const bool name = t.kind == Kind::kListed || t.kind == Kind::kUnlisted;
    if ((!name && t.kind != Kind::kText) || t.pending != 0) return {};
    const ObjectShape* shape = name ? &object_of(frame(t.frame)) : nullptr;
    const CharDfa* dfa = t.kind == Kind::kListed ? nullptr : name ? shape->keys.get() : goals_.text(t.what).dfa.get();
    if (dfa != nullptr && !dfa->loops_on_plain(t.q)) return {};
    for (std::uint32_t i = t.lo; i < t.hi; ++i) exclude(shape->names[shape->sorted[i]].key, t);
    for (std::uint32_t i = t.taken_lo; i < t.taken_hi; ++i) exclude(taken_[frame(t.frame).taken][i], t);
  }
  return out;
}

int JsonMachine::only_byte(StateId state) const {
  if (accepting(state)) return -1;
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
