#include "runtime/tokenizer/added_tokens.h"

#include <algorithm>

#include "runtime/base/unicode.h"
#include "runtime/base/utf8.h"

namespace sgl::tokenizer {
namespace {

std::size_t last_char(std::string_view text) {
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

bool ends_with_word(std::string_view text) {
  return !text.empty() && base::is_word(base::decode_utf8(text, last_char(text)).code);
}
bool begins_with_word(std::string_view text) {
  return !text.empty() && base::is_word(base::decode_utf8(text, 0).code);
}

// Where the white space at the end of `text` begins.
std::size_t trailing_space(std::string_view text) {
  while (!text.empty() && base::is_white_space(base::decode_utf8(text, last_char(text)).code)) {
    text = text.substr(0, last_char(text));
  }
  return text.size();
}

std::size_t leading_space(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const base::DecodedChar c = base::decode_utf8(text, at);
    if (!base::is_white_space(c.code)) break;
    at += c.bytes;
  }
  return at;
}

}  // namespace

void SpellingTrie::insert(std::string_view spelling, std::uint32_t value) {
  if (spelling.empty()) return;
  first_[static_cast<unsigned char>(spelling[0])] = true;
  std::uint32_t node = 0;
  for (char c : spelling) {
    const auto [edge, fresh] = edges_.try_emplace(std::uint64_t{node} << 8 | static_cast<unsigned char>(c), nodes_);
    if (fresh) ++nodes_;
    node = edge->second;
  }
  values_.try_emplace(node, value);
}

SpellingTrie::Hit SpellingTrie::longest(std::string_view text) const {
  Hit hit;
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto edge = edges_.find(std::uint64_t{node} << 8 | static_cast<unsigned char>(text[i]));
    if (edge == edges_.end()) break;
    node = edge->second;
    if (const auto value = values_.find(node); value != values_.end()) hit = {i + 1, value->second};
  }
  return hit;
}

std::vector<TextPart> cut_added_tokens(std::string_view text, const SpellingTrie& trie,
                                       std::span<const AddedToken> tokens, std::span<const ByteSpan> data) {
  std::vector<TextPart> parts;
  std::size_t done = 0, span = 0;
  for (std::size_t at = trie.candidate(text, 0); at < text.size();) {
    // Nothing of a data span may belong to the match: it ends before the next span, and never begins inside one.
    while (span < data.size() && data[span].end <= at) ++span;
    if (span < data.size() && data[span].begin <= at) {
      at = trie.candidate(text, data[span].end);
      continue;
    }
    const std::size_t wall = span < data.size() ? data[span].begin : text.size();
    const SpellingTrie::Hit hit = trie.longest(text.substr(at, wall - at));
    if (hit.size == 0) {
      at = trie.candidate(text, at + 1);
      continue;
    }
    const AddedToken& token = tokens[hit.value];
    std::size_t begin = at, end = at + hit.size;
    at = trie.candidate(text, end);
    if (token.single_word && (ends_with_word(text.substr(0, begin)) || begins_with_word(text.substr(end)))) continue;
    if (token.lstrip) begin = std::max(done, trailing_space(text.substr(0, begin)));
    if (token.rstrip) end += leading_space(text.substr(end));
    if (begin > done) parts.push_back({text.substr(done, begin - done), -1});
    parts.push_back({text.substr(begin, end - begin), token.id});
    done = end;
    at = std::max(at, trie.candidate(text, end));
  }
  if (done < text.size()) parts.push_back({text.substr(done), -1});
  return parts;
}

}  // namespace sgl::tokenizer
