// Built-in functions of strings. Positions and lengths count code points, searching works on bytes.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "runtime/base/utf8.h"
#include "runtime/exec/builtins.h"

namespace sgl::exec::builtins {
namespace {

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

// In linear time, which string_view::find does not promise: a program chooses both texts.
std::size_t find_part(std::string_view text, std::string_view part, std::size_t from = 0) {
  const void* const hit = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return hit == nullptr ? std::string_view::npos
                        : static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
}

bool split(Machine& machine, std::string_view text, std::string_view separator, Value& out) {
  if (separator.empty()) return failed(machine, "split needs a separator that is not empty");
  if (!charge_bytes(machine, text.size())) return false;
  std::vector<Value> parts;
  for (std::size_t from = 0;;) {
    const std::size_t at = find_part(text, separator, from);
    parts.push_back(Value::string(text.substr(from, at == std::string_view::npos ? at : at - from)));
    if (!made(machine, parts.back())) return false;
    if (at == std::string_view::npos) break;
    from = at + separator.size();
  }
  return give_list(machine, out, parts);
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

bool replace(Machine& machine, std::string_view text, std::string_view from, std::string_view to, Value& out) {
  if (from.empty()) return failed(machine, "replace needs a text to look for that is not empty");
  if (!charge_bytes(machine, text.size())) return false;
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t hit = find_part(text, from, at);
    result += text.substr(at, hit == std::string_view::npos ? hit : hit - at);
    if (hit == std::string_view::npos) break;
    result += to;
    at = hit + from.size();
    if (static_cast<std::int64_t>(result.size()) > machine.heap.limit) machine.heap.exceeded = true;
    if (!made(machine, out)) return false;
  }
  return give(machine, out, result);
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
bool parse_number(Machine& machine, std::string_view text, Value& out, Value (*make)(T)) {
  if (!charge_bytes(machine, text.size())) return false;
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool fits = code == std::errc() && end == text.data() + text.size();
  // The library also reads "inf" and "nan"; a float from outside is finite, whichever way it comes.
  if constexpr (std::is_floating_point_v<T>) fits = fits && std::isfinite(number);
  out = fits ? make(number) : Value();
  return true;
}

bool find(Machine& machine, std::string_view text, std::string_view part, Value& out) {
  if (!charge_bytes(machine, text.size())) return false;
  const std::size_t at = find_part(text, part);
  out = Value::integer(
      at == std::string_view::npos ? -1 : static_cast<std::int64_t>(base::count_code_points(text.substr(0, at))));
  return true;
}

}  // namespace

bool of_text(Machine& machine, Builtin builtin, Args args, Value& out) {
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
      return parse_number<std::int64_t>(machine, text, out, &Value::integer);
    case Builtin::kParseFloat:
      return parse_number<double>(machine, text, out, &Value::real);
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
      if (!charge_bytes(machine, text.size())) return false;
      out = Value::boolean(find_part(text, other) != std::string_view::npos);
      return true;
    case Builtin::kStartsWith:
      out = Value::boolean(text.starts_with(other));
      return charge_bytes(machine, std::min(text.size(), other.size()));
    case Builtin::kEndsWith:
      out = Value::boolean(text.ends_with(other));
      return charge_bytes(machine, std::min(text.size(), other.size()));
    case Builtin::kFind:
      return find(machine, text, other, out);
    default:
      break;  // kReplace
  }
  return expect(machine, builtin, *args[2], Tag::kString) && replace(machine, text, other, args[2]->as_string(), out);
}

}  // namespace sgl::exec::builtins
