// Checked trees to an execution plan.
#pragma once

#include <memory>
#include <vector>

#include "compiler/ast/ast.h"
#include "compiler/check/check.h"
#include "compiler/check/types.h"
#include "compiler/source/source.h"
#include "runtime/plan/plan.h"

namespace sgl::compiler {

// The plan of `main` with all that its programs reach; when it has no program, all that its functions reach.
// Precondition: the check reported no error. A plan that would be larger than PlanLimits allow is over them, but not
// finished: a short text can have a long plan, as a record that is spread has an instruction for each field.
plan::Plan lower(const ast::Module& main, const TypeTable& types, Constants& constants, const SourceSet& sources);

}  // namespace sgl::compiler
