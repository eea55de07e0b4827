// Which machine reads a type of the language. Private to runtime/constraint.
#pragma once

#include "runtime/constraint/constraint.h"

namespace sgl::constraint {

// What a value of the type may be, the members of unions taken together.
struct RootForms {
  bool text = false;       // bare characters: no JSON
  bool scalar = false;     // a number or word, or a quoted string
  bool container = false;  // a list, map or record, or any JSON
};
RootForms root_forms(const TypeSpec& spec);

// The type contains itself, or values that a JSON Schema describes: no automaton can be made of it.
bool needs_machine(const TypeSpec& spec);

// By the machine of JSON Schemas, which has counters where an automaton has copies. `longest`: bytes of the longest
// text, where it is known. Precondition: no bare text.
base::Expected<std::shared_ptr<const Constraint>> compile_as_json(const TypeSpec& spec, const Limits& limits,
                                                                  std::optional<std::uint64_t> longest);

// A union of what different machines read: each grammar alone, bare texts together, JSON together.
// Precondition: the root is a union.
base::Expected<std::shared_ptr<const Constraint>> compile_apart(const TypeSpec& spec, const Limits& limits,
                                                                std::size_t& states);

}  // namespace sgl::constraint
