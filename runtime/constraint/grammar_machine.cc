#include "runtime/constraint/grammar_machine.h"

#include <algorithm>

namespace sgl::constraint {
namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t x) {  // the finaliser of splitmix64
  h ^= x + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2);
  h ^= h >> 30, h *= 0xbf58476d1ce4e5b9;
  return h ^ h >> 27;
}

bool is_space(unsigned byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

constexpr std::size_t kItemsPerState = 32;  // on average: what bounds memory besides the number of states

}  // namespace

GrammarMachine::GrammarMachine(std::shared_ptr<const GrammarNetwork> network, const GrammarLimits& limits)
    : Machine(limits.max_states), network_(std::move(network)), limits_(limits), stacks_(*network_) {
  for (const auto& constraint : network_->foreign) {
    children_.push_back(constraint->impl().machine());
    certain_ = certain_ && children_.back()->certain(kStart);
  }
  if (children_.empty()) find_classes();
  stamps_.resize(network_->nodes.size()), at_.resize(network_->nodes.size());
  wanted_stamps_.resize(network_->components.size()), wanted_.resize(network_->components.size());

  // The start is the only state that is no set of places after a byte.
  const NetworkRule& root = network_->rules[network_->root];
  reset_places();
  Situation start;
  wanted_[root.component] = stacks_.push(network_->root, GrammarStacks::kEnd, GrammarStacks::kNothing);
  wanted_stamps_[root.component] = stamp_;
  queue_.emplace_back(network_->components[root.component].rank, root.component);
  if (root.shortest < kInfinite) enter_components(start);
  Facts facts;
  facts.accepting = root.nullable;
  facts.rest = root.nullable ? 0 : root.shortest;
  add_facts(start, facts);
  add_state(facts);
  situations_.push_back(std::move(start));
}

// Bytes that no edge tells apart.
void GrammarMachine::find_classes() {
  std::array<bool, 257> cut{};
  for (const Edge& e : network_->edges) cut[e.lo] = cut[e.hi + 1U] = true;
  for (const NetworkNode& node : network_->nodes) {
    if (!node.ignored) continue;
    for (unsigned b = 0; b < 256; ++b) cut[b] = cut[b] || (b > 0 && is_space(b) != is_space(b - 1));
    break;
  }
  std::uint8_t current = 0;
  for (std::size_t b = 0; b < 256; ++b) {
    if (b > 0 && cut[b]) ++current;
    class_of_[b] = current;
  }
}

void GrammarMachine::reset_places() const {
  if (++stamp_ == 0) {
    std::fill(stamps_.begin(), stamps_.end(), 0);
    std::fill(wanted_stamps_.begin(), wanted_stamps_.end(), 0);
    stamp_ = 1;
  }
  reached_.clear(), todo_.clear(), queue_.clear();
  stacks_.joins = 0;
  accepting_ = over_ = false;
}

void GrammarMachine::place(std::uint32_t node, StackSet stacks) const {
  if (stamps_[node] != stamp_) {
    stamps_[node] = stamp_;
    at_[node] = stacks;
    reached_.push_back(node);
  } else {
    const StackSet both = stacks_.unite(at_[node], stacks);
    if (both == at_[node]) return;
    at_[node] = both;
  }
  todo_.emplace_back(node, stacks);
}

// A text of the rule ends here.
void GrammarMachine::complete(RuleId rule, StackSet stacks) const {
  const auto span = stacks_.frames(stacks);
  const std::vector<std::uint32_t> frames(span.begin(), span.end());
  for (std::uint32_t id : frames) {
    const GrammarStacks::Frame f = stacks_.frame(id);
    if (f.goal != rule) continue;
    if (f.back == GrammarStacks::kEnd) {
      accepting_ = true;
    } else {
      place(f.back, f.below);
    }
  }
  if (!network_->component_of(rule).recursive) return;
  for (std::uint32_t node : network_->rules[rule].resume) place(node, stacks);
}

void GrammarMachine::want(const NfaCall& call, StackSet from) const {
  const StackSet stacks = stacks_.call(call.rule, call.to, from);
  over_ = over_ || stacks_.depth(stacks) > limits_.max_depth || stacks_.joins > limits_.max_joins;
  const std::uint32_t component = network_->rules[call.rule].component;
  if (wanted_stamps_[component] == stamp_) {
    wanted_[component] = stacks_.unite(wanted_[component], stacks);
    return;
  }
  wanted_stamps_[component] = stamp_;
  wanted_[component] = stacks;
  queue_.emplace_back(network_->components[component].rank, component);
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

// The calls that wait, and those that their starts make. Components come after all whose starts call them, so each is
// entered once, with all its stacks.
void GrammarMachine::enter_components(Situation& s) const {
  while (!queue_.empty() && !over_) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
    const std::uint32_t component = queue_.back().second;
    queue_.pop_back();
    const std::uint32_t start = network_->components[component].start;
    const NetworkNode& node = network_->nodes[start];
    if (node.edges < node.edges_end || network_->rules[node.rule].foreign >= 0)
      s.next.push_back({start, kStart, wanted_[component]});
    for (const NfaCall& call : network_->calls_of(node)) want(call, wanted_[component]);
  }
}

void GrammarMachine::close(Situation& s, Facts& facts) const {
  reset_places();
  for (const Item& item : s.kernel) {
    if (foreign_of(item) < 0) {
      place(item.node, item.stacks);
      continue;
    }
    s.next.push_back(item);
    if (child(item).accepting(item.sub)) complete(network_->nodes[item.node].rule, item.stacks);
  }
  // Ends first: they lead to places where more calls begin.
  std::size_t work = 64 * limits_.max_threads;
  for (; !todo_.empty() && !over_; --work) {
    const auto [node, stacks] = todo_.back();
    todo_.pop_back();
    if (network_->nodes[node].final) complete(network_->nodes[node].rule, stacks);
    over_ = over_ || work == 1 || reached_.size() > limits_.max_threads || stacks_.size() > limits_.max_stack_nodes ||
            stacks_.joins > limits_.max_joins;
  }
  for (std::size_t i = 0; i < reached_.size() && !over_; ++i) {
    const NetworkNode& node = network_->nodes[reached_[i]];
    if (node.edges < node.edges_end) s.next.push_back({reached_[i], 0, at_[reached_[i]]});
    s.in_ignored = s.in_ignored || (node.ignored && node.final);
    for (const NfaCall& call : network_->calls_of(node)) want(call, at_[reached_[i]]);
  }
  enter_components(s);
  facts.accepting = accepting_;
  facts.rest = accepting_ ? 0 : kInfinite;
  for (const Item& item : s.kernel) facts.rest = std::min(facts.rest, cost(item));
  add_facts(s, facts);
}

// No more ignored white space: at the beginning or end of it, for elsewhere it has to go on.
bool GrammarMachine::blocked(const Situation& s, const NetworkNode& node, unsigned byte) const {
  return s.full && node.ignored && is_space(byte) &&
         (node.final || &node == &network_->nodes[network_->rules[node.rule].start]);
}

void GrammarMachine::add_facts(const Situation& situation, Facts& facts) const {
  auto& s = const_cast<Situation&>(situation);
  facts.certain = certain_;
  facts.final = true;
  facts.may.reset();
  for (const Item& item : s.next) {
    const NetworkNode& node = network_->nodes[item.node];
    if (foreign_of(item) >= 0) {
      s.foreign = true;
      facts.certain = facts.certain && child(item).certain(item.sub);
      facts.final = facts.final && child(item).final(item.sub);
      facts.may.set();
      continue;
    }
    for (const Edge& e : network_->edges_of(node)) {
      for (unsigned byte = e.lo; byte <= e.hi; ++byte) {
        if (!blocked(s, node, byte)) facts.may.set(byte);
      }
    }
  }
  facts.final = facts.final && (s.foreign || facts.may.none());
  if (s.foreign) return;
  s.only = -1;
  if (facts.accepting || facts.may.count() != 1) return;
  for (int byte = 0; byte < 256; ++byte) {
    if (facts.may.test(static_cast<std::size_t>(byte))) s.only = byte;
  }
}

std::uint64_t GrammarMachine::cost(const Item& item) const {
  const NetworkNode& node = network_->nodes[item.node];
  return stacks_.cost(node.rule, foreign_of(item) >= 0 ? child(item).rest(item.sub) : node.rest, item.stacks);
}

bool GrammarMachine::lead_on(const Situation& from, unsigned char byte, const WalkText* texts,
                             WalkText* texts_after) const {
  reset_places();
  kernel_.clear();
  for (const Item& item : from.next) {
    const NetworkNode& node = network_->nodes[item.node];
    if (foreign_of(item) < 0) {
      if (blocked(from, node, byte)) continue;
      for (const Edge& e : network_->edges_of(node)) {
        if (byte >= e.lo && byte <= e.hi) place(e.to, item.stacks);
      }
      continue;
    }
    const Machine& machine = child(item);
    if (texts == nullptr) {
      const StateId next = machine.step(item.sub, byte);
      if (next == kOverLimit) return false;
      if (next >= 0) kernel_.push_back({item.node, next, item.stacks});
      continue;
    }
    bool known = false;
    const auto follow = [&](std::uint32_t text) {
      const Walk walk = machine.advance({item.sub, text}, byte);
      if (walk.state < 0) return walk.state != kOverLimit;
      const Item next{item.node, walk.state, item.stacks};
      kernel_.push_back(next);
      if (walk.text != 0) texts_after->texts.emplace_back(next, walk.text);
      return true;
    };
    for (const auto& [at, text] : texts->texts) {
      if (at != item) continue;
      known = true;
      if (!follow(text)) return false;
    }
    if (!known && !follow(0)) return false;
  }
  for (std::uint32_t node : reached_) kernel_.push_back({node, 0, at_[node]});
  return true;
}

StateId GrammarMachine::intern_kernel(bool full) const {
  if (kernel_.empty()) return kNoState;
  std::sort(kernel_.begin(), kernel_.end());
  kernel_.erase(std::unique(kernel_.begin(), kernel_.end()), kernel_.end());
  std::uint64_t h = full ? 1 : 0;
  for (const Item& item : kernel_) {
    h = mix(mix(h, std::uint64_t{item.node} << 32 | item.stacks), static_cast<std::uint64_t>(item.sub));
  }
  const std::uint32_t known = index_.find(h, [&](std::uint32_t id) {
    const Situation& s = situations_[id];
    return s.full == full && s.kernel == kernel_;
  });
  if (known != InternIndex::kNone) return static_cast<StateId>(known);
  if (kernel_.size() > limits_.max_threads || held_ > kItemsPerState * limits_.max_states) return kOverLimit;
  Situation s;
  s.kernel = kernel_, s.full = full;
  Facts facts;
  close(s, facts);
  if (over_) return kOverLimit;
  const StateId id = add_state(facts);
  if (id < 0) return id;
  held_ += s.kernel.size() + s.next.size();
  situations_.push_back(std::move(s));
  index_.add(h, static_cast<std::uint32_t>(id));
  return id;
}

StateId GrammarMachine::expand(StateId from, unsigned char byte) const {
  if (!lead_on(situations_[static_cast<std::size_t>(from)], byte, nullptr, nullptr)) return kOverLimit;
  return intern_kernel(false);
}

bool GrammarMachine::worn() const {
  const std::lock_guard lock(mutex_);
  for (const auto& child : children_) {
    if (child->worn()) return true;
  }
  return states() > max_states() / 2 || held_ > kItemsPerState * limits_.max_states / 2 ||
         stacks_.size() > limits_.max_stack_nodes / 2 || texts_.size() > 100'000;
}

std::size_t GrammarMachine::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t out = states() * 400 + held_ * sizeof(Item) + stacks_.bytes() +
                    network_->nodes.size() * sizeof(NetworkNode) + network_->edges.size() * sizeof(Edge) +
                    texts_.size() * 100;
  for (const auto& child : children_) out += child->bytes();
  return out;
}

}  // namespace sgl::constraint
