// Computes one token mask by walking tries of the vocabulary with a machine. Private to runtime/constraint.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/constraint/vocabulary.h"

namespace sgl::constraint {

// Inside strings most tokens are allowed for one reason, that they are plain characters: their masks exist already, and
// only tokens with quotes or escapes are walked.
class MaskBuilder {
 public:
  // `budget`: only tokens after which the text can be finished with so many more.
  // One at a time on a thread.
  MaskBuilder(const Vocabulary::Impl& vocabulary, const Machine& machine, std::optional<std::int64_t> budget);

  // Both are false when the machine is at its limit, or when it takes longer than mask_time(); then there is no mask.
  // Tokens that may come at a state.
  bool at(StateId state);
  // Tokens that stay within the healing text, of which `rest` is left, or go past its end.
  bool healing(std::string_view rest);
  // Tokens that `text`, a completion, may begin with when the budget is to be enough for all of it.
  void along(std::string_view text);

  CachedMask take() &&;
  // Time was what ran out.
  bool late() const { return late_; }
  // Tokens were left out whose completion steps do not tell (Machine::certain).
  bool doubtful() const { return doubtful_; }

 private:
  bool free(StateId state, const FreeText& text);
  bool quotes(StateId state);
  // The state after white space of any length and kind; kNoState: there is none, or it depends on which.
  StateId after_spaces(StateId state) const;
  // All tokens at a state that leads to `after` with white space.
  bool spaced(StateId state, StateId after);
  bool goes_anywhere(StateId state) const;
  bool after_quote(StateId closed, const std::bitset<256>& firsts);
  void add_parts(std::vector<StringPart> parts);
  void add_part(const StringPart& part);
  void add_beginnings(std::string_view text);
  void add_all(const TokenMask& mask);
  bool has_all(const TokenMask& mask) const;
  // Tokens below the node `top`, whose bytes have led to `state`.
  bool below(const std::vector<TrieNode>& trie, std::uint32_t top, StateId state);
  // The same in the trie of all tokens, whatever the budget; what tokens do within automata need not be looked at
  // (part_tokens.cc). Precondition: stack_ has room for all depths.
  bool under(std::uint32_t top, StateId state);
  bool by_ways(std::uint32_t top, StateId state, const RegularWays& ways);
  // After the token, `text` and a completion of `state` are still to come.
  void add(TokenId token, std::string_view text, StateId state);
  bool fits(std::string_view text, StateId state, std::uint64_t rest);

  const Vocabulary::Impl& vocabulary_;
  const Machine& machine_;
  const std::optional<std::int64_t> budget_;
  TokenMask& mask_;
  std::uint64_t worst_ = 0;
  // Looks at the clock once in many calls.
  bool out_of_time();
  const std::chrono::steady_clock::time_point deadline_;
  std::uint32_t looked_ = 0;
  bool late_ = false, doubtful_ = false;
  std::vector<StateId> stack_;
};

}  // namespace sgl::constraint
