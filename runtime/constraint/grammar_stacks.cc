#include "runtime/constraint/grammar_stacks.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace sgl::constraint {

GrammarStacks::GrammarStacks(const GrammarNetwork& network) : network_(network) {
  set_of({});
}

const std::vector<std::uint64_t>& GrammarStacks::to_goal(RuleId goal) const {
  const auto [it, fresh] = to_goal_.try_emplace(goal);
  if (fresh) it->second = network_.to_goal(goal);
  return it->second;
}

std::uint64_t GrammarStacks::cost(RuleId rule, std::uint64_t bytes, StackSet set) const {
  std::uint64_t out = kInfinite;
  if (!network_.component_of(rule).recursive) {
    out = bytes + facts_[set].after;
  } else {
    for (std::uint32_t id : frames(set)) {
      const Frame& f = frames_[id];
      out = std::min(out, bytes + to_goal(f.goal)[network_.rules[rule].place] + f.after);
    }
  }
  return std::min(out, kInfinite);
}

std::uint32_t GrammarStacks::frame_id(RuleId goal, std::uint32_t back, StackSet below) {
  const std::array<std::uint32_t, 3> key{goal, back, below};
  const auto [id, fresh] = frame_index_.add(key);
  if (!fresh) return id;
  Frame frame{goal, back, below, facts_[below].depth + 1, 0};
  if (back != kEnd) frame.after = cost(network_.nodes[back].rule, network_.nodes[back].rest, below);
  frames_.push_back(frame);
  return id;
}

StackSet GrammarStacks::set_of(std::span<const std::uint32_t> frames) {
  const auto [id, fresh] = sets_.add(frames);
  if (!fresh) return id;
  Facts facts;
  for (std::uint32_t f : frames) {
    facts.depth = std::max(facts.depth, frames_[f].depth);
    facts.after = std::min(facts.after, frames_[f].after);
  }
  facts_.push_back(facts);
  return id;
}

StackSet GrammarStacks::push(RuleId goal, std::uint32_t back, StackSet below) {
  const std::uint32_t id = frame_id(goal, back, below);
  return set_of({&id, 1});
}

StackSet GrammarStacks::call(RuleId rule, std::uint32_t back, StackSet from) {
  const NetworkNode& node = network_.nodes[back];
  if (!network_.pure_final(node)) return push(rule, back, from);
  const bool recursive = network_.component_of(node.rule).recursive;
  // The end of `rule` is the end of the calling one, the goal of a frame of `from` or the left end of it.
  StackSet out = kNothing, kept = kNothing;
  const auto ids = frames(from);
  for (std::uint32_t id : std::vector<std::uint32_t>(ids.begin(), ids.end())) {
    const Frame f = frames_[id];
    if (!recursive) {
      out = unite(out, push(rule, f.back, f.below));
    } else if (f.goal == rule && node.rule == rule) {
      out = unite(out, set_of({&id, 1}));  // all that may follow the inner text may follow the outer one
    } else {
      kept = unite(kept, set_of({&id, 1}));
    }
  }
  return kept == kNothing ? out : unite(out, push(rule, back, kept));
}

StackSet GrammarStacks::unite(StackSet a, StackSet b) {
  if (a == b || b == kNothing) return a;
  if (a == kNothing) return b;
  if (a > b) std::swap(a, b);
  constexpr std::size_t kMostKnown = 1'000'000;  // about 40 MB
  const std::uint64_t key = std::uint64_t{a} << 32 | b;
  const auto known = united_.find(key);
  if (known != united_.end()) return known->second;
  const auto place = [&](std::uint32_t id) { return std::tuple(frames_[id].goal, frames_[id].back); };
  joins += frames(a).size() + frames(b).size();
  const std::vector<std::uint32_t> left(frames(a).begin(), frames(a).end()), right(frames(b).begin(), frames(b).end());
  std::vector<std::uint32_t> out;
  std::size_t i = 0, j = 0;
  while (i < left.size() || j < right.size()) {
    if (j == right.size() || (i < left.size() && place(left[i]) < place(right[j]))) {
      out.push_back(left[i++]);
    } else if (i == left.size() || place(right[j]) < place(left[i])) {
      out.push_back(right[j++]);
    } else {
      // Recursion goes as deep as the stacks, which the machine bounds.
      const Frame f = frames_[left[i]], g = frames_[right[j]];
      out.push_back(left[i] == right[j] ? left[i] : frame_id(f.goal, f.back, unite(f.below, g.below)));
      ++i, ++j;
    }
  }
  const StackSet made = set_of(out);
  if (united_.size() > kMostKnown) united_.clear();
  united_[key] = made;
  return made;
}

}  // namespace sgl::constraint
