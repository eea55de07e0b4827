#include "runtime/engine/router.h"

#include <algorithm>
#include <ranges>

#include "runtime/base/check.h"

namespace sgl::engine {
namespace {

// splitmix64's finaliser over what came before and one token more.
std::uint64_t mix(std::uint64_t state, std::uint64_t value) {
  std::uint64_t z = state + 0x9E3779B97F4A7C15U * (value + 1);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace

Router::Router(std::size_t replicas, std::size_t block, std::size_t memory)
    : block_(block), memory_(memory), busy_(replicas, 0) {
  SGL_ASSERT(replicas > 0 && block > 0 && memory > 0);
}

std::size_t Router::idlest() const {
  return static_cast<std::size_t>(std::ranges::min_element(busy_) - busy_.begin());
}

void Router::remember(std::uint64_t prefix, std::uint32_t replica) {
  const auto [place, is_new] = places_.insert_or_assign(prefix, replica);
  if (!is_new) return;
  ages_.push_back(prefix);
  if (ages_.size() > memory_) {
    places_.erase(ages_.front());
    ages_.pop_front();
  }
}

std::size_t Router::choose(Namespace ns, std::span<const TokenId> tokens) {
  std::vector<std::uint64_t> prefixes;  // of 1, 2, … blocks
  std::uint64_t hash = mix(0, ns.value);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    hash = mix(hash, static_cast<std::uint64_t>(tokens[i]));
    if ((i + 1) % block_ == 0) prefixes.push_back(hash);
  }
  const std::lock_guard lock(mutex_);
  std::size_t chosen = idlest();
  for (const std::uint64_t prefix : std::views::reverse(prefixes)) {
    const auto known = places_.find(prefix);
    if (known == places_.end()) continue;
    if (busy_[known->second] <= 2 * busy_[chosen] + kSlack) chosen = known->second;
    break;
  }
  for (const std::uint64_t prefix : prefixes) remember(prefix, static_cast<std::uint32_t>(chosen));
  ++busy_[chosen];
  return chosen;
}

void Router::release(std::size_t replica) {
  const std::lock_guard lock(mutex_);
  SGL_ASSERT(busy_[replica] > 0);
  --busy_[replica];
}

}  // namespace sgl::engine
