// Goals (schema_goal.h) as what a walk over JSON text needs: which kinds of values there may be, and for each kind its
// automaton or the shape of its container. Built when met; the cheapest completion of each goal is known before a walk
// enters it. Private to runtime/constraint; not thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>

#include "runtime/constraint/json_text.h"
#include "runtime/constraint/machine.h"
#include "runtime/constraint/schema_goal.h"
#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {

using GoalId = std::uint32_t;

// The content of strings.
struct TextShape {
  std::shared_ptr<const CharDfa> dfa;  // null: any characters
  std::int64_t min = 0, max = -1;      // characters; max < 0: unbounded
  Escapes escapes = Escapes::kAll;
};

struct ArrayShape {
  // What an item may be: its goal, and which of `contains` it counts for (bit i).
  struct Variant {
    GoalId goal = 0;
    std::uint32_t hits = 0;
  };
  std::vector<std::vector<Variant>> prefix;  // by index
  std::vector<Variant> rest;                 // of all items after the prefix
  std::vector<Conjunction::Contains> contains;
  std::int64_t min = 0, max = -1;
  bool unique = false;  // all items are scalars with one spelling each
  const std::vector<Variant>& variants(std::uint64_t index) const {
    return index < prefix.size() ? prefix[index] : rest;
  }
};

struct ObjectShape {
  struct Name {
    std::string key;  // as between the quotes
    GoalId goal = 0;
    bool required = false, allowed = false;
    std::uint64_t bytes = kInfinite;     // of the least property of this name, with a comma
    std::vector<std::uint32_t> implied;  // names that are required once this one is there
  };
  std::vector<Name> names;              // in order
  std::uint32_t ordered = 0;            // so many of them keep the schema's order; the others come after them, in any
  std::vector<std::uint32_t> sorted;    // indices of `names` by key
  std::vector<std::uint32_t> required;  // those that are required
  // Other names. `tags` of the automaton select the goal; without an automaton any name may be, with goal of tag 0.
  bool open = false;
  std::shared_ptr<const CharDfa> keys;
  std::map<std::uint64_t, GoalId> goals;
  std::int64_t min = 0, max = -1;
  bool counted = false;  // how many properties there are matters, or which imply others
  bool ready = false;    // `open`, `keys` and `sorted` are there
  // Tags that very many names have, once asked for; of others the few names may be used up.
  std::optional<std::set<std::uint64_t>> common;
  // Goals::free_properties(), once asked for.
  std::vector<std::uint64_t> least, least_common;
  Conjunction from;
};

// One way to satisfy a goal; -1: not by a value of that kind.
struct Alternative {
  Types words = 0;  // null, true, false
  int text = -1, number = -1, array = -1, object = -1;
};

class Goals {
 public:
  Goals(SchemaDoc doc, const SchemaOptions& options);

  GoalId intern(Literals literals, bool scalar = false);
  // Least bytes of a value; kInfinite: none. On a problem too.
  std::uint64_t cost(GoalId id);
  const std::vector<Alternative>& alternatives(GoalId id) { return goals_[id].alternatives; }  // after cost()
  GoalId root() { return intern({holds(doc_.root)}); }

  const TextShape& text(int id) const { return texts_[static_cast<std::size_t>(id)]; }
  const NumberDfa& number(int id) const { return *numbers_[static_cast<std::size_t>(id)].second; }
  const ArrayShape& array(int id) const { return arrays_[static_cast<std::size_t>(id)]; }
  // With everything that is needed to read its properties.
  const ObjectShape& object(int id);
  const ObjectShape& known_object(int id) const { return objects_[static_cast<std::size_t>(id)]; }

  // Bytes from after `done` items up to and with the bracket. `hits` counts for each of `contains`, 16 bits each.
  std::uint64_t array_rest(int id, std::uint64_t done, std::uint64_t hits);
  // After one more item: counters do not grow beyond what matters.
  std::uint64_t add_hits(const ArrayShape& shape, std::uint64_t hits, std::uint32_t more) const;
  bool hits_allowed(const ArrayShape& shape, std::uint64_t hits) const;
  // Bytes of the least content of a string from a place in it, with the quote; kInfinite: none.
  std::uint64_t text_rest(const TextShape& shape, CharDfa::State q, std::int64_t chars) const;

  // How many values a goal of scalars has, up to CharDfa::kMany; an upper bound where alternatives overlap.
  std::uint64_t distinct(GoalId id);

  // A cheapest value has several names or items that must differ from each other: its cost is a bound, and bytes that
  // are cheapest one by one may not be a value. After cost().
  bool differs(GoalId id);

  const std::optional<GoalProblem>& problem() const { return problem_; }
  void fail(SchemaStatus status, std::string pointer, std::string message);
  // Bytes that are enough for each of some ten thousand names more than the shortest one takes.
  static constexpr std::uint64_t kOtherName = 4;
  // The least bytes of the rest of an unlisted name's content and of its value, by state of `keys` (one entry where
  // there is no automaton); kInfinite: none. `common`: only of names whose like there are very many, if there are such.
  std::span<const std::uint64_t> free_properties(int id, bool common);
  // Follows goals from the root, up to a number, so that problems are found before the walk.
  void explore();
  std::size_t size() const { return goals_.size(); }
  std::size_t bytes() const;

 private:
  struct Goal {
    Literals literals;
    bool scalar = false;  // only scalars with one spelling each
    bool prepared = false, solved = false;
    std::vector<Alternative> alternatives;
    std::uint64_t cost = kInfinite;
    std::optional<bool> differs = {};
  };

  void prepare(GoalId id);
  Alternative alternative(const Conjunction& c, bool scalar);
  int make_text(const Conjunction& c, bool scalar);
  int make_number(NumberSpec spec);
  int make_array(const Conjunction& c);
  std::vector<ArrayShape::Variant> make_variants(const Conjunction& c, std::int64_t index, bool scalar);
  int make_object(const Conjunction& c);
  void finish_object(ObjectShape& shape);
  void make_keys(ObjectShape& shape);
  GoalId free_goal(const Conjunction& c, std::uint64_t tags);
  // Automata of the names that `property_names` of the object's nodes allow: every list needs one that accepts.
  bool name_automata(const Conjunction& c, std::vector<std::vector<std::shared_ptr<const CharDfa>>>& out);
  std::uint64_t least(const Alternative& a);
  bool itself_differs(const Alternative& a);  // several names or items of it must differ from each other
  std::uint64_t least_object(int id);
  std::vector<std::uint64_t> free_properties(ObjectShape& shape, bool common,
                                             const std::function<std::uint64_t(GoalId)>& cost_of) const;
  std::uint64_t known_cost(GoalId id) const { return goals_[id].cost; }
  // Goals whose costs a goal's own cost is made of.
  void needs(const Alternative& a, std::vector<GoalId>& out);

  SchemaDoc doc_;
  const SchemaOptions options_;
  GoalExpander expander_;
  std::optional<GoalProblem> problem_;
  std::deque<Goal> goals_;
  TupleIndex index_;  // of the goals: their literals, then whether they are scalar
  std::deque<TextShape> texts_;
  std::vector<std::pair<NumberSpec, std::shared_ptr<const NumberDfa>>> numbers_;
  std::deque<ArrayShape> arrays_;
  std::deque<ObjectShape> objects_;
  std::map<std::tuple<int, std::uint64_t, std::uint64_t>, std::uint64_t> array_rests_;
  // Of making goals: what it took so far, and since when the work now goes on, if it does.
  using Clock = std::chrono::steady_clock;
  class Timer;
  bool late();
  Clock::duration spent_{};
  Clock::time_point since_;
  bool timed_ = false;
};

}  // namespace sgl::constraint
