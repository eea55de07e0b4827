#include "runtime/constraint/schema_shape.h"

#include <algorithm>
#include <set>

namespace sgl::constraint {
namespace {

constexpr std::int64_t kMaxItems = 10'000'000;  // that a value must have: more would never be generated
constexpr std::size_t kMaxNumberStates = 50'000;

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return std::min(a + b, kInfinite);
}

}  // namespace

Goals::Goals(SchemaDoc doc, const SchemaOptions& options)
    : doc_(std::move(doc)), options_(options), expander_(doc_, options_.limits) {}

// Goals are made as they are met, also long after the schema was compiled; only the time that they take counts.
class Goals::Timer {
 public:
  explicit Timer(Goals& goals) : goals_(goals), outer_(goals.timed_) {
    if (!outer_) goals_.since_ = Clock::now(), goals_.timed_ = true;
  }
  ~Timer() {
    if (!outer_) goals_.spent_ += Clock::now() - goals_.since_, goals_.timed_ = false;
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  Goals& goals_;
  const bool outer_;
};

bool Goals::late() {
  if (spent_ + (Clock::now() - since_) <= options_.limits.time) return false;
  fail(SchemaStatus::kTimeout, "", "compiling takes too long");
  return true;
}

void Goals::fail(SchemaStatus status, std::string pointer, std::string message) {
  if (!problem_) problem_ = {status, std::move(pointer), std::move(message)};
}

std::size_t Goals::bytes() const {
  std::size_t names = 0;
  for (const ObjectShape& shape : objects_) names += shape.names.size();
  return goals_.size() * 300 + texts_.size() * sizeof(TextShape) + arrays_.size() * 200 + objects_.size() * 500 +
         names * 90;
}

GoalId Goals::intern(Literals literals, bool scalar) {
  std::erase(literals, holds(kTrueNode));
  std::sort(literals.begin(), literals.end());
  literals.erase(std::unique(literals.begin(), literals.end()), literals.end());
  literals.push_back(scalar ? 1 : 0);
  const auto [id, fresh] = index_.add(literals);
  literals.pop_back();
  if (fresh) {
    if (goals_.size() >= options_.limits.max_goals)
      fail(SchemaStatus::kLimit, "", "the schema combines too many subschemas");
    goals_.push_back({std::move(literals), scalar, false, false, {}, kInfinite, {}});
  }
  return id;
}

void Goals::prepare(GoalId id) {
  if (goals_[id].prepared || problem_) return;
  goals_[id].prepared = true;
  if (late()) return;
  const bool scalar = goals_[id].scalar;
  const std::vector<Conjunction> forms = expander_.expand(goals_[id].literals);
  if (expander_.problem()) {
    problem_ = expander_.problem();
    if (!goals_[id].literals.empty() && problem_->pointer.empty())
      problem_->pointer = doc_.nodes[goals_[id].literals[0] >> 1].pointer;
    return;
  }
  std::vector<Alternative> made;
  for (const Conjunction& c : forms) {
    if (!c.unsupported.empty())
      return fail(SchemaStatus::kUnsupported, c.unsupported,
                  "not supported where branches ask for it: negated below oneOf, not or if, or beside contains");
    made.push_back(alternative(c, scalar));
  }
  goals_[id].alternatives = std::move(made);
}

Alternative Goals::alternative(const Conjunction& c, bool scalar) {
  Alternative out;
  out.words = c.allowed & (types::kNull | types::kBoolean);
  if ((c.allowed & types::kString) != 0) out.text = make_text(c, scalar);
  if ((c.allowed & types::kNumber) != 0) {
    NumberSpec spec = c.number;
    spec.integer = (c.allowed & types::kFraction) == 0;
    spec.fraction = (c.allowed & types::kInteger) == 0;
    spec.canonical = spec.canonical || scalar;
    if (scalar && !spec.integer && !spec.values) {
      fail(SchemaStatus::kUnsupported, "", "uniqueItems of fractions is not supported");
    } else {
      out.number = make_number(std::move(spec));
    }
  }
  if (scalar && (c.allowed & (types::kArray | types::kObject)) != 0) {
    fail(SchemaStatus::kUnsupported, "", "uniqueItems of arrays or objects is not supported");
    return out;
  }
  if ((c.allowed & types::kArray) != 0) out.array = make_array(c);
  if ((c.allowed & types::kObject) != 0) out.object = make_object(c);
  return out;
}

int Goals::make_text(const Conjunction& c, bool scalar) {
  TextShape shape{nullptr, c.min_chars, c.max_chars, scalar ? Escapes::kCanonical : Escapes::kAll};
  if (!c.texts.empty()) {
    shape.escapes = Escapes::kCanonical;
    if (c.texts.size() == 1 && !c.texts[0].negated) {
      shape.dfa = c.texts[0].dfa;
    } else {
      auto made = CharDfa::all_of(c.texts, {});
      if (!made) return fail(SchemaStatus::kLimit, "", made.error().message), -1;
      shape.dfa = std::move(made).value();
    }
    if (shape.dfa->empty()) return -1;
    // Lengths that the automaton says already need not be counted.
    const auto start = shape.dfa->start();
    const auto none = [&](std::int64_t min, std::int64_t max) {
      const auto found = shape.dfa->shortest_between(start, min, max);
      return found.ok() && *found == UINT32_MAX;
    };
    if (shape.min > 0 && none(0, shape.min - 1)) shape.min = 0;
    if (shape.max >= 0 && none(shape.max + 1, -1)) shape.max = -1;
    const auto possible = shape.dfa->shortest_between(start, shape.min, shape.max);
    if (!possible) return fail(SchemaStatus::kLimit, "", possible.error().message), -1;
    if (*possible == UINT32_MAX) return -1;
  }
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const TextShape& known = texts_[i];
    if (known.dfa == shape.dfa && known.min == shape.min && known.max == shape.max && known.escapes == shape.escapes)
      return static_cast<int>(i);
  }
  texts_.push_back(std::move(shape));
  return static_cast<int>(texts_.size() - 1);
}

int Goals::make_number(NumberSpec spec) {
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    if (numbers_[i].first == spec) return numbers_[i].second->empty() ? -1 : static_cast<int>(i);
  }
  auto made = NumberDfa::build(spec, kMaxNumberStates);
  if (!made) return fail(SchemaStatus::kLimit, "", made.error().message), -1;
  numbers_.emplace_back(std::move(spec), std::move(made).value());
  return numbers_.back().second->empty() ? -1 : static_cast<int>(numbers_.size() - 1);
}

std::vector<ArrayShape::Variant> Goals::make_variants(const Conjunction& c, std::int64_t index, bool scalar) {
  const Literals base = expander_.item(c, index);
  std::vector<ArrayShape::Variant> out;
  for (std::uint32_t hits = 0; hits < (1U << c.contains.size()); ++hits) {
    Literals literals = base;
    bool possible = true;
    for (std::size_t i = 0; i < c.contains.size(); ++i) {
      const Conjunction::Contains& contains = c.contains[i];
      const bool hit = (hits >> i & 1) != 0;
      if (index < contains.from) {
        possible = possible && !hit;
      } else if (hit) {
        literals.push_back(contains.literal);
      } else if (contains.max >= 0) {
        literals.push_back(contains.literal ^ 1);  // counted exactly
      }
    }
    if (possible) out.push_back({intern(std::move(literals), scalar), hits});
  }
  return out;
}

int Goals::make_array(const Conjunction& c) {
  ArrayShape shape;
  shape.min = c.min_items, shape.max = c.max_items, shape.unique = c.unique && (c.max_items < 0 || c.max_items > 1);
  shape.contains = c.contains;
  if (c.contains.size() > 4) return fail(SchemaStatus::kLimit, "", "more than four `contains` about one array"), -1;
  std::int64_t special = 0;  // items with goals of their own
  for (NodeIndex n : c.arrays) special = std::max(special, static_cast<std::int64_t>(doc_.nodes[n].prefix.size()));
  for (const Conjunction::Item& item : c.items) {
    special = std::max(special, item.index + 1);
    shape.min = std::max(shape.min, item.index + 1);
  }
  for (const Conjunction::Contains& contains : c.contains) {
    special = std::max(special, contains.from);
    if (contains.min > 10'000 || contains.max > 10'000)
      return fail(SchemaStatus::kLimit, "", "a count of `contains` above 10,000"), -1;
  }
  if (shape.min > kMaxItems)
    return fail(SchemaStatus::kLimit, "", "an array of at least more than ten million items"), -1;
  for (std::int64_t i = 0; i < special; ++i) shape.prefix.push_back(make_variants(c, i, shape.unique));
  shape.rest = make_variants(c, special, shape.unique);
  arrays_.push_back(std::move(shape));
  return static_cast<int>(arrays_.size() - 1);
}

std::uint64_t Goals::add_hits(const ArrayShape& shape, std::uint64_t hits, std::uint32_t more) const {
  for (std::size_t i = 0; i < shape.contains.size(); ++i) {
    if ((more >> i & 1) == 0) continue;
    const auto enough = static_cast<std::uint64_t>(std::max(shape.contains[i].min, shape.contains[i].max + 1));
    const std::uint64_t now = hits >> (16 * i) & 0xFFFF;
    if (now < enough) hits += std::uint64_t{1} << (16 * i);
  }
  return hits;
}

bool Goals::hits_allowed(const ArrayShape& shape, std::uint64_t hits) const {
  for (std::size_t i = 0; i < shape.contains.size(); ++i) {
    const auto now = static_cast<std::int64_t>(hits >> (16 * i) & 0xFFFF);
    if (shape.contains[i].max >= 0 && now > shape.contains[i].max) return false;
  }
  return true;
}

// Without `contains` a sum; with it the cheapest way through (items done, hits), remembered.
std::uint64_t Goals::array_rest(int id, std::uint64_t done, std::uint64_t hits) {
  const ArrayShape& shape = array(id);
  if (shape.max >= 0 && done > static_cast<std::uint64_t>(shape.max)) return kInfinite;
  const auto min = static_cast<std::uint64_t>(shape.min);
  if (shape.unique && min > shape.prefix.size() && shape.contains.empty() && distinct(shape.rest[0].goal) < min)
    return kInfinite;
  if (shape.contains.empty()) {
    std::uint64_t total = 1, i = done;
    for (; i < std::min<std::uint64_t>(min, shape.prefix.size()); ++i)
      total = plus(total, known_cost(shape.prefix[i][0].goal) + (i > 0 ? 1 : 0));
    if (i < min) {
      const std::uint64_t each = known_cost(shape.rest[0].goal);
      if (each >= kInfinite) return kInfinite;
      total = std::min((min - i) * (each + 1) - (i == 0 ? 1 : 0) + total, kInfinite);
    }
    return total;
  }
  if (!hits_allowed(shape, hits)) return kInfinite;
  bool enough = done >= min;
  for (std::size_t i = 0; i < shape.contains.size(); ++i)
    enough = enough && static_cast<std::int64_t>(hits >> (16 * i) & 0xFFFF) >= shape.contains[i].min;
  if (enough) return 1;
  const auto [it, fresh] = array_rests_.try_emplace({id, done, hits}, kInfinite);
  if (!fresh) return it->second;
  if (array_rests_.size() > 1'000'000 || done > 20'000) return kInfinite;
  std::uint64_t best = kInfinite;
  for (const ArrayShape::Variant& v : shape.variants(done)) {
    const std::uint64_t next = add_hits(shape, hits, v.hits);
    const std::uint64_t each = known_cost(v.goal);
    if (each >= kInfinite || (done >= min && done >= shape.prefix.size() && next == hits)) continue;  // no step forward
    best = std::min(best, plus(each + (done > 0 ? 1 : 0), array_rest(id, done + 1, next)));
  }
  return array_rests_[{id, done, hits}] = best;
}

std::uint64_t Goals::text_rest(const TextShape& shape, CharDfa::State q, std::int64_t chars) const {
  const std::int64_t min = std::max<std::int64_t>(shape.min - chars, 0);
  if (shape.max >= 0 && chars > shape.max) return kInfinite;
  if (!shape.dfa) return static_cast<std::uint64_t>(min) + 1;
  if (shape.max < 0 && min == 0) return shape.dfa->shortest_bytes(q) + std::uint64_t{1};
  const auto least = shape.dfa->shortest_between(q, min, shape.max < 0 ? -1 : shape.max - chars);
  if (!least.ok() || *least == UINT32_MAX) return kInfinite;
  return *least + std::uint64_t{1};
}

std::uint64_t Goals::least(const Alternative& a) {
  std::uint64_t best = kInfinite;
  if ((a.words & (types::kNull | types::kTrue)) != 0) best = 4;
  if (best > 5 && (a.words & types::kFalse) != 0) best = 5;
  if (a.text >= 0) {
    const TextShape& shape = text(a.text);
    best = std::min(best, plus(1, text_rest(shape, shape.dfa ? shape.dfa->start() : 0, 0)));
  }
  if (a.number >= 0) best = std::min<std::uint64_t>(best, number(a.number).shortest(0));
  if (a.array >= 0) best = std::min(best, plus(1, array_rest(a.array, 0, 0)));
  if (a.object >= 0) best = std::min(best, least_object(a.object));
  return best;
}

std::uint64_t Goals::distinct(GoalId id) {
  std::uint64_t total = 0;
  for (const Alternative& a : goals_[id].alternatives) {
    for (Types word : {types::kNull, types::kTrue, types::kFalse}) total += (a.words & word) != 0 ? 1 : 0;
    if (a.text >= 0) {
      const TextShape& shape = text(a.text);
      const bool one = shape.max == 0;  // the empty text
      total += one ? 1 : shape.dfa ? shape.dfa->count(shape.dfa->start()) : CharDfa::kMany;
    }
    if (a.number >= 0) total += number(a.number).count(0);
  }
  return std::min(total, CharDfa::kMany);
}

// What is needed inside a cheapest value costs less than the whole, so this comes to an end; without recursion, since a
// chain of references may be long.
bool Goals::differs(GoalId id) {
  std::vector<GoalId> open{id};
  while (!open.empty()) {
    const GoalId at = open.back();
    const std::size_t size = open.size();
    if (!goals_[at].differs) {
      bool out = false;
      const std::uint64_t whole = goals_[at].cost;
      for (const Alternative& a : goals_[at].alternatives) {
        if (whole >= kInfinite || least(a) != whole) continue;
        out = out || itself_differs(a);
        std::vector<GoalId> inner;
        needs(a, inner);
        for (GoalId goal : inner) {
          if (known_cost(goal) >= whole) continue;
          if (!goals_[goal].differs) open.push_back(goal);
          out = out || goals_[goal].differs.value_or(false);
        }
      }
      if (out) open.resize(size);
      if (out || open.size() == size) goals_[at].differs = out;
    }
    if (open.size() == size) open.pop_back();
  }
  return *goals_[id].differs;
}

bool Goals::itself_differs(const Alternative& a) {
  if (a.array >= 0 && array(a.array).unique && array(a.array).min > 1) return true;
  if (a.object < 0) return false;
  const ObjectShape& shape = known_object(a.object);
  std::int64_t listed = 0;
  for (const ObjectShape::Name& name : shape.names) listed += known_cost(name.goal) < kInfinite ? 1 : 0;
  return shape.min > listed + 1;
}

void Goals::needs(const Alternative& a, std::vector<GoalId>& out) {
  if (a.array >= 0) {
    const ArrayShape& shape = array(a.array);
    const auto min = static_cast<std::size_t>(shape.min);
    const bool all = !shape.contains.empty();
    for (std::size_t i = 0; i < shape.prefix.size() && (all || i < min); ++i) {
      for (const auto& v : shape.prefix[i]) out.push_back(v.goal);
    }
    if (all || min > shape.prefix.size()) {
      for (const auto& v : shape.rest) out.push_back(v.goal);
    }
  }
  if (a.object >= 0) {
    const ObjectShape& shape = known_object(a.object);
    for (const ObjectShape::Name& name : shape.names) {
      if (name.required || shape.min > 0) out.push_back(name.goal);
    }
    if (shape.min > 0) {
      for (const auto& [tags, goal] : shape.goals) out.push_back(goal);
    }
  }
}

// The least fixpoint of the goals' costs: recursive schemas refer to each other.
std::uint64_t Goals::cost(GoalId id) {
  if (goals_[id].solved || problem_) return goals_[id].cost;
  const Timer timer(*this);
  std::vector<GoalId> open{id};
  std::set<GoalId> met{id};
  for (std::size_t i = 0; i < open.size() && !problem_; ++i) {
    prepare(open[i]);
    std::vector<GoalId> more;
    for (const Alternative& a : goals_[open[i]].alternatives) needs(a, more);
    for (GoalId next : more) {
      if (!goals_[next].solved && met.insert(next).second) open.push_back(next);
    }
  }
  // Costs of goals that are deep in the others come first.
  for (bool changed = true; changed && !problem_ && !late();) {
    changed = false;
    array_rests_.clear();
    for (std::size_t i = open.size(); i-- > 0;) {
      std::uint64_t best = kInfinite;
      for (const Alternative& a : goals_[open[i]].alternatives) best = std::min(best, least(a));
      if (best < goals_[open[i]].cost) goals_[open[i]].cost = best, changed = true;
    }
  }
  for (GoalId goal : open) goals_[goal].solved = true;
  return goals_[id].cost;
}

}  // namespace sgl::constraint
