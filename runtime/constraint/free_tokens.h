// Tokens in bare text: by how many characters they have. Private to runtime/constraint.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/constraint/constraint.h"
#include "runtime/constraint/token_trie.h"

namespace sgl::constraint {

class FreeTokens {
 public:
  // `order`: the tokens by their bytes.
  void build(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes);

  // Tokens that may come between two characters when so many more may: UTF-8 that is whole, or cut within its last
  // character, which then counts. O(log of the lengths that occur).
  const TokenMask& up_to(std::uint64_t chars) const { return at_most(all_, chars); }
  // Those that are whole.
  const TokenMask& whole_up_to(std::uint64_t chars) const { return at_most(whole_, chars); }
  // Those that are cut.
  const std::vector<TrieNode>& cut() const { return cut_; }

 private:
  using Masks = std::vector<std::pair<std::uint64_t, TokenMask>>;  // by number of characters; [0]: no token
  static const TokenMask& at_most(const Masks& masks, std::uint64_t chars);

  Masks all_, whole_;
  std::vector<TrieNode> cut_;
};

}  // namespace sgl::constraint
