// Nodes of the prefix cache by a hash of all tokens up to and including theirs (a block hash, as in vLLM's automatic
// prefix caching): open addressing with linear probing (Knuth, TAOCP 3, 6.4, algorithms L and R). An entry has 8 bytes,
// so a look-up reads one cache line as a rule, and those of a whole prompt can be asked for before the first is needed.
//
// The index holds 32 bits of every key. What it finds are candidates: the caller compares tokens. A value is any
// number but UINT32_MAX: a node, or what a tree of children begins with (RadixTree::groups_).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/base/large_pages.h"

namespace sgl::kv {

class PrefixIndex {
 public:
  // Room for `entries` without growing.
  explicit PrefixIndex(std::size_t entries);

  std::size_t size() const { return size_; }
  void prefetch(std::uint64_t key) const { __builtin_prefetch(&slots_[home(tag(key))]); }

  // The first node under a key with these 32 bits of which `same(node)` holds. Expected O(1).
  template <typename Same>
  std::optional<std::uint32_t> find(std::uint64_t key, const Same& same) const {
    for (std::size_t at = home(tag(key)); slots_[at].node != kEmpty; at = next(at)) {
      if (slots_[at].tag == tag(key) && same(slots_[at].node)) return slots_[at].node;
    }
    return std::nullopt;
  }

  // Precondition: the pair is not there. Amortized O(1).
  void insert(std::uint64_t key, std::uint32_t node);
  // Precondition: the pair is there. Expected O(1).
  void erase(std::uint64_t key, std::uint32_t node);

 private:
  static constexpr std::uint32_t kEmpty = UINT32_MAX;
  struct Slot {
    std::uint32_t tag = 0, node = kEmpty;
  };
  static std::uint32_t tag(std::uint64_t key) { return static_cast<std::uint32_t>(key); }
  std::size_t home(std::uint32_t tag) const { return tag & (slots_.size() - 1); }
  std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
  void place(Slot slot);

  using Slots = std::vector<Slot, base::LargePages<Slot, base::kLargePage / 4>>;

  Slots slots_;  // a power of two of them, at most half of them taken
  std::size_t size_ = 0;
};

}  // namespace sgl::kv
