#include "runtime/constraint/look_around.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "runtime/constraint/char_dfa_build.h"
#include "runtime/constraint/gated_nfa.h"
#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {

using base::CodeSet;
using base::Expected;
using base::Status;
using State = CharDfa::State;
using DfaPtr = std::shared_ptr<const CharDfa>;

namespace {

constexpr std::size_t kMaxWork = kMaxCharWork / 8;  // a step here takes longer than a visit of an edge
constexpr std::size_t kMaxSuffixes = 1000;          // automata of look-aheads, by what precedes them

void each_node(const PatternNode& node, const std::function<void(const PatternNode&)>& visit) {
  visit(node);
  for (const PatternNode& child : node.children) each_node(child, visit);
}

Limits nfa_limits(const CharDfa::Limits& limits) {
  Limits out;
  out.max_states = 4 * limits.max_states;
  return out;
}

// What holds at a place of the text, whatever the place in the pattern.
struct Before {
  std::vector<State> seen;  // of each look-behind's automaton
  bool begin = false;       // no character came yet
  friend auto operator<=>(const Before&, const Before&) = default;
};

// What all levels of one pattern share: the classes of characters, the look-behinds, the automata of look-aheads.
class Looks {
 public:
  explicit Looks(const CharDfa::Limits& limits) : limits_(limits) {}

  Status prepare(const PatternNode& pattern) {
    std::vector<CodeSet> sets{CodeSet{{0, base::kMaxCodePoint}}};
    std::vector<const PatternNode*> behinds;
    each_node(pattern, [&](const PatternNode& node) {
      if (node.kind == PatternNode::Kind::kSet) sets.push_back(node.set);
      if (node.kind != PatternNode::Kind::kLook) return;
      if (node.behind) behinds.push_back(&node);
      bool free = true;
      each_node(node.children[0], [&](const PatternNode& inner) {
        free = free && inner.kind != PatternNode::Kind::kLook && inner.kind != PatternNode::Kind::kBegin;
      });
      if (free) context_free_.insert(&node);
    });
    SGL_TRY(partition_, CharPartition::of(sets));
    faces_.assign(partition_.classes, 0);
    for (std::size_t i = 0; i < partition_.starts.size(); ++i) faces_[partition_.class_of[i]] = partition_.starts[i];
    for (const PatternNode* node : behinds) {
      SGL_TRY(const CharNfa nfa, CharNfa::ending(node->children[0], nfa_limits(limits_)));
      SGL_TRY(RawCharDfa raw, determinize(nfa, limits_));
      behind_of_.emplace(node, behinds_.size());
      behinds_.push_back(CharDfaBuilder::finish(std::move(raw)));
    }
    return {};
  }

  Before first() const {
    Before out;
    out.begin = true;
    for (const DfaPtr& dfa : behinds_) out.seen.push_back(dfa->start());
    return out;
  }
  Before after(const Before& before, std::size_t cls) const {
    Before out;
    for (std::size_t i = 0; i < behinds_.size(); ++i) out.seen.push_back(stepped(*behinds_[i], before.seen[i], cls));
    return out;
  }
  bool holds_behind(const PatternNode& look, const Before& before) const {
    const std::size_t i = behind_of_.at(&look);
    const bool matched = before.seen[i] != CharDfa::kDead && behinds_[i]->accepting(before.seen[i]);
    return matched != look.negated;
  }
  State stepped(const CharDfa& dfa, State state, std::size_t cls) const {
    return state == CharDfa::kDead ? state : dfa.step(state, faces_[cls]);
  }

  // The automaton, by index, of the texts that may follow a look-ahead.
  Expected<std::uint32_t> suffix(const PatternNode& look, const Before& before);
  Expected<RawCharDfa> make_suffix(const PatternNode& body, bool context_free, const Before& before);
  const CharDfa& dfa(std::uint32_t index) const { return *suffixes_[index]; }

  const CharPartition& partition() const { return partition_; }
  const CharDfa::Limits& limits() const { return limits_; }
  bool work(std::size_t amount) { return (work_ += amount) <= kMaxWork; }

 private:
  const CharDfa::Limits& limits_;
  CharPartition partition_;
  std::vector<char32_t> faces_;  // a character of each class
  std::map<const PatternNode*, std::size_t> behind_of_;
  std::vector<DfaPtr> behinds_;
  std::set<const PatternNode*> context_free_;  // looks to which the text before does not matter
  std::map<std::pair<const PatternNode*, Before>, std::uint32_t> known_;
  std::vector<DfaPtr> suffixes_;
  std::size_t work_ = 0;
};

// Subset construction of a pattern, or of what is inside a look-ahead. A place ("spot") is a state of the automaton
// with assertions, whether $ has been passed, and obligations.
class Level {
 public:
  Level(Looks& looks, GatedNfa nfa, bool any_after) : looks_(looks), nfa_(std::move(nfa)), any_after_(any_after) {
    for (const CodeSet& set : nfa_.sets) {
      std::vector<bool> in(looks_.partition().classes, false);
      for (std::uint16_t c : looks_.partition().classes_in(set)) in[c] = true;
      in_set_.push_back(std::move(in));
    }
  }

  Expected<RawCharDfa> run(const Before& first) {
    out_.partition = looks_.partition();
    SGL_TRY(State to, state_of({spot({nfa_.start << 1})}, first));
    std::vector<Spot> spots;
    for (std::uint32_t at = 0; at < states_.size(); ++at) {
      const auto key = states_.at(at);
      const bool accepts_all = key[0] == kAcceptsAll;
      const Before before = before_[at];
      spots.clear();
      for (std::size_t m = 1 + before.seen.size(); m < key.size() && !accepts_all; ++m) {
        if ((spots_.at(key[m])[0] & 1) == 0) spots.push_back(copy(key[m]));  // no character follows the end
      }
      for (std::size_t c = 1; c < out_.partition.classes; ++c) {
        to = static_cast<State>(at);
        if (!accepts_all) {
          SGL_TRY(to, step(spots, before, c));
        }
        out_.table[at * out_.partition.classes + c] = to;
      }
    }
    return std::move(out_);
  }

 private:
  // State * 2 + whether at the end; then pairs of automaton and state, ascending.
  using Spot = std::vector<std::uint32_t>;
  static constexpr std::uint32_t kAcceptsAll = UINT32_MAX;

  base::Error too_large() const { return char_dfa_too_large(looks_.limits()); }
  std::uint32_t spot(const Spot& s) { return spots_.add(s).first; }
  Spot copy(std::uint32_t id) const { return {spots_.at(id).begin(), spots_.at(id).end()}; }

  // The state for these spots and everything they reach without a character.
  Expected<State> state_of(const std::vector<std::uint32_t>& spots, const Before& before) {
    const std::uint32_t where = befores_.try_emplace(before, static_cast<std::uint32_t>(befores_.size())).first->second;
    members_.clear();
    for (std::uint32_t id : spots) {
      const auto [it, fresh] = closures_.try_emplace(std::uint64_t{where} << 32 | id);
      if (fresh) SGL_TRY_STATUS(close(id, before, it->second));
      members_.insert(members_.end(), it->second.begin(), it->second.end());
    }
    std::sort(members_.begin(), members_.end());
    members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
    if (members_.empty()) return CharDfa::kDead;
    std::vector<std::uint32_t> key;
    bool accepting = false;
    for (std::uint32_t id : members_) {
      const auto s = spots_.at(id);
      if (s[0] >> 1 != nfa_.accept) continue;
      bool all = true;
      for (std::size_t i = 1; i < s.size(); i += 2)
        all = all && looks_.dfa(s[i]).accepting(static_cast<State>(s[i + 1]));
      accepting |= all;
      if (any_after_ && s.size() == 1 && (s[0] & 1) == 0) key = {kAcceptsAll};
    }
    if (key.empty()) {
      key.push_back(before.begin ? 1 : 0);
      for (State seen : before.seen) key.push_back(static_cast<std::uint32_t>(seen));
      key.insert(key.end(), members_.begin(), members_.end());
    }
    const auto [id, fresh] = states_.add(key);
    if (fresh) {
      before_.push_back(before);
      if (!out_.add_state(accepting, looks_.limits())) return too_large();
    }
    return static_cast<State>(id);
  }

  Expected<State> step(const std::vector<Spot>& spots, const Before& before, std::size_t cls) {
    spots_now_.clear();
    for (const Spot& from : spots) {
      if (!looks_.work(1 + from.size())) return too_large();
      std::optional<Spot> next;
      for (const CharNfa::Edge& e : nfa_.states[from[0] >> 1].edges) {
        if (!in_set_[e.set][cls]) continue;
        if (!next && !(next = advance(from, cls))) break;
        (*next)[0] = e.to << 1;
        spots_now_.push_back(spot(*next));
      }
    }
    if (spots_now_.empty()) return CharDfa::kDead;
    return state_of(spots_now_, looks_.after(before, cls));
  }

  // The obligations after a character; nullopt: one is broken.
  std::optional<Spot> advance(const Spot& spot_before, std::size_t cls) const {
    Spot out{0};
    for (std::size_t i = 1; i < spot_before.size(); i += 2) {
      const CharDfa& dfa = looks_.dfa(spot_before[i]);
      const State to = looks_.stepped(dfa, static_cast<State>(spot_before[i + 1]), cls);
      if (to == CharDfa::kDead) return std::nullopt;
      if (!CharDfaBuilder::accepts_all(dfa, to)) add_obligation(out, spot_before[i], to);
    }
    return out;
  }
  static void add_obligation(Spot& s, std::uint32_t dfa, State state) {
    const std::pair<std::uint32_t, std::uint32_t> made{dfa, static_cast<std::uint32_t>(state)};
    std::size_t i = 1;
    while (i < s.size() && std::pair{s[i], s[i + 1]} < made) i += 2;
    if (i < s.size() && std::pair{s[i], s[i + 1]} == made) return;
    s.insert(s.begin() + static_cast<std::ptrdiff_t>(i), {made.first, made.second});
  }

  // The spots that matter among those that one reaches.
  Status close(std::uint32_t from, const Before& before, std::vector<std::uint32_t>& out) {
    std::vector<std::uint32_t> todo{from};
    ++round_;
    while (!todo.empty()) {
      const std::uint32_t id = todo.back();
      todo.pop_back();
      met_.resize(std::max<std::size_t>(met_.size(), id + 1), 0);
      if (met_[id] == round_) continue;
      met_[id] = round_;
      const Spot here = copy(id);
      const GatedNfa::State& state = nfa_.states[here[0] >> 1];
      if (!looks_.work(1 + here.size() + state.jumps.size())) return too_large();
      if (!state.edges.empty() || here[0] >> 1 == nfa_.accept) out.push_back(id);
      Spot next = here;
      for (std::uint32_t to : state.jumps) {
        next[0] = to << 1 | (here[0] & 1);
        todo.push_back(spot(next));
      }
      if (state.gate == GatedNfa::Gate::kNone) continue;
      next[0] = state.gate_to << 1 | (here[0] & 1);
      SGL_TRY(const bool open, pass(state, before, next));
      if (open) todo.push_back(spot(next));
    }
    return {};
  }

  // Whether the assertion can hold; notes what it says of the rest in `next`.
  Expected<bool> pass(const GatedNfa::State& state, const Before& before, Spot& next) {
    if (state.gate == GatedNfa::Gate::kBegin) return before.begin;
    if (state.gate == GatedNfa::Gate::kEnd) {
      next[0] |= 1;
      return true;
    }
    if (state.look->behind) return looks_.holds_behind(*state.look, before);
    SGL_TRY(const std::uint32_t suffix, looks_.suffix(*state.look, before));
    const CharDfa& dfa = looks_.dfa(suffix);
    if (dfa.empty()) return false;
    if (!CharDfaBuilder::accepts_all(dfa, dfa.start())) add_obligation(next, suffix, dfa.start());
    return true;
  }

  Looks& looks_;
  const GatedNfa nfa_;
  const bool any_after_;
  std::vector<std::vector<bool>> in_set_;  // of each set: by class
  RawCharDfa out_;
  TupleIndex spots_, states_;
  std::vector<Before> before_;  // of each state
  std::map<Before, std::uint32_t> befores_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> closures_;  // of a spot, after a Before
  std::vector<std::uint32_t> spots_now_, members_, met_;
  std::uint32_t round_ = 0;
};

Expected<RawCharDfa> Looks::make_suffix(const PatternNode& body, bool context_free, const Before& before) {
  if (context_free) {
    SGL_TRY(const CharNfa nfa, CharNfa::beginning(body, nfa_limits(limits_)));
    return determinize(nfa, limits_);
  }
  SGL_TRY(GatedNfa nfa, build_gated(body, false, true, nfa_limits(limits_)));
  return Level(*this, std::move(nfa), true).run(before);
}

Expected<std::uint32_t> Looks::suffix(const PatternNode& look, const Before& before) {
  const bool context_free = context_free_.contains(&look);
  const std::pair key(&look, context_free ? Before{} : before);
  if (const auto it = known_.find(key); it != known_.end()) return it->second;
  if (suffixes_.size() >= kMaxSuffixes) return char_dfa_too_large(limits_);
  SGL_TRY(RawCharDfa raw, make_suffix(look.children[0], context_free, before));
  DfaPtr made = CharDfaBuilder::finish(std::move(raw));
  if (look.negated) {
    const CharDfa::Term term{made, true};
    SGL_TRY(made, CharDfa::all_of(std::span(&term, 1), limits_));
  }
  // Building it may have made others.
  suffixes_.push_back(std::move(made));
  return known_.emplace(key, static_cast<std::uint32_t>(suffixes_.size() - 1)).first->second;
}

}  // namespace

bool has_look_around(const PatternNode& pattern) {
  bool found = false;
  each_node(pattern, [&](const PatternNode& node) { found |= node.kind == PatternNode::Kind::kLook; });
  return found;
}

Expected<CharNfa> without_look_around(const PatternNode& pattern, bool search, const Limits& limits) {
  CharDfa::Limits dfa_limits;
  dfa_limits.max_states = std::min(dfa_limits.max_states, limits.max_states);
  Looks looks(dfa_limits);
  SGL_TRY_STATUS(looks.prepare(pattern));
  SGL_TRY(GatedNfa nfa, build_gated(pattern, search, search, limits));
  SGL_TRY(RawCharDfa raw, Level(looks, std::move(nfa), search).run(looks.first()));
  CharDfaBuilder::tidy(raw);
  std::vector<CharNfa::State> states(std::max<std::size_t>(raw.size(), 1));
  std::vector<CodeSet> sets;
  std::map<std::vector<std::size_t>, std::uint32_t> set_of;  // by classes
  for (std::size_t s = 0; s < raw.size(); ++s) {
    states[s].accepting = raw.accepting[s] != 0;
    std::map<State, std::vector<std::size_t>> classes_to;
    for (std::size_t c = 1; c < raw.partition.classes; ++c) {
      const State to = raw.table[s * raw.partition.classes + c];
      if (to != CharDfa::kDead) classes_to[to].push_back(c);
    }
    for (const auto& [to, classes] : classes_to) {
      const auto [it, fresh] = set_of.try_emplace(classes, static_cast<std::uint32_t>(sets.size()));
      if (fresh) sets.push_back(raw.partition.set_of(classes));
      states[s].edges.push_back({it->second, static_cast<std::uint32_t>(to)});
    }
  }
  return CharNfa::of(std::move(states), std::move(sets));
}

}  // namespace sgl::constraint
