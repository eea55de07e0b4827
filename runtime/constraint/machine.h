// What a matcher walks: a deterministic machine over bytes whose states are made as they are met. The kinds differ in
// what a state stands for (automaton.h: places in a regular grammar; json_machine.h: open objects and arrays).
// Private to runtime/constraint.
//
// Threads: transitions that exist are read without a lock; new ones are made under a mutex and published by a release
// store, so many matchers share one machine.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/constraint.h"

namespace sgl::constraint {

using StateId = std::int32_t;
constexpr StateId kNoState = -1;    // no accepted text begins so
constexpr StateId kOverLimit = -2;  // the state would be one too many

constexpr std::uint64_t kInfinite = std::uint64_t{1} << 40;  // also stands for every length above it

class CharDfa;

// One of the ways in which the content of a JSON string may go on, between two characters of it. A token without a
// quote may come if one of the ways takes it.
struct StringPart {
  enum class Kind : std::uint8_t {
    kFree,   // any characters
    kDfa,    // `dfa` at `q`
    kTexts,  // one of `texts`, as they stand in the JSON string
  } kind = Kind::kFree;
  bool excludes = false;       // some texts that begin so must not come again
  bool all_escapes = false;    // kFree: every JSON escape; else the canonical ones
  std::int64_t max_left = -1;  // characters, -1: unbounded
  std::int64_t min_left = 0;
  const CharDfa* dfa = nullptr;
  std::int32_t q = 0;
  std::vector<std::string_view> texts;
  std::uint64_t tail = 0;  // bytes that are enough for a shortest completion of any of the ways
};

// Automata that a machine is made of, in which texts can be followed without the machine.
class RegularParts {
 public:
  virtual ~RegularParts() = default;
  static constexpr std::int32_t kNowhere = -1, kUnsure = -2;
  // The place after `byte`. kNowhere: the automaton does not lead on; kUnsure: to more than one place.
  virtual std::int32_t part_step(std::int32_t place, unsigned char byte) const = 0;
  // What comes next may be outside the automaton.
  virtual bool part_ends(std::int32_t place) const = 0;
  // Different for every object of the process.
  virtual std::uint64_t parts_id() const = 0;
};

// The ways on from a state, seen from the automata that they are in: tokens that stay within one of these may come
// whatever is around it, and others have to be looked at only if they leave it where it may end.
struct RegularWays {
  const RegularParts* parts = nullptr;  // null: nothing is known of the ways on
  std::vector<std::int32_t> places;
  std::uint64_t worst = 0;     // bytes of a completion after a token that stays within, at most
  std::bitset<256> elsewhere;  // bytes that may also begin something else
};

// Bare text, between two characters, of which any may follow.
struct FreeText {
  std::int64_t max_left = -1;  // characters, -1: unbounded
  std::int64_t min_left = 0;
};

class Machine {
 public:
  explicit Machine(std::size_t max_states);
  virtual ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  static constexpr StateId kStart = 0;

  // The state after `byte`; O(1) once it has been met. Precondition: state >= 0.
  StateId step(StateId state, unsigned char byte) const {
    const std::uint8_t c = class_of_[byte];
    const std::atomic<StateId>* block = at(state).next[c >> 4].load(std::memory_order_acquire);
    const StateId known = block == nullptr ? kUnknown : block[c & 15].load(std::memory_order_acquire);
    if (known != kUnknown) return known;
    return at(state).facts.may.test(byte) ? make_step(state, byte) : kNoState;
  }
  bool accepting(StateId state) const { return at(state).facts.accepting; }
  // No byte may follow.
  bool final(StateId state) const { return at(state).facts.final; }
  // Bytes of a shortest text that completes the state.
  std::uint64_t rest(StateId state) const { return at(state).facts.rest; }
  // False: what must differ from an earlier text is still to come. `rest` is a guess then, and a completion has to be
  // found byte by byte by walking (Walk), not by steps.
  bool certain(StateId state) const { return at(state).facts.certain; }
  // So many bytes are enough to complete the state, with room for names and items that turn out to be taken.
  std::uint64_t enough(StateId state) const { return certain(state) ? rest(state) : with_room(rest(state)); }
  // The byte that must come next, -1 when there is a choice, none, or the text may end.
  virtual int only_byte(StateId state) const = 0;
  // A byte that brings the end nearest, the least one of equals: always to a lesser rest; -1 if none is known to.
  // Precondition: rest(state) > 0.
  virtual int shortest_byte(StateId state) const = 0;
  // The same, or where no byte is known to bring the end nearer, one from which it is not far; -1: none leads on.
  int nearest_byte(StateId state) const;
  // The ways on, when all of them are inside a JSON string; empty otherwise. They stay valid while the machine lives.
  virtual std::vector<StringPart> string_parts(StateId) const { return {}; }
  // The way on, when it is free text.
  virtual std::optional<FreeText> free_text(StateId) const { return {}; }
  // They stay valid while the machine lives.
  virtual RegularWays regular_ways(StateId) const { return {}; }

  // Some constraints are about what was written (no key twice). A walk that is meant, not tried out, therefore carries
  // the text of the key or value it is in: `text` names it, 0 for none. Masks do not depend on it.
  struct Walk {
    StateId state = kStart;
    std::uint32_t text = 0;
  };
  virtual Walk advance(Walk walk, unsigned char byte) const { return {step(walk.state, byte), 0}; }
  // At the end of a token: what depends on more than the state, such as how much white space came in a row.
  virtual Walk settle(Walk walk) const { return walk; }

  // Longest and shortest accepted text in bytes; longest is nullopt when unbounded or not known.
  virtual std::optional<std::uint64_t> longest() const = 0;
  virtual std::uint64_t shortest() const { return rest(kStart); }
  // How long building one mask may take.
  virtual std::chrono::milliseconds mask_time() const { return std::chrono::milliseconds(10'000); }
  // rest() is more than it takes: it says how to go on, not how long.
  virtual bool bounded() const { return false; }

  struct Run {
    bool accepting = false;
  };
  // Runs a text. Nullopt: no accepted text begins so, or (on the machine's limits) it cannot be told.
  virtual std::optional<Run> run(std::string_view text) const;

  std::uint64_t id() const { return id_; }
  std::size_t max_states() const { return max_states_; }
  std::size_t states() const { return count_.load(std::memory_order_relaxed); }
  // What it holds, about.
  virtual std::size_t bytes() const { return states() * (sizeof(State) + 200); }
  // Most of what the machine may hold is used up: new walks had better start on a new one.
  virtual bool worn() const { return false; }

 protected:
  static constexpr StateId kUnknown = -3;
  struct Facts {
    bool accepting = false, final = false;
    std::uint64_t rest = kInfinite;
    std::uint64_t most = 0;  // for string_parts: the longest of the shortest completions of the ways on
    bool certain = true;     // the bytes that shortest_byte gives one after the other are a completion
    std::bitset<256> may = std::bitset<256>().set();  // bytes outside it do not lead on
  };
  // All of these are called with the mutex held (or while the machine is being built).
  // A new state, kOverLimit when there are too many.
  StateId add_state(const Facts& facts) const;
  // A margin, not a proof: what has to differ counts at least two bytes each (with its comma) in `rest`, and one that
  // is free is rarely longer than twice that.
  static std::uint64_t with_room(std::uint64_t rest) { return std::min(2 * rest + 32, kInfinite); }
  // The successor of a state: one that exists, a new one, kNoState or kOverLimit.
  virtual StateId expand(StateId from, unsigned char byte) const = 0;
  std::uint64_t most(StateId state) const { return at(state).facts.most; }
  // Enters `to` as the successor of all `bytes`.
  void enter(StateId from, const std::bitset<256>& bytes, StateId to) const;

  mutable std::mutex mutex_;
  // Bytes of one class lead to the same states; set before the first step. At first each byte is its own.
  std::array<std::uint8_t, 256> class_of_{};

 private:
  static constexpr std::size_t kChunk = 32;  // states that are allocated together; their addresses never change
  struct State {
    std::array<std::atomic<std::atomic<StateId>*>, 16> next{};  // blocks of 16 successors, by the class's high half
    Facts facts;
  };
  struct Chunk {
    std::array<State, kChunk> states;
  };
  State& at(StateId id) const {
    const auto i = static_cast<std::size_t>(id);
    return chunks_[i / kChunk].load(std::memory_order_acquire)->states[i % kChunk];
  }
  StateId make_step(StateId from, unsigned char byte) const;
  std::atomic<StateId>& successor(StateId from, unsigned char byte) const;

  const std::uint64_t id_;
  const std::size_t max_states_;
  // Successors are allocated many blocks at a time; they live as long as the machine.
  static constexpr std::size_t kBlocks = 64;
  using Blocks = std::array<std::atomic<StateId>, 16 * kBlocks>;
  std::atomic<StateId>* new_block() const;
  mutable std::vector<std::unique_ptr<Blocks>> blocks_;
  mutable std::size_t blocks_used_ = kBlocks;  // of the last of them
  mutable std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
  mutable std::atomic<std::size_t> count_ = 0;
};

// A constraint makes its machine, and a fresh one when the old one is worn.
struct Constraint::Impl {
  virtual ~Impl() = default;
  virtual std::shared_ptr<const Machine> machine() const = 0;
};

}  // namespace sgl::constraint
