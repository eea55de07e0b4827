#include <fmt/format.h>

#include <algorithm>

#include "runtime/constraint/schema_goal.h"

namespace sgl::constraint {
namespace {

constexpr std::size_t kMaxWork = 200'000;  // branches looked at over the life of an expander; some microseconds each
constexpr std::size_t kMaxChoices = 400;   // open at once, and so the depth of the recursion
constexpr int kLook = 3;                   // levels that disjointness looks down: enough for nested discriminators

void at_least(std::int64_t& bound, std::int64_t value) {
  bound = std::max(bound, value);
}
void at_most(std::int64_t& bound, std::int64_t value) {
  if (value >= 0) bound = bound < 0 ? value : std::min(bound, value);
}

}  // namespace

void tighten_min(NumberSpec& spec, const Decimal& bound, bool exclusive) {
  const int order = spec.min ? Decimal::compare(bound, *spec.min) : 1;
  if (order > 0) spec.exclusive_min = exclusive;
  if (order == 0) spec.exclusive_min = spec.exclusive_min || exclusive;
  if (order > 0) spec.min = bound;
}
void tighten_max(NumberSpec& spec, const Decimal& bound, bool exclusive) {
  const int order = spec.max ? Decimal::compare(bound, *spec.max) : -1;
  if (order < 0) spec.exclusive_max = exclusive;
  if (order == 0) spec.exclusive_max = spec.exclusive_max || exclusive;
  if (order < 0) spec.max = bound;
}
bool bounds_cross(const NumberSpec& spec) {
  if (!spec.min || !spec.max) return false;
  const int order = Decimal::compare(*spec.min, *spec.max);
  return order > 0 || (order == 0 && (spec.exclusive_min || spec.exclusive_max));
}

std::vector<Conjunction> GoalExpander::expand(const Literals& literals) {
  std::vector<Conjunction> out;
  run({{}, literals, {}, {}}, 0, out);
  return out;
}

void GoalExpander::run(Branch branch, std::size_t depth, std::vector<Conjunction>& out) {
  // Contradictions about a property are met early, before they multiply.
  if (problem_ || (loose_ && !out.empty())) return;  // one is enough to know
  if (!deterministic(branch) || plainly_empty(branch.conjunction, look_)) return;
  absorb(branch);
  if (branch.choices.empty() && !branch.conjunction.some.empty()) {
    const Conjunction::Some some = branch.conjunction.some.back();
    branch.conjunction.some.pop_back();
    branch.choose(some_property(some, branch.conjunction));
    absorb(branch);
  }
  if (branch.choices.empty()) {
    if (out.size() >= limits_.max_alternatives) {
      problem_ = {SchemaStatus::kLimit, "",
                  fmt::format("more than {} alternatives at one place", limits_.max_alternatives)};
      return;
    }
    find_evaluators(branch);
    out.push_back(std::move(branch.conjunction));
    return;
  }
  if (depth > kMaxChoices || ++work_ > kMaxWork) {
    problem_ = {SchemaStatus::kLimit, "", "combining the schema's branches takes too much work"};
    return;
  }
  // The fewest options first: dead branches are found early.
  const auto fewest = std::min_element(branch.choices.begin(), branch.choices.end(),
                                       [](const auto& a, const auto& b) { return a->size() < b->size(); });
  const std::shared_ptr<const Choice> choice = *fewest;
  branch.choices.erase(fewest);
  for (const Option& option : *choice) {
    Branch next = &option == &choice->back() ? std::move(branch) : branch;
    if (option.also) option.also(next.conjunction);
    next.todo.insert(next.todo.end(), option.literals.begin(), option.literals.end());
    run(std::move(next), depth + 1, out);
  }
}

void GoalExpander::absorb(Branch& branch) const {
  std::erase_if(branch.choices, [&](const std::shared_ptr<const Choice>& choice) {
    return std::any_of(choice->begin(), choice->end(), [&](const Option& option) {
      const bool literals =
          std::all_of(option.literals.begin(), option.literals.end(), [&](Literal l) { return branch.has(l); });
      return literals && (option.also == nullptr || (option.held != nullptr && option.held(branch.conjunction)));
    });
  });
}

// Works off the literals that leave no choice, and collects the choices. False when the branch is dead.
bool GoalExpander::deterministic(Branch& branch) {
  while (!branch.todo.empty()) {
    const Literal literal = branch.todo.back();
    branch.todo.pop_back();
    if (branch.has(literal ^ 1)) return false;
    const auto place = std::lower_bound(branch.seen.begin(), branch.seen.end(), literal);
    if (place != branch.seen.end() && *place == literal) continue;
    branch.seen.insert(place, literal);
    const NodeIndex index = literal >> 1;
    const SchemaNode& node = doc_.nodes[index];
    if ((literal & 1) == 0) {
      assert_node(node, index, branch);
    } else {
      deny(node, index, branch);
    }
    if (branch.conjunction.allowed == 0) return false;
  }
  return true;
}

void GoalExpander::assert_node(const SchemaNode& node, NodeIndex index, Branch& branch) {
  Conjunction& c = branch.conjunction;
  c.allowed &= node.allowed;
  for (const ValueSet& set : node.values) assert_values(set, branch);
  if (node.min) tighten_min(c.number, *node.min, node.exclusive_min);
  if (node.max) tighten_max(c.number, *node.max, node.exclusive_max);
  if (node.multiple_of) c.number.multiples.push_back(*node.multiple_of);
  c.number.canonical = c.number.canonical || node.canonical;
  if (bounds_cross(c.number)) c.allowed &= static_cast<Types>(~types::kNumber);
  at_least(c.min_chars, node.min_chars), at_most(c.max_chars, node.max_chars);
  for (const auto& text : node.texts) c.texts.push_back({text, false});
  if (c.max_chars >= 0 && c.min_chars > c.max_chars) c.allowed &= static_cast<Types>(~types::kString);
  if (node.restricts_arrays()) {
    c.arrays.push_back(index);
    at_least(c.min_items, node.min_items), at_most(c.max_items, node.max_items);
    if (node.contains) c.contains.push_back({0, holds(*node.contains), node.min_contains, node.max_contains});
    c.unique = c.unique || node.unique;
    if (c.max_items >= 0 && c.min_items > c.max_items) c.allowed &= static_cast<Types>(~types::kArray);
  }
  if (node.restricts_objects()) {
    c.objects.push_back(index);
    at_least(c.min_properties, node.min_properties), at_most(c.max_properties, node.max_properties);
    if (c.max_properties >= 0 && c.min_properties > c.max_properties) c.allowed &= static_cast<Types>(~types::kObject);
  }
  combine(node, branch);
}

// Scalars restrict the conjunction; each array and object of the set is a branch of its own.
void GoalExpander::assert_values(const ValueSet& set, Branch& branch) {
  const auto scalars = [&set](Conjunction& c) {
    Types allowed = set.words;
    if (set.text) {
      allowed |= types::kString;
      c.texts.push_back({set.text, false});
    }
    if (!set.numbers.empty()) {
      allowed |= types::kNumber;
      if (!c.number.values) {
        c.number.values = set.numbers;
      } else {
        std::erase_if(*c.number.values, [&](const Decimal& d) {
          return std::find(set.numbers.begin(), set.numbers.end(), d) == set.numbers.end();
        });
      }
      if (c.number.values->empty()) allowed &= static_cast<Types>(~types::kNumber);
    }
    c.allowed &= allowed;
  };
  if (set.composites.empty()) return scalars(branch.conjunction);
  Choice choice;
  if (set.words != 0 || set.text || !set.numbers.empty()) choice.push_back({{}, scalars, {}});
  for (NodeIndex composite : set.composites) choice.push_back({{holds(composite)}, {}, {}});
  branch.choose(std::move(choice));
}

void GoalExpander::combine(const SchemaNode& node, Branch& branch) {
  if (node.ref) branch.todo.push_back(holds(*node.ref));
  for (NodeIndex part : node.all_of) branch.todo.push_back(holds(part));
  if (node.negated) branch.todo.push_back(fails(*node.negated));
  for (const auto& options : node.any_of) {
    Choice choice;
    for (NodeIndex option : options) choice.push_back({{holds(option)}, {}, {}});
    branch.choose(std::move(choice));
    for (NodeIndex option : options) {
      if (node.told_apart) branch.choose({{{holds(option)}, {}, {}}, {{fails(option)}, {}, {}}});
    }
  }
  for (const auto& options : node.one_of) branch.choose(one_of(options));
  if (node.condition && (node.then_branch || node.else_branch || node.told_apart)) {
    const NodeIndex then_branch = node.then_branch.value_or(kTrueNode),
                    else_branch = node.else_branch.value_or(kTrueNode);
    branch.choose({{{holds(*node.condition), holds(then_branch)}, {}, {}},
                   {{fails(*node.condition), holds(else_branch)}, {}, {}}});
  }
  for (const auto& [name, schema] : node.dependent_schemas) {
    const auto forbid = [name = name](Conjunction& c) { c.forbidden.push_back(name); };
    const auto require = [name = name](Conjunction& c) {
      c.allowed &= types::kObject;
      c.properties.push_back({name, holds(kTrueNode)});
    };
    branch.choose({{{}, forbid, {}}, {{holds(schema)}, require, {}}});
  }
}

GoalExpander::Choice GoalExpander::one_of(const std::vector<NodeIndex>& branches) {
  Choice out;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    Option option{{holds(branches[i])}, {}, {}};
    for (std::size_t j = 0; j < branches.size(); ++j) {
      if (loose_ || i == j || disjoint({holds(branches[i]), holds(branches[j])}, kLook)) continue;
      option.literals.push_back(fails(branches[j]));
    }
    out.push_back(std::move(option));
  }
  return out;
}

// "Some property that `node` does not name (or that matches its pattern) fails its schema." In an object whose names
// are all known, it is one of those.
GoalExpander::Choice GoalExpander::some_property(const Conjunction::Some& some, const Conjunction& c) const {
  const SchemaNode& node = doc_.nodes[some.node];
  Choice out;
  const auto closed = std::find_if(c.objects.begin(), c.objects.end(), [&](NodeIndex n) {
    return doc_.nodes[n].additional == kFalseNode && doc_.nodes[n].pattern_properties.empty();
  });
  if (closed == c.objects.end()) {
    const char* keyword = some.pattern < 0 ? "/additionalProperties" : "/patternProperties";
    out.push_back({{}, [pointer = node.pointer + keyword](Conjunction& to) { to.unsupported = pointer; }, {}});
    return out;
  }
  const auto matches = [](const SchemaNode::PatternProperty& p, const std::string& name) {
    return p.pattern->accepts(name);
  };
  for (const auto& known : doc_.nodes[*closed].properties) {
    const std::string& name = known.first;
    NodeIndex denied = node.additional;
    if (some.pattern >= 0) {
      const SchemaNode::PatternProperty& p = node.pattern_properties[static_cast<std::size_t>(some.pattern)];
      if (!matches(p, name)) continue;
      denied = p.node;
    } else {
      if (named(some.node, name) != nullptr) continue;
      if (std::any_of(node.pattern_properties.begin(), node.pattern_properties.end(),
                      [&](const auto& p) { return matches(p, name); }))
        continue;
    }
    out.push_back(with_property(name, fails(denied)));
  }
  return out;
}

}  // namespace sgl::constraint
