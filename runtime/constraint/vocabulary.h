// The byte trie of a vocabulary and what is cached for it. Private to runtime/constraint.
#pragma once

#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/machine.h"
#include "runtime/constraint/string_walk.h"
#include "runtime/constraint/token_trie.h"

namespace sgl::constraint {

constexpr std::uint64_t kNoTokens = UINT32_MAX;  // cannot be spelled with this vocabulary

// A mask and, over its tokens, the greatest number of bytes that may still be needed after one.
struct CachedMask {
  std::shared_ptr<const TokenMask> mask;
  std::uint64_t worst_rest = 0;
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
  void store(const Key& key, const CachedMask& mask) const;
  // The shared mask with these tokens. O(vocabulary / 64).
  std::shared_ptr<const TokenMask> intern(const TokenMask& mask) const;

  // What the tokens do from a place of an automaton; made on first use. O(tokens that begin within it).
  struct PartTokens {
    TokenMask inside;               // stay within it
    std::vector<TrieNode> leaving;  // leave it after a place where it may end
  };
  std::shared_ptr<const PartTokens> part_tokens(const RegularParts& parts_of, std::int32_t place) const;

  // The fewest tokens that spell `text` followed by the shortest completion of `state`; kNoTokens when it cannot be
  // spelled. kNoTokens also at the machine's limit.
  std::uint64_t tokens_to_finish(const Machine& machine, std::string_view text, StateId state) const;

  struct Entry {
    Key key;
    CachedMask mask;
  };
  mutable std::mutex mutex;
  mutable std::list<Entry> recent;                                                    // most recently used first
  mutable std::unordered_map<std::uint64_t, std::shared_ptr<const TokenMask>> masks;  // by hash of the content
  mutable std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
  mutable std::unordered_map<Key, std::shared_ptr<const PartTokens>, KeyHash> parts;  // machine: of the automata
  mutable std::unordered_map<Key, std::uint64_t, KeyHash> finishing;                  // tokens_to_finish("", state)
};

}  // namespace sgl::constraint
