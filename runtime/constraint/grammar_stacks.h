// What is open around a place in a text: graph-structured stacks, in which equal parts exist once. Private to
// runtime/constraint.
#pragma once

#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/grammar_network.h"
#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {

using StackSet = std::uint32_t;  // a set of stacks; 0: none

// A stack is a frame and what is below it. A frame is a call that is not finished: its goal, the place where its caller
// goes on, and the set of stacks below. Two frames in a set that differ only in what is below them are joined, for what
// may follow them is what may follow either; so a set has at most one frame per goal and place, however ambiguous the
// text is.
class GrammarStacks {
 public:
  struct Frame {
    RuleId goal = 0;
    std::uint32_t back = 0;  // node; kEnd: the end of the text
    StackSet below = 0;
    std::uint32_t depth = 0;
    std::uint64_t after = 0;  // least bytes from `back` to the end of the text
  };
  static constexpr std::uint32_t kEnd = UINT32_MAX;
  static constexpr StackSet kNothing = 0;

  explicit GrammarStacks(const GrammarNetwork& network);

  // The set of one frame. O(1) when it is known.
  StackSet push(RuleId goal, std::uint32_t back, StackSet below);
  // What a call of `rule` makes of a set. Where nothing of the calling rule follows `back`, its frame is not needed any
  // more: right recursion takes no room.
  StackSet call(RuleId rule, std::uint32_t back, StackSet from);
  // O(frames), and once per pair of sets.
  StackSet unite(StackSet a, StackSet b);

  std::span<const std::uint32_t> frames(StackSet set) const { return sets_.at(set); }  // valid until the next change
  const Frame& frame(std::uint32_t id) const { return frames_[id]; }
  std::uint32_t depth(StackSet set) const { return facts_[set].depth; }
  // Least bytes that complete a text in which `bytes` more complete a text of `rule`.
  std::uint64_t cost(RuleId rule, std::uint64_t bytes, StackSet set) const;

  // Frames that were looked at to join sets, since it was set to 0 last.
  std::size_t joins = 0;
  std::size_t size() const { return frames_.size() + facts_.size(); }
  std::size_t bytes() const { return frames_.size() * (sizeof(Frame) + 40) + facts_.size() * 60 + sets_.items() * 4; }

 private:
  struct Facts {
    std::uint32_t depth = 0;
    std::uint64_t after = kInfinite;  // the least of its frames
  };
  std::uint32_t frame_id(RuleId goal, std::uint32_t back, StackSet below);
  StackSet set_of(std::span<const std::uint32_t> frames);
  const std::vector<std::uint64_t>& to_goal(RuleId goal) const;

  const GrammarNetwork& network_;
  std::deque<Frame> frames_;
  TupleIndex frame_index_, sets_;
  std::vector<Facts> facts_;
  std::unordered_map<std::uint64_t, StackSet> united_;
  mutable std::unordered_map<RuleId, std::vector<std::uint64_t>> to_goal_;
};

}  // namespace sgl::constraint
