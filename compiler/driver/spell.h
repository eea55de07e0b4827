// Types of a plan as the language spells them, for messages about plans: `list<string>(1..3)`, `"A" | "B"`.
#pragma once

#include <string>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// A declared type by its name, else its form. Never longer than a few hundred bytes: what is deeper is "…".
std::string spell_type(const plan::Plan& plan, plan::TypeId type);

// The form also of a declared type.
std::string spell_type_form(const plan::Plan& plan, plan::TypeId type);

}  // namespace sgl::compiler
