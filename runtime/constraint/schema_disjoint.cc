// Whether schemas plainly cannot hold together: looked at a few levels deep, erring on the side of "they may".
#include <algorithm>

#include "runtime/constraint/schema_goal.h"

namespace sgl::constraint {

bool GoalExpander::disjoint(Literals literals, int depth) {
  if (depth == 0) return false;
  std::sort(literals.begin(), literals.end());
  literals.erase(std::unique(literals.begin(), literals.end()), literals.end());
  const auto [it, fresh] = disjoint_->try_emplace({std::move(literals), depth}, false);  // while it is being looked at
  if (!fresh) return it->second;
  GoalExpander inner(doc_, limits_);
  inner.loose_ = true;
  inner.look_ = depth;
  inner.disjoint_ = disjoint_, inner.names_ = names_;
  const bool result = inner.expand(it->first.first).empty() && !inner.problem_;
  work_ += inner.work_;
  return it->second = result;
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
    const auto overlap = CharDfa::overlap(c.texts, {.max_states = 2'000});
    if (!overlap.ok() || *overlap) return false;
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
  std::vector<std::string_view> required;
  for (NodeIndex node : c.objects) {
    required.insert(required.end(), doc_.nodes[node].required.begin(), doc_.nodes[node].required.end());
  }
  for (const Conjunction::Property& p : c.properties) required.emplace_back(p.name);
  std::sort(required.begin(), required.end());
  required.erase(std::unique(required.begin(), required.end()), required.end());
  for (const std::string& name : c.forbidden) {
    if (std::binary_search(required.begin(), required.end(), name)) return true;
  }
  if (c.max_properties >= 0 && static_cast<std::int64_t>(required.size()) > c.max_properties) return true;
  if (depth == 0) return false;
  return std::any_of(required.begin(), required.end(),
                     [&](std::string_view name) { return disjoint(property(c, name), depth - 1); });
}

}  // namespace sgl::constraint
