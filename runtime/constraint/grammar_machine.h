// The machine of a context-free grammar: all places in the grammar where the text so far may stand, each with the
// stacks of what is open around it. Private to runtime/constraint.
//
// A state is a set of places after a byte (its *kernel*), and what they lead to without bytes. Interned, so equal
// situations are one state. Machines of other constraints can stand as terminals (`%json`, structural tags): then a
// place also says where that machine is.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/grammar_stacks.h"
#include "runtime/constraint/intern_index.h"
#include "runtime/constraint/machine.h"

namespace sgl::constraint {

class GrammarMachine final : public Machine {
 public:
  GrammarMachine(std::shared_ptr<const GrammarNetwork> network, const GrammarLimits& limits);

  int only_byte(StateId state) const override;
  int shortest_byte(StateId state) const override;
  std::vector<StringPart> string_parts(StateId state) const override;
  RegularWays regular_ways(StateId state) const override;
  Walk advance(Walk walk, unsigned char byte) const override;
  Walk settle(Walk walk) const override;
  std::optional<std::uint64_t> longest() const override { return std::nullopt; }
  bool worn() const override;
  std::size_t bytes() const override;

 private:
  struct Item {
    std::uint32_t node = 0;
    StateId sub = 0;  // of the machine, where the node has one
    StackSet stacks = 0;
    friend bool operator==(const Item&, const Item&) = default;
    friend auto operator<=>(const Item&, const Item&) = default;
  };
  struct Situation {
    std::vector<Item> kernel;  // sorted
    std::vector<Item> next;    // places that bytes lead on from
    bool full = false;         // there was so much ignored white space that no more may come
    bool in_ignored = false;   // more of it might come
    bool foreign = false;      // a machine may go on
    int only = kUnknownByte, shortest = kUnknownByte;
  };
  // What a walk keeps besides the state: white space in a row, and the texts of machines (Machine::Walk) by place.
  struct WalkText {
    std::uint32_t spaces = 0;
    std::vector<std::pair<Item, std::uint32_t>> texts;
    friend auto operator<=>(const WalkText&, const WalkText&) = default;
  };
  static constexpr int kUnknownByte = -2;

  StateId expand(StateId from, unsigned char byte) const override;
  // Leads `from` on by a byte; `texts`: the walk's, null where none is meant. False: a machine is at its limit.
  bool lead_on(const Situation& from, unsigned char byte, const WalkText* texts, WalkText* texts_after) const;
  StateId intern_kernel(bool full) const;
  void close(Situation& s, Facts& facts) const;
  void complete(RuleId rule, StackSet stacks) const;
  void enter_components(Situation& s) const;
  void add_facts(const Situation& s, Facts& facts) const;
  void find_classes();

  void reset_places() const;
  void place(std::uint32_t node, StackSet stacks) const;  // adds to what is at the node
  void want(const NfaCall& call, StackSet from) const;
  bool blocked(const Situation& s, const NetworkNode& node, unsigned byte) const;
  std::int32_t foreign_of(const Item& item) const { return network_->rules[network_->nodes[item.node].rule].foreign; }
  const Machine& child(const Item& item) const { return *children_[static_cast<std::size_t>(foreign_of(item))]; }
  std::uint64_t cost(const Item& item) const;
  std::uint32_t text_id(WalkText text) const;

  const std::shared_ptr<const GrammarNetwork> network_;
  const GrammarLimits limits_;
  std::vector<std::shared_ptr<const Machine>> children_;
  bool certain_ = true;
  mutable GrammarStacks stacks_;
  mutable std::deque<Situation> situations_;
  mutable InternIndex index_;
  mutable std::vector<WalkText> texts_{{}};
  mutable std::map<WalkText, std::uint32_t> text_index_;
  mutable std::size_t held_ = 0;  // items of all situations

  // Used again by every step.
  mutable std::vector<Item> kernel_;
  mutable std::vector<std::uint32_t> stamps_, wanted_stamps_;  // by node, by component
  mutable std::vector<StackSet> at_, wanted_;
  mutable std::uint32_t stamp_ = 0;
  mutable std::vector<std::uint32_t> reached_;                          // nodes with places
  mutable std::vector<std::pair<std::uint32_t, StackSet>> todo_;        // places that are new
  mutable std::vector<std::pair<std::uint32_t, std::uint32_t>> queue_;  // components to enter, by rank
  mutable bool accepting_ = false, over_ = false;
};

}  // namespace sgl::constraint
