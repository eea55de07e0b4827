#include "runtime/constraint/grammar_parts.h"

#include <algorithm>
#include <limits>

namespace sgl::constraint {
namespace {

constexpr std::size_t kMostStates = 64;       // of one loop; characters of UTF-8 need some ten
constexpr std::size_t kMostPlaces = 200'000;  // of all loops, of some 100 bytes

// The components of the graph of edges in which every node leads to every other (R. Tarjan, Depth-first search and
// linear graph algorithms, 1972). By node; nodes of different ones have different numbers.
std::vector<std::uint32_t> loops_of(const GrammarNetwork& network) {
  constexpr std::uint32_t kNew = std::numeric_limits<std::uint32_t>::max();
  const std::size_t size = network.nodes.size();
  std::vector<std::uint32_t> order(size, kNew), low(size), loop(size, kNew), open;
  struct Visit {
    std::uint32_t node, edge;
  };
  std::vector<Visit> path;
  std::uint32_t count = 0, loops = 0;
  for (std::uint32_t root = 0; root < size; ++root) {
    if (order[root] != kNew) continue;
    path.push_back({root, 0});
    while (!path.empty()) {
      auto& [node, edge] = path.back();
      if (edge == 0) order[node] = low[node] = count++, open.push_back(node);
      const std::span<const Edge> edges = network.edges_of(network.nodes[node]);
      if (edge < edges.size()) {
        const std::uint32_t to = edges[edge++].to;
        if (order[to] == kNew) {
          path.push_back({to, 0});
        } else if (loop[to] == kNew) {
          low[node] = std::min(low[node], order[to]);
        }
        continue;
      }
      const std::uint32_t done = node;
      path.pop_back();
      if (!path.empty()) low[path.back().node] = std::min(low[path.back().node], low[done]);
      if (low[done] != order[done]) continue;
      while (loop[done] == kNew) {
        loop[open.back()] = loops;
        open.pop_back();
      }
      ++loops;
    }
  }
  return loop;
}

}  // namespace

GrammarParts& GrammarParts::all() {
  static auto* const parts = new GrammarParts;  // threads may outlive main
  return *parts;
}

std::vector<std::int32_t> GrammarParts::places(const GrammarNetwork& network) {
  const std::vector<std::uint32_t> loop = loops_of(network);
  std::vector<std::int32_t> out(network.nodes.size(), kNowhere);
  std::vector<std::uint32_t> number(network.nodes.size()), states;  // number: of a state, from 1
  std::vector<Place> made;
  for (std::uint32_t start = 0; start < network.nodes.size(); ++start) {
    states.assign(1, start);
    number[start] = 1;
    made.clear();
    for (std::size_t i = 0; i < states.size() && states.size() <= kMostStates; ++i) {
      const NetworkNode& node = network.nodes[states[i]];
      Place place;
      place.ends = node.final || node.calls < node.calls_end;
      for (const Edge& e : network.edges_of(node)) {
        if (loop[e.to] != loop[start]) {
          place.ends = true;
          continue;
        }
        if (number[e.to] == 0) {
          states.push_back(e.to);
          number[e.to] = static_cast<std::uint32_t>(states.size());
        }
        place.edges.push_back({e.lo, e.hi, number[e.to] - 1});
      }
      made.push_back(std::move(place));
    }
    for (const std::uint32_t state : states) number[state] = 0;
    if (states.size() <= kMostStates && !made[0].edges.empty()) out[start] = intern(made);
  }
  return out;
}

std::int32_t GrammarParts::intern(const std::vector<Place>& loop) {
  std::string key;
  for (const Place& place : loop) {
    key += place.ends ? 'e' : '.';
    for (const Edge& e : place.edges) {
      key += static_cast<char>(e.lo), key += static_cast<char>(e.hi), key += static_cast<char>(e.to);
    }
    key += static_cast<char>(place.edges.size()), key += static_cast<char>(place.edges.size() >> 8);
  }
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  if (places_.size() > kMostPlaces) return kNowhere;
  const auto base = static_cast<std::int32_t>(places_.size());
  for (Place place : loop) {
    for (Edge& e : place.edges) e.to += static_cast<std::uint32_t>(base);
    places_.push_back(std::move(place));
  }
  known_.emplace(std::move(key), base);
  return base;
}

std::int32_t GrammarParts::part_step(std::int32_t place, unsigned char byte) const {
  const std::lock_guard lock(mutex_);
  std::int32_t found = kNowhere;
  for (const Edge& e : places_[static_cast<std::size_t>(place)].edges) {
    if (byte < e.lo || byte > e.hi) continue;
    if (found >= 0 && found != static_cast<std::int32_t>(e.to)) return kUnsure;
    found = static_cast<std::int32_t>(e.to);
  }
  return found;
}

bool GrammarParts::part_ends(std::int32_t place) const {
  const std::lock_guard lock(mutex_);
  return places_[static_cast<std::size_t>(place)].ends;
}

}  // namespace sgl::constraint
