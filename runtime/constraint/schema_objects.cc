// The shapes of objects: which names there may be, and what their values are; and going through all goals.
#include <algorithm>
#include <set>

#include "runtime/base/utf8.h"
#include "runtime/constraint/schema_shape.h"

namespace sgl::constraint {
namespace {

using Automata = std::vector<std::shared_ptr<const CharDfa>>;

constexpr std::size_t kExplored = 20'000;  // goals; what lies beyond is met when it is walked
constexpr std::uint64_t kFewNames = 256;   // so many names that patterns allow are listed rather than matched

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return std::min(a + b, kInfinite);
}

// In the order of first mention. The names must stay where they are.
class NameList {
 public:
  std::uint32_t add(std::string_view name) {
    const auto [it, fresh] = index_.try_emplace(name, static_cast<std::uint32_t>(list_.size()));
    if (fresh) list_.push_back(name);
    return it->second;
  }
  const std::vector<std::string_view>& list() const { return list_; }

 private:
  std::vector<std::string_view> list_;
  std::unordered_map<std::string_view, std::uint32_t> index_;
};

// With all that it implies.
void require(ObjectShape& shape, std::uint32_t index) {
  std::vector<std::uint32_t> open{index};
  while (!open.empty()) {
    ObjectShape::Name& name = shape.names[open.back()];
    open.pop_back();
    if (name.required) continue;
    name.required = true;
    open.insert(open.end(), name.implied.begin(), name.implied.end());
  }
}

}  // namespace

int Goals::make_object(const Conjunction& c) {
  ObjectShape shape;
  shape.from = c;
  std::sort(shape.from.objects.begin(), shape.from.objects.end());  // in the order of the document
  const std::vector<NodeIndex>& nodes = shape.from.objects;
  shape.min = c.min_properties, shape.max = c.max_properties;
  NameList names;
  for (NodeIndex n : nodes) {
    for (const auto& [name, schema] : doc_.nodes[n].properties) names.add(name);
  }
  std::vector<std::uint32_t> required;
  for (NodeIndex n : nodes) {
    for (const std::string& name : doc_.nodes[n].required) required.push_back(names.add(name));
  }
  for (const Conjunction::Property& p : c.properties) required.push_back(names.add(p.name));
  for (const std::string& name : c.forbidden) names.add(name);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> implications;
  for (NodeIndex n : nodes) {
    for (const auto& [name, others] : doc_.nodes[n].dependent_required) {
      const std::uint32_t from = names.add(name);
      for (const std::string& other : others) implications.emplace_back(from, names.add(other));
    }
  }
  std::vector<Automata> spellings;
  const bool spelled = name_automata(c, spellings);
  for (std::string_view name : names.list()) {
    const bool forbidden = std::find(c.forbidden.begin(), c.forbidden.end(), name) != c.forbidden.end();
    const bool allowed = !forbidden && spelled && std::all_of(spellings.begin(), spellings.end(), [&](const auto& any) {
      return std::any_of(any.begin(), any.end(), [&](const auto& dfa) { return dfa->accepts(name); });
    });
    ObjectShape::Name entry;
    entry.key = json_content(name);
    entry.goal = allowed ? intern(expander_.property(shape.from, name)) : intern({holds(kFalseNode)});
    shape.names.push_back(std::move(entry));
  }
  for (const auto& [from, to] : implications) shape.names[from].implied.push_back(to);
  for (std::uint32_t index : required) require(shape, index);
  shape.counted = shape.min > 0 || shape.max >= 0 || !implications.empty();
  make_keys(shape);
  objects_.push_back(std::move(shape));
  return static_cast<int>(objects_.size() - 1);
}

bool Goals::name_automata(const Conjunction& c, std::vector<Automata>& out) {
  for (NodeIndex n : c.objects) {
    const SchemaNode& node = doc_.nodes[n];
    if (!node.property_names) continue;
    Automata any_of;
    bool all = false;
    for (const Conjunction& form : expander_.expand({holds(*node.property_names)})) {
      if ((form.allowed & types::kString) == 0) continue;
      std::vector<CharDfa::Term> terms = form.texts;
      if (form.min_chars > 0 || form.max_chars >= 0) {
        const std::string max = form.max_chars >= 0 ? std::to_string(form.max_chars) : "";
        auto lengths = CharDfa::pattern("[\\s\\S]{" + std::to_string(form.min_chars) + "," + max + "}", false, {});
        if (!lengths)
          return fail(SchemaStatus::kLimit, node.pointer + "/propertyNames", lengths.error().message), false;
        terms.push_back({std::move(lengths).value(), false});
      }
      if (terms.empty()) {
        all = true;
        continue;
      }
      auto made = CharDfa::all_of(terms, {});
      if (!made) return fail(SchemaStatus::kLimit, node.pointer + "/propertyNames", made.error().message), false;
      any_of.push_back(std::move(made).value());
    }
    if (!all) out.push_back(std::move(any_of));
  }
  return true;
}

// The goal of a name that matches the patterns in `tags` (bits in the order of nodes and their patterns).
GoalId Goals::free_goal(const Conjunction& c, std::uint64_t tags) {
  Literals literals;
  std::size_t bit = 0;
  std::set<NodeIndex> matched;
  for (NodeIndex n : c.objects) {
    const SchemaNode& node = doc_.nodes[n];
    for (const SchemaNode::PatternProperty& p : node.pattern_properties) {
      if ((tags >> bit++ & 1) == 0) continue;
      matched.insert(n);
      literals.push_back(holds(p.node));
    }
    if (!matched.contains(n)) literals.push_back(holds(node.additional));
  }
  expander_.add_unevaluated(
      c, [&](NodeIndex n) { return matched.contains(n); }, literals);
  return intern(std::move(literals));
}

// What names there may be besides the listed ones. The goals of unlisted names depend on the patterns they match.
void Goals::make_keys(ObjectShape& shape) {
  Automata parts;
  for (NodeIndex n : shape.from.objects) {
    for (const SchemaNode::PatternProperty& p : doc_.nodes[n].pattern_properties) parts.push_back(p.pattern);
  }
  const std::size_t patterns = parts.size();
  std::vector<Automata> automata;
  if (!name_automata(shape.from, automata)) return;
  std::vector<std::uint64_t> needed;  // bits, one of which must be there
  for (const Automata& any_of : automata) {
    std::uint64_t bits = 0;
    for (const auto& dfa : any_of) {
      if (parts.size() < 64) bits |= std::uint64_t{1} << parts.size();
      parts.push_back(dfa);
    }
    needed.push_back(bits);
  }
  if (parts.size() > 64) return fail(SchemaStatus::kLimit, "", "more than 64 patterns of names about one object");
  if (parts.empty()) {
    shape.open = needed.empty();
    if (shape.open) shape.goals[0] = free_goal(shape.from, 0);
    return;
  }
  const auto possible = [&](std::uint64_t tags) {
    return std::all_of(needed.begin(), needed.end(), [&](std::uint64_t bits) { return (tags & bits) != 0; });
  };
  auto made = CharDfa::tagged(parts, possible, {});
  if (!made) return fail(SchemaStatus::kLimit, "", made.error().message);
  shape.keys = std::move(made).value();
  const std::uint64_t pattern_bits = patterns == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << patterns) - 1;
  for (std::size_t q = 0; q < shape.keys->size(); ++q) {
    const auto state = static_cast<CharDfa::State>(q);
    if (!shape.keys->accepting(state)) continue;
    const std::uint64_t tags = shape.keys->tags(state);
    if (!shape.goals.contains(tags)) shape.goals[tags] = free_goal(shape.from, tags & pattern_bits);
  }
  shape.open = !shape.keys->empty();
}

const ObjectShape& Goals::object(int id) {
  ObjectShape& shape = objects_[static_cast<std::size_t>(id)];
  if (!shape.ready) finish_object(shape);
  return shape;
}

// Leaves out what cannot be satisfied.
void Goals::finish_object(ObjectShape& shape) {
  shape.ready = true;
  shape.ordered = static_cast<std::uint32_t>(shape.names.size());
  for (auto it = shape.goals.begin(); it != shape.goals.end();)
    it = cost(it->second) >= kInfinite ? shape.goals.erase(it) : std::next(it);
  if (shape.goals.empty()) shape.open = false;
  if (shape.open && shape.keys) {
    bool every = true;
    for (std::size_t q = 0; q < shape.keys->size(); ++q) {
      const auto state = static_cast<CharDfa::State>(q);
      every = every && (!shape.keys->accepting(state) || shape.goals.contains(shape.keys->tags(state)));
    }
    if (!every) {
      shape.keys = shape.keys->restricted([&](std::uint64_t tags) { return shape.goals.contains(tags); });
      shape.open = !shape.keys->empty();
    }
  }
  if (shape.open && shape.keys && shape.keys->count(shape.keys->start()) <= kFewNames) {
    shape.open = false;
    for (const std::string& text : shape.keys->texts_from(shape.keys->start())) {
      const std::string key = json_content(text);
      if (std::any_of(shape.names.begin(), shape.names.end(), [&](const auto& n) { return n.key == key; })) continue;
      CharDfa::State q = shape.keys->start();
      for (std::size_t i = 0; i < text.size();) {
        const base::DecodedChar c = base::decode_utf8(text, i);
        q = shape.keys->step(q, c.code);
        i += c.bytes;
      }
      ObjectShape::Name entry;
      entry.key = key;
      entry.goal = shape.goals.at(shape.keys->tags(q));
      shape.names.push_back(std::move(entry));
    }
  }
  for (std::uint32_t i = 0; i < shape.names.size(); ++i) {
    ObjectShape::Name& name = shape.names[i];
    const std::uint64_t value = cost(name.goal);
    name.allowed = value < kInfinite;
    if (name.allowed) name.bytes = plus(value, name.key.size() + 4);  // quotes, colon, comma
    if (name.required) shape.required.push_back(i);
    shape.sorted.push_back(i);
  }
  std::sort(shape.sorted.begin(), shape.sorted.end(),
            [&](std::uint32_t a, std::uint32_t b) { return shape.names[a].key < shape.names[b].key; });
}

std::uint64_t Goals::least_object(int id) {
  const ObjectShape& shape = known_object(id);
  std::uint64_t total = 2, count = 0;
  std::vector<std::uint64_t> others;
  for (const ObjectShape::Name& name : shape.names) {
    const std::uint64_t each = plus(known_cost(name.goal), name.key.size() + 4);
    if (name.required) {
      total = plus(total, each), ++count;
    } else if (each < kInfinite) {
      others.push_back(each);
    }
  }
  if (shape.max >= 0 && count > static_cast<std::uint64_t>(shape.max)) return kInfinite;
  const auto min = static_cast<std::uint64_t>(shape.min);
  std::sort(others.begin(), others.end());
  for (std::size_t i = 0; i < others.size() && count < min; ++i, ++count) total = plus(total, others[i]);
  if (count < min) {
    if (shape.goals.empty() || (shape.keys && shape.keys->empty()) || min > 1'000'000) return kInfinite;
    const std::vector<std::uint64_t> free =
        free_properties(objects_[static_cast<std::size_t>(id)], true, [&](GoalId goal) { return known_cost(goal); });
    if (free[0] >= kInfinite) return kInfinite;
    total = std::min(total + (min - count) * (free[0] + kOtherName + 4), kInfinite);
    count = min;
  }
  return count > 0 && total < kInfinite ? total - 1 : total;  // commas stand between
}

std::vector<std::uint64_t> Goals::free_properties(ObjectShape& shape, bool common,
                                                  const std::function<std::uint64_t(GoalId)>& cost_of) const {
  if (shape.keys == nullptr) return {cost_of(shape.goals.begin()->second)};
  const auto cost_of_tags = [&](std::uint64_t tags) {
    const auto goal = shape.goals.find(tags);
    const std::uint64_t bytes = goal == shape.goals.end() ? kInfinite : cost_of(goal->second);
    return bytes >= kInfinite ? UINT64_MAX : bytes;
  };
  // Each is counted: of so many makes the cheapest will not run out.
  constexpr std::size_t kMostMakes = 32;
  if (common && shape.goals.size() > 1 && shape.goals.size() <= kMostMakes) {
    if (!shape.common) {
      shape.common.emplace();
      std::vector<std::uint64_t> makes;
      for (const auto& [tags, goal] : shape.goals) makes.push_back(tags);
      const std::vector<std::uint64_t> names = shape.keys->counts_by_tags(makes);
      for (std::size_t i = 0; i < makes.size(); ++i) {
        if (names[i] >= CharDfa::kMany) shape.common->insert(makes[i]);
      }
    }
    std::vector<std::uint64_t> out = shape.keys->least_with(
        [&](std::uint64_t tags) { return shape.common->contains(tags) ? cost_of_tags(tags) : UINT64_MAX; });
    for (std::uint64_t& bytes : out) bytes = std::min(bytes, kInfinite);
    if (out[0] < kInfinite) return out;
  }
  std::vector<std::uint64_t> out = shape.keys->least_with(cost_of_tags);
  for (std::uint64_t& bytes : out) bytes = std::min(bytes, kInfinite);
  return out;
}

std::span<const std::uint64_t> Goals::free_properties(int id, bool common) {
  ObjectShape& shape = objects_[static_cast<std::size_t>(id)];
  std::vector<std::uint64_t>& known = common ? shape.least_common : shape.least;
  if (known.empty()) known = free_properties(shape, common, [&](GoalId goal) { return cost(goal); });
  return known;
}

void Goals::explore() {
  std::vector<GoalId> open{root()};
  std::set<GoalId> met(open.begin(), open.end());
  for (std::size_t i = 0; i < open.size() && open.size() < kExplored && !problem_; ++i) {
    if (cost(open[i]) >= kInfinite) continue;
    std::vector<GoalId> next;
    for (const Alternative& a : goals_[open[i]].alternatives) {
      if (a.array >= 0) {
        for (const auto& item : array(a.array).prefix) {
          for (const auto& v : item) next.push_back(v.goal);
        }
        for (const auto& v : array(a.array).rest) next.push_back(v.goal);
      }
      if (a.object < 0) continue;
      for (const ObjectShape::Name& name : object(a.object).names) next.push_back(name.goal);
      for (const auto& [tags, goal] : known_object(a.object).goals) next.push_back(goal);
    }
    for (GoalId goal : next) {
      if (met.insert(goal).second) open.push_back(goal);
    }
  }
}

}  // namespace sgl::constraint
