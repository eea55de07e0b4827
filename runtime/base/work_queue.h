// The items of a parallel loop, handed out so that a thread mostly gets neighbours, whose memory is near it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sgl::base {

// Every thread has an equal part of the items and takes them from its beginning, so that it reads memory in order; one
// that has no more takes from the end of the others' parts, those of its own node of memory first. Threads are numbered
// by node, so loops over the same data that divide it alike give the same node the same data, and it is read where it
// was written.
class WorkQueue {
 public:
  static constexpr std::size_t kMaxItems = UINT32_MAX;

  // threads[n]: threads of node n. At least one thread somewhere.
  explicit WorkQueue(const std::vector<std::size_t>& threads) {
    for (std::size_t n = 0; n < threads.size(); ++n) nodes_.insert(nodes_.end(), threads[n], n);
    parts_.reset(new Part[nodes_.size()]);
  }

  // Items 0 … count − 1; at most kMaxItems. No thread may be taking meanwhile.
  void fill(std::size_t count) {
    const std::size_t threads = nodes_.size();
    for (std::size_t t = 0; t < threads; ++t) {
      parts_[t].left.store(pack(count * t / threads, count * (t + 1) / threads));
    }
  }

  // An item that nobody has taken. Nullopt: none is left.
  std::optional<std::size_t> take(std::size_t thread) {
    if (const auto item = take_from(parts_[thread], false)) return item;
    for (const bool near : {true, false}) {
      for (std::size_t i = 1; i < nodes_.size(); ++i) {
        const std::size_t other = (thread + i) % nodes_.size();
        if ((nodes_[other] == nodes_[thread]) != near) continue;
        if (const auto item = take_from(parts_[other], true)) return item;
      }
    }
    return std::nullopt;
  }

 private:
  struct alignas(64) Part {
    std::atomic<std::uint64_t> left{0};  // the first item and the one after the last
  };

  static std::uint64_t pack(std::uint64_t begin, std::uint64_t end) { return begin << 32 | end; }

  static std::optional<std::size_t> take_from(Part& part, bool last) {
    std::uint64_t left = part.left.load();
    for (;;) {
      const std::uint64_t begin = left >> 32, end = left & UINT32_MAX;
      if (begin == end) return std::nullopt;
      if (part.left.compare_exchange_weak(left, last ? pack(begin, end - 1) : pack(begin + 1, end))) {
        return last ? end - 1 : begin;
      }
    }
  }

  std::vector<std::size_t> nodes_;  // of every thread
  std::unique_ptr<Part[]> parts_;
};

}  // namespace sgl::base
