// Built-in functions of numbers.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "runtime/exec/builtins.h"

namespace sgl::exec::builtins {
namespace {

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

bool round_to(Machine& machine, double x, const Value& digits, Value& out) {
  if (!expect(machine, Builtin::kRoundTo, digits, Tag::kInt)) return false;
  const std::int64_t places = digits.as_int();
  if (places < 0 || places > 15) return failed(machine, "round takes 0 to 15 digits");
  // Through decimal text: rounds what is printed, which scaling by a power of ten would not.
  out = Value::real(std::strtod(fmt::format("{:.{}f}", x, places).c_str(), nullptr));
  return true;
}

}  // namespace

bool of_numbers(Machine& machine, Builtin builtin, Args args, Value& out) {
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

}  // namespace sgl::exec::builtins
