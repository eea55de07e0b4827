// Which number stands for equal things: a hash table of numbers only, the things being kept elsewhere. Private to
// runtime/constraint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sgl::constraint {

// Open addressing with linear probing; at most half full. Hashes have to be well mixed.
class InternIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // The number with this hash for which `equal` holds, or kNone. O(1).
  template <typename Equal>
  std::uint32_t find(std::uint64_t hash, Equal equal) const {
    if (slots_.empty()) return kNone;
    for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].id == kNone) return kNone;
      if (slots_[i].hash == static_cast<std::uint32_t>(hash >> 32) && equal(slots_[i].id)) return slots_[i].id;
    }
  }
  // Precondition: not found.
  void add(std::uint64_t hash, std::uint32_t id) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    ++count_;
    place({static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32), id});
  }
  std::size_t size() const { return count_; }

 private:
  struct Slot {
    std::uint32_t low = 0, hash = 0;  // halves of the hash
    std::uint32_t id = kNone;
  };
  void place(const Slot& slot) {
    std::size_t i = slot.low & (slots_.size() - 1);
    while (slots_[i].id != kNone) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 32 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id != kNone) place(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, below 2^32
  std::size_t count_ = 0;
};

}  // namespace sgl::constraint
