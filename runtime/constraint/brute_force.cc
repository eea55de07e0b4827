// Masks by trying: what the ones that are built cleverly are compared with.
#include "runtime/constraint/vocabulary.h"

namespace sgl::constraint {

using base::Expected;

Expected<TokenMask> Matcher::mask_by_trial() const {
  const Vocabulary::Impl& vocabulary = vocabulary_->impl();
  const Machine& machine = *machine_;
  TokenMask out(vocabulary.bytes.size());
  if (now().ended) return out;
  if (is_complete()) {
    for (TokenId id : vocabulary.eos) out.set(id);
  }
  const std::string_view healing = std::string_view(healing_).substr(now().healed);
  // Neighbours in the order of bytes have a beginning in common: states[i] is the one after i bytes of the last token.
  std::vector<StateId> states{now().state};
  std::string_view last;
  for (TokenId id : vocabulary.by_bytes) {
    const std::string_view token = vocabulary.bytes[static_cast<std::size_t>(id)];
    std::size_t at = 0;
    while (at + 1 < states.size() && at < token.size() && at < last.size() && token[at] == last[at]) ++at;
    states.resize(at + 1);
    for (; at < token.size() && states[at] >= 0; ++at) {
      const bool heals = at < healing.size();
      const StateId next = !heals                     ? machine.step(states[at], static_cast<unsigned char>(token[at]))
                           : token[at] == healing[at] ? states[at]
                                                      : kNoState;
      if (next == kOverLimit) return base::over_limit("the constraint needs too many states");
      states.push_back(next);
    }
    last = token;
    if (at == token.size() && states.back() >= 0) out.set(id);
  }
  return out;
}

}  // namespace sgl::constraint
