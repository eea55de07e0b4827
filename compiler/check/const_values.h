// Operators on values known at compile time: the same results as at run time, and none where it fails there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/check/check.h"

namespace sgl::compiler {

ConstValue make_bool(bool b);
ConstValue make_int(std::int64_t i);
ConstValue make_real(double d);
ConstValue make_text(std::string s);

// All but `and`, `or` and `??`, which may leave their right side out. nullopt: it fails, or the operands have no such
// operator. O(size of the operands).
std::optional<ConstValue> binary_operation(ast::BinaryOp op, const ConstValue& a, const ConstValue& b,
                                           const TypeTable& types);
std::optional<ConstValue> negated(const ConstValue& value);
std::optional<ConstValue> absolute(const ConstValue& value);

// Of strings and lists. Positions are characters and items, negative ones from the end; ends of slices are clamped.
std::optional<ConstValue> length_of(const ConstValue& value);
std::optional<ConstValue> item_at(const ConstValue& value, std::int64_t index);
std::optional<ConstValue> slice_of(const ConstValue& value, std::int64_t begin, std::int64_t end);
// Of records; nullptr: there is no such field. Lives as long as the value.
const ConstValue* field_of(const ConstValue& record, const std::string& name, const TypeTable& types);

// The value as it stands in a text; nullopt: a float, list or record, which only the runtime formats.
std::optional<std::string> text_in_string(const ConstValue& value);

}  // namespace sgl::compiler
