// Built-in functions of lists, and the order of values.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>

#include "runtime/exec/builtins.h"

namespace sgl::exec::builtins {
namespace {

bool join(Machine& machine, const Value& list, std::string_view separator, Value& out) {
  std::string text;
  bool first = true;
  for (const Value& item : list.items()) {
    if (!expect(machine, Builtin::kJoin, item, Tag::kString)) return false;
    if (!std::exchange(first, false)) text += separator;
    text += item.as_string();
    if (static_cast<std::int64_t>(text.size()) > machine.heap.limit) machine.heap.exceeded = true;
    if (!made(machine, item)) return false;
  }
  return give(machine, out, text);
}

bool less(Machine& machine, const Value& a, const Value& b, bool& ok) {
  if (a.is(Tag::kString) && b.is(Tag::kString)) return a.as_string() < b.as_string();
  if (a.is(Tag::kInt) && b.is(Tag::kInt)) return a.as_int() < b.as_int();
  if (a.is(Tag::kFloat) && b.is(Tag::kFloat)) return a.as_float() < b.as_float();
  ok = failed(machine, fmt::format("cannot order a {} and a {}", tag_name(a.tag()), tag_name(b.tag())));
  return false;
}

bool sum(Machine& machine, const Value& list, Value& out) {
  if (!charge_fuel(machine, static_cast<std::int64_t>(list.items().size()) / 4)) return false;
  std::int64_t ints = 0;
  double floats = 0;
  bool real = false;
  for (const Value& item : list.items()) {
    if (item.is(Tag::kInt) && !real) {
      if (__builtin_add_overflow(ints, item.as_int(), &ints)) return failed(machine, "integer overflow");
    } else {
      real = true;
      if (!expect(machine, Builtin::kSum, item, Tag::kFloat)) return false;
      floats += item.as_float();
    }
  }
  out = real ? Value::real(floats) : Value::integer(ints);
  return true;
}

bool sorted(Machine& machine, const Value& list, Value& out) {
  std::vector<Value> items(list.items().begin(), list.items().end());
  bool ok = true;
  // Checked before sorting: a comparison that fails half-way would not be a strict weak order.
  for (std::size_t i = 1; i < items.size() && ok; ++i) less(machine, items[0], items[i], ok);
  // An item takes part in so many comparisons at most, each as long as its text.
  const auto rounds = static_cast<std::int64_t>(std::bit_width(items.size()));
  std::int64_t fuel = static_cast<std::int64_t>(items.size());
  for (const Value& item : items) {
    if (item.is(Tag::kString)) fuel += static_cast<std::int64_t>(item.as_string().size()) / kBytesPerFuel * rounds;
  }
  if (!ok || !charge_fuel(machine, fuel)) return false;
  for (const Value& item : items) {
    if (item.is(Tag::kFloat) && std::isnan(item.as_float())) return failed(machine, "cannot sort NaN");
  }
  std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) { return less(machine, a, b, ok); });
  return give_list(machine, out, items);
}

bool index_of(Machine& machine, const Value& list, const Value& item, Value& out) {
  if (!charge_fuel(machine, static_cast<std::int64_t>(list.items().size()) / 4)) return false;
  const auto items = list.items();
  std::int64_t found = -1;
  for (std::size_t i = 0; i < items.size() && found < 0; ++i) {
    bool same = false;
    if (!equal_values(machine, items[i], item, same)) return false;
    if (same) found = static_cast<std::int64_t>(i);
  }
  out = Value::integer(found);
  return true;
}

}  // namespace

bool extreme(Machine& machine, Args args, bool want_max, Value& out) {
  std::vector<const Value*> items(args.begin(), args.end());
  if (args.size() == 1) {
    if (!expect(machine, want_max ? Builtin::kMax : Builtin::kMin, *args[0], Tag::kList)) return false;
    items.clear();
    for (const Value& item : args[0]->items()) items.push_back(&item);
  }
  if (items.empty()) return failed(machine, fmt::format("{} of an empty list", want_max ? "max" : "min"));
  if (!charge_fuel(machine, static_cast<std::int64_t>(items.size()) / 4)) return false;
  const Value* best = items[0];
  bool ok = true;
  for (const Value* item : items) {
    if (want_max ? less(machine, *best, *item, ok) : less(machine, *item, *best, ok)) best = item;
    if (!ok) return false;
  }
  out = *best;
  return true;
}

bool of_list(Machine& machine, Builtin builtin, Args args, Value& out) {
  if (!expect(machine, builtin, *args[0], Tag::kList)) return false;
  const Value& list = *args[0];
  const auto items = list.items();
  switch (builtin) {
    case Builtin::kJoin:
      return expect(machine, builtin, *args[1], Tag::kString) && join(machine, list, args[1]->as_string(), out);
    case Builtin::kSum:
      return sum(machine, list, out);
    case Builtin::kSorted:
      return sorted(machine, list, out);
    case Builtin::kReversed:
      return give_list(machine, out,
                       {std::make_reverse_iterator(items.end()), std::make_reverse_iterator(items.begin())});
    case Builtin::kIndexOf:
      return index_of(machine, list, *args[1], out);
    case Builtin::kListContains:
      if (!index_of(machine, list, *args[1], out)) return false;
      out = Value::boolean(out.as_int() >= 0);
      return true;
    case Builtin::kListConcat: {
      if (!expect(machine, builtin, *args[1], Tag::kList)) return false;
      std::vector<Value> all(items.begin(), items.end());
      all.insert(all.end(), args[1]->items().begin(), args[1]->items().end());
      return give_list(machine, out, all);
    }
    default:
      break;  // kFirst, kLast
  }
  out = items.empty() ? Value() : builtin == Builtin::kFirst ? items.front() : items.back();
  return true;
}

}  // namespace sgl::exec::builtins
