// What a JSON value has to satisfy at some place, in disjunctive form: a goal is a set of subschemas that must hold and
// of others that must not; its alternatives are conjunctions of plain assertions. Goals are interned, so recursive
// schemas have finitely many. Private to runtime/constraint.
//
// oneOf means: one branch and none of the others, where others that cannot hold together with it are left out. `not` is
// pushed down to the assertions (De Morgan).
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <unordered_map>

#include "runtime/constraint/schema_doc.h"

namespace sgl::constraint {

// A subschema that must hold (node * 2) or must not (node * 2 + 1).
using Literal = std::uint32_t;
constexpr Literal holds(NodeIndex node) {
  return node << 1;
}
constexpr Literal fails(NodeIndex node) {
  return node << 1 | 1;
}
using Literals = std::vector<Literal>;

// Assertions that hold together about one value.
struct Conjunction {
  Types allowed = types::kAll;
  NumberSpec number;

  std::vector<CharDfa::Term> texts;
  std::int64_t min_chars = 0, max_chars = -1;

  std::vector<NodeIndex> arrays;  // whose array keywords hold
  struct Item {                   // item `index` is there and satisfies `literal`
    std::int64_t index = 0;
    Literal literal = 0;
  };
  std::vector<Item> items;
  struct Contains {  // of the items from `from` on, at least `min` and at most `max` (below 0: any number) satisfy it
    std::int64_t from = 0;
    Literal literal = 0;
    std::int64_t min = 1, max = -1;
  };
  std::vector<Contains> contains;
  std::int64_t min_items = 0, max_items = -1;
  bool unique = false;

  std::vector<NodeIndex> objects;  // whose object keywords hold
  struct Property {                // is there and satisfies `literal`
    std::string name;
    Literal literal = 0;
  };
  std::vector<Property> properties;
  std::vector<std::string> forbidden;
  struct Some {  // some property fails the schema that `node` has for it: its additional one, or that of a pattern
    NodeIndex node = 0;
    int pattern = -1;  // -1: additional
  };
  std::vector<Some> some;
  std::int64_t min_properties = 0, max_properties = -1;

  // A schema with unevaluated keywords, and those that applied in place and held.
  struct Unevaluated {
    NodeIndex node = 0;
    std::vector<NodeIndex> evaluators;
  };
  std::vector<Unevaluated> unevaluated;

  // A pointer to what these assertions contain and cannot be enforced; "" for none.
  std::string unsupported;
};

struct GoalProblem {
  SchemaStatus status = SchemaStatus::kLimit;
  std::string pointer, message;
};

// Brings literals into disjunctive form.
class GoalExpander {
 public:
  GoalExpander(const SchemaDoc& doc, const SchemaLimits& limits) : doc_(doc), limits_(limits) {}

  // The alternatives; none when nothing satisfies the literals. A branch that is plainly empty is left out, others may
  // be empty still. O(alternatives), which can be exponential; `problem` is set when there are too many.
  std::vector<Conjunction> expand(const Literals& literals);
  const std::optional<GoalProblem>& problem() const { return problem_; }
  // Literals of an item, of a property with this name (its `pattern` matches included), in a conjunction.
  Literals item(const Conjunction& c, std::int64_t index) const;
  Literals property(const Conjunction& c, std::string_view name) const;
  // Adds what unevaluated keywords say of a property; `listed` tells whether a node's own keywords look at it.
  void add_unevaluated(const Conjunction& c, const std::function<bool(NodeIndex)>& listed, Literals& out) const;

 private:
  struct Option {
    Literals literals;
    std::function<void(Conjunction&)> also;
    // It holds in this conjunction already; null: not known.
    std::function<bool(const Conjunction&)> held;
  };
  using Choice = std::vector<Option>;
  struct Branch {
    Conjunction conjunction;
    Literals todo;
    std::vector<std::shared_ptr<const Choice>> choices;  // shared: a branch is copied often
    Literals seen;                                       // ascending

    bool has(Literal literal) const { return std::binary_search(seen.begin(), seen.end(), literal); }
    void choose(Choice choice) { choices.push_back(std::make_shared<const Choice>(std::move(choice))); }
  };

  void run(Branch branch, std::size_t depth, std::vector<Conjunction>& out);
  bool deterministic(Branch& branch);
  // A choice of which one option holds anyway leaves nothing to choose: A and (A or B) is A.
  void absorb(Branch& branch) const;
  void find_evaluators(Branch& branch) const;
  void assert_node(const SchemaNode& node, NodeIndex index, Branch& branch);
  void assert_values(const ValueSet& set, Branch& branch);
  void combine(const SchemaNode& node, Branch& branch);
  Choice some_property(const Conjunction::Some& some, const Conjunction& c) const;
  // What the node's `properties` say of the name; null: it is not there. O(1): large ones are indexed when met.
  const NodeIndex* named(NodeIndex node, std::string_view name) const;
  Choice one_of(const std::vector<NodeIndex>& branches);
  static Option with_property(std::string name, Literal literal);
  static Option without_property(std::string name);
  void deny(const SchemaNode& node, NodeIndex index, Branch& branch);
  void deny_simple(const SchemaNode& node, Choice& out) const;
  void deny_arrays(const SchemaNode& node, Choice& out) const;
  void deny_objects(const SchemaNode& node, NodeIndex index, Choice& out) const;
  void deny_logic(const SchemaNode& node, Choice& out) const;
  // Whether the literals plainly cannot hold together; false when it takes more than a look `depth` levels down.
  bool disjoint(Literals literals, int depth);
  bool plainly_empty(const Conjunction& c, int depth);
  bool arrays_empty(const Conjunction& c, int depth);
  bool objects_empty(const Conjunction& c, int depth);

  const SchemaDoc& doc_;
  const SchemaLimits limits_;
  bool loose_ = false;  // only whether there is an alternative; oneOf counts as anyOf, which errs on the safe side
  int look_ = 3;        // levels below a value where contradictions are looked for
  std::optional<GoalProblem> problem_;
  std::size_t work_ = 0;
  using Memo = std::map<std::pair<Literals, int>, bool>;
  std::shared_ptr<Memo> disjoint_ = std::make_shared<Memo>();
  using Names = std::unordered_map<NodeIndex, std::unordered_map<std::string_view, const NodeIndex*>>;
  std::shared_ptr<Names> names_ = std::make_shared<Names>();
};

// Helpers over conjunctions.
void tighten_min(NumberSpec& spec, const Decimal& bound, bool exclusive);
void tighten_max(NumberSpec& spec, const Decimal& bound, bool exclusive);
// No number satisfies it, as far as the bounds tell.
bool bounds_cross(const NumberSpec& spec);

}  // namespace sgl::constraint
