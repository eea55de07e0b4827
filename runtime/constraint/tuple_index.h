// Numbers sequences of numbers: equal sequences get the same index, new ones the next. Private to runtime/constraint.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace sgl::constraint {

class TupleIndex {
 public:
  // The index, and whether it is new. `items` may not lie in this object.
  std::pair<std::uint32_t, bool> add(std::span<const std::uint32_t> items) {
    const std::uint32_t hash = hash_of(items);
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      if (slots_[at] == 0) {
        const auto id = static_cast<std::uint32_t>(size());
        pool_.insert(pool_.end(), items.begin(), items.end());
        ends_.push_back(pool_.size());
        hashes_.push_back(hash);
        slots_[at] = id + 1;
        if (2 * size() > slots_.size()) grow();
        return {id, true};
      }
      const std::uint32_t id = slots_[at] - 1;
      if (hashes_[id] == hash && std::ranges::equal(this->at(id), items)) return {id, false};
    }
  }
  // Valid until the next add().
  std::span<const std::uint32_t> at(std::uint32_t id) const {
    return std::span(pool_).subspan(ends_[id], ends_[id + 1] - ends_[id]);
  }
  std::size_t size() const { return hashes_.size(); }
  std::size_t items() const { return pool_.size(); }

 private:
  std::size_t mask() const { return slots_.size() - 1; }
  static std::uint32_t hash_of(std::span<const std::uint32_t> items) {
    constexpr std::uint64_t kPrime = 0xD6E8FEB86659FD93;
    std::uint64_t hash = 0x9E3779B97F4A7C15 ^ items.size();
    std::size_t i = 0;
    // Two at a time: the chain of multiplications is what long rows of automata wait for.
    for (; i + 2 <= items.size(); i += 2) {
      hash = (hash ^ (items[i] | std::uint64_t{items[i + 1]} << 32)) * kPrime;
      hash ^= hash >> 32;
    }
    if (i < items.size()) hash = (hash ^ items[i]) * kPrime;
    // Once more, so that also the last item reaches all bits.
    return static_cast<std::uint32_t>((hash * kPrime) >> 32);
  }
  void grow() {
    slots_.assign(2 * slots_.size(), 0);
    for (std::size_t id = 0; id < size(); ++id) {
      std::size_t at = hashes_[id] & mask();
      while (slots_[at] != 0) at = (at + 1) & mask();
      slots_[at] = static_cast<std::uint32_t>(id + 1);
    }
  }

  std::vector<std::uint32_t> pool_;  // the sequences, one after the other
  std::vector<std::size_t> ends_{0};
  std::vector<std::uint32_t> hashes_;
  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(64, 0);  // index + 1, 0: free; a power of two
};

}  // namespace sgl::constraint
