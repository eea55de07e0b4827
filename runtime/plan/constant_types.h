// Which constants are of which types. Internal to runtime/plan.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/plan/plan.h"

namespace sgl::plan {

// Built once for a plan, in time n log n of its texts and types; a question is then a search among the alternatives of
// a union, however long they and the constant are. The plan outlives it.
class ConstantTypes {
 public:
  // Precondition: the types were accepted.
  explicit ConstantTypes(const Plan& plan);

  // Is the constant of the kind of the type? Refinements and items are not looked at: what the code relies on is
  // checked when a value is unboxed. Precondition: the constant was accepted.
  bool fits(ConstId constant, TypeId type) const;

 private:
  // One value, or the records of one type: by kind the number, that of a text, or that of a record's type.
  using Single = std::pair<Constant::Kind, std::int64_t>;

  struct Accepted {
    std::uint32_t kinds = 0;      // a bit for each Constant::Kind of which every constant is of the type
    std::vector<Single> singles;  // sorted
  };

  void add(const Plan& plan, TypeId id, Accepted& out) const;

  std::vector<Single> constants_;            // by constant
  std::vector<std::int64_t> literal_texts_;  // by type: the number of its literal's text
  std::vector<Accepted> accepted_;           // by type
};

}  // namespace sgl::plan
