// The byte trie of a vocabulary and what is cached for it. Private to runtime/constraint.
#pragma once

#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/json_text.h"
#include "runtime/constraint/machine.h"

namespace sgl::constraint {

// Tokens by their bytes, depth first: the children of a node follow it, `end` is the node after its last descendant.
struct TrieNode {
  std::uint32_t end = 0;
  TokenId token = -1;        // a token that ends here, -1: none; others with the same bytes are chained
  std::uint32_t depth : 24;  // bytes up to here
  std::uint32_t byte : 8;
};

constexpr std::uint64_t kNoTokens = UINT32_MAX;  // cannot be spelled with this vocabulary

// A mask and, over its tokens, the greatest number of bytes that may still be needed after one.
struct CachedMask {
  std::shared_ptr<const TokenMask> mask;
  std::uint64_t worst_rest = 0;
};

// Tokens inside JSON strings, sorted by what they are made of. Every token is in one of the three.
struct StringTokens {
  // Whole plain characters only: how many of them, by token; 0 for other tokens.
  std::vector<std::uint16_t> plain_chars;
  std::size_t longest_plain = 0;       // characters
  std::vector<TrieNode> with_escapes;  // no quote, but escapes, control characters, or cut characters
  std::vector<TrieNode> with_quote;
  // Plain tokens, and those of with_escapes that may stand anywhere in a string whose escapes are canonical, or all.
  std::shared_ptr<const TokenMask> inside_canonical, inside_all;
};

struct Vocabulary::Impl {
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;  // keeps the bytes alive; null for tests
  std::vector<std::string> owned;
  std::vector<std::string_view> bytes;
  std::vector<TokenId> eos;
  std::vector<bool> is_eos;
  std::vector<TrieNode> trie;  // [0]: the root
  StringTokens strings;
  std::vector<TokenId> next_same;  // by token: the next one with the same bytes, -1 at the end
  bool all_bytes = false;          // every single byte is a token
  std::size_t longest = 1;         // bytes of the longest token

  void finish();
  // Plain tokens of at most so many characters. O(1) once known.
  std::shared_ptr<const TokenMask> plain_up_to(std::uint64_t chars) const;

  struct Key {
    std::uint64_t machine = 0;
    StateId state = 0;
    std::int64_t budget = -1;  // -1: none
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  std::optional<CachedMask> cached(const Key& key) const;
  void store(const Key& key, const CachedMask& mask, std::size_t max_bytes) const;

  // The fewest tokens that spell `text` followed by the shortest completion of `state`; kNoTokens when it cannot be
  // spelled. kNoTokens also at the machine's limit.
  std::uint64_t tokens_to_finish(const Machine& machine, std::string_view text, StateId state) const;

  struct Entry {
    Key key;
    CachedMask mask;
  };
  mutable std::mutex mutex;
  mutable std::list<Entry> recent;  // most recently used first
  mutable std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
  mutable std::unordered_map<Key, std::uint64_t, KeyHash> finishing;  // tokens_to_finish("", state)
  mutable std::vector<std::shared_ptr<const TokenMask>> plain_masks;  // by number of characters

 private:
  void sort_string_tokens(const std::vector<TokenId>& order);
};

}  // namespace sgl::constraint
