#include "runtime/engine/healing.h"

#include <algorithm>

namespace sgl::engine {

HealingIndex::HealingIndex(const tokenizer::Tokenizer& tokenizer, std::size_t vocab) : vocab_(vocab) {
  for (std::size_t i = 0; i < std::min(vocab, tokenizer.vocab_size()); ++i) {
    const auto id = static_cast<tokenizer::TokenId>(i);
    const std::string_view bytes = tokenizer.token_bytes(id);
    if (!bytes.empty()) sorted_.push_back({bytes, id});
  }
  std::sort(sorted_.begin(), sorted_.end(),
            [](const Entry& a, const Entry& b) { return a.bytes != b.bytes ? a.bytes < b.bytes : a.id < b.id; });
}

bool HealingIndex::extendable(std::string_view bytes) const {
  const auto it = std::upper_bound(sorted_.begin(), sorted_.end(), bytes,
                                   [](std::string_view value, const Entry& e) { return value < e.bytes; });
  return it != sorted_.end() && it->bytes.starts_with(bytes);
}

constraint::TokenMask HealingIndex::mask(std::string_view rest) const {
  constraint::TokenMask out(vocab_);
  const auto at = [&](std::string_view bytes) {
    return std::lower_bound(sorted_.begin(), sorted_.end(), bytes,
                            [](const Entry& e, std::string_view value) { return e.bytes < value; });
  };
  for (auto it = at(rest); it != sorted_.end() && it->bytes.starts_with(rest); ++it) out.set(it->id);
  for (std::size_t n = 1; n < rest.size(); ++n) {
    for (auto it = at(rest.substr(0, n)); it != sorted_.end() && it->bytes == rest.substr(0, n); ++it) out.set(it->id);
  }
  return out;
}

}  // namespace sgl::engine
