// Strings whose content an automaton over characters restricts: what a text that stops within a character may become,
// and which tokens may come. Private to runtime/constraint.
#pragma once

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/json_text.h"
#include "runtime/constraint/machine.h"
#include "runtime/constraint/plain_trie.h"
#include "runtime/constraint/token_trie.h"

namespace sgl::constraint {

// The least of after(q) over the states that the unfinished character may lead to, plus the bytes it lacks.
std::uint64_t pending_rest(const CharDfa& dfa, CharDfa::State q, Pending pending, Escapes escapes,
                           const std::function<std::uint64_t(CharDfa::State)>& after);

// Tokens inside JSON strings, sorted by what they are made of. Every token is in one of the three kinds.
class StringTokens {
 public:
  // `order`: the tokens by their bytes, which stay where they are.
  void build(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes);

  // Plain tokens (whole plain characters only) of at most so many characters. O(1).
  const TokenMask& plain_up_to(std::uint64_t chars) const {
    return plain_masks_[static_cast<std::size_t>(std::min<std::uint64_t>(chars, longest_plain_))];
  }
  std::size_t longest_plain() const { return longest_plain_; }  // characters
  // Plain tokens, and those with escapes or cut characters that may stand anywhere in a string.
  const TokenMask& inside(bool all_escapes) const { return all_escapes ? *inside_all_ : *inside_canonical_; }
  const std::vector<TrieNode>& with_escapes() const { return with_escapes_; }  // no quote, but not plain
  const std::vector<TrieNode>& with_quote() const { return with_quote_; }      // all tokens with one

  // Tokens of plain characters, then a quote, then more (perhaps nothing): which ones have the `suffix` after the
  // quote. Nodes of the trie stand for suffixes; `token` is an index of ends().
  const std::vector<TrieNode>& after_quote() const { return after_quote_; }
  struct End {
    TokenId token = 0;
    unsigned char first = 0;  // the token's first byte
  };
  const std::vector<std::vector<End>>& ends() const { return ends_; }
  // Tokens with a quote that are none of those.
  const std::vector<TrieNode>& other_quotes() const { return other_quotes_; }

  // Whether allowed() keeps what it finds (ablation.h).
  void remember(bool on) const { remember_ = on; }
  struct Allowed {
    std::shared_ptr<const TokenMask> mask;
    std::uint64_t worst = 0;  // the most bytes that the content may still need after one of the tokens
  };
  // Tokens without a quote that `part` (kDfa, or kFree with bounds) takes. Remembered where it does not depend on how
  // many characters there were; thread-safe.
  Allowed allowed(const StringPart& part) const;

 private:
  // Plain tokens of one make: an optional space, then characters of one set. An automaton takes all of them if it
  // takes all texts made so.
  struct Group {
    bool space = false;
    base::CodeSet characters;  // empty: of any make
    std::size_t longest = 0;   // characters
    CharTrie trie;
    std::shared_ptr<const TokenMask> mask;
    std::vector<std::vector<TokenId>> by_length;  // by number of characters
  };
  struct Key {
    std::uint64_t dfa = 0;
    CharDfa::State q = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return key.dfa * 0x9e3779b97f4a7c15 ^ static_cast<std::size_t>(key.q);
    }
  };
  void sort_quotes(const std::vector<TokenId>& quotes, const std::vector<std::string_view>& bytes);
  Allowed compute(const StringPart& part, bool bounded) const;
  // Adds the group's tokens that the part takes, without a look at most of them: false when that is not possible.
  bool take_together(const StringPart& part, Remainders* bounds, const Group& group, TokenMask& mask,
                     std::uint64_t& worst) const;
  // Adds those of lengths first … last.
  void take_lengths(const Group& group, std::size_t first, std::size_t last, TokenMask& mask) const;
  // Tokens with escapes or cut characters. `bounds`: of the part's automaton, null when they do not matter.
  void walk(const StringPart& part, Remainders* bounds, TokenMask& mask, std::uint64_t& worst) const;
  void find_plain_masks();

  std::size_t size_ = 0, longest_ = 1;
  std::vector<std::uint16_t> plain_chars_;  // by token; 0: not plain
  std::size_t longest_plain_ = 0;
  std::vector<TrieNode> with_escapes_, with_quote_, after_quote_, other_quotes_;
  std::vector<std::vector<End>> ends_;
  std::vector<Group> groups_;
  std::shared_ptr<const TokenMask> inside_canonical_, inside_all_;
  std::vector<TokenId> next_same_;
  const std::vector<std::string_view>* bytes_ = nullptr;
  std::vector<TokenMask> plain_masks_;  // by number of characters, at most
  mutable bool remember_ = true;
  mutable std::mutex mutex_;
  // Most recently used first; the oldest go one by one, since freeing all at once would take milliseconds.
  mutable std::list<std::pair<Key, Allowed>> recent_;
  mutable std::unordered_map<Key, std::list<std::pair<Key, Allowed>>::iterator, KeyHash> known_;
};

}  // namespace sgl::constraint
