// Operators, methods and tests of the template language.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/tokenizer/jinja/interpreter.h"

namespace sgl::tokenizer::jinja {

using base::Expected;

namespace {

base::Error bad_operands(std::string_view op, const Value& a, const Value& b) {
  return base::invalid(fmt::format("operator {} does not take {} and {}", op, a.type_name(), b.type_name()));
}

std::optional<std::int64_t> integer_result(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  bool overflow = false;
  if (op == "+") {
    overflow = __builtin_add_overflow(a, b, &out);
  } else if (op == "-") {
    overflow = __builtin_sub_overflow(a, b, &out);
  } else if (op == "*") {
    overflow = __builtin_mul_overflow(a, b, &out);
  } else if (op == "**") {
    out = 1;
    for (std::int64_t i = 0; i < b && !overflow && out != 0 && (a != 1 && a != -1 ? true : i < 2); ++i) {
      overflow = __builtin_mul_overflow(out, a, &out);
    }
    if (a == 1 || a == -1) out = a == 1 || b % 2 == 0 ? 1 : -1;
  } else {  // Python rounds towards minus infinity; -1 is apart because INT64_MIN / -1 overflows
    if (b == -1) {
      overflow = op == "//" && __builtin_sub_overflow(std::int64_t{0}, a, &out);
    } else {
      const std::int64_t rest = a % b;
      const bool adjust = rest != 0 && (rest < 0) != (b < 0);
      out = op == "//" ? a / b - (adjust ? 1 : 0) : rest + (adjust ? b : 0);
    }
  }
  return overflow ? std::nullopt : std::optional(out);
}

Expected<Value> repeat(const Text& text, std::int64_t times) {
  if (times <= 0 || text.bytes.empty()) return Value::text(Text());
  if (text.bytes.size() > kMaxTextBytes / static_cast<std::size_t>(times)) {
    return base::over_limit("string of more than 16 MB");
  }
  // By doubling: a short text may be repeated millions of times.
  Text out, part = text;
  for (std::int64_t left = times;;) {
    if (left % 2 == 1) out.append(part);
    left /= 2;
    if (left == 0) break;
    const Text half = part;
    part.append(half);
  }
  return Value::text(std::move(out));
}

}  // namespace

Expected<Value> arithmetic(std::string_view op, const Value& a, const Value& b) {
  if (op == "+") {
    if (a.as_text() != nullptr && b.as_text() != nullptr) {
      Text out = *a.as_text();
      SGL_TRY_STATUS(out.append_within(*b.as_text()));
      return Value::text(std::move(out));
    }
    if (a.as_list() != nullptr && b.as_list() != nullptr) {
      std::vector<Value> items = a.as_list()->items;
      items.insert(items.end(), b.as_list()->items.begin(), b.as_list()->items.end());
      return Value::list(std::move(items));
    }
  }
  if (op == "*" && a.as_text() != nullptr && b.integer()) return repeat(*a.as_text(), *b.integer());
  if (op == "%" && a.as_text() != nullptr) return base::invalid("formatting with % is not supported");
  const auto x = a.number(), y = b.number();
  if (!x || !y) return bad_operands(op, a, b);
  if ((op == "/" || op == "//" || op == "%") && *y == 0) return base::invalid("division by zero");
  if (a.integer() && b.integer() && op != "/" && !(op == "**" && *b.integer() < 0)) {
    const auto out = integer_result(op, *a.integer(), *b.integer());
    if (!out) return base::invalid("integer overflow");
    return Value(*out);
  }
  if (op == "+") return Value(*x + *y);
  if (op == "-") return Value(*x - *y);
  if (op == "*") return Value(*x * *y);
  if (op == "/") return Value(*x / *y);
  if (op == "//") return Value(std::floor(*x / *y));
  if (op == "**") return Value(std::pow(*x, *y));
  const double rest = std::fmod(*x, *y);
  return Value(rest != 0 && (rest < 0) != (*y < 0) ? rest + *y : rest);
}

Expected<bool> contains(const Value& container, const Value& item) {
  if (const Text* text = container.as_text()) {
    if (item.as_text() == nullptr) return bad_operands("in", item, container);
    return text->bytes.find(item.as_text()->bytes) != std::string::npos;
  }
  if (const List* list = container.as_list()) {
    return std::any_of(list->items.begin(), list->items.end(), [&](const Value& v) { return equal(v, item); });
  }
  if (const Dict* dict = container.as_dict())
    return item.as_text() != nullptr && dict->find(item.as_text()->bytes) != nullptr;
  if (container.undefined()) return false;
  return bad_operands("in", item, container);
}

Expected<Value> iterate(const Value& value) {
  if (value.as_list() != nullptr) return value;
  std::vector<Value> out;
  if (const Dict* dict = value.as_dict()) {
    for (const auto& [key, item] : dict->entries) out.push_back(Value::text(key));
    return Value::list(std::move(out));
  }
  if (const Text* text = value.as_text()) {
    const std::vector<std::size_t> offsets = code_point_offsets(text->bytes);
    if (offsets.size() > kMaxListItems)
      return base::over_limit("going over a string of more than a million characters");
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
      out.push_back(Value::text(text->slice(offsets[i], offsets[i + 1])));
    return Value::list(std::move(out));
  }
  if (value.undefined()) return Value::list({});
  return base::invalid(fmt::format("cannot iterate over {}", value.type_name()));
}

Value member(const Value& object, std::string_view name) {
  if (const Dict* dict = object.as_dict()) {
    if (const Value* value = dict->find(name)) return *value;
  }
  if (Namespace* const* space = object.as<Namespace*>()) {
    for (const auto& [key, value] : (*space)->entries) {
      if (key == name) return value;
    }
  }
  return Value(Undefined(name));
}

namespace {

Expected<std::optional<Value>> text_method(std::string_view name, const Text& self, const Arguments& args) {
  const auto result = [](Text text) { return std::optional(Value::text(std::move(text))); };
  const auto text_arg = [&](std::size_t i, std::string_view key) -> const Text* {
    const Value* value = args.get(i, key);
    return value == nullptr ? nullptr : value->as_text();
  };
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    SGL_TRY_STATUS(args.check(name, 1));
    const Text* chars = text_arg(0, "chars");
    return result(strip(self, chars != nullptr ? chars->bytes : "", name != "rstrip", name != "lstrip"));
  }
  if (name == "upper") return result(upper(self));
  if (name == "lower") return result(lower(self));
  if (name == "title") return result(title(self));
  if (name == "capitalize") return result(capitalize(self));
  if (name == "startswith" || name == "endswith") {
    SGL_TRY_STATUS(args.check(name, 1));
    const auto holds = [&](const Value& v) {
      const Text* part = v.as_text();
      return part != nullptr &&
             (name == "startswith" ? self.bytes.starts_with(part->bytes) : self.bytes.ends_with(part->bytes));
    };
    const Value* what = args.get(0, "");
    if (what != nullptr && what->as_list() != nullptr) {
      return std::optional(Value(std::any_of(what->as_list()->items.begin(), what->as_list()->items.end(), holds)));
    }
    if (what == nullptr || what->as_text() == nullptr) return base::invalid(fmt::format("{}: expected a string", name));
    return std::optional(Value(holds(*what)));
  }
  if (name == "replace") {
    SGL_TRY_STATUS(args.check(name, 3, {"count"}));
    const Text *from = text_arg(0, "old"), *to = text_arg(1, "new");
    if (from == nullptr || to == nullptr) return base::invalid("replace: expected two strings");
    const Value* limit = args.get(2, "count");
    SGL_TRY(Text replaced, replace(self, *from, *to, limit != nullptr ? limit->integer().value_or(-1) : -1));
    return result(std::move(replaced));
  }
  if (name == "split") {
    SGL_TRY_STATUS(args.check(name, 2, {"sep", "maxsplit"}));
    const Text* separator = text_arg(0, "sep");
    const Value* limit = args.get(1, "maxsplit");
    if (separator == nullptr && limit != nullptr)
      return base::invalid("split: maxsplit without separator is not supported");
    if (separator != nullptr && separator->bytes.empty()) return base::invalid("split: empty separator");
    SGL_TRY(std::vector<Text> parts,
            separator == nullptr
                ? split_whitespace(self)
                : split(self, separator->bytes, limit != nullptr ? limit->integer().value_or(-1) : -1));
    std::vector<Value> items;
    for (Text& part : parts) items.push_back(Value::text(std::move(part)));
    SGL_TRY(Value list, Value::list(std::move(items)));
    return std::optional(std::move(list));
  }
  if (name == "find" || name == "count") {
    SGL_TRY_STATUS(args.check(name, 1));
    const Text* what = text_arg(0, "");
    if (what == nullptr || what->bytes.empty())
      return base::invalid(fmt::format("{}: expected a string that is not empty", name));
    std::size_t at = self.bytes.find(what->bytes);
    if (name == "count") {
      std::int64_t count = 0;
      for (; at != std::string::npos; at = self.bytes.find(what->bytes, at + what->bytes.size())) ++count;
      return std::optional(Value(count));
    }
    if (at == std::string::npos) return std::optional(Value(std::int64_t{-1}));
    return std::optional(Value(static_cast<std::int64_t>(code_point_offsets(self.bytes.substr(0, at)).size()) - 1));
  }
  if (name == "join") {
    SGL_TRY_STATUS(args.check(name, 1));
    SGL_TRY(const Value items, iterate(args.positional.empty() ? Value() : args.positional[0]));
    Text out;
    for (const Value& item : items.as_list()->items) {
      if (item.as_text() == nullptr) return base::invalid("join: expected strings");
      if (&item != &items.as_list()->items.front()) SGL_TRY_STATUS(out.append_within(self));
      SGL_TRY_STATUS(out.append_within(*item.as_text()));
    }
    return result(std::move(out));
  }
  return std::optional<Value>();
}

Expected<std::optional<Value>> dict_method(std::string_view name, const Dict& self, const Arguments& args) {
  if (name == "get") {
    SGL_TRY_STATUS(args.check(name, 2));
    const Text* key = args.positional.empty() ? nullptr : args.positional[0].as_text();
    const Value* found = key == nullptr ? nullptr : self.find(key->bytes);
    if (found != nullptr) return std::optional(*found);
    return std::optional(args.positional.size() > 1 ? args.positional[1] : Value(None{}));
  }
  if (name != "items" && name != "keys" && name != "values") return std::optional<Value>();
  SGL_TRY_STATUS(args.check(name, 0));
  std::vector<Value> items;
  for (const auto& [key, value] : self.entries) {
    if (name == "items") {
      SGL_TRY(Value pair, Value::list({Value::text(key), value}));
      items.push_back(std::move(pair));
    } else {
      items.push_back(name == "keys" ? Value::text(key) : value);
    }
  }
  SGL_TRY(Value list, Value::list(std::move(items)));
  return std::optional(std::move(list));
}

}  // namespace

Expected<std::optional<Value>> call_method(std::string_view name, const Value& self, const Arguments& args) {
  if (const Text* text = self.as_text()) return text_method(name, *text, args);
  if (const Dict* dict = self.as_dict()) return dict_method(name, *dict, args);
  return std::optional<Value>();
}

Expected<bool> apply_test(std::string_view name, const Value& v, const Arguments& args) {
  const bool is_bool = v.as<bool>() != nullptr;
  if (name == "defined") return !v.undefined();
  if (name == "undefined") return v.undefined();
  if (name == "none") return v.none();
  if (name == "string") return v.as_text() != nullptr;
  if (name == "mapping") return v.as_dict() != nullptr;
  if (name == "iterable" || name == "sequence")
    return v.as_text() != nullptr || v.as_list() != nullptr || v.as_dict() != nullptr;
  if (name == "number") return v.number().has_value();
  if (name == "integer") return v.as<std::int64_t>() != nullptr;
  if (name == "float") return v.as<double>() != nullptr;
  if (name == "boolean") return is_bool;
  if (name == "true") return is_bool && *v.as<bool>();
  if (name == "false") return is_bool && !*v.as<bool>();
  if (name == "callable") return v.as<Builtin>() != nullptr || v.as<const Macro*>() != nullptr;
  const Value* other = args.get(0, "");
  if (name == "odd" || name == "even" || name == "divisibleby") {
    const std::int64_t by = name == "divisibleby" && other != nullptr ? other->integer().value_or(0)
                            : name == "divisibleby"                   ? 0
                                                                      : 2;
    if (!v.integer() || by == 0) return base::invalid(fmt::format("test '{}' does not take {}", name, v.type_name()));
    const std::int64_t rest = by == -1 ? 0 : *v.integer() % by;
    return name == "odd" ? rest != 0 : rest == 0;
  }
  if (name == "upper" || name == "lower") {
    if (v.as_text() == nullptr) return base::invalid(fmt::format("test '{}' does not take {}", name, v.type_name()));
    return (name == "upper" ? upper(*v.as_text()) : lower(*v.as_text())).bytes == v.as_text()->bytes;
  }
  if (other == nullptr) return base::invalid(fmt::format("test '{}' is not supported", name));
  if (name == "equalto" || name == "eq" || name == "sameas") return equal(v, *other);
  if (name == "ne") return !equal(v, *other);
  if (name == "in") return contains(*other, v);
  const std::optional<int> order = compare(v, *other);
  if (name == "lt" || name == "le" || name == "gt" || name == "ge") {
    if (!order) return base::invalid(fmt::format("cannot compare {} with {}", v.type_name(), other->type_name()));
    return name == "lt" ? *order < 0 : name == "le" ? *order <= 0 : name == "gt" ? *order > 0 : *order >= 0;
  }
  return base::invalid(fmt::format("test '{}' is not supported", name));
}

}  // namespace sgl::tokenizer::jinja
