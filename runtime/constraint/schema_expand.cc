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
    branch.choices.push_back(some_property(some, branch.conjunction));
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
                                       [](const Choice& a, const Choice& b) { return a.size() < b.size(); });
  const Choice choice = std::move(*fewest);
  branch.choices.erase(fewest);
  for (std::size_t i = 0; i < choice.size(); ++i) {
    Branch next = i + 1 == choice.size() ? std::move(branch) : branch;
    if (choice[i].also) choice[i].also(next.conjunction);
    next.todo.insert(next.todo.end(), choice[i].literals.begin(), choice[i].literals.end());
    run(std::move(next), depth + 1, out);
  }
}

void GoalExpander::absorb(Branch& branch) const {
  std::erase_if(branch.choices, [&](const Choice& choice) {
    return std::any_of(choice.begin(), choice.end(), [&](const Option& option) {
      const bool literals = std::all_of(option.literals.begin(), option.literals.end(),
                                        [&](Literal l) { return branch.seen.contains(l); });
      return literals && (option.also == nullptr || (option.held != nullptr && option.held(branch.conjunction)));
    });
  });
}

// Works off the literals that leave no choice, and collects the choices. False when the branch is dead.
bool GoalExpander::deterministic(Branch& branch) {
  while (!branch.todo.empty()) {
    const Literal literal = branch.todo.back();
    branch.todo.pop_back();
    if (branch.seen.contains(literal ^ 1)) return false;
    if (!branch.seen.insert(literal).second) continue;
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
  branch.choices.push_back(std::move(choice));
}

void GoalExpander::combine(const SchemaNode& node, Branch& branch) {
  if (node.ref) branch.todo.push_back(holds(*node.ref));
  for (NodeIndex part : node.all_of) branch.todo.push_back(holds(part));
  if (node.negated) branch.todo.push_back(fails(*node.negated));
  for (const auto& options : node.any_of) {
    Choice choice;
    for (NodeIndex option : options) choice.push_back({{holds(option)}, {}, {}});
    branch.choices.push_back(std::move(choice));
    for (NodeIndex option : options) {
      if (node.told_apart) branch.choices.push_back({{{holds(option)}, {}, {}}, {{fails(option)}, {}, {}}});
    }
  }
  for (const auto& options : node.one_of) branch.choices.push_back(one_of(options));
  if (node.condition && (node.then_branch || node.else_branch || node.told_apart)) {
    const NodeIndex then_branch = node.then_branch.value_or(kTrueNode),
                    else_branch = node.else_branch.value_or(kTrueNode);
    branch.choices.push_back({{{holds(*node.condition), holds(then_branch)}, {}, {}},
                              {{fails(*node.condition), holds(else_branch)}, {}, {}}});
  }
  for (const auto& [name, schema] : node.dependent_schemas) {
    const auto forbid = [name = name](Conjunction& c) { c.forbidden.push_back(name); };
    const auto require = [name = name](Conjunction& c) {
      c.allowed &= types::kObject;
      c.properties.push_back({name, holds(kTrueNode)});
    };
    branch.choices.push_back({{{}, forbid, {}}, {{holds(schema)}, require, {}}});
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
      const auto named = [&](const auto& property) { return property.first == name; };
      if (std::any_of(node.properties.begin(), node.properties.end(), named)) continue;
      if (std::any_of(node.pattern_properties.begin(), node.pattern_properties.end(),
                      [&](const auto& p) { return matches(p, name); }))
        continue;
    }
    out.push_back(with_property(name, fails(denied)));
  }
  return out;
}

bool GoalExpander::disjoint(const Literals& literals, int depth) {
  if (depth == 0) return false;
  Literals key = literals;
  std::sort(key.begin(), key.end());
  key.erase(std::unique(key.begin(), key.end()), key.end());
  const auto [it, fresh] = disjoint_->try_emplace({key, depth}, false);  // false while it is being looked at
  if (!fresh) return it->second;
  GoalExpander inner(doc_, limits_);
  inner.loose_ = true;
  inner.look_ = depth;
  inner.disjoint_ = disjoint_;
  const bool result = inner.expand(key).empty() && !inner.problem_;
  work_ += inner.work_;
  (*disjoint_)[{key, depth}] = result;
  return result;
}

bool GoalExpander::plainly_empty(const Conjunction& c, int depth) {
  if ((c.allowed & (types::kNull | types::kBoolean)) != 0) return false;
  if ((c.allowed & types::kNumber) != 0) {
    if (!c.number.values) return false;
    NumberSpec spec = c.number;
    spec.integer = (c.allowed & types::kFraction) == 0, spec.fraction = (c.allowed & types::kInteger) == 0;
    const auto dfa = NumberDfa::build(spec, 10'000);
    if (!dfa.ok() || !(*dfa)->empty()) return false;
  }
  if ((c.allowed & types::kString) != 0) {
    if (c.texts.size() < 2 || depth == 0) return false;
    const auto dfa = CharDfa::all_of(c.texts, {.max_states = 2'000, .max_table = 200'000});
    if (!dfa.ok() || !(*dfa)->empty()) return false;
  }
  if ((c.allowed & types::kArray) != 0 && !arrays_empty(c, depth)) return false;
  if ((c.allowed & types::kObject) != 0 && !objects_empty(c, depth)) return false;
  return true;
}

bool GoalExpander::arrays_empty(const Conjunction& c, int depth) {
  std::int64_t least = c.min_items;
  for (const Conjunction::Item& item : c.items) least = std::max(least, item.index + 1);
  if (c.max_items >= 0 && least > c.max_items) return true;
  if (depth == 0) return false;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(least, 16); ++i) {
    if (disjoint(item(c, i), depth - 1)) return true;
  }
  return false;
}

bool GoalExpander::objects_empty(const Conjunction& c, int depth) {
  std::set<std::string> required;
  for (NodeIndex node : c.objects) required.insert(doc_.nodes[node].required.begin(), doc_.nodes[node].required.end());
  for (const Conjunction::Property& p : c.properties) required.insert(p.name);
  for (const std::string& name : c.forbidden) {
    if (required.contains(name)) return true;
  }
  if (c.max_properties >= 0 && static_cast<std::int64_t>(required.size()) > c.max_properties) return true;
  if (depth == 0) return false;
  return std::any_of(required.begin(), required.end(),
                     [&](const std::string& name) { return disjoint(property(c, name), depth - 1); });
}

Literals GoalExpander::item(const Conjunction& c, std::int64_t index) const {
  Literals out;
  for (NodeIndex n : c.arrays) {
    const SchemaNode& node = doc_.nodes[n];
    const auto i = static_cast<std::size_t>(index);
    const NodeIndex schema = i < node.prefix.size() ? node.prefix[i] : node.items;
    if (schema != kTrueNode) out.push_back(holds(schema));
  }
  for (const Conjunction::Item& item : c.items) {
    if (item.index == index) out.push_back(item.literal);
  }
  for (const Conjunction::Unevaluated& u : c.unevaluated) {
    const SchemaNode& asking = doc_.nodes[u.node];
    const bool seen = std::any_of(u.evaluators.begin(), u.evaluators.end(), [&](NodeIndex n) {
      const SchemaNode& node = doc_.nodes[n];
      return static_cast<std::size_t>(index) < node.prefix.size() || node.lists_items ||
             (n != u.node && node.unevaluated_items);
    });
    if (asking.unevaluated_items && !seen) out.push_back(holds(*asking.unevaluated_items));
  }
  return out;
}

Literals GoalExpander::property(const Conjunction& c, const std::string& name) const {
  Literals out;
  for (NodeIndex n : c.objects) {
    const SchemaNode& node = doc_.nodes[n];
    bool found = false;
    for (const auto& [known, schema] : node.properties) {
      if (known != name) continue;
      found = true;
      out.push_back(holds(schema));
    }
    for (const SchemaNode::PatternProperty& p : node.pattern_properties) {
      if (!p.pattern->accepts(name)) continue;
      found = true;
      out.push_back(holds(p.node));
    }
    if (!found) out.push_back(holds(node.additional));
  }
  for (const Conjunction::Property& p : c.properties) {
    if (p.name == name) out.push_back(p.literal);
  }
  add_unevaluated(
      c,
      [&](NodeIndex n) {
        const SchemaNode& node = doc_.nodes[n];
        return std::any_of(node.properties.begin(), node.properties.end(),
                           [&](const auto& p) { return p.first == name; }) ||
               std::any_of(node.pattern_properties.begin(), node.pattern_properties.end(),
                           [&](const auto& p) { return p.pattern->accepts(name); });
      },
      out);
  std::erase(out, holds(kTrueNode));
  return out;
}

void GoalExpander::add_unevaluated(const Conjunction& c, const std::function<bool(NodeIndex)>& listed,
                                   Literals& out) const {
  for (const Conjunction::Unevaluated& u : c.unevaluated) {
    const SchemaNode& asking = doc_.nodes[u.node];
    const bool seen = std::any_of(u.evaluators.begin(), u.evaluators.end(), [&](NodeIndex n) {
      const SchemaNode& node = doc_.nodes[n];
      return listed(n) || node.lists_additional || (n != u.node && node.unevaluated_properties);
    });
    if (asking.unevaluated_properties && !seen) out.push_back(holds(*asking.unevaluated_properties));
  }
}

// Which schemas held in place below those with unevaluated keywords: those of the branch, as it is complete.
void GoalExpander::find_evaluators(Branch& branch) const {
  const auto held = [&](NodeIndex n) { return n == kTrueNode || branch.seen.contains(holds(n)); };
  for (Literal literal : branch.seen) {
    const SchemaNode& asking = doc_.nodes[literal >> 1];
    if ((literal & 1) != 0 || (!asking.unevaluated_items && !asking.unevaluated_properties)) continue;
    Conjunction::Unevaluated found{literal >> 1, {literal >> 1}};
    for (std::size_t i = 0; i < found.evaluators.size(); ++i) {
      const SchemaNode& node = doc_.nodes[found.evaluators[i]];
      const auto add = [&](NodeIndex n) {
        const bool fresh = std::find(found.evaluators.begin(), found.evaluators.end(), n) == found.evaluators.end();
        if (held(n) && fresh) found.evaluators.push_back(n);
      };
      if (node.ref) add(*node.ref);
      for (NodeIndex part : node.all_of) add(part);
      for (const auto* lists : {&node.any_of, &node.one_of}) {
        for (const auto& list : *lists) {
          for (NodeIndex part : list) add(part);
        }
      }
      if (node.condition && held(*node.condition)) {
        add(*node.condition);
        if (node.then_branch) add(*node.then_branch);
      } else if (node.else_branch) {
        add(*node.else_branch);
      }
      for (const auto& dependent : node.dependent_schemas) add(dependent.second);
      if (node.contains && asking.unevaluated_items)
        branch.conjunction.unsupported = asking.pointer + "/unevaluatedItems";
    }
    branch.conjunction.unevaluated.push_back(std::move(found));
  }
}

}  // namespace sgl::constraint
