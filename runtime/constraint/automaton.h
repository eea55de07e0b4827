// The automaton of a constraint: sets of places in the grammar, made deterministic as they are met. Private to
// runtime/constraint.
//
// Threads: transitions that exist are read without a lock; new ones are made under a mutex and published by a release
// store, so many matchers share one automaton.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/graph.h"

namespace sgl::constraint {

using StateId = std::int32_t;
constexpr StateId kDead = -1;       // no accepted text begins so
constexpr StateId kOverLimit = -2;  // the state would be one too many

class Automaton {
 public:
  Automaton(Graph graph, FragmentId root, const Limits& limits);
  ~Automaton();

  // The state after `byte`; O(1) once it has been met.
  StateId step(StateId state, unsigned char byte) const {
    const StateId known = at(state).next[class_of_[byte]].load(std::memory_order_acquire);
    return known != kUnknown ? known : make_step(state, byte);
  }
  StateId start() const { return 0; }
  bool accepting(StateId state) const { return at(state).accepting; }
  // Bytes of the shortest text that completes the state.
  std::uint64_t rest(StateId state) const { return at(state).rest; }
  // The byte that must come next, -1 when there is a choice, none, or the text may end.
  int only_byte(StateId state) const;
  // The first byte of the shortest completion, the least one of equals. Precondition: rest(state) > 0.
  int shortest_byte(StateId state) const;
  // No byte may follow.
  bool final(StateId state) const { return at(state).final; }
  // Runs a text without making states, for texts that come from elsewhere. Nullopt: no accepted text begins so.
  struct Run {
    bool accepting = false;
  };
  std::optional<Run> run(std::string_view text) const;

  const Fragment& root() const { return graph_.fragment(root_); }
  std::uint64_t id() const { return id_; }
  const Limits& limits() const { return limits_; }

 private:
  static constexpr StateId kUnknown = -3;
  static constexpr std::size_t kChunk = 1024;  // states that are allocated together; their addresses never change

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
  struct State {
    std::unique_ptr<std::atomic<StateId>[]> next;  // by byte class
    std::vector<Item> items;                       // places with bytes, sorted
    bool accepting = false, final = false;
    std::uint64_t rest = 0;
  };
  struct Chunk {
    std::array<State, kChunk> states;
  };
  struct Closure {
    std::vector<Item> items;
    bool accepting = false;
  };

  State& at(StateId id) const {
    const auto i = static_cast<std::size_t>(id);
    return chunks_[i / kChunk].load(std::memory_order_acquire)->states[i % kChunk];
  }
  StateId make_step(StateId from, unsigned char byte) const;
  StateId intern(Closure closure) const;
  std::uint32_t push(NodeId back, std::uint32_t parent) const;
  // The places that `items` and what they lead to without bytes are; sorted, without repetition.
  Closure close(std::vector<Item> items) const;
  Closure after(const std::vector<Item>& items, unsigned char byte) const;
  std::uint64_t rest_of(const Item& item) const;
  void find_classes();

  const Graph graph_;
  const FragmentId root_;
  const Limits limits_;
  const std::uint64_t id_;
  std::array<std::uint8_t, 256> class_of_{};
  std::size_t classes_ = 1;

  mutable std::mutex mutex_;
  mutable std::vector<Stack> stacks_;  // 0: the outermost level
  mutable std::unordered_map<std::uint64_t, std::uint32_t> stack_index_;
  mutable std::unordered_multimap<std::uint64_t, StateId> index_;  // by hash of the items
  mutable std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
  mutable std::size_t count_ = 0, item_count_ = 0;
  std::size_t max_states_ = 0;
};

struct Constraint::Impl {
  Automaton automaton;
};

}  // namespace sgl::constraint
