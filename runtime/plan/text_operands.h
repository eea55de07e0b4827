// How the text form spells operands. Shared by printer and parser, internal to runtime/plan.
#pragma once

#include <string_view>

namespace sgl::plan {

// What stands before the number of an operand of this letter (see SGL_PLAN_OPS), e.g. "r" or "->". Built-ins and roles
// are written as names, plain numbers bare.
std::string_view operand_prefix(char letter);

}  // namespace sgl::plan
