// How automata over characters are made: a table as it comes, then pruning and what is known of each state. Private to
// char_dfa*.cc.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/pattern.h"

namespace sgl::constraint {

// Work of one construction, in visits of edges; some 10 ns each. It bounds the time where the limits of size do not.
constexpr std::size_t kMaxCharWork = 8'000'000;

// A partition of the code points into classes whose members no set tells apart. Class 0 holds the surrogates, which are
// no characters.
struct CharPartition {
  std::vector<char32_t> starts;         // first code points of the ranges, ascending, from 0
  std::vector<std::uint16_t> class_of;  // of each range
  std::size_t classes = 1;

  // The coarsest partition that no set crosses. Errors: `limit`.
  static base::Expected<CharPartition> of(std::span<const base::CodeSet> sets);
  std::size_t range_of(char32_t c) const;
  // The classes in `set`, ascending. Precondition: the set does not cross this partition.
  std::vector<std::uint16_t> classes_in(const base::CodeSet& set) const;
  // The characters of these classes (ascending).
  base::CodeSet set_of(std::span<const std::size_t> of_classes) const;
};

// A deterministic automaton as it comes from a construction; state 0 is the start.
struct RawCharDfa {
  CharPartition partition;
  std::vector<CharDfa::State> table;
  std::vector<std::uint8_t> accepting;
  std::vector<std::uint64_t> tags;  // empty: none

  std::size_t size() const { return accepting.size(); }
  // A new state without transitions. False at a limit of size.
  bool add_state(bool accepts, const CharDfa::Limits& limits);
};

// The states before each state, once per class of characters.
class Predecessors {
 public:
  struct Entry {
    std::uint32_t from = 0;
    std::uint32_t cls = 0;
  };
  Predecessors(std::span<const CharDfa::State> table, std::size_t classes, std::size_t states) : begin_(states + 1, 0) {
    for (CharDfa::State to : table) {
      if (to != CharDfa::kDead) ++begin_[static_cast<std::size_t>(to) + 1];
    }
    for (std::size_t s = 0; s < states; ++s) begin_[s + 1] += begin_[s];
    entries_.resize(begin_.back());
    std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
    for (std::size_t s = 0; s < states; ++s) {
      const std::span<const CharDfa::State> row = table.subspan(s * classes, classes);
      for (std::size_t c = 0; c < classes; ++c) {
        if (row[c] == CharDfa::kDead) continue;
        entries_[next[static_cast<std::size_t>(row[c])]++] = {static_cast<std::uint32_t>(s),
                                                              static_cast<std::uint32_t>(c)};
      }
    }
  }
  std::span<const Entry> of(std::size_t state) const {
    return std::span(entries_).subspan(begin_[state], begin_[state + 1] - begin_[state]);
  }

 private:
  std::vector<std::size_t> begin_;
  std::vector<Entry> entries_;
};

base::Error char_dfa_too_large(const CharDfa::Limits& limits);

// The subsets of a nondeterministic automaton.
base::Expected<RawCharDfa> determinize(const CharNfa& nfa, const CharDfa::Limits& limits);

class CharDfaBuilder {
 public:
  // Removes the states that cannot end, and computes what CharDfa knows of the others.
  static std::shared_ptr<const CharDfa> finish(RawCharDfa raw);
  // The same of an automaton that is tidy already: every state is live.
  static std::shared_ptr<const CharDfa> finish_tidy(RawCharDfa raw);
  // All texts, with what each part says of them: `accept` gets the parts' states (kDead: refused for good) and returns
  // whether to accept; parts marked in `needed` must stay alive.
  using Accept = std::function<bool(std::span<const CharDfa::State>)>;
  static base::Expected<RawCharDfa> product(std::span<const CharDfa* const> parts, const std::vector<bool>& needed,
                                            const Accept& accept, const CharDfa::Limits& limits);
  // Whether `accept` holds after some text, without making the product. Errors: `limit`.
  static base::Expected<bool> product_accepts(std::span<const CharDfa* const> parts, const std::vector<bool>& needed,
                                              const Accept& accept, const CharDfa::Limits& limits);
  static std::size_t bytes(const CharDfa& dfa);
  // What finish() would make this automaton of.
  static RawCharDfa raw(const CharDfa& dfa);
  // Every text is accepted from here, as far as a state shows that by itself.
  static bool accepts_all(const CharDfa& dfa, CharDfa::State state);
  // Removes the states that cannot end, merges some that are alike.
  static void tidy(RawCharDfa& raw) { prune(raw), merge(raw); }
  // Its tables of lengths are so full that new users get another one.
  static bool worn(const CharDfa& dfa);
  // Bytes of the shortest spelling of a character of [lo, hi] in a JSON string.
  static std::uint8_t least_bytes(char32_t lo, char32_t hi);

 private:
  // The common refinement of the parts' classes; returns, of each class of it, the class of each part, one after the
  // other.
  static base::Expected<std::vector<std::uint16_t>> refine(std::span<const CharDfa* const> parts, CharPartition& out);
  // Where each part goes from its state in `from` with its class of a class of the refinement.
  static void step_parts(std::span<const CharDfa* const> parts, std::span<const std::uint32_t> from,
                         std::span<const std::uint16_t> classes, std::vector<CharDfa::State>& to);
  static void prune(RawCharDfa& raw);
  static void merge(RawCharDfa& raw);
  static void count(CharDfa& dfa, const Predecessors& before);
  static void shortest(CharDfa& dfa, const Predecessors& before);
};

}  // namespace sgl::constraint
