// How far the threads of a JSON machine are from the end.
#include <algorithm>

#include "runtime/constraint/json_machine.h"
#include "runtime/constraint/string_walk.h"

namespace sgl::constraint {
namespace {

using Kind = Thread::Kind;

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return std::min(a + b, kInfinite);
}

}  // namespace

std::uint64_t JsonMachine::rest_of(const Thread& t) const {
  const Frame& f = frame(t.frame);
  if (f.rest >= kInfinite && t.kind != Kind::kEmptyEnd && t.kind != Kind::kName && t.kind != Kind::kListed &&
      t.kind != Kind::kUnlisted)
    return kInfinite;
  switch (t.kind) {
    case Kind::kValue:
      return plus(goals_.cost(static_cast<GoalId>(t.what)), f.rest);
    case Kind::kWord:
      return word_taken(t) ? kInfinite : plus((t.what == 2 ? 5 : 4) - t.n, f.rest);
    case Kind::kNumber: {
      const NumberDfa& dfa = goals_.number(t.what);
      if (t.taken_lo < t.taken_hi && dfa.count(t.q) <= t.taken_hi - t.taken_lo) return number_rest(t);
      return plus(dfa.shortest(t.q) + (is_taken(t) ? 1 : 0), f.rest);
    }
    case Kind::kText:
      return plus(text_rest(t), f.rest);
    case Kind::kEmptyEnd:
      return plus(1, frame(f.parent).rest);
    case Kind::kName:
      return before_name_rest(t);
    case Kind::kListed:
      return listed_rest(t);
    case Kind::kUnlisted:
      return unlisted_rest(t);
    case Kind::kColon:
      return plus(goals_.cost(static_cast<GoalId>(t.what)) + 1, f.rest);
    case Kind::kAfter:
      return f.rest;
    case Kind::kDone:
      return 0;
  }
  return kInfinite;
}

std::uint64_t JsonMachine::most_of(const Thread& t) const {
  return t.kind == Kind::kListed ? with_space(t, listed_rest(t, true)) : t.rest.bytes;
}

std::uint64_t JsonMachine::with_space(const Thread& t, std::uint64_t rest) const {
  if (!indented() || rest >= kInfinite || t.kind == Kind::kDone) return rest;
  // Every byte that is no white space comes with less of it than this, so the sum falls with each of them.
  const std::uint64_t most = 2 + static_cast<std::uint64_t>(options_.indent) * kMaxIndentDepth;
  const bool line_may_end = t.kind == Kind::kAfter || (t.kind == Kind::kNumber && t.frame != 0);
  return std::min(rest * most + t.gap + (line_may_end ? most - 1 : 0), kInfinite - 1);
}

std::uint64_t JsonMachine::shortest() const {
  if (!indented()) return rest(kStart);
  std::uint64_t bytes = 0;
  for (StateId state = kStart; rest(state) > 0; ++bytes) {
    const int byte = shortest_byte(state);
    state = byte < 0 ? kNoState : step(state, static_cast<unsigned char>(byte));
    if (state < 0) return kInfinite;
  }
  return bytes;
}

bool JsonMachine::word_taken(const Thread& t) const {
  if (t.taken_lo == t.taken_hi) return false;
  const std::vector<std::string>& taken = taken_[frame(t.frame).taken];
  const char* const words[] = {"null", "true", "false"};
  return std::binary_search(taken.begin() + t.taken_lo, taken.begin() + t.taken_hi, words[t.what]);
}

// So few numbers are left that all of them may be taken: those are taken out.
std::uint64_t JsonMachine::number_rest(const Thread& t) const {
  const NumberDfa& dfa = goals_.number(t.what);
  const std::vector<std::string>& taken = taken_[frame(t.frame).taken];
  std::uint64_t excluded = 0;
  for (std::uint32_t i = t.taken_lo; i < t.taken_hi; ++i) {
    NumberDfa::State q = t.q;
    for (std::size_t at = t.depth; at < taken[i].size() && q >= 0; ++at)
      q = dfa.step(q, static_cast<unsigned char>(taken[i][at]));
    if (q >= 0 && dfa.accepting(q)) ++excluded;
  }
  if (dfa.count(t.q) <= excluded) return kInfinite;
  return plus(dfa.shortest(t.q) + (is_taken(t) ? 1 : 0), frame(t.frame).rest);
}

std::uint64_t JsonMachine::text_rest(const Thread& t) const {
  const TextShape& shape = goals_.text(t.what);
  const auto chars = static_cast<std::int64_t>(t.n);
  if (!can_differ(shape.dfa.get(), nullptr, t)) return kInfinite;
  const std::uint64_t taken = is_taken(t) ? 1 : 0;
  if (taken != 0 && t.pending == 0 && shape.max >= 0 && chars >= shape.max) return kInfinite;  // nor can it go on
  if (t.pending == 0) return plus(goals_.text_rest(shape, t.q, chars), taken);
  const std::int64_t then = shape.max >= 0 || chars < shape.min ? chars + 1 : chars;
  if (!shape.dfa) return plus(goals_.text_rest(shape, 0, then), pending_range(t.pending).bytes);
  return pending_rest(*shape.dfa, t.q, t.pending, shape.escapes,
                      [&](CharDfa::State q) { return goals_.text_rest(shape, q, then); });
}

// The cheapest property that may come next, and what is needed after it. Only names that agree with what is read.
std::uint64_t JsonMachine::listed_rest(const Thread& t, bool most) const {
  const Frame& f = frame(t.frame);
  const ObjectShape& shape = object_of(f);
  const std::uint64_t close = plus(1, frame(f.parent).rest);
  if (f.need >= kInfinite) return kInfinite;
  std::uint64_t best = most ? 0 : kInfinite;
  for (std::uint32_t i = t.lo; i < t.hi; ++i) {
    const std::uint32_t index = shape.sorted[i];
    if (!may_add(f, index)) continue;
    const ObjectShape::Name& name = shape.names[index];
    // With comma and quotes, of which the comma and one quote are read.
    const std::uint64_t bytes = plus(plus(name.bytes - 2 - t.depth, need_with(f, index)), close);
    best = most ? std::max(best, bytes) : std::min(best, bytes);
  }
  return best;
}

std::uint64_t JsonMachine::unlisted_rest(const Thread& t) const {
  const Frame& f = frame(t.frame);
  const ObjectShape& shape = object_of(f);
  if (shape.goals.empty() || !can_differ(shape.keys.get(), &shape, t)) return kInfinite;
  // The name and its value. Of names whose like there are few some may be taken, which steps do not know.
  const std::span<const std::uint64_t> any = goals_.free_properties(f.shape, false);
  const bool some_taken = f.taken != 0 || f.unrecorded;
  const std::span<const std::uint64_t> common = some_taken ? goals_.free_properties(f.shape, true) : any;
  const auto from = [&](CharDfa::State q) {
    const auto at = static_cast<std::size_t>(q);
    return common[at] < kInfinite ? common[at] : any[at];
  };
  std::uint64_t property = is_taken(t) || is_listed(shape, t) ? 1 : 0;
  if (!shape.keys) {
    property += from(0) + (t.pending != 0 ? pending_range(t.pending).bytes : 0);
  } else if (t.pending == 0) {
    property = plus(property, from(t.q));
  } else {
    property = plus(property, pending_rest(*shape.keys, t.q, t.pending, Escapes::kCanonical, from));
  }
  const std::uint64_t others = need_with_unlisted(f);
  return plus(plus(plus(property, 2), others), plus(1, frame(f.parent).rest));
}

std::uint64_t JsonMachine::before_name_rest(const Thread& t) const {
  const Frame& f = frame(t.frame);
  const ObjectShape& shape = object_of(f);
  Thread name = t;
  name.hi = static_cast<std::uint32_t>(shape.sorted.size());
  std::uint64_t best = listed_rest(name);
  if (may_add_unlisted(f)) {
    name.q = shape.keys ? shape.keys->start() : 0;
    name.taken_hi = static_cast<std::uint32_t>(taken_[f.taken].size());
    best = std::min(best, unlisted_rest(name));
  }
  return plus(best, 1);  // the quote
}

}  // namespace sgl::constraint
