// Token healing: at the seam between a prompt and what is generated, the prompt's last token may be a fragment that the
// model would never have split there. It is taken back, and generated again under the condition that its bytes come.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/constraint.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::engine {

// The vocabulary in order of bytes. Immutable; O(vocab log vocab) to build.
class HealingIndex {
 public:
  // Tokens below `vocab` with bytes.
  HealingIndex(const tokenizer::Tokenizer& tokenizer, std::size_t vocab);

  // Does some token's text strictly extend `bytes`? O(log vocab).
  bool extendable(std::string_view bytes) const;
  // Tokens that begin with `rest`, or that `rest` begins with. O(matches + |rest| log vocab).
  constraint::TokenMask mask(std::string_view rest) const;

 private:
  struct Entry {
    std::string_view bytes;
    tokenizer::TokenId id;
  };
  std::vector<Entry> sorted_;
  std::size_t vocab_;
};

}  // namespace sgl::engine
