// The byte trie of a vocabulary and what is cached for it. Private to runtime/constraint.
#pragma once

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/ablation.h"
#include "runtime/constraint/free_tokens.h"
#include "runtime/constraint/machine.h"
#include "runtime/constraint/string_walk.h"
#include "runtime/constraint/token_trie.h"

namespace sgl::constraint {

constexpr std::uint64_t kNoTokens = UINT32_MAX;  // cannot be spelled with this vocabulary

// A mask and, over its tokens, the greatest number of bytes that may still be needed after one.
struct CachedMask {
  std::shared_ptr<const TokenMask> mask;
  std::uint64_t worst_rest = 0;
  std::uint64_t hash = 0;  // of the mask's content
};

struct Vocabulary::Impl {
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;  // keeps the bytes alive; null for tests
  std::vector<std::string> owned;
  std::vector<std::string_view> bytes;
  std::vector<TokenId> eos;
  std::vector<bool> is_eos;
  std::vector<TokenId> by_bytes;  // tokens with bytes, without eos, in the order of their bytes
  std::vector<TrieNode> trie;     // [0]: the root
  // The child of a node of `trie` with this byte, 0: none. Siblings are far from each other in the trie, so their bytes
  // stand here side by side.
  std::uint32_t child(std::uint32_t node, unsigned char byte) const {
    const auto first = child_bytes.begin() + child_begin[node], last = child_bytes.begin() + child_begin[node + 1];
    const auto it = std::find(first, last, byte);
    return it == last ? 0 : child_nodes[static_cast<std::size_t>(it - child_bytes.begin())];
  }
  std::vector<std::uint32_t> child_begin, child_nodes;  // by node: where its children are; the children
  std::vector<unsigned char> child_bytes;               // their bytes
  // Where white space may go on for any length, what comes after it does not depend on how much there was.
  static bool is_space(unsigned byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
  TokenMask spaces;                         // tokens of white space alone
  std::vector<std::uint32_t> after_spaces;  // nodes of `trie`: the first byte after white space alone, of at least one
  StringTokens strings;
  FreeTokens free;
  mutable Ablation ablation;       // set before the first walk
  std::vector<TokenId> next_same;  // by token: the next one with the same bytes, -1 at the end
  bool all_bytes = false;          // every single byte is a token
  std::size_t longest = 1;         // bytes of the longest token

  void finish();
  void index_children();
  void find_spaces();

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
  // The shared mask with these tokens, and its hash. O(vocabulary / 64).
  std::pair<std::shared_ptr<const TokenMask>, std::uint64_t> intern(const TokenMask& mask) const;
  // Forgets masks that were not used for long, a few at a time, when they take more than kMaxMaskBytes.
  void evict(std::size_t bytes_each) const;

  // What the tokens below a node of the trie do from a place of an automaton; made on first use. O(tokens that begin
  // within it).
  struct PartTokens {
    // Those that stay within it: few are listed, of many there is a mask.
    std::vector<TokenId> few;
    std::shared_ptr<const TokenMask> many;
    // Where others leave it: nodes of the trie, ascending, with the nodes on the way to them.
    struct Step {
      std::uint32_t node = 0;
      bool leaves = false;  // every token from here on has to be looked at
    };
    std::vector<Step> leaving;
  };
  std::shared_ptr<const PartTokens> part_tokens(const RegularParts& parts_of, std::int32_t place,
                                                std::uint32_t node) const;

  // By place in the text: the fewest tokens that spell it from there to its end, kNoTokens where it cannot be spelled.
  std::vector<std::uint64_t> fewest_tokens(std::string_view text) const;
  // The fewest tokens that spell `text` followed by the shortest completion of `state`; kNoTokens when it cannot be
  // spelled. kNoTokens also at the machine's limit, and where steps do not tell (Machine::certain).
  std::uint64_t tokens_to_finish(const Machine& machine, std::string_view text, StateId state) const;

  struct Entry {
    Key key;
    CachedMask mask;
  };
  static constexpr std::size_t kMaxEntries = 200'000;  // some 150 bytes each; masks are counted where they are shared
  mutable std::mutex mutex;
  mutable std::list<Entry> recent;                                                    // most recently used first
  mutable std::unordered_map<std::uint64_t, std::shared_ptr<const TokenMask>> masks;  // by hash of the content
  mutable std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
  mutable std::unordered_map<Key, std::shared_ptr<const PartTokens>, KeyHash> parts;  // by automata, place and node
  mutable std::size_t part_bytes = 0;
  // tokens_to_finish("", state), each at the place that its key's hash names: a newer one takes the place of an older.
  struct Finishing {
    Key key{0, -1, -1};
    std::uint64_t tokens = 0;
  };
  static constexpr std::size_t kFinishing = 1 << 18;  // 8 MB
  mutable std::vector<Finishing> finishing;
};

}  // namespace sgl::constraint
