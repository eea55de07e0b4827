// Which replica of an engine a request goes to: the one that computed most of its prompt lately, unless that one is
// much busier than another. What is known is approximate on purpose (hashes of prefixes, the oldest forgotten first): a
// wrong guess costs a prefill, never a wrong result. After the cache-aware router of SGLang (Zheng et al., 2024,
// section 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/engine/engine.h"

namespace sgl::engine {

class Router {
 public:
  // Prefixes are told apart at multiples of `block` tokens; at most `memory` of them are remembered.
  // Preconditions: replicas, block and memory are at least 1.
  Router(std::size_t replicas, std::size_t block, std::size_t memory = 1 << 16);

  // The replica for a request, which counts as busy there until `release`. Thread-safe; O(tokens).
  std::size_t choose(Namespace ns, std::span<const TokenId> tokens);
  void release(std::size_t replica);

 private:
  // A replica with this many requests more than twice those of the idlest gets no more on account of its cache.
  static constexpr std::size_t kSlack = 8;

  std::size_t idlest() const;
  void remember(std::uint64_t prefix, std::uint32_t replica);

  const std::size_t block_;
  const std::size_t memory_;
  mutable std::mutex mutex_;
  std::vector<std::size_t> busy_;                            // by replica: requests that have not ended
  std::unordered_map<std::uint64_t, std::uint32_t> places_;  // hash of a prefix: the replica that computed it last
  std::deque<std::uint64_t> ages_;                           // keys of places_, the oldest first
};

}  // namespace sgl::engine
