// What a conjunction says of an item or a property of the value, unevaluated keywords included.
#include <algorithm>

#include "runtime/constraint/schema_goal.h"

namespace sgl::constraint {

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

const NodeIndex* GoalExpander::named(NodeIndex node, std::string_view name) const {
  constexpr std::size_t kFew = 16;
  const auto& properties = doc_.nodes[node].properties;
  if (properties.size() <= kFew) {
    for (const auto& [known, schema] : properties) {
      if (known == name) return &schema;
    }
    return nullptr;
  }
  const auto [index, fresh] = names_->try_emplace(node);
  if (fresh) {
    for (const auto& [known, schema] : properties) index->second.try_emplace(known, &schema);
  }
  const auto it = index->second.find(name);
  return it == index->second.end() ? nullptr : it->second;
}

Literals GoalExpander::property(const Conjunction& c, std::string_view name) const {
  Literals out;
  out.reserve(c.objects.size() + c.properties.size());
  for (NodeIndex n : c.objects) {
    const SchemaNode& node = doc_.nodes[n];
    const NodeIndex* listed = named(n, name);
    bool found = listed != nullptr;
    if (found) out.push_back(holds(*listed));
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
        return named(n, name) != nullptr || std::any_of(node.pattern_properties.begin(), node.pattern_properties.end(),
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
  const auto held = [&](NodeIndex n) { return n == kTrueNode || branch.has(holds(n)); };
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
