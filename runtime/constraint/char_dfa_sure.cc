// How many characters a text goes on with for sure: a breadth-first search back from the states where some character
// leads nowhere.
#include <algorithm>
#include <array>
#include <mutex>

#include "runtime/constraint/char_dfa_build.h"

namespace sgl::constraint {
namespace {

constexpr std::size_t kMaxEntries = 100'000;  // of the table: about a millisecond

bool has_plain(char32_t lo, char32_t hi) {
  if (hi < 0x20) return false;
  lo = std::max<char32_t>(lo, 0x20);
  const std::uint32_t escaped = (lo <= '"' && '"' <= hi ? 1U : 0U) + (lo <= '\\' && '\\' <= hi ? 1U : 0U);
  return hi - lo + 1 > escaped;
}

}  // namespace

struct CharDfa::Sure {
  std::array<std::once_flag, 2> once;
  std::array<std::vector<std::uint16_t>, 2> steps;

  void find(const CharDfa& dfa, bool ascii);
};

std::shared_ptr<CharDfa::Sure> CharDfa::make_sure() {
  return std::make_shared<Sure>();
}

void CharDfa::Sure::find(const CharDfa& dfa, bool ascii) {
  if (dfa.table_.size() > kMaxEntries) return;
  std::vector<bool> plain(dfa.classes_, false);
  for (std::size_t i = 0; i < dfa.class_starts_.size(); ++i) {
    const char32_t lo = dfa.class_starts_[i];
    const char32_t hi = i + 1 < dfa.class_starts_.size() ? dfa.class_starts_[i + 1] - 1 : base::kMaxCodePoint;
    if (dfa.class_of_range_[i] == 0) continue;
    if (has_plain(lo, ascii ? std::min<char32_t>(hi, 0x7F) : hi)) plain[dfa.class_of_range_[i]] = true;
  }
  std::vector<std::uint16_t>& out = steps[ascii ? 1 : 0];
  out.assign(dfa.size(), kEndless);
  std::vector<std::size_t> level, next;
  for (std::size_t s = 0; s < dfa.size(); ++s) {
    for (std::size_t c = 0; c < dfa.classes_ && out[s] != 0; ++c) {
      if (plain[c] && dfa.table_[s * dfa.classes_ + c] == kDead) out[s] = 0;
    }
    if (out[s] == 0) level.push_back(s);
  }
  const Predecessors before(dfa.table_, dfa.classes_, dfa.size());
  for (std::uint16_t distance = 1; !level.empty() && distance < kEndless; ++distance) {
    next.clear();
    for (std::size_t s : level) {
      for (const Predecessors::Entry& e : before.of(s)) {
        if (!plain[e.cls] || out[e.from] != kEndless) continue;
        out[e.from] = distance;
        next.push_back(e.from);
      }
    }
    level.swap(next);
  }
}

std::span<const std::uint16_t> CharDfa::sure_steps(bool ascii) const {
  Sure& sure = *sure_;
  std::call_once(sure.once[ascii ? 1 : 0], [&] { sure.find(*this, ascii); });
  return sure.steps[ascii ? 1 : 0];
}

}  // namespace sgl::constraint
