#include "runtime/constraint/char_dfa_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {

using base::CodeSet;
using base::Expected;
using State = CharDfa::State;

namespace {

// Members of all subsets together: 16 MB.
constexpr std::size_t kMaxMembers = 4'000'000;

// Subset construction. A subset is what can be reached without a character, reduced to the states from which something
// follows (edges, or acceptance).
class Subsets {
 public:
  Subsets(const CharNfa& nfa, const CharDfa::Limits& limits) : nfa_(nfa), limits_(limits) {}

  Expected<RawCharDfa> run() {
    SGL_TRY(out_.partition, CharPartition::of(nfa_.sets()));
    for (const CodeSet& set : nfa_.sets()) {
      classes_in_.push_back(out_.partition.classes_in(set));
      full_.push_back(set.negated().empty());
    }
    stamp_.assign(nfa_.states().size(), 0);
    targets_.resize(out_.partition.classes);
    const std::uint32_t first[] = {0};
    if (!subset(first)) return char_dfa_too_large(limits_);
    for (std::uint32_t at = 0; at < index_.size(); ++at) {
      if (!expand(at)) return char_dfa_too_large(limits_);
    }
    return std::move(out_);
  }

 private:
  // Whatever follows is accepted: then nothing else in the subset matters.
  bool accepts_all(std::uint32_t state) const {
    const CharNfa::State& s = nfa_.states()[state];
    if (!s.accepting) return false;
    return std::any_of(s.edges.begin(), s.edges.end(),
                       [&](const CharNfa::Edge& e) { return e.to == state && full_[e.set]; });
  }

  // The state for everything that `from` reaches; nullopt over a limit.
  std::optional<State> subset(std::span<const std::uint32_t> from) {
    ++round_;
    members_.clear();
    todo_.assign(from.begin(), from.end());
    bool accepting = false;
    while (!todo_.empty()) {
      const std::uint32_t at = todo_.back();
      todo_.pop_back();
      if (stamp_[at] == round_) continue;
      stamp_[at] = round_;
      const CharNfa::State& s = nfa_.states()[at];
      work_ += 1 + s.jumps.size();
      todo_.insert(todo_.end(), s.jumps.begin(), s.jumps.end());
      accepting |= s.accepting;
      if (!s.edges.empty() || s.accepting) members_.push_back(at);
      if (accepts_all(at)) {
        members_.assign({at});
        break;
      }
    }
    std::sort(members_.begin(), members_.end());
    const auto [id, fresh] = index_.add(members_);
    if (fresh && !out_.add_state(accepting, limits_)) return std::nullopt;
    if (work_ > kMaxCharWork || index_.items() > kMaxMembers) return std::nullopt;
    return static_cast<State>(id);
  }

  bool expand(std::uint32_t at) {
    for (auto& list : targets_) list.clear();
    for (std::uint32_t member : index_.at(at)) {
      for (const CharNfa::Edge& e : nfa_.states()[member].edges) {
        for (std::uint16_t c : classes_in_[e.set]) targets_[c].push_back(e.to);
        work_ += classes_in_[e.set].size();
      }
    }
    for (std::size_t c = 0; c < targets_.size(); ++c) {
      if (targets_[c].empty()) continue;
      const std::optional<State> to = subset(targets_[c]);
      if (!to) return false;
      out_.table[at * targets_.size() + c] = *to;
    }
    return true;
  }

  const CharNfa& nfa_;
  const CharDfa::Limits& limits_;
  RawCharDfa out_;
  std::vector<std::vector<std::uint16_t>> classes_in_;  // of each set
  std::vector<bool> full_;                              // each set: all characters
  TupleIndex index_;
  std::vector<std::uint32_t> stamp_;  // round in which a state was met
  std::uint32_t round_ = 0;
  std::vector<std::uint32_t> members_, todo_;
  std::vector<std::vector<std::uint32_t>> targets_;  // by class
  std::size_t work_ = 0;
};

}  // namespace

base::Error char_dfa_too_large(const CharDfa::Limits& limits) {
  return base::over_limit(
      fmt::format("the automaton needs more than {} states, or more time than it may take", limits.max_states));
}

bool RawCharDfa::add_state(bool accepts, const CharDfa::Limits& limits) {
  if (size() >= limits.max_states || table.size() + partition.classes > limits.max_table) return false;
  accepting.push_back(accepts ? 1 : 0);
  table.resize(table.size() + partition.classes, CharDfa::kDead);
  return true;
}

Expected<RawCharDfa> determinize(const CharNfa& nfa, const CharDfa::Limits& limits) {
  return Subsets(nfa, limits).run();
}

Expected<std::vector<std::uint16_t>> CharDfaBuilder::refine(std::span<const CharDfa* const> parts, CharPartition& out) {
  out.starts = {0};
  for (const CharDfa* part : parts) {
    out.starts.insert(out.starts.end(), part->class_starts_.begin(), part->class_starts_.end());
  }
  std::sort(out.starts.begin(), out.starts.end());
  out.starts.erase(std::unique(out.starts.begin(), out.starts.end()), out.starts.end());
  const auto too_many = [] { return base::over_limit("automata with too many different classes of characters"); };
  if (out.starts.size() * parts.size() > kMaxCharWork) return too_many();
  // Surrogates are class 0 in every part, and nothing else is.
  TupleIndex known;
  std::vector<std::uint32_t> key(parts.size(), 0);
  known.add(key);
  std::vector<std::size_t> range(parts.size(), 0);  // of each part, the one that `start` lies in
  for (char32_t start : out.starts) {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const std::vector<char32_t>& starts = parts[p]->class_starts_;
      while (range[p] + 1 < starts.size() && starts[range[p] + 1] <= start) ++range[p];
      key[p] = parts[p]->class_of_range_[range[p]];
    }
    if (known.size() == UINT16_MAX) return too_many();
    out.class_of.push_back(static_cast<std::uint16_t>(known.add(key).first));
  }
  out.classes = known.size();
  std::vector<std::uint16_t> classes;
  classes.reserve(known.items());
  for (std::uint32_t c = 0; c < known.size(); ++c)
    classes.insert(classes.end(), known.at(c).begin(), known.at(c).end());
  return classes;
}

void CharDfaBuilder::step_parts(std::span<const CharDfa* const> parts, std::span<const std::uint32_t> from,
                                std::span<const std::uint16_t> classes, std::vector<State>& to) {
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const auto s = static_cast<State>(from[p]);
    to[p] = s == CharDfa::kDead ? s : parts[p]->table_[static_cast<std::size_t>(s) * parts[p]->classes_ + classes[p]];
  }
}

Expected<RawCharDfa> CharDfaBuilder::product(std::span<const CharDfa* const> parts, const std::vector<bool>& needed,
                                             const Accept& accept, const CharDfa::Limits& limits) {
  RawCharDfa out;
  SGL_TRY(const auto classes, refine(parts, out.partition));
  TupleIndex index;
  std::vector<State> states(parts.size());
  std::vector<std::uint32_t> key(parts.size());
  const auto add = [&]() -> std::optional<State> {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (needed[p] && states[p] == CharDfa::kDead) return CharDfa::kDead;
      key[p] = static_cast<std::uint32_t>(states[p]);
    }
    const auto [id, fresh] = index.add(key);
    if (fresh && !out.add_state(accept(states), limits)) return std::nullopt;
    if (index.items() > kMaxMembers) return std::nullopt;
    return static_cast<State>(id);
  };
  for (std::size_t p = 0; p < parts.size(); ++p) states[p] = parts[p]->start();
  const std::optional<State> first = add();
  if (!first) return char_dfa_too_large(limits);
  std::vector<std::uint32_t> from;
  std::size_t work = 0;
  for (std::uint32_t at = 0; at < index.size(); ++at) {
    from.assign(index.at(at).begin(), index.at(at).end());
    for (std::size_t c = 1; c < out.partition.classes; ++c) {
      step_parts(parts, from, std::span(classes).subspan(c * parts.size(), parts.size()), states);
      work += parts.size();
      const std::optional<State> to = add();
      if (!to || work > 2 * kMaxCharWork) return char_dfa_too_large(limits);
      out.table[at * out.partition.classes + c] = *to;
    }
  }
  return out;
}

Expected<bool> CharDfaBuilder::product_accepts(std::span<const CharDfa* const> parts, const std::vector<bool>& needed,
                                               const Accept& accept, const CharDfa::Limits& limits) {
  CharPartition partition;
  SGL_TRY(const auto classes, refine(parts, partition));
  TupleIndex index;
  std::vector<State> states(parts.size());
  std::vector<std::uint32_t> key(parts.size()), from;
  bool found = false;
  const auto add = [&] {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (needed[p] && states[p] == CharDfa::kDead) return;
      key[p] = static_cast<std::uint32_t>(states[p]);
    }
    if (index.add(key).second) found = accept(states);
  };
  for (std::size_t p = 0; p < parts.size(); ++p) states[p] = parts[p]->start();
  add();
  std::size_t work = 0;
  for (std::uint32_t at = 0; at < index.size() && !found; ++at) {
    from.assign(index.at(at).begin(), index.at(at).end());
    for (std::size_t c = 1; c < partition.classes && !found; ++c) {
      step_parts(parts, from, std::span(classes).subspan(c * parts.size(), parts.size()), states);
      work += parts.size();
      add();
      if (index.size() > limits.max_states || work > 2 * kMaxCharWork) return char_dfa_too_large(limits);
    }
  }
  return found;
}

}  // namespace sgl::constraint
