#include "compiler/check/const_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

#include "runtime/base/code_points.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler {

using ast::BinaryOp;
using Kind = ConstValue::Kind;

ConstValue make_bool(bool b) {
  ConstValue v;
  v.kind = Kind::kBool;
  v.number = b ? 1 : 0;
  return v;
}
ConstValue make_int(std::int64_t i) {
  ConstValue v;
  v.kind = Kind::kInt;
  v.number = i;
  return v;
}
ConstValue make_real(double d) {
  ConstValue v;
  v.kind = Kind::kFloat;
  v.real = d;
  return v;
}
ConstValue make_text(std::string s) {
  ConstValue v;
  v.kind = Kind::kString;
  v.text = std::move(s);
  return v;
}

namespace {

// Comparisons of what C++ compares in the same way.
template <typename T>
std::optional<ConstValue> compared(BinaryOp op, const T& a, const T& b) {
  switch (op) {
    case BinaryOp::kEq:
      return make_bool(a == b);
    case BinaryOp::kNe:
      return make_bool(a != b);
    case BinaryOp::kLt:
      return make_bool(a < b);
    case BinaryOp::kLe:
      return make_bool(a <= b);
    case BinaryOp::kGt:
      return make_bool(a > b);
    case BinaryOp::kGe:
      return make_bool(a >= b);
    default:
      return std::nullopt;
  }
}

std::optional<ConstValue> int_arithmetic(BinaryOp op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  switch (op) {
    case BinaryOp::kAdd:
      return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional(make_int(out));
    case BinaryOp::kSub:
      return __builtin_sub_overflow(a, b, &out) ? std::nullopt : std::optional(make_int(out));
    case BinaryOp::kMul:
      return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional(make_int(out));
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
      if (b == 0) return std::nullopt;
      if (b == -1) return op == BinaryOp::kDiv ? int_arithmetic(BinaryOp::kSub, 0, a) : make_int(0);
      return make_int(op == BinaryOp::kDiv ? a / b : a % b);
    default:
      return compared(op, a, b);
  }
}

std::optional<ConstValue> real_arithmetic(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return make_real(a + b);
    case BinaryOp::kSub:
      return make_real(a - b);
    case BinaryOp::kMul:
      return make_real(a * b);
    case BinaryOp::kDiv:
      if (b == 0) return std::nullopt;  // fails, as that of ints
      return make_real(a / b);
    default:
      return compared(op, a, b);
  }
}

std::optional<ConstValue> text_operation(BinaryOp op, const std::string& a, const std::string& b) {
  switch (op) {
    case BinaryOp::kAdd:
      return make_text(a + b);
    case BinaryOp::kIn:
    case BinaryOp::kNotIn: {
      // In linear time, which string::find does not promise.
      const bool found = memmem(b.data(), b.size(), a.data(), a.size()) != nullptr;
      return make_bool(found == (op == BinaryOp::kIn));
    }
    // The order of bytes in UTF-8 is that of code points.
    default:
      return compared(op, a, b);
  }
}

bool equal(const ConstValue& a, const ConstValue& b, const TypeTable& types);

// Of different types: fields are found by name, and one that is absent is null.
bool equal_records(const ConstValue& a, const ConstValue& b, const TypeTable& types) {
  const std::vector<plan::Field>& fields = types.get(a.type).fields;
  std::ptrdiff_t found = 0;  // of the fields of `b` that are not null
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const ConstValue* const other = field_of(b, fields[i].name, types);
    if (!equal(a.items[i], other == nullptr ? ConstValue{} : *other, types)) return false;
    if (other != nullptr && other->kind != Kind::kNull) ++found;
  }
  return found == std::count_if(b.items.begin(), b.items.end(), [](const auto& f) { return f.kind != Kind::kNull; });
}

bool equal(const ConstValue& a, const ConstValue& b, const TypeTable& types) {
  if (a.kind != b.kind) {
    if (a.kind == Kind::kInt && b.kind == Kind::kFloat) return static_cast<double>(a.number) == b.real;
    return a.kind == Kind::kFloat && b.kind == Kind::kInt && a.real == static_cast<double>(b.number);
  }
  switch (a.kind) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
    case Kind::kInt:
      return a.number == b.number;
    case Kind::kFloat:
      return a.real == b.real;
    case Kind::kString:
      return a.text == b.text;
    case Kind::kRecord:
      if (a.type != b.type) return equal_records(a, b, types);
      break;
    case Kind::kList:
      break;
  }
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                    [&](const ConstValue& x, const ConstValue& y) { return equal(x, y, types); });
}

}  // namespace

std::optional<ConstValue> binary_operation(BinaryOp op, const ConstValue& a, const ConstValue& b,
                                           const TypeTable& types) {
  if (a.kind == Kind::kInt && b.kind == Kind::kInt) return int_arithmetic(op, a.number, b.number);
  if (a.kind == Kind::kFloat && b.kind == Kind::kFloat) return real_arithmetic(op, a.real, b.real);
  if (op == BinaryOp::kEq) return make_bool(equal(a, b, types));
  if (op == BinaryOp::kNe) return make_bool(!equal(a, b, types));
  if (a.kind == Kind::kString && b.kind == Kind::kString) return text_operation(op, a.text, b.text);
  if (b.kind != Kind::kList) return std::nullopt;
  if (op == BinaryOp::kIn || op == BinaryOp::kNotIn) {
    const bool found = std::any_of(b.items.begin(), b.items.end(), [&](const auto& x) { return equal(x, a, types); });
    return make_bool(found == (op == BinaryOp::kIn));
  }
  if (a.kind != Kind::kList || op != BinaryOp::kAdd) return std::nullopt;
  ConstValue out = a;
  out.items.insert(out.items.end(), b.items.begin(), b.items.end());
  return out;
}

std::optional<ConstValue> negated(const ConstValue& value) {
  if (value.kind == Kind::kFloat) return make_real(-value.real);
  return value.kind == Kind::kInt ? int_arithmetic(BinaryOp::kSub, 0, value.number) : std::nullopt;
}

std::optional<ConstValue> absolute(const ConstValue& value) {
  if (value.kind == Kind::kFloat) return make_real(std::fabs(value.real));
  return value.kind == Kind::kInt && value.number < 0 ? negated(value) : std::optional(value);
}

std::optional<ConstValue> length_of(const ConstValue& value) {
  if (value.kind == Kind::kList) return make_int(static_cast<std::int64_t>(value.items.size()));
  if (value.kind != Kind::kString) return std::nullopt;
  return make_int(static_cast<std::int64_t>(base::count_code_points(value.text)));
}

std::optional<ConstValue> item_at(const ConstValue& value, std::int64_t index) {
  const auto length = length_of(value);
  if (!length) return std::nullopt;
  const std::int64_t at = index < 0 ? index + length->number : index;
  if (at < 0 || at >= length->number) return std::nullopt;
  if (value.kind == Kind::kList) return value.items[static_cast<std::size_t>(at)];
  return make_text(std::string(base::code_point_range(value.text, at, at + 1)));
}

std::optional<ConstValue> slice_of(const ConstValue& value, std::int64_t begin, std::int64_t end) {
  const auto length = length_of(value);
  if (!length) return std::nullopt;
  const std::int64_t size = length->number;
  const auto clamp = [size](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  begin = clamp(begin);
  end = std::max(begin, clamp(end));
  if (value.kind == Kind::kString) return make_text(std::string(base::code_point_range(value.text, begin, end)));
  ConstValue out;
  out.kind = Kind::kList;
  out.items.assign(value.items.begin() + begin, value.items.begin() + end);
  return out;
}

const ConstValue* field_of(const ConstValue& record, const std::string& name, const TypeTable& types) {
  if (record.kind != Kind::kRecord) return nullptr;
  const auto place = types.field_index(record.type, name);
  return place ? &record.items[*place] : nullptr;
}

std::optional<std::string> text_in_string(const ConstValue& value) {
  switch (value.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return value.number != 0 ? "true" : "false";
    case Kind::kInt:
      return std::to_string(value.number);
    case Kind::kString:
      return value.text;
    case Kind::kFloat:
    case Kind::kList:
    case Kind::kRecord:
      break;
  }
  return std::nullopt;
}

}  // namespace sgl::compiler
