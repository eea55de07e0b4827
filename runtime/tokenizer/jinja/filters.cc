// Filters of the template language.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "runtime/tokenizer/jinja/interpreter.h"

namespace sgl::tokenizer::jinja {

using base::Expected;

namespace {

constexpr std::size_t kMaxArguments = 16;  // of a filter that another one applies, its name among them

Expected<Text> as_text(std::string_view filter, const Value& v) {
  if (v.undefined()) return base::invalid(fmt::format("filter '{}' on an undefined value", filter));
  return to_text(v);
}

// An item's attribute, by a path like "function.name".
Value attribute(const Value& item, std::string_view path) {
  Value at = item;
  while (!path.empty() && work()) {
    const std::size_t dot = path.find('.');
    at = member(at, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at;
}

Expected<Value> filter_tojson(const Value& v, const Arguments& args) {
  SGL_TRY_STATUS(args.check("tojson", 1, {"indent", "ensure_ascii", "separators", "sort_keys"}));
  JsonStyle style;
  if (const Value* indent = args.get(0, "indent"); indent != nullptr && !indent->none()) {
    const auto spaces = indent->integer();
    if (!spaces || *spaces < 0 || *spaces > 100) return base::invalid("tojson: indent must be between 0 and 100");
    style.indent = static_cast<int>(*spaces);
  }
  if (const Value* ascii = args.get(9, "ensure_ascii")) style.ascii = ascii->truthy();
  if (const Value* sort = args.get(9, "sort_keys")) style.sort_keys = sort->truthy();
  if (const Value* separators = args.get(9, "separators"); separators != nullptr && !separators->none()) {
    const List* pair = separators->as_list();
    if (pair == nullptr || pair->items.size() != 2 || pair->items[0].as_text() == nullptr ||
        pair->items[1].as_text() == nullptr) {
      return base::invalid("tojson: separators must be two strings");
    }
    style.item_separator = pair->items[0].as_text()->bytes;
    style.key_separator = pair->items[1].as_text()->bytes;
  }
  SGL_TRY(Text out, to_json(v, style));
  return Value::text(std::move(out));
}

Expected<Value> filter_indent(const Value& v, const Arguments& args) {
  SGL_TRY_STATUS(args.check("indent", 3, {"width", "first", "blank"}));
  SGL_TRY(const Text text, as_text("indent", v));
  const Value *width = args.get(0, "width"), *first = args.get(1, "first"), *blank = args.get(2, "blank");
  const std::int64_t spaces = width == nullptr ? 4 : width->integer().value_or(-1);
  if (spaces < 0 || spaces > 1000) return base::invalid("indent: width must be between 0 and 1000");
  const Text margin(std::string(static_cast<std::size_t>(spaces), ' '));
  Text out;
  SGL_TRY(const std::vector<Text> lines, split(text, "\n", -1));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) SGL_TRY_STATUS(out.append_within(Text("\n")));
    const bool wanted =
        i > 0 ? !lines[i].bytes.empty() || (blank != nullptr && blank->truthy()) : first != nullptr && first->truthy();
    if (wanted) SGL_TRY_STATUS(out.append_within(margin));
    SGL_TRY_STATUS(out.append_within(lines[i]));
  }
  return Value::text(std::move(out));
}

// map, select, reject, selectattr, rejectattr.
Expected<Value> filter_each(std::string_view name, const Value& v, Arguments args) {
  // A filter or test takes no more; one that is given the names of further filters would go as deep as they are many.
  if (args.positional.size() > kMaxArguments) return base::invalid(fmt::format("{}: too many arguments", name));
  SGL_TRY(const Value list, iterate(v));
  const std::vector<Value>& items = list.as_list()->items;
  std::vector<Value> out;
  if (name == "map" && args.positional.empty()) {
    SGL_TRY_STATUS(args.check("map", 0, {"attribute", "default"}));
    const Value *path = args.get(9, "attribute"), *otherwise = args.get(9, "default");
    if (path == nullptr || path->as_text() == nullptr)
      return base::invalid("map: expected attribute= or the name of a filter");
    for (const Value& item : items) {
      Value found = attribute(item, path->as_text()->bytes);
      out.push_back(found.undefined() && otherwise != nullptr ? *otherwise : std::move(found));
    }
    return Value::list(std::move(out));
  }
  // The first arguments are an attribute (…attr) and the name of a filter or test; the rest is for that one.
  const auto take = [&]() -> std::optional<std::string> {
    if (args.positional.empty() || args.positional[0].as_text() == nullptr) return std::nullopt;
    std::string text = args.positional[0].as_text()->bytes;
    args.positional.erase(args.positional.begin());
    return text;
  };
  const bool of_attribute = name.ends_with("attr");
  const std::optional<std::string> path = of_attribute ? take() : std::string();
  if (!path) return base::invalid(fmt::format("{}: expected the name of an attribute", name));
  const std::optional<std::string> which = take();
  if (name == "map" && !which) return base::invalid("map: expected the name of a filter");
  for (const Value& item : items) {
    if (name == "map") {
      SGL_TRY(Value mapped, apply_filter(*which, item, args));
      out.push_back(std::move(mapped));
      SGL_TRY_STATUS(heap_status());
      continue;
    }
    const Value subject = of_attribute ? attribute(item, *path) : item;
    bool holds = subject.truthy();
    if (which) {
      SGL_TRY(holds, apply_test(*which, subject, args));
    }
    if (holds == name.starts_with("select")) out.push_back(item);
  }
  return Value::list(std::move(out));
}

// Strings as sequences of characters, without making a list of them.
Expected<Value> filter_characters(std::string_view name, const Text& text) {
  const std::vector<std::size_t> offsets = code_point_offsets(text.bytes);
  const std::size_t count = offsets.size() - 1;
  if (name == "reverse") {
    Text out;
    for (std::size_t i = count; i > 0; --i) out.append(text.slice(offsets[i - 1], offsets[i]));
    return Value::text(std::move(out));
  }
  if (count == 0) return Value(Undefined(name));
  const std::size_t at = name == "first" ? 0 : count - 1;
  return Value::text(text.slice(offsets[at], offsets[at + 1]));
}

Expected<Value> filter_join(const std::vector<Value>& items, const Arguments& args) {
  SGL_TRY_STATUS(args.check("join", 2, {"d", "attribute"}));
  const Value *separator = args.get(0, "d"), *path = args.get(1, "attribute");
  SGL_TRY(const Text between, separator == nullptr ? Expected<Text>(Text()) : to_text(*separator));
  Text out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) SGL_TRY_STATUS(out.append_within(between));
    SGL_TRY(const Text part,
            to_text(path != nullptr && path->as_text() != nullptr ? attribute(items[i], path->as_text()->bytes)
                                                                  : items[i]));
    SGL_TRY_STATUS(out.append_within(part));
  }
  return Value::text(std::move(out));
}

Expected<Value> filter_sequence(std::string_view name, const Value& v, const Arguments& args) {
  if (v.as_text() != nullptr && (name == "first" || name == "last" || name == "reverse"))
    return filter_characters(name, *v.as_text());
  SGL_TRY(const Value list, iterate(v));
  if (name == "list") return list;
  if (name == "join") return filter_join(list.as_list()->items, args);
  if (name == "first" || name == "last") {
    const std::vector<Value>& all = list.as_list()->items;
    if (all.empty()) return Value(Undefined(name));
    return name == "first" ? all.front() : all.back();
  }
  std::vector<Value> items = list.as_list()->items;
  if (name == "reverse") {
    std::reverse(items.begin(), items.end());
    return Value::list(std::move(items));
  }
  if (name == "unique") {
    std::vector<Value> kept;
    for (const Value& item : items) {
      if (std::none_of(kept.begin(), kept.end(), [&](const Value& k) { return equal(k, item); })) kept.push_back(item);
      if (kept.size() > 10'000) return base::over_limit("unique: more than 10,000 different items");
    }
    return Value::list(std::move(kept));
  }
  // sort; Jinja ignores case unless told otherwise.
  SGL_TRY_STATUS(args.check("sort", 1, {"reverse", "case_sensitive", "attribute"}));
  const Value *descending = args.get(0, "reverse"), *exact = args.get(9, "case_sensitive"),
              *path = args.get(9, "attribute");
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : items) {
    Value key = path != nullptr && path->as_text() != nullptr ? attribute(item, path->as_text()->bytes) : item;
    if (key.as_text() != nullptr && (exact == nullptr || !exact->truthy())) key = Value::text(lower(*key.as_text()));
    if (!keyed.empty() && !compare(keyed.front().first, key)) return base::invalid("sort: the items have no order");
    if (!compare(key, key)) return base::invalid("sort: the items have no order");
    keyed.emplace_back(std::move(key), std::move(item));
    SGL_TRY_STATUS(heap_status());
  }
  const bool down = descending != nullptr && descending->truthy();
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    const int order = compare(a.first, b.first).value_or(0);
    return down ? order > 0 : order < 0;
  });
  items.clear();
  for (auto& [key, item] : keyed) items.push_back(std::move(item));
  return Value::list(std::move(items));
}

Expected<Value> filter_number(std::string_view name, const Value& v, const Arguments& args) {
  const Value* otherwise = args.get(0, "default");
  double number = 0;
  bool known = false;
  if (const auto n = v.number()) {
    number = *n, known = true;
    if (name == "int" && v.integer()) return Value(*v.integer());
    if (name == "abs" && v.integer() && *v.integer() != INT64_MIN) return Value(std::abs(*v.integer()));
  } else if (const Text* text = v.as_text(); text != nullptr && name != "abs") {
    const Text trimmed = strip(*text, "", true, true);
    const char *begin = trimmed.bytes.data(), *end = begin + trimmed.bytes.size();
    std::int64_t whole = 0;
    if (const auto r = std::from_chars(begin, end, whole); name == "int" && r.ec == std::errc() && r.ptr == end)
      return Value(whole);
    const auto r = std::from_chars(begin, end, number);
    known = r.ec == std::errc() && r.ptr == end;
  }
  if (name == "abs") {
    if (!known) return base::invalid(fmt::format("filter 'abs' does not take {}", v.type_name()));
    return Value(std::fabs(number));
  }
  if (!known) return otherwise != nullptr ? *otherwise : name == "int" ? Value(std::int64_t{0}) : Value(0.0);
  if (name == "float") return Value(number);
  if (!(std::fabs(number) < 9e18)) return base::invalid("int: out of range");
  return Value(static_cast<std::int64_t>(number));
}

Expected<Value> filter_text(std::string_view name, const Value& v, const Arguments& args) {
  SGL_TRY(Text text, as_text(name, v));
  if (name == "trim") {
    SGL_TRY_STATUS(args.check(name, 1, {"chars"}));
    const Value* chars = args.get(0, "chars");
    return Value::text(
        strip(text, chars != nullptr && chars->as_text() != nullptr ? chars->as_text()->bytes : "", true, true));
  }
  if (name == "replace") {
    SGL_TRY_STATUS(args.check(name, 3, {"count"}));
    if (args.positional.size() < 2) return base::invalid("replace: expected two strings");
    SGL_TRY(const Text from, to_text(args.positional[0]));
    SGL_TRY(const Text to, to_text(args.positional[1]));
    const Value* limit = args.get(2, "count");
    SGL_TRY(Text replaced, replace(text, from, to, limit != nullptr ? limit->integer().value_or(-1) : -1));
    return Value::text(std::move(replaced));
  }
  SGL_TRY_STATUS(args.check(name, 0));
  if (name == "upper") return Value::text(upper(text));
  if (name == "lower") return Value::text(lower(text));
  if (name == "capitalize") return Value::text(capitalize(text));
  if (name == "title") return Value::text(title(text));
  return Value::text(std::move(text));  // string, safe
}

}  // namespace

Expected<Value> apply_filter(std::string_view name, const Value& v, const Arguments& args) {
  const auto among = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (name == "default" || name == "d") {
    SGL_TRY_STATUS(args.check(name, 2, {"default_value", "boolean"}));
    const Value *otherwise = args.get(0, "default_value"), *boolean = args.get(1, "boolean");
    const bool missing = v.undefined() || (boolean != nullptr && boolean->truthy() && !v.truthy());
    if (!missing) return v;
    return otherwise != nullptr ? *otherwise : Value::text(Text());
  }
  if (among({"safe", "string"}) && v.undefined()) return Value::text(Text());
  if (among({"trim", "replace", "upper", "lower", "capitalize", "title", "string", "safe"}))
    return filter_text(name, v, args);
  if (name == "tojson") return filter_tojson(v, args);
  if (name == "length" || name == "count") {
    if (const Text* t = v.as_text()) return Value(static_cast<std::int64_t>(code_point_offsets(t->bytes).size()) - 1);
    if (const List* l = v.as_list()) return Value(static_cast<std::int64_t>(l->items.size()));
    if (const Dict* d = v.as_dict()) return Value(static_cast<std::int64_t>(d->entries.size()));
    if (v.undefined()) return Value(std::int64_t{0});
    return base::invalid(fmt::format("filter 'length' does not take {}", v.type_name()));
  }
  if (name == "items" || name == "dictsort") {
    if (v.undefined()) return Value::list({});
    if (v.as_dict() == nullptr) return base::invalid(fmt::format("filter '{}' does not take {}", name, v.type_name()));
    SGL_TRY(std::optional<Value> items, call_method("items", v, {}));
    if (name == "items") return *std::move(items);
    SGL_TRY_STATUS(args.check(name, 0));
    return filter_sequence("sort", *items, {});
  }
  if (name == "indent") return filter_indent(v, args);
  if (among({"map", "select", "reject", "selectattr", "rejectattr"})) return filter_each(name, v, args);
  if (among({"list", "first", "last", "reverse", "unique", "join", "sort"})) return filter_sequence(name, v, args);
  if (among({"int", "float", "abs"})) return filter_number(name, v, args);
  return base::invalid(fmt::format("filter '{}' is not supported", name));
}

}  // namespace sgl::tokenizer::jinja
