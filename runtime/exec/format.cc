// Formats of interpolations, as Python's format() understands them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "runtime/base/utf8.h"
#include "runtime/exec/ops.h"

namespace sgl::exec {
namespace {

struct Spec {
  std::string_view fill;  // one character, or nothing: the default
  char align = 0;         // < > ^ = or 0: the default
  char sign = '-';
  bool alternate = false, zero = false, has_precision = false;
  std::size_t width = 0, precision = 0;
  char type = 0;
};

bool is_one_of(char c, std::string_view set) {
  return c != 0 && set.find(c) != std::string_view::npos;
}

// Precondition: not empty.
std::optional<Spec> parse_spec(std::string_view text) {
  Spec spec;
  std::size_t at = 0;
  const auto next = [&](std::string_view set) { return at < text.size() && is_one_of(text[at], set); };
  const auto number = [&](std::size_t& out) {
    const char* const begin = text.data() + at;
    const auto [end, code] = std::from_chars(begin, text.data() + text.size(), out);
    at += static_cast<std::size_t>(end - begin);
    return code == std::errc();
  };
  constexpr std::string_view kAligns = "<>^=";
  const std::size_t first = base::decode_utf8(text, 0).bytes;
  if (first < text.size() && is_one_of(text[first], kAligns)) {
    spec.fill = text.substr(0, first);
    at = first;
  }
  if (next(kAligns)) spec.align = text[at++];
  if (next("+- ")) spec.sign = text[at++];
  if (next("#")) spec.alternate = true, ++at;
  if (next("0")) spec.zero = true, ++at;
  if (next("0123456789") && !number(spec.width)) return std::nullopt;
  if (next(".")) {
    spec.has_precision = true;
    ++at;
    if (!number(spec.precision)) return std::nullopt;
  }
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size()) return std::nullopt;
  return spec;
}

// By the library, whose presentations are Python's.
template <typename T>
std::string present(const Spec& spec, char type, T value) {
  std::string pattern = "{:";
  if (spec.sign != '-') pattern += spec.sign;
  if (spec.alternate) pattern += '#';
  if (spec.has_precision) pattern += fmt::format(".{}", spec.precision);
  if (type != 0) pattern += type;
  if constexpr (std::is_floating_point_v<T>) {
    // A NaN's sign depends on the processor and on what a compiler folds.
    if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
  }
  return fmt::format(fmt::runtime(pattern + '}'), value);
}

// Without a type: as 'g', but recognisable as a float, and with all its digits where no precision is given.
std::string present_plain(Spec spec, double value) {
  spec.alternate = false;
  std::string text = present(spec, spec.has_precision ? 'g' : '\0', value);
  if (text.find_first_of(".ein") != std::string::npos) return text;  // also inf and nan
  const auto digits =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (!spec.has_precision || digits < spec.precision) return text + ".0";
  // No digit is left for behind the point.
  spec.precision = std::max<std::size_t>(spec.precision, 1) - 1;
  text = present(spec, 'e', value);
  const std::size_t exponent = text.find('e'), point = text.find('.');
  if (point == std::string::npos) return text;
  std::size_t end = text.find_last_not_of('0', exponent - 1) + 1;
  if (end == point + 1) end = point;
  return text.erase(end, exponent - end);
}

std::optional<std::string> present_float(const Spec& spec, double value) {
  if (spec.type == 0) return present_plain(spec, value);
  if (spec.type == '%') return present(spec, 'f', value * 100) + '%';
  if (!is_one_of(spec.type, "fFeEgG")) return std::nullopt;
  return present(spec, spec.type, value);
}

std::optional<std::string> present_int(const Spec& spec, std::int64_t value) {
  if (is_one_of(spec.type, "fFeEgG%")) return present_float(spec, static_cast<double>(value));
  if (spec.has_precision) return std::nullopt;
  if (spec.type == 'c') {
    const bool character = value >= 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    if (!character || spec.sign != '-' || spec.alternate) return std::nullopt;
    std::string out;
    base::append_utf8(out, static_cast<char32_t>(value));
    return out;
  }
  if (spec.type != 0 && !is_one_of(spec.type, "dboxX")) return std::nullopt;
  return present(spec, spec.type, value);
}

// Precision: the longest prefix in characters.
std::optional<std::string> present_text(const Spec& spec, std::string_view text) {
  if ((spec.type != 0 && spec.type != 's') || spec.sign != '-' || spec.alternate || spec.align == '=')
    return std::nullopt;
  std::size_t end = 0;
  for (std::size_t i = 0; end < text.size() && (!spec.has_precision || i < spec.precision); ++i) {
    end += base::decode_utf8(text, end).bytes;
  }
  return std::string(text.substr(0, end));
}

std::optional<std::string> present_value(const Spec& spec, const Value& value) {
  switch (value.tag()) {
    case Tag::kInt:
      return present_int(spec, value.as_int());
    case Tag::kFloat:
      return present_float(spec, value.as_float());
    case Tag::kString:
      return present_text(spec, value.as_string());
    case Tag::kBool:
      return present_text(spec, value.as_bool() ? "true" : "false");
    default:
      return std::nullopt;
  }
}

// To the width, which counts characters. Zeros stand between the sign or prefix of a number and its digits.
std::string padded(const Spec& spec, bool number, std::string text) {
  const std::size_t size = base::count_code_points(text);
  if (size >= spec.width) return text;
  const std::size_t missing = spec.width - size;
  const std::string_view fill = !spec.fill.empty() ? spec.fill : spec.zero ? "0" : " ";
  const char align = spec.align != 0 ? spec.align : !number ? '<' : spec.zero ? '=' : '>';
  std::size_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::size_t at = 0;
  if (align == '=') {
    at = is_one_of(text[0], "+- ") ? 1 : 0;
    if (spec.alternate && is_one_of(spec.type, "boxX")) at += 2;
  }
  std::string out = text.substr(0, at);
  for (std::size_t i = 0; i < before; ++i) out += fill;
  out += text.substr(at);
  for (; before < missing; ++before) out += fill;
  return out;
}

}  // namespace

bool format_by_spec(Machine& machine, const Value& value, std::string_view text, std::string& out) {
  const bool number = value.is(Tag::kInt) || value.is(Tag::kFloat);
  if (!number && !value.is(Tag::kString) && !value.is(Tag::kBool)) {
    return machine.fail(base::ErrorKind::kFailed, fmt::format("a {} takes no format", tag_name(value.tag())));
  }
  constexpr std::size_t kMaxSpec = 32;
  const std::optional<Spec> spec = text.size() <= kMaxSpec ? parse_spec(text) : std::nullopt;
  if (spec && std::max(spec->width, spec->precision) > json_limit(machine)) return too_large(machine);
  std::optional<std::string> presented;
  try {
    if (spec) presented = present_value(*spec, value);
  } catch (const fmt::format_error&) {  // of a plan from outside: a precision that the library refuses
  }
  if (!presented) {
    return machine.fail(base::ErrorKind::kFailed,
                        fmt::format("format '{}' does not fit a {}", text, tag_name(value.tag())));
  }
  out = padded(*spec, number, std::move(*presented));
  return true;
}

}  // namespace sgl::exec
