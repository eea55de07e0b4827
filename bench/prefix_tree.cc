// The prefix cache as it grows: what finding, publishing and evicting cost in trees of a thousand to a million nodes,
// and that the first two are linear in the tokens. Prints one JSON object.
//
// A tree of sequences as servers see them: of 64 system prompts of 4 pages each, conversations of 4 more. Operations
// hit random places. In a loop of nothing but operations a small tree stays in the caches and a large one does not. In
// an engine neither does: between two operations a step reads the model's weights. So both are measured: `warm`, one
// operation after another, and `cold`, each after other memory has gone through the caches.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "runtime/kv/radix_tree.h"

using namespace sgl;
using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kPage = 16, kSystemPrompts = 64, kSystemPages = 4, kOwnPages = 4;
constexpr std::size_t kNodeBytes = 150;          // of a node with its tokens and its places in the indices, about
constexpr std::size_t kStepBytes = 633'000'000;  // read before a cold operation: the weights of Qwen3-0.6B in 8 bits
const kv::Namespace kTenant(1);

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Conversation `i`: the tokens of its system prompt, then its own.
std::vector<kv::Token> conversation(std::uint64_t i, std::size_t own_pages = kOwnPages) {
  std::vector<kv::Token> out;
  for (std::size_t t = 0; t < kSystemPages * kPage; ++t)
    out.push_back(static_cast<kv::Token>(mix(i % kSystemPrompts * 1'000 + t) % 150'000));
  for (std::size_t t = 0; t < own_pages * kPage; ++t)
    out.push_back(static_cast<kv::Token>(mix((i << 20) + t + 77) % 150'000));
  return out;
}

// Publishes a sequence as the scheduler does: what is found is used, the rest gets pages; then it ends.
void publish(kv::RadixTree& tree, kv::PagePool& pool, const std::vector<kv::Token>& tokens) {
  const kv::Match found = tree.match(kTenant, tokens, tokens.size());
  std::vector<kv::PageId> pages = found.pages;
  for (const kv::PageId page : pages) pool.retain(page);
  tree.lock(found.node);
  while (pages.size() * kPage < tokens.size()) pages.push_back(*pool.allocate());
  const kv::NodeId at = tree.publish(kTenant, tokens, pages, found.node, found.pages.size() * kPage);
  tree.unlock(at);
  for (const kv::PageId page : pages) pool.release(page);
}

template <typename Body>
double microseconds(std::size_t count, const Body& body) {
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < count; ++i) body(i);
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / static_cast<double>(count);
}

// The median of operations that each find the caches as a step of the engine leaves them.
template <typename Body>
double cold_microseconds(std::size_t count, const Body& body) {
  static std::vector<std::uint64_t> weights(kStepBytes / sizeof(std::uint64_t), 1);
  std::vector<double> all;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum = std::accumulate(weights.begin(), weights.end(), sum);
    all.push_back(microseconds(1, [&](std::size_t) { body(i); }));
  }
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count / 2), all.end());
  return sum == 0 ? 0 : all[count / 2];
}

// Nanoseconds of one dependent read in a random order of `bytes`: what the machine makes of a structure of that size.
double read_latency(std::size_t bytes) {
  std::vector<std::uint32_t> next(bytes / 64 * 16);
  std::vector<std::uint32_t> order(next.size() / 16);
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  for (std::size_t i = 0; i < order.size(); ++i) next[order[i] * 16] = order[(i + 1) % order.size()] * 16;
  std::uint32_t at = 0;
  const double us = microseconds(2'000'000, [&](std::size_t) { at = next[at]; });
  return us * 1e3 + (at == UINT32_MAX ? 1 : 0);
}

Json by_nodes(std::size_t nodes) {
  constexpr std::size_t kWarm = 20'000, kCold = 80;
  const std::size_t conversations = nodes / kOwnPages;
  kv::PagePool pool(nodes + (kSystemPrompts * kSystemPages) + 4'096, kPage);
  kv::RadixTree tree(pool);
  for (std::size_t i = 0; i < conversations; ++i) publish(tree, pool, conversation(i));
  const std::size_t filled = tree.cached_pages();
  // The tokens are made outside the clock.
  std::vector<std::vector<kv::Token>> known, fresh;
  for (std::size_t i = 0; i < kWarm + kCold; ++i) {
    known.push_back(conversation(mix(i) % conversations));
    fresh.push_back(conversation((std::uint64_t{1} << 32) + i));
  }
  std::size_t found = 0;
  const auto match = [&](std::size_t i) { found += tree.match(kTenant, known[i], known[i].size()).tokens; };
  // As a full cache works: something old goes, the new comes.
  const auto renew = [&](std::size_t i) {
    tree.evict(kOwnPages);
    publish(tree, pool, fresh[i]);
  };
  const double warm_match = microseconds(kWarm, match);
  const double cold_match = cold_microseconds(kCold, [&](std::size_t i) { match(kWarm + i); });
  const bool all_found = found == known.size() * known[0].size();
  const double warm_renew = microseconds(kWarm, renew);
  const double cold_renew = cold_microseconds(kCold, [&](std::size_t i) { renew(kWarm + i); });
  return {{"nodes", filled},
          {"cold", {{"match_us", cold_match}, {"evict_and_publish_us", cold_renew}}},
          {"warm", {{"match_us", warm_match}, {"evict_and_publish_us", warm_renew}}},
          {"read_latency_ns", read_latency(filled * kNodeBytes)},
          {"all_found", all_found}};
}

Json by_tokens(std::size_t own_pages) {
  const std::size_t repeats = 200'000 / own_pages / kPage + 3, pages = 40'000 + (repeats + 1) * own_pages;
  kv::PagePool pool(pages, kPage);
  kv::RadixTree tree(pool);
  for (std::size_t i = 0; i < 5'000; ++i) publish(tree, pool, conversation(i));
  std::vector<std::vector<kv::Token>> fresh;
  for (std::size_t i = 0; i < repeats; ++i) fresh.push_back(conversation((std::uint64_t{1} << 32) + i, own_pages));
  const double insert = microseconds(repeats, [&](std::size_t i) { publish(tree, pool, fresh[i]); });
  const double match =
      microseconds(repeats, [&](std::size_t i) { (void)tree.match(kTenant, fresh[i], fresh[i].size()); });
  const auto tokens = static_cast<double>(own_pages * kPage);
  return {{"new_tokens", own_pages * kPage},
          {"publish_ns_per_token", insert * 1e3 / tokens},
          {"match_ns_per_token", match * 1e3 / tokens}};
}

}  // namespace

int main() {
  Json out = {{"benchmark", "prefix_tree"}, {"tokens_per_operation", (kSystemPages + kOwnPages) * kPage}};
  for (const std::size_t nodes : {1'000, 10'000, 100'000, 1'000'000}) out["by_nodes"].push_back(by_nodes(nodes));
  for (const std::size_t pages : {8, 64, 512, 4'096}) out["by_tokens"].push_back(by_tokens(pages));
  fmt::print("{}\n", out.dump(2));
  return 0;
}
