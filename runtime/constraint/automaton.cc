#include "runtime/constraint/automaton.h"

#include <algorithm>
#include <set>

namespace sgl::constraint {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> ids = 0;
  return ++ids;
}

std::uint64_t mix(std::uint64_t x) {  // the finaliser of splitmix64
  x ^= x >> 30, x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27, x *= 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Places per state, on average over an automaton: what bounds its memory besides the number of states.
constexpr std::size_t kItemsPerState = 32;

}  // namespace

Automaton::Automaton(Graph graph, FragmentId root, const Limits& limits)
    : graph_(std::move(graph)), root_(root), limits_(limits), id_(next_id()) {
  max_states_ = limits_.max_states > graph_.size() ? limits_.max_states - graph_.size() : 1;
  const std::size_t chunks = max_states_ / kChunk + 1;
  chunks_ = std::make_unique<std::atomic<Chunk*>[]>(chunks);
  stacks_.push_back({});
  find_classes();
  intern(close({{graph_.fragment(root_).start, 0}}));
}

Automaton::~Automaton() {
  for (std::size_t i = 0; i * kChunk < count_; ++i) delete chunks_[i].load();
}

// Bytes that no edge of the grammar tells apart.
void Automaton::find_classes() {
  std::array<bool, 257> cut{};
  for (NodeId n = 0; n < graph_.size(); ++n) {
    for (const Edge& e : graph_.at(n).edges) cut[e.lo] = cut[e.hi + 1] = true;
  }
  std::size_t current = 0;
  for (std::size_t b = 0; b < 256; ++b) {
    if (b > 0 && cut[b]) ++current;
    class_of_[b] = static_cast<std::uint8_t>(current);
  }
  classes_ = current + 1;
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

// Precondition: the mutex is held, or the automaton is being built.
StateId Automaton::intern(Closure closure) const {
  if (closure.items.empty() && !closure.accepting) return kDead;
  std::uint64_t hash = closure.accepting ? 1 : 0;
  for (const Item& item : closure.items) hash = mix(hash ^ (std::uint64_t{item.node} << 32 | item.stack));
  const auto [first, last] = index_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const State& known = at(it->second);
    if (known.accepting == closure.accepting && known.items == closure.items) return it->second;
  }
  item_count_ += closure.items.size();
  if (count_ >= max_states_ || item_count_ > kItemsPerState * limits_.max_states) return kOverLimit;
  if (count_ % kChunk == 0) chunks_[count_ / kChunk].store(new Chunk, std::memory_order_release);
  const auto id = static_cast<StateId>(count_++);
  State& state = at(id);
  state.next = std::make_unique<std::atomic<StateId>[]>(classes_);
  for (std::size_t i = 0; i < classes_; ++i) state.next[i].store(kUnknown, std::memory_order_relaxed);
  state.accepting = closure.accepting;
  state.final = true;
  state.rest = closure.accepting ? 0 : kInfinite;
  for (const Item& item : closure.items) {
    if (!closure.accepting) state.rest = std::min(state.rest, rest_of(item));
    // Places whose bytes lead nowhere do not count.
    for (const Edge& e : graph_.at(item.node).edges) state.final = state.final && graph_.at(e.to).rest >= kInfinite;
  }
  state.items = std::move(closure.items);
  index_.emplace(hash, id);
  return id;
}

StateId Automaton::make_step(StateId from, unsigned char byte) const {
  const std::lock_guard lock(mutex_);
  std::atomic<StateId>& slot = at(from).next[class_of_[byte]];
  const StateId known = slot.load(std::memory_order_relaxed);
  if (known != kUnknown) return known;
  const StateId made = intern(after(at(from).items, byte));
  slot.store(made, std::memory_order_release);
  return made;
}

int Automaton::only_byte(StateId state) const {
  if (accepting(state)) return -1;
  int only = -1;
  for (const Item& item : at(state).items) {
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
  for (const Item& item : at(state).items) {
    for (const Edge& e : graph_.at(item.node).edges) {
      const std::uint64_t after = std::min(graph_.at(e.to).rest + stacks_[item.stack].rest, kInfinite);
      if (after + 1 == rest(state)) best = std::min<int>(best, e.lo);
    }
  }
  return best;
}

std::optional<Automaton::Run> Automaton::run(std::string_view text) const {
  StateId state = start();
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const StateId next = step(state, static_cast<unsigned char>(text[i]));
    if (next == kDead) return std::nullopt;
    if (next == kOverLimit) break;
    state = next;
  }
  if (i == text.size()) return Run{accepting(state)};
  // No room for more states: go on with bare sets.
  const std::lock_guard lock(mutex_);
  Closure closure{at(state).items, false};
  for (; i < text.size(); ++i) {
    closure = after(closure.items, static_cast<unsigned char>(text[i]));
    if (closure.items.empty() && (!closure.accepting || i + 1 < text.size())) return std::nullopt;
  }
  return Run{closure.accepting};
}

}  // namespace sgl::constraint
