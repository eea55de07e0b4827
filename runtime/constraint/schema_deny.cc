// What it takes for a subschema not to hold: one of its assertions fails.
#include <algorithm>

#include "runtime/constraint/schema_goal.h"

namespace sgl::constraint {

GoalExpander::Option GoalExpander::with_property(std::string name, Literal literal) {
  const auto add = [name, literal](Conjunction& c) {
    c.allowed &= types::kObject;
    c.properties.push_back({name, literal});
  };
  const auto held = [name, literal](const Conjunction& c) {
    return c.allowed == types::kObject && std::any_of(c.properties.begin(), c.properties.end(), [&](const auto& p) {
             return p.name == name && p.literal == literal;
           });
  };
  return {{}, add, held};
}

GoalExpander::Option GoalExpander::without_property(std::string name) {
  const auto add = [name](Conjunction& c) {
    c.allowed &= types::kObject;
    c.forbidden.push_back(name);
  };
  const auto held = [name](const Conjunction& c) {
    return c.allowed == types::kObject && std::find(c.forbidden.begin(), c.forbidden.end(), name) != c.forbidden.end();
  };
  return {{}, add, held};
}

void GoalExpander::deny(const SchemaNode& node, NodeIndex index, Branch& branch) {
  Choice choice;
  deny_simple(node, choice);
  deny_arrays(node, choice);
  deny_objects(node, index, choice);
  deny_logic(node, choice);
  if (node.unevaluated_items || node.unevaluated_properties) {
    const std::string pointer =
        node.pointer + (node.unevaluated_items ? "/unevaluatedItems" : "/unevaluatedProperties");
    choice.push_back({{}, [pointer](Conjunction& c) { c.unsupported = pointer; }, {}});
  }
  if (choice.empty()) {  // nothing in it can fail
    branch.conjunction.allowed = 0;
    return;
  }
  branch.choose(std::move(choice));
}

void GoalExpander::deny_simple(const SchemaNode& node, Choice& out) const {
  const auto only = [&out](Types types, std::function<void(Conjunction&)> also) {
    out.push_back({{},
                   [types, also = std::move(also)](Conjunction& c) {
                     c.allowed &= types;
                     if (also) also(c);
                     if (bounds_cross(c.number)) c.allowed &= static_cast<Types>(~types::kNumber);
                   },
                   {}});
  };
  if (node.allowed != types::kAll) {
    only(static_cast<Types>(~node.allowed), {});
    out.back().held = [types = static_cast<Types>(~node.allowed)](const Conjunction& c) {
      return (c.allowed & ~types) == 0;
    };
  }
  for (const ValueSet& set : node.values) {
    Option option{{},
                  [&set](Conjunction& c) {
                    c.allowed &= static_cast<Types>(~set.words);
                    if (set.text) c.texts.push_back({set.text, true});
                    c.number.excluded.insert(c.number.excluded.end(), set.numbers.begin(), set.numbers.end());
                  },
                  {}};
    for (NodeIndex composite : set.composites) option.literals.push_back(fails(composite));
    out.push_back(std::move(option));
  }
  if (node.min)
    only(types::kNumber, [&node](Conjunction& c) { tighten_max(c.number, *node.min, !node.exclusive_min); });
  if (node.max)
    only(types::kNumber, [&node](Conjunction& c) { tighten_min(c.number, *node.max, !node.exclusive_max); });
  if (node.multiple_of) {
    only(types::kNumber, [&node](Conjunction& c) { c.number.not_multiples.push_back(*node.multiple_of); });
  }
  if (node.min_chars > 0) {
    only(types::kString, [&node](Conjunction& c) {
      c.max_chars = c.max_chars < 0 ? node.min_chars - 1 : std::min(c.max_chars, node.min_chars - 1);
      if (c.min_chars > c.max_chars) c.allowed = 0;
    });
  }
  if (node.max_chars >= 0) {
    only(types::kString, [&node](Conjunction& c) {
      c.min_chars = std::max(c.min_chars, node.max_chars + 1);
      if (c.max_chars >= 0 && c.min_chars > c.max_chars) c.allowed = 0;
    });
  }
  for (const auto& text : node.texts) {
    only(types::kString, [&text](Conjunction& c) { c.texts.push_back({text, true}); });
  }
}

void GoalExpander::deny_arrays(const SchemaNode& node, Choice& out) const {
  const auto only = [&out](std::function<void(Conjunction&)> also) {
    out.push_back({{},
                   [also = std::move(also)](Conjunction& c) {
                     c.allowed &= types::kArray;
                     also(c);
                   },
                   {}});
  };
  for (std::size_t i = 0; i < node.prefix.size(); ++i) {
    if (node.prefix[i] == kTrueNode) continue;
    const auto index = static_cast<std::int64_t>(i);
    only([index, schema = node.prefix[i]](Conjunction& c) { c.items.push_back({index, fails(schema)}); });
  }
  if (node.items != kTrueNode) {
    only([&node](Conjunction& c) {
      const auto from = static_cast<std::int64_t>(node.prefix.size());
      c.contains.push_back({from, fails(node.items), 1, -1});
    });
  }
  if (node.min_items > 0) {
    only([&node](Conjunction& c) {
      c.max_items = c.max_items < 0 ? node.min_items - 1 : std::min(c.max_items, node.min_items - 1);
    });
  }
  if (node.max_items >= 0) {
    only([&node](Conjunction& c) { c.min_items = std::max(c.min_items, node.max_items + 1); });
  }
  if (node.contains && node.min_contains > 0) {
    only([&node](Conjunction& c) { c.contains.push_back({0, holds(*node.contains), 0, node.min_contains - 1}); });
  }
  if (node.contains && node.max_contains >= 0) {
    only([&node](Conjunction& c) { c.contains.push_back({0, holds(*node.contains), node.max_contains + 1, -1}); });
  }
  if (node.unique) {
    only([&node](Conjunction& c) { c.unsupported = node.pointer + "/uniqueItems"; });
  }
}

void GoalExpander::deny_objects(const SchemaNode& node, NodeIndex index, Choice& out) const {
  const auto only = [&out](std::function<void(Conjunction&)> also) {
    out.push_back({{},
                   [also = std::move(also)](Conjunction& c) {
                     c.allowed &= types::kObject;
                     also(c);
                   },
                   {}});
  };
  for (const auto& [name, schema] : node.properties) {
    if (schema == kTrueNode) continue;
    out.push_back(with_property(name, fails(schema)));
  }
  for (const std::string& name : node.required) {
    out.push_back(without_property(name));
  }
  if (node.min_properties > 0) {
    only([&node](Conjunction& c) {
      c.max_properties =
          c.max_properties < 0 ? node.min_properties - 1 : std::min(c.max_properties, node.min_properties - 1);
    });
  }
  if (node.max_properties >= 0) {
    only([&node](Conjunction& c) { c.min_properties = std::max(c.min_properties, node.max_properties + 1); });
  }
  for (const auto& [name, others] : node.dependent_required) {
    for (const std::string& other : others) {
      only([name = name, other](Conjunction& c) {
        c.properties.push_back({name, holds(kTrueNode)});
        c.forbidden.push_back(other);
      });
    }
  }
  for (std::size_t i = 0; i < node.pattern_properties.size(); ++i) {
    if (node.pattern_properties[i].node == kTrueNode) continue;
    only([index, i = static_cast<int>(i)](Conjunction& c) { c.some.push_back({index, i}); });
  }
  if (node.additional != kTrueNode) only([index](Conjunction& c) { c.some.push_back({index, -1}); });
  if (node.property_names) {
    only([pointer = node.pointer + "/propertyNames"](Conjunction& c) { c.unsupported = pointer; });
  }
}

void GoalExpander::deny_logic(const SchemaNode& node, Choice& out) const {
  if (node.ref) out.push_back({{fails(*node.ref)}, {}, {}});
  for (NodeIndex part : node.all_of) out.push_back({{fails(part)}, {}, {}});
  if (node.negated) out.push_back({{holds(*node.negated)}, {}, {}});
  for (const auto& options : node.any_of) {
    Option none;
    for (NodeIndex option : options) none.literals.push_back(fails(option));
    out.push_back(std::move(none));
  }
  for (const auto& options : node.one_of) {
    Option none;
    for (NodeIndex option : options) none.literals.push_back(fails(option));
    out.push_back(std::move(none));
    for (std::size_t i = 0; i < options.size(); ++i) {
      for (std::size_t j = i + 1; j < options.size(); ++j) {
        out.push_back({{holds(options[i]), holds(options[j])}, {}, {}});
      }
    }
  }
  if (node.condition) {
    if (node.then_branch) out.push_back({{holds(*node.condition), fails(*node.then_branch)}, {}, {}});
    if (node.else_branch) out.push_back({{fails(*node.condition), fails(*node.else_branch)}, {}, {}});
  }
  for (const auto& [name, schema] : node.dependent_schemas) {
    out.push_back({{fails(schema)},
                   [name = name](Conjunction& c) {
                     c.allowed &= types::kObject;
                     c.properties.push_back({name, holds(kTrueNode)});
                   },
                   {}});
  }
}

}  // namespace sgl::constraint
