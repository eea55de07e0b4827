// The spellings of a vocabulary and the hash tables of byte-pair encoding. Private to runtime/tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::tokenizer {

inline std::uint64_t mix64(std::uint64_t x) {  // the finaliser of splitmix64
  x ^= x >> 30, x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27, x *= 0x94d049bb133111eb;
  return x ^ x >> 31;
}
std::uint64_t hash_bytes(std::string_view bytes);

// Strings by index, in one allocation.
class StringPool {
 public:
  // Takes the place of whatever index `at` held; the pool grows as needed.
  void set(std::size_t at, std::string_view text);
  std::string_view operator[](std::size_t at) const {
    return std::string_view(bytes_).substr(entries_[at].offset, entries_[at].size);
  }
  std::size_t size() const { return entries_.size(); }
  void resize(std::size_t n) { entries_.resize(n); }

 private:
  struct Entry {
    std::size_t offset = 0, size = 0;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

// From spelling to index in a pool: open addressing, at most half full.
class StringIndex {
 public:
  // Room for `count` entries.
  void reserve(std::size_t count);
  // Precondition: pool[index] is the spelling. The first index of a spelling stays; false when there was one.
  bool insert(const StringPool& pool, std::int32_t index);
  // -1 when absent.
  std::int32_t find(const StringPool& pool, std::string_view text) const;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t index = -1;
  };
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

// What two adjacent tokens merge into.
struct Merge {
  std::uint32_t rank = UINT32_MAX;  // lower merges first; UINT32_MAX: these two do not merge
  std::int32_t result = -1;
};

class MergeTable {
 public:
  void reserve(std::size_t count);
  void insert(std::int32_t left, std::int32_t right, Merge merge);  // a later rule for the same pair wins
  Merge find(std::int32_t left, std::int32_t right) const {
    if (slots_.empty()) return {};
    const std::uint64_t key = pair_key(left, right);
    for (std::size_t at = mix64(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return slots_[at].merge;
      if (slots_[at].key == kEmpty) return {};
    }
  }

 private:
  static constexpr std::uint64_t kEmpty = UINT64_MAX;
  static std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge;
  };
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace sgl::tokenizer
