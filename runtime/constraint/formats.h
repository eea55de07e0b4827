// Named string formats as regular languages. Private to runtime/constraint.
//
// A format accepts no text that its specification refuses; where the specification says more than a regular language
// can, or than others implement, it accepts less. See formats.cc for each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sgl::constraint {

struct FormatTerm {
  std::string pattern;  // of the whole text
  bool negated = false;
};
struct StringFormat {
  std::string name;
  std::vector<FormatTerm> terms;  // all of them hold
};

// nullptr: unknown.
const StringFormat* find_format(std::string_view name);

}  // namespace sgl::constraint
