// The items of a parallel loop, handed out so that a thread mostly gets those whose memory is near it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace sgl::base {

// Every node of memory has a part of the items, as large as its share of the threads: the first node the first ones.
// Loops over the same data that divide it alike give the same node the same data, so it is read where it was written.
class WorkQueue {
 public:
  // threads[n]: threads of node n. At least one node, and a thread somewhere.
  explicit WorkQueue(const std::vector<std::size_t>& threads) : count_(threads.size()), parts_(new Part[count_]) {
    before_.push_back(0);
    for (const std::size_t here : threads) before_.push_back(before_.back() + here);
  }

  // Items 0 … count − 1. No thread may be taking meanwhile.
  void fill(std::size_t count) {
    for (std::size_t n = 0; n < count_; ++n) {
      parts_[n].next.store(count * before_[n] / before_.back());
      parts_[n].end = count * before_[n + 1] / before_.back();
    }
  }

  // An item that nobody has taken: of the thread's own node, or of the next one that has some. Nullopt: none is left.
  std::optional<std::size_t> take(std::size_t node) {
    for (std::size_t i = 0; i < count_; ++i) {
      Part& part = parts_[(node + i) % count_];
      const std::size_t item = part.next.fetch_add(1);
      if (item < part.end) return item;
    }
    return std::nullopt;
  }

 private:
  struct alignas(64) Part {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };
  std::size_t count_;
  std::unique_ptr<Part[]> parts_;
  std::vector<std::size_t> before_;  // threads of the nodes before; the last is all of them
};

}  // namespace sgl::base
