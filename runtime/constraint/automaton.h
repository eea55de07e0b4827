// The machine of a regular grammar: sets of places in the grammar, made deterministic as they are met. Private to
// runtime/constraint.
#pragma once

#include <deque>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/graph.h"
#include "runtime/constraint/machine.h"

namespace sgl::constraint {

class Automaton final : public Machine {
 public:
  Automaton(Graph graph, FragmentId root, const Limits& limits);

  const Graph& graph() const { return graph_; }
  FragmentId root() const { return root_; }
  int only_byte(StateId state) const override;
  int shortest_byte(StateId state) const override;
  std::size_t bytes() const override { return Machine::bytes() + graph_bytes_; }
  std::optional<std::uint64_t> longest() const override { return graph_.fragment(root_).longest; }
  // Goes on without states where there is no room for more of them.
  std::optional<Run> run(std::string_view text) const override;

 private:
  // A place in the grammar: a node and the calls that led to it.
  struct Item {
    NodeId node = 0;
    std::uint32_t stack = 0;
    friend bool operator==(const Item&, const Item&) = default;
    friend auto operator<=>(const Item&, const Item&) = default;
  };
  struct Stack {
    NodeId back = 0;
    std::uint32_t parent = 0;
    std::uint64_t rest = 0;  // least bytes from `back` to the end of the text
  };
  using Places = std::vector<Item>;  // places with bytes, sorted
  struct Closure {
    std::vector<Item> items;
    bool accepting = false;
    bool over = false;  // more places than a step may lead to; the others are not complete then
  };

  void find_classes();
  StateId expand(StateId from, unsigned char byte) const override;
  StateId intern(Closure closure) const;
  std::uint32_t push(NodeId back, std::uint32_t parent) const;
  // The places that `items` and what they lead to without bytes are; sorted, without repetition.
  Closure close(std::vector<Item> items) const;
  Closure after(const std::vector<Item>& items, unsigned char byte) const;
  std::uint64_t rest_of(const Item& item) const;

  const Graph graph_;
  const std::size_t graph_bytes_;
  const FragmentId root_;
  const std::size_t max_items_;

  mutable std::vector<Stack> stacks_;  // 0: the outermost level
  mutable std::unordered_map<std::uint64_t, std::uint32_t> stack_index_;
  mutable std::unordered_multimap<std::uint64_t, StateId> index_;  // by hash of the items
  mutable std::deque<Places> places_;                              // by state
  mutable std::size_t item_count_ = 0;
};

}  // namespace sgl::constraint
