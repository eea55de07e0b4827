// Regular expressions of the ECMA-262 subset that constraints use, and automata over characters. Private to
// runtime/constraint.
//
// Supported: alternation, groups, ^ and $, greedy and lazy quantifiers (the language is the same), ., classes, \d \w \s
// as ECMA-262 has them, \p{…}, \xHH \uHHHH \u{…} \cX \0 and \n \r \t \f \v; look-ahead, look-behind, \b and \B (with
// them a pattern is determinised, look_around.h). Not supported, and errors that say so: look-around and $ inside a
// look-behind, repeated look-around, back-references, flags.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/unicode.h"
#include "runtime/constraint/constraint.h"
#include "runtime/constraint/graph.h"

namespace sgl::constraint {

struct PatternNode {
  enum class Kind : std::uint8_t { kEmpty, kSet, kSequence, kChoice, kRepeat, kBegin, kEnd, kLook };
  Kind kind = Kind::kEmpty;
  base::CodeSet set;                        // kSet
  std::vector<PatternNode> children;        // kRepeat, kLook: one
  std::uint32_t min = 0, max = UINT32_MAX;  // kRepeat; max UINT32_MAX: unbounded
  bool behind = false, negated = false;     // kLook
};

struct PatternFlags {
  bool ignore_case = false;  // by simple case folding
  bool dot_all = false;      // . is every character
};

// Errors: `invalid` with the column (bytes from 1), `limit` for length and nesting.
base::Expected<PatternNode> parse_pattern(std::string_view pattern, const Limits& limits, PatternFlags flags = {});

// A nondeterministic automaton over characters, without assertions.
class CharNfa {
 public:
  struct Edge {
    std::uint32_t set = 0, to = 0;  // set: index into sets
  };
  struct State {
    std::vector<Edge> edges;
    std::vector<std::uint32_t> jumps;
    bool accepting = false;
  };

  // The texts that match as a whole, or (search) that contain a match, as JSON Schema's `pattern` means it.
  static base::Expected<CharNfa> build(const PatternNode& pattern, bool search, const Limits& limits);
  // The texts that begin with a match; or that end in one. No look-around in them.
  static base::Expected<CharNfa> beginning(const PatternNode& pattern, const Limits& limits);
  static base::Expected<CharNfa> ending(const PatternNode& pattern, const Limits& limits);
  static CharNfa of(std::vector<State> states, std::vector<base::CodeSet> sets);
  // Texts of min … max characters; max < 0: unbounded.
  static base::Expected<CharNfa> lengths(std::int64_t min, std::int64_t max, const Limits& limits);
  // The texts that both accept.
  static base::Expected<CharNfa> intersect(const CharNfa& a, const CharNfa& b, const Limits& limits);
  // As a fragment of `graph`, every character spelled as said.
  FragmentId emit(Graph& graph, Spelling spelling) const;
  const std::vector<State>& states() const { return states_; }  // state 0 is the start
  const std::vector<base::CodeSet>& sets() const { return sets_; }

 private:
  friend class CharNfaBuilder;
  std::uint32_t set_index(const base::CodeSet& set);
  std::vector<State> states_;  // state 0 is the start
  std::vector<base::CodeSet> sets_;
};

// The pattern of a named string format of the language (formats.cc), nullptr when the format is unknown.
const char* format_pattern(std::string_view format);

}  // namespace sgl::constraint
