#include "runtime/exec/ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "runtime/base/code_points.h"
#include "runtime/base/utf8.h"

namespace sgl::exec {
namespace {

bool failed(Machine& machine, std::string message) {
  return machine.fail(base::ErrorKind::kFailed, std::move(message));
}

void append_float(double d, std::string& out) {
  if (!std::isfinite(d)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, d).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  // A float stays recognisable as one: 3.0, not 3.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

}  // namespace

bool made(Machine& machine, const Value& out) {
  if (!machine.heap.exceeded) return true;
  static_cast<void>(out);
  machine.heap.exceeded = false;
  return machine.fail(base::ErrorKind::kLimit,
                      fmt::format("the program's values need more than {} bytes of memory", machine.heap.limit));
}

bool append_json(const plan::Plan& plan, const Value& value, std::size_t max_bytes, std::string& out, int depth) {
  if (out.size() > max_bytes || depth > kMaxValueDepth) return false;
  switch (value.tag()) {
    case Tag::kNull:
      out += "null";
      return true;
    case Tag::kBool:
      out += value.as_bool() ? "true" : "false";
      return true;
    case Tag::kInt:
      out += std::to_string(value.as_int());
      return true;
    case Tag::kFloat:
      append_float(value.as_float(), out);
      return true;
    case Tag::kString:
      append_json_string(value.as_string(), out);
      return true;
    case Tag::kList: {
      out.push_back('[');
      bool first = true;
      for (const Value& item : value.items()) {
        if (!std::exchange(first, false)) out.push_back(',');
        if (!append_json(plan, item, max_bytes, out, depth + 1)) return false;
      }
      out.push_back(']');
      return true;
    }
    case Tag::kMap: {
      out.push_back('{');
      const std::span<const Value> items = value.items();
      for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
        if (i > 0) out.push_back(',');
        append_json_string(items[i].as_string(), out);
        out.push_back(':');
        if (!append_json(plan, items[i + 1], max_bytes, out, depth + 1)) return false;
      }
      out.push_back('}');
      return true;
    }
    case Tag::kRecord:
      break;
  }
  const plan::Type& type = plan.type(value.record_type());
  out.push_back('{');
  bool first = true;
  for (std::size_t i = 0; i < value.items().size() && i < type.fields.size(); ++i) {
    const Value& field = value.items()[i];
    if (type.fields[i].optional && field.is_null()) continue;
    if (!std::exchange(first, false)) out.push_back(',');
    append_json_string(type.fields[i].name, out);
    out.push_back(':');
    if (!append_json(plan, field, max_bytes, out, depth + 1)) return false;
  }
  out.push_back('}');
  return true;
}

bool equal_values(Machine& machine, const Value& a, const Value& b, bool& out) {
  // One unit per 16 comparisons: cheap for flat values, and an end for those that share parts exponentially.
  constexpr std::int64_t kNodesPerFuel = 16;
  std::int64_t nodes = fuel_left(machine) >= INT64_MAX / kNodesPerFuel ? INT64_MAX : (fuel_left(machine) + 1) * kNodesPerFuel;
  const std::int64_t before = nodes;
  out = equal(*machine.image->plan, a, b, nodes);
  return charge_fuel(machine, (before - nodes) / kNodesPerFuel);
}

std::size_t json_limit(const Machine& machine) {
  return static_cast<std::size_t>(std::max<std::int64_t>(machine.heap.limit - machine.heap.used, 0));
}

bool too_large(Machine& machine) {
  machine.heap.exceeded = true;
  return made(machine, Value());
}

bool format_value(Machine& machine, const Value& value, std::string_view spec, Value& out) {
  std::string text;
  if (spec.empty()) {
    if (value.is(Tag::kString)) {
      out = value;
      return true;
    }
    if (!append_json(*machine.image->plan, value, json_limit(machine), text)) return too_large(machine);
  } else if (!format_by_spec(machine, value, spec, text)) {
    return false;
  }
  if (!charge_fuel(machine, static_cast<std::int64_t>(text.size()) / kBytesPerFuel)) return false;
  out = Value::string(text);
  return made(machine, out);
}

bool concat_strings(Machine& machine, std::span<const Value* const> parts, Value& out) {
  std::size_t size = 0;
  for (const Value* part : parts) {
    if (!part->is(Tag::kString))
      return failed(machine, fmt::format("expected string, found {}", tag_name(part->tag())));
    size += part->as_string().size();
  }
  if (!charge_fuel(machine, static_cast<std::int64_t>(size) / kBytesPerFuel)) return false;
  Value text = Value::string_of_size(size);
  if (!made(machine, text)) return false;
  char* at = text.string_data();
  for (const Value* part : parts) {
    const std::string_view bytes = part->as_string();
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  }
  out = std::move(text);
  return true;
}

bool length_of(Machine& machine, const Value& value, std::int64_t& out) {
  if (value.is(Tag::kString)) {
    const std::string_view text = value.as_string();
    out = static_cast<std::int64_t>(base::count_code_points(text));
    return charge_fuel(machine, static_cast<std::int64_t>(text.size()) / kBytesPerFuel);
  }
  if (!value.is(Tag::kList)) return failed(machine, fmt::format("a {} has no length", tag_name(value.tag())));
  out = static_cast<std::int64_t>(value.items().size());
  return true;
}

bool index_value(Machine& machine, const Value& value, std::int64_t index, Value& out) {
  std::int64_t size = 0;
  if (!length_of(machine, value, size)) return false;
  const std::int64_t at = index < 0 ? index + size : index;
  if (at < 0 || at >= size) {
    return failed(machine, fmt::format("index {} is outside a {} of {}", index, tag_name(value.tag()), size));
  }
  if (value.is(Tag::kList)) {
    out = value.items()[static_cast<std::size_t>(at)];
    return true;
  }
  out = Value::string(base::code_point_range(value.as_string(), at, at + 1));
  return made(machine, out);
}

bool slice_value(Machine& machine, const Value& value, std::int64_t begin, std::int64_t end, Value& out) {
  std::int64_t size = 0;
  if (!length_of(machine, value, size)) return false;
  const auto clamp = [size](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  begin = clamp(begin);
  end = std::max(begin, clamp(end));
  if (!charge_fuel(machine, (end - begin) / kBytesPerFuel)) return false;
  if (value.is(Tag::kList)) {
    out = Value::list(value.items().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  } else {
    out = Value::string(base::code_point_range(value.as_string(), begin, end));
  }
  return made(machine, out);
}

}  // namespace sgl::exec
