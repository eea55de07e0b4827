// Which family a built-in function belongs to, and what all families use.
#include "runtime/exec/builtins.h"

#include <fmt/format.h>

namespace sgl::exec {
namespace builtins {

bool failed(Machine& machine, std::string message) {
  return machine.fail(base::ErrorKind::kFailed, std::move(message));
}

bool expect(Machine& machine, Builtin builtin, const Value& value, Tag tag) {
  if (value.is(tag)) return true;
  return failed(machine,
                fmt::format("{} expects a {}, found {}", plan::kBuiltins[static_cast<std::size_t>(builtin)].name,
                            tag_name(tag), tag_name(value.tag())));
}

bool charge_bytes(Machine& machine, std::size_t bytes) {
  return charge_fuel(machine, static_cast<std::int64_t>(bytes) / kBytesPerFuel);
}

bool give(Machine& machine, Value& out, std::string_view text) {
  if (!charge_bytes(machine, text.size())) return false;
  out = Value::string(text);
  return made(machine, out);
}

bool give_list(Machine& machine, Value& out, const std::vector<Value>& items) {
  if (!charge_fuel(machine, static_cast<std::int64_t>(items.size()) / 4)) return false;
  out = Value::list(items);
  return made(machine, out);
}

}  // namespace builtins

bool call_builtin(Machine& machine, plan::Builtin builtin, std::span<const Value* const> args, Value& out) {
  using plan::Builtin;
  switch (builtin) {
    case Builtin::kUpper:
    case Builtin::kLower:
    case Builtin::kTrim:
    case Builtin::kSplit:
    case Builtin::kReplace:
    case Builtin::kContains:
    case Builtin::kStartsWith:
    case Builtin::kEndsWith:
    case Builtin::kFind:
    case Builtin::kRepeat:
    case Builtin::kLines:
    case Builtin::kChars:
    case Builtin::kParseInt:
    case Builtin::kParseFloat:
      return builtins::of_text(machine, builtin, args, out);
    case Builtin::kJoin:
    case Builtin::kSum:
    case Builtin::kSorted:
    case Builtin::kReversed:
    case Builtin::kIndexOf:
    case Builtin::kListContains:
    case Builtin::kListConcat:
    case Builtin::kFirst:
    case Builtin::kLast:
      return builtins::of_list(machine, builtin, args, out);
    case Builtin::kMin:
      return builtins::extreme(machine, args, false, out);
    case Builtin::kMax:
      return builtins::extreme(machine, args, true, out);
    case Builtin::kJsonGet:
    case Builtin::kJsonItems:
    case Builtin::kJsonKeys:
      return builtins::of_json(machine, builtin, args, out);
    case Builtin::kToJson: {
      std::string text;
      if (!append_json(*machine.image->plan, *args[0], json_limit(machine), text)) return too_large(machine);
      return builtins::give(machine, out, text);
    }
    default:
      return builtins::of_numbers(machine, builtin, args, out);
  }
}

}  // namespace sgl::exec
