// Tokens by their bytes. Private to runtime/constraint.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/constraint/constraint.h"

namespace sgl::constraint {

// Depth first: the children of a node follow it, `end` is the node after its last descendant.
struct TrieNode {
  std::uint32_t end = 0;
  TokenId token = -1;        // a token that ends here, -1: none; others with the same bytes are chained
  std::uint32_t depth : 24;  // bytes up to here
  std::uint32_t byte : 8;
};

// The trie of the tokens in `order`, which is by bytes; [0] is the root. next_same[t] is another token with the bytes
// of t, -1 at the end of a chain; it is filled unless it is null.
std::vector<TrieNode> make_trie(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes,
                                std::vector<TokenId>* next_same);

}  // namespace sgl::constraint
