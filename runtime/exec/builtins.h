// What the families of built-in functions share. Internal to runtime/exec.
//
// Each function checks its arguments' kinds: a plan from outside may pass anything. False: failed, the failure is
// recorded in the machine.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/ops.h"

namespace sgl::exec::builtins {

using plan::Builtin;
using Args = std::span<const Value* const>;

// Records the failure; always false.
bool failed(Machine& machine, std::string message);
bool expect(Machine& machine, Builtin builtin, const Value& value, Tag tag);
bool charge_bytes(Machine& machine, std::size_t bytes);
// The results, with fuel for making them.
bool give(Machine& machine, Value& out, std::string_view text);
bool give_list(Machine& machine, Value& out, const std::vector<Value>& items);

// builtin_texts.cc, builtin_lists.cc and builtin_numbers.cc: the functions whose first argument is one.
bool of_text(Machine& machine, Builtin builtin, Args args, Value& out);
bool of_list(Machine& machine, Builtin builtin, Args args, Value& out);
bool of_numbers(Machine& machine, Builtin builtin, Args args, Value& out);
// builtin_json.cc: of any value.
bool of_json(Machine& machine, Builtin builtin, Args args, Value& out);
// min and max, of a list or of their arguments.
bool extreme(Machine& machine, Args args, bool want_max, Value& out);

}  // namespace sgl::exec::builtins
