// The built-in functions. Each checks its arguments' kinds: a plan from outside may pass anything.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "runtime/base/utf8.h"
#include "runtime/exec/ops.h"

namespace sgl::exec {
namespace {

using plan::Builtin;
using Args = std::span<const Value* const>;

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

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// ASCII letters only: case of other scripts depends on language, and programs must give the same bytes everywhere.
std::string map_case(std::string_view text, char first, char last, int shift) {
  std::string out(text);
  for (char& c : out) {
    if (c >= first && c <= last) c = static_cast<char>(c + shift);
  }
  return out;
}

bool split(Machine& machine, std::string_view text, std::string_view separator, Value& out) {
  if (separator.empty()) return failed(machine, "split needs a separator that is not empty");
  std::vector<Value> parts;
  for (std::size_t from = 0;;) {
    const std::size_t at = text.find(separator, from);
    parts.push_back(Value::string(text.substr(from, at == std::string_view::npos ? at : at - from)));
    if (!made(machine, parts.back())) return false;
    if (at == std::string_view::npos) break;
    from = at + separator.size();
  }
  return charge_bytes(machine, text.size()) && give_list(machine, out, parts);
}

bool lines(Machine& machine, std::string_view text, Value& out) {
  std::vector<Value> parts;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t at = std::min(text.find('\n', from), text.size());
    std::string_view line = text.substr(from, at - from);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    parts.push_back(Value::string(line));
    if (!made(machine, parts.back())) return false;
    from = at + 1;
  }
  return charge_bytes(machine, text.size()) && give_list(machine, out, parts);
}

bool characters(Machine& machine, std::string_view text, Value& out) {
  std::vector<Value> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = base::decode_utf8(text, at).bytes;
    parts.push_back(Value::string(text.substr(at, bytes)));
    if (!made(machine, parts.back())) return false;
    at += bytes;
  }
  return give_list(machine, out, parts);
}

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

bool replace(Machine& machine, std::string_view text, std::string_view from, std::string_view to, Value& out) {
  if (from.empty()) return failed(machine, "replace needs a text to look for that is not empty");
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t hit = text.find(from, at);
    result += text.substr(at, hit == std::string_view::npos ? hit : hit - at);
    if (hit == std::string_view::npos) break;
    result += to;
    at = hit + from.size();
    if (static_cast<std::int64_t>(result.size()) > machine.heap.limit) machine.heap.exceeded = true;
    if (!made(machine, out)) return false;
  }
  return charge_bytes(machine, text.size()) && give(machine, out, result);
}

bool repeat(Machine& machine, std::string_view text, std::int64_t count, Value& out) {
  count = std::max<std::int64_t>(count, 0);
  if (!text.empty() && count > machine.heap.limit / static_cast<std::int64_t>(text.size())) {
    machine.heap.exceeded = true;
    return made(machine, out);
  }
  std::string result;
  result.reserve(text.size() * static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) result += text;
  return give(machine, out, result);
}

template <typename T>
void parse_number(std::string_view text, Value& out, Value (*make)(T)) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  out = code == std::errc() && end == text.data() + text.size() ? make(number) : Value();
}

// A float that is a whole number as an int.
bool to_int(Machine& machine, double d, Value& out) {
  // 2^63 is exact as a double; the comparison is false for NaN.
  if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
    return failed(machine, "the number does not fit an int");
  out = Value::integer(static_cast<std::int64_t>(d));
  return true;
}

bool number(Machine& machine, Builtin builtin, const Value& value, double& out) {
  if (value.is(Tag::kInt)) {
    out = static_cast<double>(value.as_int());
    return true;
  }
  if (!expect(machine, builtin, value, Tag::kFloat)) return false;
  out = value.as_float();
  return true;
}

bool less(Machine& machine, const Value& a, const Value& b, bool& ok) {
  if (a.is(Tag::kString) && b.is(Tag::kString)) return a.as_string() < b.as_string();
  if (a.is(Tag::kInt) && b.is(Tag::kInt)) return a.as_int() < b.as_int();
  if (a.is(Tag::kFloat) && b.is(Tag::kFloat)) return a.as_float() < b.as_float();
  ok = failed(machine, fmt::format("cannot order a {} and a {}", tag_name(a.tag()), tag_name(b.tag())));
  return false;
}

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

bool range(Machine& machine, std::int64_t begin, std::int64_t end, Value& out) {
  if (end > begin) {
    const std::uint64_t count = static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin);
    if (count > static_cast<std::uint64_t>(machine.heap.limit) / sizeof(Value)) {
      machine.heap.exceeded = true;
      return made(machine, out);
    }
  }
  std::vector<Value> items;
  for (std::int64_t i = begin; i < end; ++i) items.push_back(Value::integer(i));
  return give_list(machine, out, items);
}

bool sorted(Machine& machine, const Value& list, Value& out) {
  std::vector<Value> items(list.items().begin(), list.items().end());
  bool ok = true;
  // Checked before sorting: a comparison that fails half-way would not be a strict weak order.
  for (std::size_t i = 1; i < items.size() && ok; ++i) less(machine, items[0], items[i], ok);
  if (!ok || !charge_fuel(machine, static_cast<std::int64_t>(items.size()))) return false;
  for (const Value& item : items) {
    if (item.is(Tag::kFloat) && std::isnan(item.as_float())) return failed(machine, "cannot sort NaN");
  }
  std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) { return less(machine, a, b, ok); });
  return give_list(machine, out, items);
}

bool find(Machine& machine, std::string_view text, std::string_view part, Value& out) {
  const std::size_t at = text.find(part);
  out = Value::integer(
      at == std::string_view::npos ? -1 : static_cast<std::int64_t>(base::count_code_points(text.substr(0, at))));
  return charge_bytes(machine, text.size());
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

bool string_builtin(Machine& machine, Builtin builtin, Args args, Value& out) {
  if (!expect(machine, builtin, *args[0], Tag::kString)) return false;
  const std::string_view text = args[0]->as_string();
  switch (builtin) {
    case Builtin::kUpper:
      return give(machine, out, map_case(text, 'a', 'z', -32));
    case Builtin::kLower:
      return give(machine, out, map_case(text, 'A', 'Z', 32));
    case Builtin::kTrim:
      return give(machine, out, trimmed(text));
    case Builtin::kLines:
      return lines(machine, text, out);
    case Builtin::kChars:
      return characters(machine, text, out);
    case Builtin::kParseInt:
      parse_number<std::int64_t>(text, out, &Value::integer);
      return true;
    case Builtin::kParseFloat:
      parse_number<double>(text, out, &Value::real);
      return true;
    case Builtin::kRepeat:
      return expect(machine, builtin, *args[1], Tag::kInt) && repeat(machine, text, args[1]->as_int(), out);
    default:
      break;
  }
  if (!expect(machine, builtin, *args[1], Tag::kString)) return false;
  const std::string_view other = args[1]->as_string();
  switch (builtin) {
    case Builtin::kSplit:
      return split(machine, text, other, out);
    case Builtin::kContains:
      out = Value::boolean(text.find(other) != std::string_view::npos);
      return charge_bytes(machine, text.size());
    case Builtin::kStartsWith:
      out = Value::boolean(text.starts_with(other));
      return true;
    case Builtin::kEndsWith:
      out = Value::boolean(text.ends_with(other));
      return true;
    case Builtin::kFind:
      return find(machine, text, other, out);
    default:
      break;  // kReplace
  }
  return expect(machine, builtin, *args[2], Tag::kString) && replace(machine, text, other, args[2]->as_string(), out);
}

bool list_builtin(Machine& machine, Builtin builtin, Args args, Value& out) {
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

bool round_to(Machine& machine, double x, const Value& digits, Value& out) {
  if (!expect(machine, Builtin::kRoundTo, digits, Tag::kInt)) return false;
  const std::int64_t places = digits.as_int();
  if (places < 0 || places > 15) return failed(machine, "round takes 0 to 15 digits");
  // Through decimal text: rounds what is printed, which scaling by a power of ten would not.
  out = Value::real(std::strtod(fmt::format("{:.{}f}", x, places).c_str(), nullptr));
  return true;
}

bool number_builtin(Machine& machine, Builtin builtin, Args args, Value& out) {
  if (builtin == Builtin::kAbs && args[0]->is(Tag::kInt)) {
    if (args[0]->as_int() == std::numeric_limits<std::int64_t>::min()) return failed(machine, "integer overflow");
    out = Value::integer(std::abs(args[0]->as_int()));
    return true;
  }
  if (builtin == Builtin::kRange) {
    for (const Value* arg : args) {
      if (!expect(machine, builtin, *arg, Tag::kInt)) return false;
    }
    return args.size() == 1 ? range(machine, 0, args[0]->as_int(), out)
                            : range(machine, args[0]->as_int(), args[1]->as_int(), out);
  }
  double x = 0, y = 0;
  if (!number(machine, builtin, *args[0], x)) return false;
  switch (builtin) {
    case Builtin::kRound:
      return to_int(machine, std::round(x), out);
    case Builtin::kFloor:
      return to_int(machine, std::floor(x), out);
    case Builtin::kCeil:
      return to_int(machine, std::ceil(x), out);
    case Builtin::kTruncate:
      return to_int(machine, std::trunc(x), out);
    case Builtin::kRoundTo:
      return round_to(machine, x, *args[1], out);
    case Builtin::kAbs:
      out = Value::real(std::fabs(x));
      return true;
    case Builtin::kSqrt:
      out = Value::real(std::sqrt(x));
      return true;
    default:
      break;  // kPow
  }
  if (!number(machine, builtin, *args[1], y)) return false;
  out = Value::real(std::pow(x, y));
  return true;
}

}  // namespace

bool call_builtin(Machine& machine, Builtin builtin, Args args, Value& out) {
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
      return string_builtin(machine, builtin, args, out);
    case Builtin::kJoin:
    case Builtin::kSum:
    case Builtin::kSorted:
    case Builtin::kReversed:
    case Builtin::kIndexOf:
    case Builtin::kListContains:
    case Builtin::kListConcat:
    case Builtin::kFirst:
    case Builtin::kLast:
      return list_builtin(machine, builtin, args, out);
    case Builtin::kMin:
      return extreme(machine, args, false, out);
    case Builtin::kMax:
      return extreme(machine, args, true, out);
    case Builtin::kToJson: {
      std::string text;
      if (!append_json(*machine.image->plan, *args[0], json_limit(machine), text)) return too_large(machine);
      return give(machine, out, text);
    }
    default:
      return number_builtin(machine, builtin, args, out);
  }
}

}  // namespace sgl::exec
