#include "runtime/constraint/automaton.h"

#include <algorithm>
#include <set>

namespace sgl::constraint {
namespace {

std::uint64_t mix(std::uint64_t x) {  // the finaliser of splitmix64
  x ^= x >> 30, x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27, x *= 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Places per state, on average over an automaton: what bounds its memory besides the number of states.
constexpr std::size_t kItemsPerState = 32;
// Places that one byte may lead to. Nested ambiguity multiplies them (each `[` of a union of lists of unions of lists
// …), and without a limit one step could take minutes; 20,000 take some 20 ms.
constexpr std::size_t kItemsPerStep = 20'000;

}  // namespace

Automaton::Automaton(Graph graph, FragmentId root, const Limits& limits)
    : Machine(limits.max_states > graph.size() ? limits.max_states - graph.size() : 1),
      graph_(std::move(graph)),
      graph_bytes_(graph_.bytes()),
      root_(root),
      max_items_(kItemsPerState * limits.max_states) {
  stacks_.push_back({});
  find_classes();
  intern(close({{graph_.fragment(root_).start, 0}}));
}

// Bytes that no edge of the grammar tells apart.
void Automaton::find_classes() {
  std::array<bool, 257> cut{};
  for (NodeId n = 0; n < graph_.size(); ++n) {
    for (const Edge& e : graph_.at(n).edges) cut[e.lo] = cut[e.hi + 1] = true;
  }
  std::uint8_t current = 0;
  for (std::size_t b = 0; b < 256; ++b) {
    if (b > 0 && cut[b]) ++current;
    class_of_[b] = current;
  }
}

std::uint32_t Automaton::push(NodeId back, std::uint32_t parent) const {
  const std::uint64_t key = std::uint64_t{back} << 32 | parent;
  const auto [it, fresh] = stack_index_.try_emplace(key, static_cast<std::uint32_t>(stacks_.size()));
  if (fresh) stacks_.push_back({back, parent, std::min(graph_.at(back).rest + stacks_[parent].rest, kInfinite)});
  return it->second;
}

std::uint64_t Automaton::rest_of(const Item& item) const {
  return std::min(graph_.at(item.node).rest + stacks_[item.stack].rest, kInfinite);
}

Automaton::Closure Automaton::close(std::vector<Item> items) const {
  Closure out;
  std::set<Item> seen;
  const auto visit = [&](Item item) {
    if (graph_.at(item.node).rest < kInfinite && seen.insert(item).second) items.push_back(item);
  };
  std::vector<Item> begin;
  begin.swap(items);
  for (const Item& item : begin) visit(item);
  while (!items.empty()) {
    if (seen.size() > kItemsPerStep) return {{}, false, true};
    const Item item = items.back();
    items.pop_back();
    const Node& node = graph_.at(item.node);
    if (!node.edges.empty()) out.items.push_back(item);
    for (NodeId to : node.jumps) visit({to, item.stack});
    for (const Call& call : node.calls) {
      const Fragment& callee = graph_.fragment(call.fragment);
      if (callee.shortest < kInfinite && graph_.at(call.back).rest < kInfinite) {
        visit({callee.start, push(call.back, item.stack)});
      }
    }
    if (!node.exit) continue;
    if (item.stack == 0) {
      out.accepting = true;
    } else {
      visit({stacks_[item.stack].back, stacks_[item.stack].parent});
    }
  }
  std::sort(out.items.begin(), out.items.end());
  return out;
}

Automaton::Closure Automaton::after(const std::vector<Item>& items, unsigned char byte) const {
  std::vector<Item> next;
  for (const Item& item : items) {
    for (const Edge& e : graph_.at(item.node).edges) {
      if (byte >= e.lo && byte <= e.hi) next.push_back({e.to, item.stack});
    }
  }
  return close(std::move(next));
}

StateId Automaton::intern(Closure closure) const {
  if (closure.over) return kOverLimit;
  if (closure.items.empty() && !closure.accepting) return kNoState;
  std::uint64_t hash = closure.accepting ? 1 : 0;
  for (const Item& item : closure.items) hash = mix(hash ^ (std::uint64_t{item.node} << 32 | item.stack));
  const auto [first, last] = index_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (accepting(it->second) == closure.accepting && places_[static_cast<std::size_t>(it->second)] == closure.items)
      return it->second;
  }
  item_count_ += closure.items.size();
  if (item_count_ > max_items_) return kOverLimit;
  Facts facts;
  facts.accepting = closure.accepting, facts.final = true, facts.rest = closure.accepting ? 0 : kInfinite;
  for (const Item& item : closure.items) {
    if (!closure.accepting) facts.rest = std::min(facts.rest, rest_of(item));
    // Places whose bytes lead nowhere do not count.
    for (const Edge& e : graph_.at(item.node).edges) facts.final = facts.final && graph_.at(e.to).rest >= kInfinite;
  }
  const StateId id = add_state(facts);
  if (id < 0) return id;
  places_.push_back(std::move(closure.items));
  index_.emplace(hash, id);
  return id;
}

StateId Automaton::expand(StateId from, unsigned char byte) const {
  return intern(after(places_[static_cast<std::size_t>(from)], byte));
}

int Automaton::only_byte(StateId state) const {
  if (accepting(state)) return -1;
  const std::lock_guard lock(mutex_);
  int only = -1;
  for (const Item& item : places_[static_cast<std::size_t>(state)]) {
    for (const Edge& e : graph_.at(item.node).edges) {
      if (graph_.at(e.to).rest >= kInfinite) continue;
      if (e.lo != e.hi || (only >= 0 && only != e.lo)) return -1;
      only = e.lo;
    }
  }
  return only;
}

int Automaton::shortest_byte(StateId state) const {
  const std::lock_guard lock(mutex_);  // rest_of reads the stacks
  int best = 256;
  for (const Item& item : places_[static_cast<std::size_t>(state)]) {
    for (const Edge& e : graph_.at(item.node).edges) {
      const std::uint64_t after = std::min(graph_.at(e.to).rest + stacks_[item.stack].rest, kInfinite);
      if (after + 1 == rest(state)) best = std::min<int>(best, e.lo);
    }
  }
  return best;
}

std::optional<Machine::Run> Automaton::run(std::string_view text) const {
  StateId state = kStart;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const StateId next = step(state, static_cast<unsigned char>(text[i]));
    if (next == kNoState) return std::nullopt;
    if (next == kOverLimit) break;
    state = next;
  }
  if (i == text.size()) return Run{accepting(state)};
  // No room for more states: go on with bare sets.
  const std::lock_guard lock(mutex_);
  Closure closure{places_[static_cast<std::size_t>(state)], false, false};
  for (; i < text.size(); ++i) {
    closure = after(closure.items, static_cast<unsigned char>(text[i]));
    if (closure.over) return std::nullopt;
    if (closure.items.empty() && (!closure.accepting || i + 1 < text.size())) return std::nullopt;
  }
  return Run{closure.accepting};
}

}  // namespace sgl::constraint
