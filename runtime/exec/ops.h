// Operations on values that are more than a machine instruction: formatting, strings, lists, built-in functions.
#pragma once

#include <span>

#include "runtime/exec/state.h"

namespace sgl::exec {

// Text of a value as interpolation shows it: strings bare, everything else as compact JSON (floats shortest form).
// `spec`: "" or [fill-align][sign][#][0][width][.precision][type] with type one of d x X o b c f F e E g G % s, as in Python.
// False: bad spec for this value.
bool format_value(Machine& machine, const Value& value, std::string_view spec, Value& out);

// With a `spec` that is not empty; format.cc.
bool format_by_spec(Machine& machine, const Value& value, std::string_view spec, std::string& out);

// Appends compact JSON. Non-finite floats become null, as JSON has none; absent optional fields are left out. False
// when `out` would grow beyond `max_bytes` (a value whose parts are shared can be exponentially larger as text) or the
// value is nested deeper than kMaxValueDepth.
bool append_json(const plan::Plan& plan, const Value& value, std::size_t max_bytes, std::string& out, int depth = 0);

// Bytes of JSON that the machine's heap has room for; and the failure when it has not.
std::size_t json_limit(const Machine& machine);
bool too_large(Machine& machine);

// Deep equality (value.h) with fuel for its work; false: out of fuel.
bool equal_values(Machine& machine, const Value& a, const Value& b, bool& out);

bool call_builtin(Machine& machine, plan::Builtin builtin, std::span<const Value* const> args, Value& out);

// Item or character at `index`; negative counts from the end.
bool index_value(Machine& machine, const Value& value, std::int64_t index, Value& out);
bool slice_value(Machine& machine, const Value& value, std::int64_t begin, std::int64_t end, Value& out);
bool length_of(Machine& machine, const Value& value, std::int64_t& out);
bool concat_strings(Machine& machine, std::span<const Value* const> parts, Value& out);

// Fuel for work that is linear in bytes or items: one unit per this many, so that a built-in over a megabyte costs
// about as much fuel as the loop that it replaces costs time.
constexpr std::int64_t kBytesPerFuel = 64;

// The value was made, unless the heap refused: then the failure is recorded.
bool made(Machine& machine, const Value& out);

}  // namespace sgl::exec
