// Passes over plans. Each is a function from a plan to a better plan with the same meaning: same text to the model,
// same generations from the same contexts. Fuel may only go down. One thing differs: programs run side by side draw
// other random numbers than one after the other, so sampled texts of an optimised and an unoptimised plan may differ;
// each is reproducible by itself.
#pragma once

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// Operations on constants become constants; branches on constants become jumps; unreachable code goes.
void fold_constants(plan::Plan& plan);

// Neighbouring constant texts of one message become one text, so that they are tokenised together and cost one step.
void merge_literals(plan::Plan& plan);

// Calls of programs that do not depend on each other and stand side by side are run side by side: they have contexts
// of their own, so neither can see the other. Their generations are then decoded in one batch.
void parallelize_independent(plan::Plan& plan);

// All of the above, in order.
void optimize(plan::Plan& plan);

// Fills Program::prefix and Program::bounds.
void extract_static_prefixes(plan::Plan& plan);
void compute_bounds(plan::Plan& plan);
void analyze(plan::Plan& plan);

}  // namespace sgl::compiler
