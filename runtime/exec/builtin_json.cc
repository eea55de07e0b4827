// Built-in functions that look into JSON values. What is not there is null, or an empty list: the text came from a
// model or a caller, so a program asks and does not assume.
#include "runtime/exec/builtins.h"

namespace sgl::exec::builtins {
namespace {

// The value of a name, in a map or in a record that stands where any JSON may.
Value named(const plan::Plan& plan, const Value& object, std::string_view name) {
  const std::span<const Value> items = object.items();
  if (object.is(Tag::kMap)) {
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (items[i].as_string() == name) return items[i + 1];
    }
    return {};
  }
  const plan::Type& type = plan.type(object.record_type());
  for (std::size_t i = 0; i < items.size() && i < type.fields.size(); ++i) {
    if (type.fields[i].name == name) return items[i];
  }
  return {};
}

bool get(Machine& machine, const Value& from, const Value& key, Value& out) {
  out = Value();
  const bool object = from.is(Tag::kMap) || from.is(Tag::kRecord);
  if (key.is(Tag::kString)) {
    if (!object) return true;
    if (!charge_fuel(machine, static_cast<std::int64_t>(from.items().size()) / 4)) return false;
    out = named(*machine.image->plan, from, key.as_string());
    return true;
  }
  if (!expect(machine, Builtin::kJsonGet, key, Tag::kInt)) return false;
  if (!from.is(Tag::kList)) return true;
  const auto size = static_cast<std::int64_t>(from.items().size());
  const std::int64_t at = key.as_int() < 0 ? key.as_int() + size : key.as_int();
  if (at >= 0 && at < size) out = from.items()[static_cast<std::size_t>(at)];
  return true;
}

bool keys(Machine& machine, const Value& from, Value& out) {
  std::vector<Value> names;
  if (from.is(Tag::kMap)) {
    for (std::size_t i = 0; i + 1 < from.items().size(); i += 2) names.push_back(from.items()[i]);
  }
  if (from.is(Tag::kRecord)) {
    const plan::Type& type = machine.image->plan->type(from.record_type());
    for (std::size_t i = 0; i < from.items().size() && i < type.fields.size(); ++i) {
      if (type.fields[i].optional && from.items()[i].is_null()) continue;
      names.push_back(Value::string(type.fields[i].name));
      if (!made(machine, names.back())) return false;
    }
  }
  return give_list(machine, out, names);
}

}  // namespace

bool of_json(Machine& machine, Builtin builtin, Args args, Value& out) {
  const Value& from = *args[0];
  if (builtin == Builtin::kJsonGet) return get(machine, from, *args[1], out);
  if (builtin == Builtin::kJsonKeys) return keys(machine, from, out);
  if (from.is(Tag::kList)) {
    out = from;
    return true;
  }
  return give_list(machine, out, {});
}

}  // namespace sgl::exec::builtins
