// Deterministic automata over characters (code points): what patterns, formats and enumerations say about strings, with
// intersection and complement. Private to runtime/constraint.
//
// Every state of an automaton is live: it leads to an accepting one. Thus a walk that has not died can be finished.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/unicode.h"
#include "runtime/constraint/constraint.h"

namespace sgl::constraint {

class CharDfa {
 public:
  using State = std::int32_t;
  static constexpr State kDead = -1;
  static constexpr std::uint64_t kMany = std::uint64_t{1} << 32;  // stands for every count above it, and for infinity

  struct Limits {
    std::size_t max_states = 20'000;    // of one automaton; each takes 4 bytes per class of characters
    std::size_t max_table = 4'000'000;  // states times classes
    std::size_t max_pattern_bytes = 64 << 10;
    std::size_t max_nesting = 200;
  };

  // The texts that contain a match (`search`, as JSON Schema's `pattern` means it) or match as a whole. Interned: equal
  // arguments give the same automaton for the life of the process, up to a fixed number of automata; thread-safe.
  // Errors: `invalid` with the column, `limit`. An automaton may accept nothing: empty().
  static base::Expected<std::shared_ptr<const CharDfa>> pattern(std::string_view pattern, bool search,
                                                                const Limits& limits);
  // Whether patterns and formats are interned (ablation.h); for the whole process.
  static void set_interning(bool on);
  // A named string format of JSON Schema; nullptr for an unknown one. Interned for the life of the process.
  static base::Expected<std::shared_ptr<const CharDfa>> format(std::string_view name, const Limits& limits);
  // Exactly these texts (valid UTF-8).
  static base::Expected<std::shared_ptr<const CharDfa>> texts(std::span<const std::string> texts, const Limits& limits);

  struct Term {
    std::shared_ptr<const CharDfa> dfa;
    bool negated = false;
  };
  // The texts that all terms accept. Precondition: at least one term.
  static base::Expected<std::shared_ptr<const CharDfa>> all_of(std::span<const Term> terms, const Limits& limits);
  // Whether some text satisfies all terms: as `all_of(terms)` is empty or not, but it stops at the first text, and
  // makes no automaton.
  static base::Expected<bool> overlap(std::span<const Term> terms, const Limits& limits);
  // All texts, and after each one which of `parts` (at most 64) accept it: bit i of tags() for parts[i]. Texts whose
  // tags `accept` refuses are not accepted.
  static base::Expected<std::shared_ptr<const CharDfa>> tagged(std::span<const std::shared_ptr<const CharDfa>> parts,
                                                               const std::function<bool(std::uint64_t)>& accept,
                                                               const Limits& limits);

  // The same texts and tags, as far as `accept` takes their tags.
  std::shared_ptr<const CharDfa> restricted(const std::function<bool(std::uint64_t)>& accept) const;

  // Different for every automaton of the process.
  std::uint64_t id() const { return id_; }
  bool empty() const { return accepting_.empty(); }
  std::size_t size() const { return accepting_.size(); }
  State start() const { return empty() ? kDead : 0; }
  // O(1) for ASCII, O(log classes) above. Precondition: state is not kDead.
  State step(State state, char32_t c) const {
    return table_[static_cast<std::size_t>(state) * classes_ + (c < 128 ? ascii_[c] : class_of(c))];
  }
  // Does some character of [lo, hi] lead on? O(classes).
  bool any_step(State state, char32_t lo, char32_t hi) const;
  // The states that characters of [lo, hi] lead to, each once. O(classes).
  std::vector<State> successors(State state, char32_t lo, char32_t hi) const;
  // How far any characters of some ranges lead: however they are chosen, `steps` of them in a row do not lead nowhere,
  // and they lead to `states`.
  struct Reach {
    std::size_t steps = 0;
    bool none = false;          // none of the characters leads on from where it begins
    std::vector<State> states;  // each once, the one from which it begins first
  };
  // At most `most` steps. Nullopt: it takes more than `max_work` visits of edges to tell. O(max_work).
  std::optional<Reach> reach(State state, std::span<const base::CodeRange> ranges, std::size_t most,
                             std::size_t max_work) const;
  // By state, the least sum of the bytes of the rest of a text, spelled in a JSON string, and of what `end` says of the
  // tags where it ends; UINT64_MAX: there is none, which `end` may say too. O(edges · log states).
  std::vector<std::uint64_t> least_with(const std::function<std::uint64_t(std::uint64_t tags)>& end) const;
  // How many texts end with exactly each of these tags, up to kMany. O(tags · edges).
  std::vector<std::uint64_t> counts_by_tags(std::span<const std::uint64_t> tags) const;
  bool accepting(State state) const { return accepting_[static_cast<std::size_t>(state)] != 0; }
  std::uint64_t tags(State state) const { return tags_.empty() ? 0 : tags_[static_cast<std::size_t>(state)]; }
  // Least bytes of a text that leads from here to acceptance, each character spelled as in a JSON string (UTF-8, or its
  // shortest canonical escape); exact.
  std::uint32_t shortest_bytes(State state) const { return shortest_[static_cast<std::size_t>(state)]; }
  // How many texts lead from here to acceptance, up to kMany.
  std::uint64_t count(State state) const { return counts_[static_cast<std::size_t>(state)]; }
  // Least bytes of an accepted remainder of at least `min` and at most `max` characters (max < 0: unbounded), spelled
  // as above; UINT32_MAX: there is none. Exact. Tables are built on first use (thread-safe) and grow with
  // size() * characters; errors: `limit` above max_table entries.
  base::Expected<std::uint32_t> shortest_between(State state, std::int64_t min, std::int64_t max) const;
  // Every plain character (U+0020 and above, without `"` and backslash) leads back to this state.
  bool loops_on_plain(State state) const { return loops_[static_cast<std::size_t>(state)] != 0; }
  // Whether the text is accepted. Precondition: valid UTF-8.
  bool accepts(std::string_view text) const;
  // Up to `max` accepted texts that lead on from `state`, shortest first; of characters that lead to the same states
  // only one stands for all, so these are examples and not every text.
  std::vector<std::string> samples(State state, std::size_t max) const;

  // By state: so many plain characters (of ASCII, or of all) lead on, whichever they are; kEndless: any number. Found
  // on first use (thread-safe); empty for automata so large that it would take long.
  static constexpr std::uint16_t kEndless = UINT16_MAX;
  std::span<const std::uint16_t> sure_steps(bool ascii) const;
  // The greatest shortest_bytes of a state.
  std::uint32_t longest_shortest() const { return longest_shortest_; }
  // Every accepted text that leads on from `state`, by code points. Precondition: count(state) is small; O(its texts).
  std::vector<std::string> texts_from(State state) const;

 private:
  friend class CharDfaBuilder;
  struct Lengths;  // tables of shortest_between
  // Entries of one of those tables: 16 MB.
  static constexpr std::size_t kMaxLengthEntries = 4'000'000;
  static std::shared_ptr<Lengths> make_lengths();
  std::size_t class_of(char32_t c) const;

  static std::uint64_t next_id();

  std::uint64_t id_ = next_id();
  std::size_t classes_ = 0;
  std::uint16_t ascii_[128] = {};
  std::vector<char32_t> class_starts_;         // ascending first code points of the ranges …
  std::vector<std::uint16_t> class_of_range_;  // … and the class of each
  std::vector<State> table_;
  std::vector<std::uint8_t> accepting_, loops_;
  std::vector<std::uint64_t> tags_, counts_;
  std::vector<std::uint32_t> shortest_, shortest_chars_;  // bytes of a shortest remainder, and its characters
  std::vector<std::uint8_t> costs_;                       // of a class: bytes of its shortest character
  std::uint32_t longest_shortest_ = 0;
  mutable std::shared_ptr<Lengths> lengths_;
  struct Sure;  // what sure_steps finds
  static std::shared_ptr<Sure> make_sure();
  mutable std::shared_ptr<Sure> sure_;
};

}  // namespace sgl::constraint
