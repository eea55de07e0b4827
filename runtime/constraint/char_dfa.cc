#include "runtime/constraint/char_dfa.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <map>
#include <mutex>
#include <queue>

#include "runtime/base/utf8.h"
#include "runtime/constraint/char_dfa_build.h"
#include "runtime/constraint/formats.h"

namespace sgl::constraint {

using base::Expected;
using DfaPtr = std::shared_ptr<const CharDfa>;
using State = CharDfa::State;

namespace {

constexpr std::size_t kMaxInterned = 4096;
constexpr std::size_t kMaxInternedBytes = 256 << 20;  // of their transitions

std::atomic<bool> interning = true;

// Automata by what they were made from, for the life of the process. When it is full, it forgets all of them; whoever
// uses one keeps it.
class Interned {
 public:
  template <typename Make>
  Expected<DfaPtr> get(const std::string& key, const Make& make) {
    if (!interning) return make();
    {
      const std::scoped_lock lock(mutex_);
      const auto it = known_.find(key);
      if (it != known_.end() && !CharDfaBuilder::worn(*it->second)) return it->second;
    }
    // Made without the lock: it may take long. Two threads may make the same one; the first one stays.
    SGL_TRY(DfaPtr made, make());
    if (made == nullptr) return made;
    const std::scoped_lock lock(mutex_);
    const std::size_t size = CharDfaBuilder::bytes(*made) + key.size();
    if (known_.size() >= kMaxInterned || bytes_ + size > kMaxInternedBytes) known_.clear(), bytes_ = 0;
    const auto [it, fresh] = known_.try_emplace(key, made);
    if (fresh) bytes_ += size;
    if (!fresh && CharDfaBuilder::worn(*it->second)) it->second = made;
    return it->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, DfaPtr, std::less<>> known_;
  std::size_t bytes_ = 0;
};

// Automata of which some must accept and the others (negated) must not.
struct Terms {
  explicit Terms(std::span<const CharDfa::Term> terms) {
    for (const CharDfa::Term& term : terms) parts.push_back(term.dfa.get()), needed.push_back(!term.negated);
  }
  CharDfaBuilder::Accept accept() const {
    return [this](std::span<const State> states) {
      for (std::size_t p = 0; p < parts.size(); ++p) {
        const bool accepts = states[p] != CharDfa::kDead && parts[p]->accepting(states[p]);
        if (accepts != needed[p]) return false;
      }
      return true;
    };
  }
  std::vector<const CharDfa*> parts;
  std::vector<bool> needed;
};

Interned& interned() {
  static Interned table;
  return table;
}

// Sizes that are over one caller's limits may be within another's.
std::string key_of(char kind, std::string_view text, const CharDfa::Limits& limits) {
  std::string key(1, kind);
  for (std::size_t limit : {limits.max_states, limits.max_table, limits.max_pattern_bytes, limits.max_nesting}) {
    key += std::to_string(limit) + ",";
  }
  return key.append(text);
}

Limits nfa_limits(const CharDfa::Limits& limits) {
  Limits out;
  out.max_pattern_bytes = limits.max_pattern_bytes;
  out.max_nesting = limits.max_nesting;
  out.max_states = 4 * limits.max_states;  // an automaton with choices has some that jump only
  return out;
}

Expected<DfaPtr> make_pattern(std::string_view pattern, bool search, const CharDfa::Limits& limits) {
  const Limits nfa = nfa_limits(limits);
  SGL_TRY(const PatternNode tree, parse_pattern(pattern, nfa));
  SGL_TRY(const CharNfa automaton, CharNfa::build(tree, search, nfa));
  SGL_TRY(RawCharDfa raw, determinize(automaton, limits));
  return CharDfaBuilder::finish(std::move(raw));
}

std::vector<const CharDfa*> pointers(std::span<const DfaPtr> parts) {
  std::vector<const CharDfa*> out;
  for (const DfaPtr& part : parts) out.push_back(part.get());
  return out;
}

}  // namespace

void CharDfa::set_interning(bool on) {
  interning = on;
}

Expected<DfaPtr> CharDfa::pattern(std::string_view pattern, bool search, const Limits& limits) {
  return interned().get(key_of(search ? 's' : 'w', pattern, limits),
                        [&] { return make_pattern(pattern, search, limits); });
}

Expected<DfaPtr> CharDfa::format(std::string_view name, const Limits& limits) {
  const StringFormat* format = find_format(name);
  if (format == nullptr) return DfaPtr{};
  return interned().get(key_of('f', name, limits), [&]() -> Expected<DfaPtr> {
    std::vector<Term> terms;
    for (const FormatTerm& term : format->terms) {
      SGL_TRY(DfaPtr part, CharDfa::pattern(term.pattern, false, limits));
      terms.push_back({std::move(part), term.negated});
    }
    return all_of(terms, limits);
  });
}

Expected<DfaPtr> CharDfa::all_of(std::span<const Term> terms, const Limits& limits) {
  if (terms.size() == 1 && !terms[0].negated) return terms[0].dfa;
  const Terms all(terms);
  SGL_TRY(RawCharDfa raw, CharDfaBuilder::product(all.parts, all.needed, all.accept(), limits));
  return CharDfaBuilder::finish(std::move(raw));
}

Expected<bool> CharDfa::overlap(std::span<const Term> terms, const Limits& limits) {
  const Terms all(terms);
  return CharDfaBuilder::product_accepts(all.parts, all.needed, all.accept(), limits);
}

Expected<DfaPtr> CharDfa::tagged(std::span<const DfaPtr> parts, const std::function<bool(std::uint64_t)>& accept,
                                 const Limits& limits) {
  SGL_ASSERT(parts.size() <= 64);
  std::vector<std::uint64_t> tags;  // of the states, in their order
  const std::vector<const CharDfa*> raw_parts = pointers(parts);
  SGL_TRY(RawCharDfa raw, CharDfaBuilder::product(
                              raw_parts, std::vector<bool>(parts.size(), false),
                              [&](std::span<const State> states) {
                                std::uint64_t bits = 0;
                                for (std::size_t p = 0; p < states.size(); ++p) {
                                  const bool accepts = states[p] != kDead && raw_parts[p]->accepting(states[p]);
                                  bits |= std::uint64_t{accepts} << p;
                                }
                                tags.push_back(bits);
                                return accept(bits);
                              },
                              limits));
  tags.resize(raw.size());
  raw.tags = std::move(tags);
  return CharDfaBuilder::finish(std::move(raw));
}

DfaPtr CharDfa::restricted(const std::function<bool(std::uint64_t)>& accept) const {
  RawCharDfa raw{{class_starts_, class_of_range_, classes_}, table_, accepting_, tags_};
  for (std::size_t s = 0; s < size(); ++s) {
    if (!accept(tags(static_cast<State>(s)))) raw.accepting[s] = 0;
  }
  return CharDfaBuilder::finish(std::move(raw));
}

std::size_t CharDfa::class_of(char32_t c) const {
  const auto it = std::upper_bound(class_starts_.begin(), class_starts_.end(), c);
  return class_of_range_[static_cast<std::size_t>(it - class_starts_.begin()) - 1];
}

bool CharDfa::any_step(State state, char32_t lo, char32_t hi) const {
  auto i = static_cast<std::size_t>(std::upper_bound(class_starts_.begin(), class_starts_.end(), lo) -
                                    class_starts_.begin()) -
           1;
  const State* row = table_.data() + static_cast<std::size_t>(state) * classes_;
  for (; i < class_starts_.size() && class_starts_[i] <= hi; ++i) {
    if (row[class_of_range_[i]] != kDead) return true;
  }
  return false;
}

std::uint64_t CharDfa::next_id() {
  static std::atomic<std::uint64_t> ids = 0;
  return ++ids;
}

std::vector<State> CharDfa::successors(State state, char32_t lo, char32_t hi) const {
  std::vector<State> out;
  const State* row = table_.data() + static_cast<std::size_t>(state) * classes_;
  const auto first = std::upper_bound(class_starts_.begin(), class_starts_.end(), lo) - class_starts_.begin() - 1;
  for (auto i = static_cast<std::size_t>(first); i < class_starts_.size() && class_starts_[i] <= hi; ++i) {
    if (row[class_of_range_[i]] != kDead) out.push_back(row[class_of_range_[i]]);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::optional<CharDfa::Reach> CharDfa::reach(State state, std::span<const base::CodeRange> ranges, std::size_t most,
                                             std::size_t max_work) const {
  std::vector<bool> wanted(classes_, false);
  for (const base::CodeRange& range : ranges) {
    auto i = static_cast<std::size_t>(std::upper_bound(class_starts_.begin(), class_starts_.end(), range.lo) -
                                      class_starts_.begin()) -
             1;
    for (; i < class_starts_.size() && class_starts_[i] <= range.hi; ++i) wanted[class_of_range_[i]] = true;
  }
  std::vector<std::size_t> classes;
  for (std::size_t c = 0; c < classes_; ++c) {
    if (wanted[c]) classes.push_back(c);
  }
  Reach out;
  out.states.push_back(state);
  const State* first = table_.data() + static_cast<std::size_t>(state) * classes_;
  out.none = std::all_of(classes.begin(), classes.end(), [&](std::size_t c) { return first[c] == kDead; });
  std::vector<bool> met(size(), false);
  met[static_cast<std::size_t>(state)] = true;
  // Breadth first, so a state is met where the most steps are left.
  for (std::size_t from = 0; out.steps < most; ++out.steps) {
    const std::size_t end = out.states.size();
    if (from == end) {  // nothing new: so it goes on for ever
      out.steps = most;
      break;
    }
    for (; from < end; ++from) {
      if ((from + 1) * classes.size() > max_work) return std::nullopt;
      const State* row = table_.data() + static_cast<std::size_t>(out.states[from]) * classes_;
      for (std::size_t c : classes) {
        const State to = row[c];
        if (to == kDead) {
          out.states.resize(end);
          return out;
        }
        if (met[static_cast<std::size_t>(to)]) continue;
        met[static_cast<std::size_t>(to)] = true;
        out.states.push_back(to);
      }
    }
  }
  return out;
}

std::vector<std::string> CharDfa::texts_from(State state) const {
  std::vector<std::string> out;
  std::string prefix;
  const std::function<void(State)> visit = [&](State at) {
    if (accepting(at)) out.push_back(prefix);
    const State* row = table_.data() + static_cast<std::size_t>(at) * classes_;
    for (std::size_t i = 0; i < class_starts_.size(); ++i) {
      const State to = row[class_of_range_[i]];
      if (to == kDead) continue;
      const char32_t end = i + 1 < class_starts_.size() ? class_starts_[i + 1] : base::kMaxCodePoint + 1;
      for (char32_t c = class_starts_[i]; c < end; ++c) {
        const std::size_t size = prefix.size();
        base::append_utf8(prefix, c);
        visit(to);
        prefix.resize(size);
      }
    }
  };
  visit(state);
  return out;
}

bool CharDfa::accepts(std::string_view text) const {
  State state = start();
  for (std::size_t at = 0; at < text.size() && state != kDead;) {
    const base::DecodedChar c = base::decode_utf8(text, at);
    if (!c.valid) return false;
    state = step(state, c.code);
    at += c.bytes;
  }
  return state != kDead && accepting(state);
}

namespace {

// How fit a character is to stand for its class in a sample; less is better.
int plainness(char32_t c) {
  if (c >= 'a' && c <= 'z') return 0;
  if (c >= '0' && c <= '9') return 1;
  if (c >= 'A' && c <= 'Z') return 2;
  if (c > ' ' && c < 127) return c == '"' || c == '\\' ? 5 : 3;
  if (c == ' ') return 4;
  return c < 32 || c == 127 ? 8 : c < 0xA0 ? 7 : 6;
}

}  // namespace

// Least bytes first, by the best that a prefix can become; every prefix can become something.
std::vector<std::string> CharDfa::samples(State state, std::size_t max) const {
  constexpr std::size_t kMaxVisits = 20'000;
  std::vector<std::string> out;
  if (state == kDead) return out;
  std::vector<char32_t> face(classes_, 0);
  std::vector<int> score(classes_, 99);
  for (std::size_t i = 0; i < class_starts_.size(); ++i) {
    const char32_t lo = class_starts_[i], hi = i + 1 < class_starts_.size() ? class_starts_[i + 1] - 1 : lo;
    for (char32_t c : {lo, hi, U'a', U'0', U'A', U'-', U'_', U' '}) {
      if (c < lo || c > std::max(lo, hi)) continue;
      if (plainness(c) < score[class_of_range_[i]]) {
        score[class_of_range_[i]] = plainness(c);
        face[class_of_range_[i]] = c;
      }
    }
  }
  struct Item {
    std::size_t bytes;  // when finished as shortly as possible
    std::size_t order;
    std::string text;
    State state;  // kDead: finished
    // Of equals the newest, which is nearer to its end.
    bool operator>(const Item& other) const { return std::tie(bytes, other.order) > std::tie(other.bytes, order); }
  };
  std::priority_queue<Item, std::vector<Item>, std::greater<>> queue;
  std::size_t order = 0;
  queue.push({shortest_bytes(state), order++, "", state});
  for (std::size_t visits = 0; visits < kMaxVisits && !queue.empty() && out.size() < max; ++visits) {
    const Item item = queue.top();
    queue.pop();
    if (item.state == kDead) {
      out.push_back(item.text);
      continue;
    }
    if (accepting(item.state)) queue.push({item.text.size(), order++, item.text, kDead});
    for (std::size_t c = 1; c < classes_; ++c) {
      const State to = table_[static_cast<std::size_t>(item.state) * classes_ + c];
      if (to == kDead) continue;
      std::string text = item.text;
      base::append_utf8(text, face[c]);
      const std::size_t bytes = text.size() + shortest_bytes(to);
      queue.push({bytes, order++, std::move(text), to});
    }
  }
  return out;
}

}  // namespace sgl::constraint
