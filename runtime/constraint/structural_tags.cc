#include "runtime/constraint/structural_tags.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <queue>

#include "runtime/base/utf8.h"
#include "runtime/constraint/grammar_constraint.h"
#include "runtime/constraint/utf8_place.h"

namespace sgl::constraint {
namespace {

using base::Expected;

// Each is compared with each other, and a byte of one takes 1 kB; people have some ten.
constexpr std::size_t kMaxTriggers = 1'000, kMaxTriggerBytes = 50'000;

// The automaton of A. Aho and M. Corasick (Efficient string matching, CACM 18, 1975): how much of a trigger the text so
// far ends with.
class TriggerAutomaton {
 public:
  explicit TriggerAutomaton(const std::vector<std::string>& triggers) {
    nodes_.emplace_back();
    for (std::size_t t = 0; t < triggers.size(); ++t) {
      std::uint32_t at = 0;
      for (char c : triggers[t]) {
        std::int32_t& next = nodes_[at].next[static_cast<unsigned char>(c)];
        if (next < 0) {
          const auto made = static_cast<std::int32_t>(nodes_.size());
          next = made;
          nodes_.emplace_back();
          at = static_cast<std::uint32_t>(made);
        } else {
          at = static_cast<std::uint32_t>(next);
        }
      }
      nodes_[at].whole = static_cast<std::int32_t>(t);
    }
    std::queue<std::uint32_t> todo;
    for (std::int32_t& next : nodes_[0].next) {
      if (next > 0) todo.push(static_cast<std::uint32_t>(next));
      next = std::max(next, 0);
    }
    for (; !todo.empty(); todo.pop()) {
      const std::uint32_t at = todo.front();
      for (std::size_t b = 0; b < 256; ++b) {
        const std::int32_t through = nodes_[nodes_[at].back].next[b];
        std::int32_t& next = nodes_[at].next[b];
        if (next < 0) {
          next = through;
          continue;
        }
        nodes_[static_cast<std::size_t>(next)].back = static_cast<std::uint32_t>(through);
        todo.push(static_cast<std::uint32_t>(next));
      }
    }
  }

  std::uint32_t step(std::uint32_t at, unsigned byte) const {
    return static_cast<std::uint32_t>(nodes_[at].next[byte]);
  }
  // The trigger that is complete, -1: none. One at most, since none contains another.
  std::int32_t whole(std::uint32_t at) const { return nodes_[at].whole; }

 private:
  struct Node {
    std::array<std::int32_t, 256> next;
    std::uint32_t back = 0;
    std::int32_t whole = -1;
    Node() { next.fill(-1); }
  };
  std::vector<Node> nodes_;
};

class TagsBuilder {
 public:
  TagsBuilder(const StructuralTags& tags, const std::vector<std::string>& triggers, const GrammarLimits& limits)
      : tags_(tags), triggers_(triggers), automaton_(triggers), nfa_(limits.max_nodes) {}

  GrammarNfa run() {
    nfa_.root = nfa_.add_rule("%tags");
    std::map<const Constraint*, RuleId> contents;
    for (const StructuralTag& tag : tags_.tags) {
      const auto [it, fresh] = contents.try_emplace(tag.content.get(), 0);
      if (fresh) {
        it->second = nfa_.add_rule("%content");
        nfa_.rules[it->second].machine = tag.content;
      }
      contents_.push_back(it->second);
    }
    nfa_.jump(nfa_.rules[nfa_.root].start, free(0, kBetween, tags_.at_least_one ? kBefore : kAfter));
    while (!todo_.empty() && !nfa_.over_limit()) {
      const auto [key, node] = todo_.back();
      todo_.pop_back();
      expand(key, node);
    }
    return std::move(nfa_);
  }

 private:
  enum Phase : std::uint32_t { kBefore, kAfter };  // whether the text may end here
  struct Key {
    std::uint32_t seen;  // of the automaton
    int utf8;
    Phase phase;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  std::uint32_t free(std::uint32_t seen, int utf8, Phase phase) {
    const auto [it, fresh] = nodes_.try_emplace(Key{seen, utf8, phase}, 0);
    if (fresh) {
      it->second = nfa_.node();
      todo_.emplace_back(it->first, it->second);
    }
    return it->second;
  }

  void expand(const Key& key, std::uint32_t node) {
    if (key.phase == kAfter && key.utf8 == kBetween) nfa_.jump(node, nfa_.rules[nfa_.root].final);
    for (unsigned byte = 0; byte < 256;) {
      // Bytes that lead to the same place are one range.
      const int utf8 = utf8_step(key.utf8, byte);
      const std::uint32_t seen = automaton_.step(key.seen, byte);
      unsigned end = byte + 1;
      while (end < 256 && utf8_step(key.utf8, end) == utf8 && automaton_.step(key.seen, end) == seen) ++end;
      if (utf8 >= 0) {
        const std::int32_t whole = automaton_.whole(seen);
        nfa_.edge(node, byte, end - 1,
                  whole >= 0 ? opened(static_cast<std::size_t>(whole)) : free(seen, utf8, key.phase));
      }
      byte = end;
    }
  }

  // After a trigger: the rest of one of its tags.
  std::uint32_t opened(std::size_t trigger) {
    const auto [it, fresh] = opened_.try_emplace(trigger, 0);
    if (!fresh) return it->second;
    it->second = nfa_.node();
    const std::uint32_t node = it->second;
    const std::uint32_t closed = tags_.stop_after_first ? nfa_.rules[nfa_.root].final : free(0, kBetween, kAfter);
    for (std::size_t i = 0; i < tags_.tags.size() && !nfa_.over_limit(); ++i) {
      const StructuralTag& tag = tags_.tags[i];
      if (!tag.begin.starts_with(triggers_[trigger])) continue;
      const std::uint32_t content = nfa_.node(), after = nfa_.node();
      nfa_.bytes(node, std::string_view(tag.begin).substr(triggers_[trigger].size()), content);
      nfa_.call(content, contents_[i], after);
      nfa_.bytes(after, tag.end, closed);
    }
    return node;
  }

  const StructuralTags& tags_;
  const std::vector<std::string>& triggers_;
  const TriggerAutomaton automaton_;
  GrammarNfa nfa_;
  std::vector<RuleId> contents_;  // by tag
  std::map<Key, std::uint32_t> nodes_;
  std::map<std::size_t, std::uint32_t> opened_;
  std::vector<std::pair<Key, std::uint32_t>> todo_;
};

// What is wrong with tags and triggers.
base::Status check(const StructuralTags& tags, const std::vector<std::string>& triggers) {
  if (tags.tags.empty()) return base::invalid("there are no tags");
  for (const StructuralTag& tag : tags.tags) {
    if (tag.begin.empty()) return base::invalid("the begin of a tag is empty");
    if (!tag.content) return base::invalid(fmt::format("the tag '{}' has no content", tag.begin));
    if (!base::is_valid_utf8(tag.begin) || !base::is_valid_utf8(tag.end)) {
      return base::invalid("the begin or end of a tag is not UTF-8");
    }
    const bool opened = std::any_of(triggers.begin(), triggers.end(),
                                    [&](const std::string& trigger) { return tag.begin.starts_with(trigger); });
    if (!opened) return base::invalid(fmt::format("no trigger opens the tag '{}'", tag.begin));
  }
  for (const std::string& trigger : triggers) {
    if (trigger.empty()) return base::invalid("a trigger is empty");
    if (!base::is_valid_utf8(trigger)) return base::invalid("a trigger is not UTF-8");
    const bool used = std::any_of(tags.tags.begin(), tags.tags.end(),
                                  [&](const StructuralTag& tag) { return tag.begin.starts_with(trigger); });
    if (!used) return base::invalid(fmt::format("no tag begins with the trigger '{}'", trigger));
    for (const std::string& other : triggers) {
      if (&other != &trigger && other.find(trigger) != std::string::npos) {
        return base::invalid(
            fmt::format("the trigger '{}' is part of the trigger '{}', which could never come", trigger, other));
      }
    }
  }
  return {};
}

}  // namespace

Expected<std::shared_ptr<const Constraint>> compile_structural_tags(const StructuralTags& tags,
                                                                    const GrammarLimits& limits) {
  std::vector<std::string> triggers = tags.triggers;
  if (triggers.empty()) {
    for (const StructuralTag& tag : tags.tags) triggers.push_back(tag.begin);
  }
  std::sort(triggers.begin(), triggers.end());
  triggers.erase(std::unique(triggers.begin(), triggers.end()), triggers.end());
  std::size_t bytes = 0, trigger_bytes = 0;
  for (const StructuralTag& tag : tags.tags) bytes += tag.begin.size() + tag.end.size();
  for (const std::string& trigger : triggers) trigger_bytes += trigger.size();
  if (tags.tags.size() > limits.max_rules || bytes > limits.max_bytes) {
    return base::over_limit(fmt::format("more than {} tags, or {} bytes of them", limits.max_rules, limits.max_bytes));
  }
  if (triggers.size() > kMaxTriggers || trigger_bytes > kMaxTriggerBytes) {
    return base::over_limit(fmt::format("more than {} triggers, or {} bytes of them", kMaxTriggers, kMaxTriggerBytes));
  }
  SGL_TRY_STATUS(check(tags, triggers));
  const GrammarNfa nfa = TagsBuilder(tags, triggers, limits).run();
  if (nfa.over_limit()) {
    return base::over_limit(fmt::format("the tags need a network of more than {} nodes", limits.max_nodes));
  }
  std::vector<std::string> warnings;
  std::optional<GrammarProblem> problem;
  auto out = grammar_constraint(nfa, limits, warnings, problem);
  if (!problem) return out;
  return base::Error{problem->status == GrammarStatus::kLimit ? base::ErrorKind::kLimit : base::ErrorKind::kInvalid,
                     problem->message};
}

}  // namespace sgl::constraint
