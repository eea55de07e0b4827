#include "runtime/tokenizer/jinja/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/base/utf8.h"

namespace sgl::tokenizer::jinja {

using base::Expected;
using base::Status;

const Value* Dict::find(std::string_view key) const {
  for (const auto& [k, v] : entries) {
    if (k.bytes == key) return &v;
  }
  return nullptr;
}

Undefined::Undefined(std::string_view of) {
  constexpr std::size_t kShown = 80;
  std::size_t end = std::min(of.size(), kShown);
  while (end < of.size() && end > 0 && (static_cast<unsigned char>(of[end]) & 0xC0) == 0x80) --end;
  name = of.substr(0, end);
}

int Value::depth() const {
  if (const List* list = as_list()) return list->depth;
  if (const Dict* dict = as_dict()) return dict->depth;
  return 0;
}

namespace {

// A part of values with its charge, which goes with it.
template <typename T>
std::shared_ptr<const T> charged(T part, std::size_t bytes) {
  struct Held {
    Held(T p, std::size_t b) : part(std::move(p)), charge(b) {}
    T part;
    Charge charge;
  };
  (void)work_on_bytes(bytes);
  const auto held = std::make_shared<const Held>(std::move(part), bytes + sizeof(Held));
  return {held, &held->part};
}

}  // namespace

Value Value::text(Text t) {
  const std::size_t bytes = t.footprint();
  return Value(charged(std::move(t), bytes));
}

Expected<Value> Value::list(std::vector<Value> items) {
  if (items.size() > kMaxListItems) return base::over_limit("list of more than a million items");
  List out{std::move(items), 1};
  for (const Value& v : out.items) out.depth = std::max(out.depth, v.depth() + 1);
  if (out.depth > kMaxDepth) return base::over_limit("lists are nested too deeply");
  std::size_t bytes = out.items.size() * sizeof(Value);
  for (const Value& v : out.items) bytes += v.name_bytes();
  return Value(charged(std::move(out), bytes));
}

Expected<Value> Value::dict(std::vector<std::pair<Text, Value>> entries) {
  Dict out{std::move(entries), 1};
  for (const auto& [k, v] : out.entries) out.depth = std::max(out.depth, v.depth() + 1);
  if (out.depth > kMaxDepth) return base::over_limit("dictionaries are nested too deeply");
  std::size_t bytes = out.entries.size() * sizeof(out.entries[0]);
  for (const auto& [k, v] : out.entries) bytes += k.footprint() + v.name_bytes();
  return Value(charged(std::move(out), bytes));
}

void Namespace::set(const std::string& name, Value value) {
  for (auto& [key, old] : entries) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  charge.add(sizeof(entries[0]) + name.size());
  entries.emplace_back(name, std::move(value));
}

std::optional<std::int64_t> Value::integer() const {
  if (const bool* b = as<bool>()) return *b ? 1 : 0;
  if (const std::int64_t* i = as<std::int64_t>()) return *i;
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const double* d = as<double>()) return *d;
  if (const auto i = integer()) return static_cast<double>(*i);
  return std::nullopt;
}

bool Value::truthy() const {
  if (undefined() || none()) return false;
  if (const auto n = number()) return *n != 0;
  if (const Text* t = as_text()) return !t->bytes.empty();
  if (const List* l = as_list()) return !l->items.empty();
  if (const Dict* d = as_dict()) return !d->entries.empty();
  return true;
}

const char* Value::type_name() const {
  static constexpr const char* kNames[] = {"undefined",   "none",     "a boolean", "an integer",
                                           "a float",     "a string", "a list",    "a mapping",
                                           "a namespace", "a macro",  "a function"};
  return kNames[storage_.index()];
}

bool equal(const Value& a, const Value& b) {
  if (!work()) return false;
  if (a.undefined() || a.none()) return (a.undefined() && b.undefined()) || (a.none() && b.none());
  if (a.integer() && b.integer()) return *a.integer() == *b.integer();
  if (a.number() || b.number()) return a.number() && b.number() && *a.number() == *b.number();
  if (a.as_text() != nullptr && b.as_text() != nullptr) return a.as_text()->bytes == b.as_text()->bytes;
  if (const List* x = a.as_list(), *y = b.as_list(); x != nullptr && y != nullptr) {
    return std::equal(x->items.begin(), x->items.end(), y->items.begin(), y->items.end(), equal);
  }
  if (const Dict* x = a.as_dict(), *y = b.as_dict(); x != nullptr && y != nullptr) {
    return x->entries.size() == y->entries.size() &&
           std::all_of(x->entries.begin(), x->entries.end(), [&](const auto& entry) {
             const Value* other = y->find(entry.first.bytes);
             return other != nullptr && equal(entry.second, *other);
           });
  }
  const auto same = [&](auto* x, auto* y) { return x != nullptr && y != nullptr && *x == *y; };
  return same(a.as<Namespace*>(), b.as<Namespace*>()) || same(a.as<const Macro*>(), b.as<const Macro*>());
}

std::optional<int> compare(const Value& a, const Value& b) {
  if (!work()) return std::nullopt;
  const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (a.integer() && b.integer()) return sign(*a.integer(), *b.integer());
  if (a.number() && b.number()) return sign(*a.number(), *b.number());
  if (a.as_text() != nullptr && b.as_text() != nullptr) return sign(a.as_text()->bytes, b.as_text()->bytes);
  if (const List* x = a.as_list(), *y = b.as_list(); x != nullptr && y != nullptr) {
    for (std::size_t i = 0; i < std::min(x->items.size(), y->items.size()); ++i) {
      const auto order = compare(x->items[i], y->items[i]);
      if (!order || *order != 0) return order;
    }
    return sign(x->items.size(), y->items.size());
  }
  return std::nullopt;
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // Shortest digits that read back the same, in Python's layout: positional for exponents -4 … 15.
  std::string text = fmt::format("{:e}", value);
  for (int precision = 0; precision < 17; ++precision) {
    text = fmt::format("{:.{}e}", value, precision);
    if (std::stod(text) == value) break;
  }
  const std::size_t e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  if (exponent < -4 || exponent >= 16) return text;
  std::string digits;
  for (char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  std::string out = text[0] == '-' ? "-" : "";
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole + 1) digits.append(whole + 1 - digits.size(), '0');
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

namespace {

// Any data in the value?
bool has_data(const Value& value) {
  if (!work()) return true;
  if (const Text* t = value.as_text()) return !t->data.empty();
  if (const List* l = value.as_list()) return std::any_of(l->items.begin(), l->items.end(), has_data);
  if (const Dict* d = value.as_dict()) {
    return std::any_of(d->entries.begin(), d->entries.end(),
                       [](const auto& e) { return !e.first.data.empty() || has_data(e.second); });
  }
  return false;
}

// Python's repr() of a string.
std::string repr(std::string_view text) {
  (void)work_on_bytes(text.size());
  const bool double_quotes = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote || c == '\\') {
      out += '\\', out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::optional<std::string> scalar_text(const Value& value) {
  if (value.undefined()) return "";
  if (value.none()) return "None";
  if (const bool* b = value.as<bool>()) return *b ? "True" : "False";
  if (const auto* i = value.as<std::int64_t>()) return std::to_string(*i);
  if (const double* d = value.as<double>()) return float_text(*d);
  return std::nullopt;
}

// Whether what was written is within the limits. The interpreter says so of work.
Status within(const std::string& out) {
  if (out.size() > kMaxTextBytes) return base::over_limit("string of more than 16 MB");
  return work() ? Status() : heap_status();
}

Status append_repr(const Value& value, std::string& out) {
  if (const Text* t = value.as_text()) {
    out += repr(t->bytes);
  } else if (const List* l = value.as_list()) {
    out += '[';
    for (std::size_t i = 0; i < l->items.size(); ++i) {
      if (i > 0) out += ", ";
      SGL_TRY_STATUS(append_repr(l->items[i], out));
    }
    out += ']';
  } else if (const Dict* d = value.as_dict()) {
    out += '{';
    for (std::size_t i = 0; i < d->entries.size(); ++i) {
      out += (i > 0 ? ", " : "") + repr(d->entries[i].first.bytes) + ": ";
      SGL_TRY_STATUS(append_repr(d->entries[i].second, out));
    }
    out += '}';
  } else if (const auto scalar = scalar_text(value)) {
    out += *scalar;
  } else {
    return base::invalid(fmt::format("{} has no text form", value.type_name()));
  }
  return within(out);
}

std::string json_string(std::string_view text, bool ascii) {
  (void)work_on_bytes(text.size());
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const base::DecodedChar c = base::decode_utf8(text, at);
    switch (c.code) {
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
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (c.code < 0x20 || (ascii && c.code > 0x7E && c.code < 0x10000)) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
        } else if (ascii && c.code >= 0x10000) {
          const unsigned rest = static_cast<unsigned>(c.code) - 0x10000;
          out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
        } else {
          out += text.substr(at, c.bytes);
        }
    }
    at += c.bytes;
  }
  return out + '"';
}

struct JsonWriter {
  const JsonStyle& style;
  std::string out{};

  void line(int level) {
    if (style.indent >= 0) out += '\n' + std::string(static_cast<std::size_t>(level * style.indent), ' ');
  }
  // Python drops the space after the separator of items when it breaks lines.
  std::string_view separator() const {
    return style.indent >= 0 && style.item_separator == ", " ? std::string_view(",") : style.item_separator;
  }
  Status write(const Value& value, int level) {
    if (value.none()) {
      out += "null";
    } else if (const bool* b = value.as<bool>()) {
      out += *b ? "true" : "false";
    } else if (const Text* t = value.as_text()) {
      out += json_string(t->bytes, style.ascii);
    } else if (value.number()) {
      out += *scalar_text(value);
    } else if (const List* l = value.as_list()) {
      return write_list(*l, level);
    } else if (const Dict* d = value.as_dict()) {
      return write_dict(*d, level);
    } else {
      return base::invalid(fmt::format("tojson: {} is not JSON", value.type_name()));
    }
    return within(out);
  }
  Status write_list(const List& list, int level) {
    if (list.items.empty()) return out += "[]", within(out);
    out += '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out += separator();
      line(level + 1);
      SGL_TRY_STATUS(write(list.items[i], level + 1));
    }
    line(level);
    out += ']';
    return {};
  }
  Status write_dict(const Dict& dict, int level) {
    if (dict.entries.empty()) return out += "{}", within(out);
    std::vector<const std::pair<Text, Value>*> order;
    for (const auto& entry : dict.entries) order.push_back(&entry);
    if (style.sort_keys) {
      std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->first.bytes < b->first.bytes; });
    }
    out += '{';
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out += separator();
      line(level + 1);
      out += json_string(order[i]->first.bytes, style.ascii) + style.key_separator;
      SGL_TRY_STATUS(write(order[i]->second, level + 1));
    }
    line(level);
    out += '}';
    return {};
  }
};

}  // namespace

Expected<Text> to_text(const Value& value) {
  if (const Text* t = value.as_text()) return *t;
  if (const auto scalar = scalar_text(value)) return Text(*scalar);
  std::string out;
  SGL_TRY_STATUS(append_repr(value, out));
  return has_data(value) ? Text::of_data(std::move(out)) : Text(std::move(out));
}

Expected<Text> to_json(const Value& value, const JsonStyle& style) {
  JsonWriter writer{style};
  SGL_TRY_STATUS(writer.write(value, 0));
  return has_data(value) ? Text::of_data(std::move(writer.out)) : Text(std::move(writer.out));
}

Expected<Value> from_json(const nlohmann::ordered_json& json, bool data, int depth) {
  if (depth > Value::kMaxDepth / 2) return base::over_limit("template variables are nested too deeply");
  const auto text = [&](const std::string& s) { return data ? Text::of_data(s) : Text(s); };
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number_float()) return Value(json.get<double>());
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    return Value(json.get<double>());
  }
  if (json.is_number()) return Value(json.get<std::int64_t>());
  if (json.is_string()) return Value::text(text(json.get_ref<const std::string&>()));
  if (json.is_array()) {
    std::vector<Value> items;
    for (const auto& item : json) {
      SGL_TRY(Value value, from_json(item, data, depth + 1));
      items.push_back(std::move(value));
    }
    return Value::list(std::move(items));
  }
  if (json.is_object()) {
    std::vector<std::pair<Text, Value>> entries;
    for (const auto& [key, item] : json.items()) {
      SGL_TRY(Value value, from_json(item, data, depth + 1));
      entries.emplace_back(text(key), std::move(value));
    }
    return Value::dict(std::move(entries));
  }
  return Value(None{});
}

}  // namespace sgl::tokenizer::jinja
