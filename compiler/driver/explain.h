// `sglc explain`: a plan told to a person, and as a graph.
#pragma once

#include <string>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// For every program: its signature, static prefix, numbered steps (nested for loops and forks), what runs in parallel,
// bounds (tokens, generations, forks) or why there are none, limits.
std::string explain(const plan::Plan& plan);

// Graphviz: a cluster per program or function, a node per step, dashed edges for forks.
std::string explain_dot(const plan::Plan& plan);

}  // namespace sgl::compiler
