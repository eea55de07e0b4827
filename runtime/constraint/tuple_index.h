// Numbers sequences of numbers: equal sequences get the same index, new ones the next. Private to runtime/constraint.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

namespace sgl::constraint {

class TupleIndex {
 public:
  TupleIndex() : seen_(64, Hash{this}, Equal{this}) {}
  TupleIndex(const TupleIndex&) = delete;
  TupleIndex& operator=(const TupleIndex&) = delete;

  // The index, and whether it is new.
  std::pair<std::uint32_t, bool> add(std::span<const std::uint32_t> items) {
    const auto id = static_cast<std::uint32_t>(size());
    pool_.insert(pool_.end(), items.begin(), items.end());
    ends_.push_back(pool_.size());
    const auto [it, fresh] = seen_.insert(id);
    if (!fresh) {
      ends_.pop_back();
      pool_.resize(ends_.back());
    }
    return {*it, fresh};
  }
  // Valid until the next add().
  std::span<const std::uint32_t> at(std::uint32_t id) const {
    return std::span(pool_).subspan(ends_[id], ends_[id + 1] - ends_[id]);
  }
  std::size_t size() const { return ends_.size() - 1; }
  std::size_t items() const { return pool_.size(); }

 private:
  struct Hash {
    const TupleIndex* index;
    std::size_t operator()(std::uint32_t id) const {
      std::uint64_t hash = 0x9E3779B97F4A7C15;
      for (std::uint32_t item : index->at(id)) {
        hash = (hash ^ item) * 0xD6E8FEB86659FD93;
        hash ^= hash >> 32;
      }
      return hash;
    }
  };
  struct Equal {
    const TupleIndex* index;
    bool operator()(std::uint32_t a, std::uint32_t b) const {
      const auto x = index->at(a), y = index->at(b);
      return std::equal(x.begin(), x.end(), y.begin(), y.end());
    }
  };
  std::vector<std::uint32_t> pool_;
  std::vector<std::size_t> ends_{0};
  std::unordered_set<std::uint32_t, Hash, Equal> seen_;
};

}  // namespace sgl::constraint
