#include "runtime/constraint/free_tokens.h"

#include <algorithm>
#include <map>

#include "runtime/constraint/utf8_place.h"

namespace sgl::constraint {

void FreeTokens::build(const std::vector<TokenId>& order, const std::vector<std::string_view>& bytes) {
  std::map<std::uint64_t, std::vector<TokenId>> all, whole;
  std::vector<TokenId> cut;
  for (const TokenId id : order) {
    int place = kBetween;
    std::uint64_t chars = 0;
    for (const char c : bytes[static_cast<std::size_t>(id)]) {
      if (place == kBetween) ++chars;
      place = utf8_step(place, static_cast<unsigned char>(c));
      if (place < 0) break;
    }
    if (place < 0) continue;
    all[chars].push_back(id);
    if (place == kBetween) {
      whole[chars].push_back(id);
    } else {
      cut.push_back(id);
    }
  }
  const auto masks = [&](const std::map<std::uint64_t, std::vector<TokenId>>& by_chars) {
    Masks out;
    out.emplace_back(0, TokenMask(bytes.size()));
    for (const auto& [chars, tokens] : by_chars) {
      out.emplace_back(chars, out.back().second);
      for (const TokenId id : tokens) out.back().second.set(id);
    }
    return out;
  };
  all_ = masks(all), whole_ = masks(whole);
  // Of tokens with the same bytes all are in it.
  cut_ = make_trie(cut, bytes, nullptr);
}

const TokenMask& FreeTokens::at_most(const Masks& masks, std::uint64_t chars) {
  const auto after = std::upper_bound(masks.begin(), masks.end(), chars,
                                      [](std::uint64_t most, const auto& entry) { return most < entry.first; });
  return std::prev(after)->second;
}

}  // namespace sgl::constraint
