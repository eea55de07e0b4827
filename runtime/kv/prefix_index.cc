#include "runtime/kv/prefix_index.h"

#include <bit>
#include <utility>

#include "runtime/base/check.h"

namespace sgl::kv {

PrefixIndex::PrefixIndex(std::size_t entries) : slots_(std::bit_ceil(2 * entries + 2)) {}

void PrefixIndex::place(Slot slot) {
  std::size_t at = home(slot.tag);
  while (slots_[at].node != kEmpty) at = next(at);
  slots_[at] = slot;
}

void PrefixIndex::insert(std::uint64_t key, std::uint32_t node) {
  if (2 * (size_ + 1) > slots_.size()) {
    const Slots old = std::exchange(slots_, Slots(2 * slots_.size()));
    for (const Slot& s : old) {
      if (s.node != kEmpty) place(s);
    }
  }
  place({tag(key), node});
  ++size_;
}

void PrefixIndex::erase(std::uint64_t key, std::uint32_t node) {
  std::size_t hole = home(tag(key));
  while (slots_[hole].node != node) {
    SGL_ASSERT(slots_[hole].node != kEmpty);
    hole = next(hole);
  }
  // What follows moves up where its probe would no longer reach it.
  for (std::size_t at = next(hole); slots_[at].node != kEmpty; at = next(at)) {
    const std::size_t mask = slots_.size() - 1, from = home(slots_[at].tag);
    if (((at - from) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  --size_;
}

}  // namespace sgl::kv
