// Tokens that are made of whole plain characters, as a trie of characters: in a JSON string each of them is taken or
// refused by an automaton over characters, without a look at bytes. Private to runtime/constraint.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/machine.h"

namespace sgl::constraint {

constexpr std::size_t kMaxPlainChars = 2047;  // of one token; what CharNode::depth holds

// Depth first, as TrieNode.
struct CharNode {
  std::uint32_t end = 0;     // the node after its last descendant
  TokenId token = -1;        // a token that ends here, -1: none; others with the same bytes are chained
  std::uint32_t depth : 11;  // characters up to here
  std::uint32_t character : 21;
  std::uint32_t first = 0;   // of CharTrie::tokens, the first that begins with this node
  std::uint16_t height = 0;  // characters of its longest descendant, from here
};

struct CharTrie {
  std::vector<CharNode> nodes;  // [0] is the root
  std::vector<TokenId> tokens;  // by their bytes
  bool ascii = true;            // all characters are
};

// The trie of the tokens in `order`, which is by bytes. next_same as for make_trie. Precondition: the tokens are valid
// UTF-8 of at most kMaxPlainChars plain characters.
CharTrie make_char_trie(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes,
                        std::vector<TokenId>& next_same);

// Least bytes that the content of a string needs after so many of its characters, remembered by place: a walk over all
// tokens asks for few places again and again. Precondition: part.dfa is not null.
class Remainders {
 public:
  // `columns`: character counts that are remembered.
  Remainders(const StringPart& part, std::size_t columns) : part_(part), columns_(columns) {
    rows_.assign(part.dfa->size(), kNoRow);
  }
  // kInfinite: there is no completion.
  std::uint64_t at(CharDfa::State q, std::size_t chars) {
    if (chars >= columns_) return compute(q, chars);
    std::uint32_t& row = rows_[static_cast<std::size_t>(q)];
    if (row == kNoRow) {
      row = static_cast<std::uint32_t>(known_.size());
      known_.resize(known_.size() + columns_, kUnknown);
    }
    std::uint64_t& slot = known_[row + chars];
    if (slot == kUnknown) slot = compute(q, chars);
    return slot;
  }

 private:
  static constexpr std::uint32_t kNoRow = UINT32_MAX;
  static constexpr std::uint64_t kUnknown = UINT64_MAX;
  std::uint64_t compute(CharDfa::State q, std::size_t chars) const;

  const StringPart& part_;
  const std::size_t columns_;
  std::vector<std::uint32_t> rows_;  // by state: where its row begins
  std::vector<std::uint64_t> known_;
};

// Adds the tokens of the trie that the part's automaton takes to `mask`; `worst` grows to the most bytes that the
// content may need after one of them. `bounds`: the part's bounds, null when they do not matter. O(nodes that are
// reached).
void walk_plain(const CharTrie& trie, const StringPart& part, Remainders* bounds, const std::vector<TokenId>& next_same,
                TokenMask& mask, std::uint64_t& worst);

}  // namespace sgl::constraint
