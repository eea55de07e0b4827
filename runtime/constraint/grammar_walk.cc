// What a grammar's machine says of its states and walks.
#include <algorithm>

#include "runtime/constraint/grammar_machine.h"
#include "runtime/constraint/grammar_parts.h"

namespace sgl::constraint {

int GrammarMachine::only_byte(StateId state) const {
  const std::lock_guard lock(mutex_);
  Situation& s = situations_[static_cast<std::size_t>(state)];
  if (s.only == kUnknownByte) {
    const bool alone = s.next.size() == 1 && !accepting(state);
    s.only = alone ? child(s.next[0]).only_byte(s.next[0].sub) : -1;
  }
  return s.only;
}

int GrammarMachine::shortest_byte(StateId state) const {
  const std::lock_guard lock(mutex_);
  Situation& s = situations_[static_cast<std::size_t>(state)];
  if (s.shortest != kUnknownByte) return s.shortest;
  std::uint64_t least = rest(state);
  int best = -1;
  const auto consider = [&](std::uint64_t rest_after, int byte) {
    if (rest_after > least || (rest_after == least && (best < 0 || byte >= best))) return;
    least = rest_after, best = byte;
  };
  for (const Item& item : s.next) {
    const NetworkNode& node = network_->nodes[item.node];
    if (foreign_of(item) >= 0) {
      const int byte = child(item).rest(item.sub) > 0 ? child(item).shortest_byte(item.sub) : -1;
      if (byte < 0) continue;
      const StateId next = child(item).step(item.sub, static_cast<unsigned char>(byte));
      if (next >= 0) consider(cost({item.node, next, item.stacks}), byte);
      continue;
    }
    for (const Edge& e : network_->edges_of(node)) {
      int byte = e.lo;
      while (byte <= e.hi && blocked(s, node, static_cast<unsigned>(byte))) ++byte;
      if (byte <= e.hi) consider(cost({e.to, 0, item.stacks}), byte);
    }
  }
  return s.shortest = best;
}

std::vector<StringPart> GrammarMachine::string_parts(StateId state) const {
  if (children_.empty()) return {};
  const std::lock_guard lock(mutex_);
  const Situation& s = situations_[static_cast<std::size_t>(state)];
  if (s.next.size() != 1 || foreign_of(s.next[0]) < 0 || accepting(state)) return {};
  const Item& item = s.next[0];
  std::vector<StringPart> out = child(item).string_parts(item.sub);
  const std::uint64_t after = cost(item) - std::min(cost(item), child(item).rest(item.sub));
  for (StringPart& part : out) part.tail += after;
  return out;
}

RegularWays GrammarMachine::regular_ways(StateId state) const {
  constexpr std::size_t kMost = 4;  // places: the tokens of each are gone through
  const std::lock_guard lock(mutex_);
  const Situation& s = situations_[static_cast<std::size_t>(state)];
  RegularWays out;
  if (s.full || s.foreign) return out;
  for (const Item& item : s.next) {
    const NetworkNode& node = network_->nodes[item.node];
    const std::int32_t place = network_->parts[item.node];
    const bool known = std::find(out.places.begin(), out.places.end(), place) != out.places.end();
    if (known || (place >= 0 && out.places.size() < kMost)) {
      if (!known) out.places.push_back(place);
      out.worst = std::max(out.worst, stacks_.cost(node.rule, network_->rules[node.rule].longest_rest, item.stacks));
      continue;
    }
    for (const Edge& e : network_->edges_of(node)) {
      for (unsigned byte = e.lo; byte <= e.hi; ++byte) out.elsewhere.set(byte);
    }
  }
  if (!out.places.empty()) out.parts = &GrammarParts::all();
  return out;
}

std::uint32_t GrammarMachine::text_id(WalkText text) const {
  if (text == WalkText()) return 0;
  const auto [it, fresh] = text_index_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
  if (fresh) texts_.push_back(std::move(text));
  return it->second;
}

Machine::Walk GrammarMachine::advance(Walk walk, unsigned char byte) const {
  const bool space = byte == ' ' || (byte >= '\t' && byte <= '\r');
  if (children_.empty()) {
    // White space in a row is all that has to be known.
    return {step(walk.state, byte), space ? walk.text + 1 : 0};
  }
  const std::lock_guard lock(mutex_);
  const Situation& s = situations_[static_cast<std::size_t>(walk.state)];
  const WalkText before = texts_[walk.text];
  WalkText after;
  after.spaces = space ? before.spaces + 1 : 0;
  if (!lead_on(s, byte, &before, &after)) return {kOverLimit, 0};
  const StateId next = intern_kernel(false);
  std::sort(after.texts.begin(), after.texts.end());
  after.texts.erase(std::unique(after.texts.begin(), after.texts.end()), after.texts.end());
  return {next, text_id(std::move(after))};
}

Machine::Walk GrammarMachine::settle(Walk walk) const {
  const auto most = static_cast<std::uint32_t>(limits_.whitespace_run);
  if (children_.empty() && walk.text < most) return walk;
  const std::lock_guard lock(mutex_);
  const Situation& s = situations_[static_cast<std::size_t>(walk.state)];
  const WalkText before = children_.empty() ? WalkText{walk.text, {}} : texts_[walk.text];
  WalkText after;
  after.spaces = before.spaces;
  kernel_.clear();
  for (const Item& item : s.kernel) {
    if (foreign_of(item) < 0) {
      kernel_.push_back(item);
      continue;
    }
    bool known = false;
    const auto follow = [&](std::uint32_t text) {
      const Walk settled = child(item).settle({item.sub, text});
      const Item next{item.node, settled.state, item.stacks};
      if (settled.state >= 0) kernel_.push_back(next);
      if (settled.state >= 0 && settled.text != 0) after.texts.emplace_back(next, settled.text);
    };
    for (const auto& [at, text] : before.texts) {
      if (at == item) known = true, follow(text);
    }
    if (!known) follow(0);
  }
  const bool full = s.full || (s.in_ignored && before.spaces >= most);
  if (s.kernel.empty()) return walk;  // the start
  std::sort(after.texts.begin(), after.texts.end());
  const StateId next = intern_kernel(full);
  if (next < 0) return walk;  // no room for the state that forbids more of it
  return {next, children_.empty() ? walk.text : text_id(std::move(after))};
}

}  // namespace sgl::constraint
