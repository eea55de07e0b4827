// The raw tokens of a text, all channels, as byte ranges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sgl::compiler::parsing {

// Channels of RawToken, as in the grammar.
constexpr std::size_t kDefaultChannel = 0;
constexpr std::size_t kHiddenChannel = 1;
constexpr std::size_t kCommentChannel = 2;

struct RawToken {
  std::size_t type = 0;  // SglLexer's
  std::size_t channel = kDefaultChannel;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// Never fails; what is not SGL becomes tokens that say so. The tokens cover the text without gaps. `text` is valid
// UTF-8 of less than 4 GB. Without the end-of-file token.
std::vector<RawToken> lex_raw(std::string_view text);

}  // namespace sgl::compiler::parsing
