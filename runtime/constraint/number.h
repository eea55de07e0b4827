// Automata of numbers. Private to runtime/constraint.
#pragma once

#include <optional>

#include "runtime/constraint/graph.h"

namespace sgl::constraint {

// Decimal integers in [min, max] as JSON writes them; "-0" is left out. Precondition: min <= max.
FragmentId integer_range(Graph& graph, std::int64_t min, std::int64_t max);
// A JSON number without bounds.
FragmentId json_number(Graph& graph);
// Decimal numbers without exponent in [min, max]; the bounds count as the decimals of their shortest text.
// Precondition: finite, min <= max where both are given, one of them is given.
FragmentId decimal_range(Graph& graph, std::optional<double> min, std::optional<double> max);

}  // namespace sgl::constraint
