#include "runtime/constraint/schema_parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/utf8.h"
#include "runtime/constraint/char_dfa_build.h"

namespace sgl::constraint {
namespace {

// The dialect by `$schema`: 4, 6, 7, 2019, 2020; the newest when it does not say.
int dialect(const Json& root) {
  const auto it = root.is_object() ? root.find("$schema") : root.end();
  if (!root.is_object() || it == root.end() || !it->is_string()) return 2020;
  const std::string uri = it->get<std::string>();
  for (const auto& [part, year] :
       {std::pair{"draft-03", 3}, {"draft-04", 4}, {"draft-06", 6}, {"draft-07", 7}, {"2019-09", 2019}}) {
    if (uri.find(part) != std::string::npos) return year;
  }
  return 2020;
}

constexpr const char* kTooLong = "numbers of more than 400 digits are not supported";

// How deep the JSON text nests; strings do not count.
std::size_t nesting(std::string_view text) {
  std::size_t depth = 0, most = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      most = std::max(most, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return most;
}

std::string at(const std::string& pointer, const std::string& key) {
  return pointer + "/" + escape_pointer(key);
}

}  // namespace

SchemaParser::SchemaParser(const Json& root, const SchemaOptions& options)
    : root_(root),
      options_(options),
      overriding_refs_(dialect(root) <= 7),
      refs_(root, dialect(root) <= 4 || (root.is_object() && !root.contains("$schema") && !root.contains("$id"))) {
  doc_.nodes.resize(2);
  doc_.nodes[kFalseNode].allowed = 0;
}

SchemaDoc SchemaParser::run() {
  const auto dialect_uri = root_.is_object() ? root_.find("$schema") : root_.end();
  if (root_.is_object() && dialect_uri != root_.end() && dialect_uri->is_string() &&
      dialect_uri->get<std::string>().find("json-schema.org/") == std::string::npos) {
    unsupported("/$schema", "a dialect of its own; those of json-schema.org are known");
  }
  doc_.root = node({&root_, "", refs_.root_base()});
  while (!pending_.empty() && !doc_.problem) {
    const Pending next = std::move(pending_.front());
    pending_.pop_front();
    read(next.node, next.place);
    if (late()) break;
  }
  tell_apart();
  return std::move(doc_);
}

void SchemaParser::problem(SchemaStatus status, std::string pointer, std::string message) {
  if (!doc_.problem) doc_.problem = {status, std::move(pointer), std::move(message)};
}

bool SchemaParser::late() {
  if (std::chrono::steady_clock::now() - begun_ <= options_.limits.time) return false;
  problem(SchemaStatus::kTimeout, "", "compiling takes too long");
  return true;
}

bool SchemaParser::too_much(const CharDfa& dfa, const std::string& pointer) {
  automata_bytes_ += CharDfaBuilder::bytes(dfa);
  if (automata_bytes_ <= options_.limits.automata_bytes) return false;
  problem(SchemaStatus::kLimit, pointer, "the schema's patterns and texts need too much memory");
  return true;
}

void SchemaParser::unsupported(const std::string& pointer, std::string message) {
  if (options_.unsupported == Unsupported::kIgnore) {
    doc_.ignored.push_back(pointer);
  } else {
    problem(SchemaStatus::kUnsupported, pointer, std::move(message));
  }
}

NodeIndex SchemaParser::node(const Place& place) {
  if (place.value->is_boolean()) return place.value->get<bool>() ? kTrueNode : kFalseNode;
  if (!place.value->is_object()) {
    problem(SchemaStatus::kInvalid, place.pointer, "a schema is an object or a boolean");
    return kTrueNode;
  }
  if (place.value->empty()) return kTrueNode;
  const auto [it, fresh] = nodes_.try_emplace(place.value, static_cast<NodeIndex>(doc_.nodes.size()));
  if (fresh) {
    doc_.nodes.emplace_back().pointer = place.pointer;
    pending_.push_back({it->second, place});
  }
  return it->second;
}

NodeIndex SchemaParser::child(const Place& parent, const std::string& key) {
  return node({&*parent.value->find(key), at(parent.pointer, key), parent.base});
}
NodeIndex SchemaParser::child(const Place& parent, const std::string& key, std::size_t index) {
  return node({&(*parent.value->find(key))[index], at(parent.pointer, key) + "/" + std::to_string(index), parent.base});
}
NodeIndex SchemaParser::child(const Place& parent, const std::string& key, const std::string& name, const Json& value) {
  return node({&value, at(at(parent.pointer, key), name), parent.base});
}
std::vector<NodeIndex> SchemaParser::children(const Place& parent, const std::string& key) {
  const Json& list = *parent.value->find(key);
  if (!list.is_array()) problem(SchemaStatus::kInvalid, at(parent.pointer, key), "must be a list of schemas");
  std::vector<NodeIndex> out;
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) out.push_back(child(parent, key, i));
  return out;
}

void SchemaParser::read(NodeIndex index, const Place& outer) {
  const Place place{outer.value, outer.pointer, refs_.base_of(*outer.value, outer.base)};
  SchemaNode out;
  out.pointer = place.pointer;
  const auto ref = place.value->find("$ref");
  if (ref != place.value->end() && ref->is_string()) {
    reference(out, overriding_refs_ ? outer : place, *ref);
    if (overriding_refs_) {
      doc_.nodes[index] = std::move(out);
      return;
    }
  }
  for (const auto& [key, value] : place.value->items()) keyword(out, place, key, value);
  for (const char* key : {"unevaluatedProperties", "unevaluatedItems"}) {
    if (place.value->contains(key)) unevaluated(out, place, key);
  }
  doc_.nodes[index] = std::move(out);
}

void SchemaParser::reference(SchemaNode& out, const Place& place, const Json& value) {
  const std::string target = value.get<std::string>();
  const Place found = refs_.find(target, place.base);
  if (found.value == nullptr) {
    return unsupported(at(place.pointer, "$ref"),
                       fmt::format("'{}' is not in this document, and others are not read", target));
  }
  out.ref = node(found);
}

void SchemaParser::keyword(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  if (key == "$dynamicRef" || key == "$recursiveRef") {
    return unsupported(at(place.pointer, key), fmt::format("{} is not supported", key));
  }
  // Other keywords are annotations.
  (void)(general(out, place, key, value) || number(out, place, key, value) || text(out, place, key, value) ||
         array(out, place, key, value) || object(out, place, key, value) || logic(out, place, key, value));
}

void SchemaParser::type(SchemaNode& out, const Place& place, const Json& value) {
  static const std::pair<const char*, Types> kNames[] = {{"null", types::kNull},       {"boolean", types::kBoolean},
                                                         {"integer", types::kInteger}, {"number", types::kNumber},
                                                         {"string", types::kString},   {"array", types::kArray},
                                                         {"object", types::kObject}};
  const auto add = [&](const Json& item) {
    const std::string* text = item.get_ptr<const std::string*>();
    const auto known = std::find_if(std::begin(kNames), std::end(kNames),
                                    [&](const auto& entry) { return text != nullptr && *text == entry.first; });
    if (known == std::end(kNames)) {
      return problem(SchemaStatus::kInvalid, at(place.pointer, "type"),
                     fmt::format("{} is not a type", json_text(item)));
    }
    out.allowed |= known->second;
  };
  out.allowed = 0;
  if (!value.is_array()) return add(value);
  for (const Json& item : value) add(item);
}

bool SchemaParser::general(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  if (key == "type") {
    type(out, place, value);
  } else if (key == "enum" || key == "const") {
    if (key == "enum" && !value.is_array()) {
      problem(SchemaStatus::kInvalid, at(place.pointer, key), "must be a list of values");
      return true;
    }
    ValueSet& set = out.values.emplace_back();
    if (key == "const") {
      add_value(set, value, at(place.pointer, key));
    } else {
      for (const Json& item : value) add_value(set, item, at(place.pointer, key));
    }
    finish_values(set, at(place.pointer, key));
  } else {
    return false;
  }
  return true;
}

void SchemaParser::add_value(ValueSet& set, const Json& value, const std::string& pointer) {
  if (value.is_null()) {
    set.words |= types::kNull;
  } else if (value.is_boolean()) {
    set.words |= value.get<bool>() ? types::kTrue : types::kFalse;
  } else if (value.is_string()) {
    set.strings.push_back(value.get<std::string>());
  } else if (is_number(value)) {
    const auto number = Decimal::parse(number_text(value));
    if (!number) return unsupported(pointer, kTooLong);
    set.numbers.push_back(*number);
  } else {
    set.composites.push_back(exactly(value, pointer));
  }
}

void SchemaParser::finish_values(ValueSet& set, const std::string& pointer) {
  if (set.strings.empty()) return;
  auto made = CharDfa::texts(set.strings, {});
  if (!made) return problem(SchemaStatus::kLimit, pointer, made.error().message);
  if (!too_much(**made, pointer)) set.text = std::move(made).value();
}

// A schema of one array or object.
NodeIndex SchemaParser::exactly(const Json& value, const std::string& pointer) {
  SchemaNode out;
  out.pointer = pointer;
  if (value.is_array()) {
    out.allowed = types::kArray;
    for (const Json& item : value) out.prefix.push_back(exactly(item, pointer));
    out.items = kFalseNode;
    out.min_items = static_cast<std::int64_t>(value.size());
  } else if (value.is_object()) {
    out.allowed = types::kObject;
    for (const auto& [name, item] : value.items()) {
      out.properties.emplace_back(name, exactly(item, pointer));
      out.required.push_back(name);
    }
    out.additional = kFalseNode;
  } else {
    add_value(out.values.emplace_back(), value, pointer);
    finish_values(out.values.back(), pointer);
  }
  doc_.nodes.push_back(std::move(out));
  return static_cast<NodeIndex>(doc_.nodes.size() - 1);
}

bool SchemaParser::number(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  const bool exclusive = key == "exclusiveMinimum" || key == "exclusiveMaximum";
  if (!exclusive && key != "minimum" && key != "maximum" && key != "multipleOf") return false;
  if (exclusive && value.is_boolean()) {  // draft 4: of `minimum` beside it
    if (value.get<bool>()) (key == "exclusiveMinimum" ? out.exclusive_min : out.exclusive_max) = true;
    return true;
  }
  if (!is_number(value)) {
    problem(SchemaStatus::kInvalid, at(place.pointer, key), "must be a number");
    return true;
  }
  const auto number = Decimal::parse(number_text(value));
  if (!number) {
    unsupported(at(place.pointer, key), kTooLong);
    return true;
  }
  if (key == "multipleOf") {
    if (number->digits.empty() || number->negative)
      problem(SchemaStatus::kInvalid, at(place.pointer, key), "must be above 0");
    out.multiple_of = number;
    return true;
  }
  // `minimum` and `exclusiveMinimum` may both be there: the stronger one holds.
  const bool lower = key == "minimum" || key == "exclusiveMinimum";
  std::optional<Decimal>& bound = lower ? out.min : out.max;
  bool& strict = lower ? out.exclusive_min : out.exclusive_max;
  const int order = bound ? Decimal::compare(*number, *bound) : (lower ? 1 : -1);
  if (!bound || (lower ? order > 0 : order < 0)) {
    const bool draft4 = !bound && strict && !exclusive;  // the boolean came first
    bound = number;
    strict = exclusive || draft4;
  } else if (order == 0) {
    strict = strict || exclusive;
  }
  return true;
}

std::int64_t SchemaParser::count(const Place& place, const std::string& key, const Json& value) {
  constexpr std::size_t kMaxDigits = 15;
  const auto number = is_number(value) ? Decimal::parse(number_text(value)) : std::nullopt;
  if (number && number->is_integer() && !number->negative) {
    if (number->digits.size() > kMaxDigits) return 1'000'000'000'000'000;  // more than any text has
    return number->digits.empty() ? 0 : std::stoll(number->digits);
  }
  problem(SchemaStatus::kInvalid, at(place.pointer, key), "must be a whole number, 0 or more");
  return 0;
}

std::shared_ptr<const CharDfa> SchemaParser::pattern(const std::string& pointer, const std::string& text) {
  if (late()) return nullptr;  // a schema may have very many, each within its own limits
  auto made = CharDfa::pattern(text, true, {});
  if (made) return too_much(**made, pointer) ? nullptr : std::move(made).value();
  if (made.error().kind == base::ErrorKind::kLimit) {
    problem(SchemaStatus::kLimit, pointer, made.error().message);
  } else {
    unsupported(pointer, made.error().message);
  }
  return nullptr;
}

bool SchemaParser::text(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  const std::string pointer = at(place.pointer, key);
  if (key == "minLength") {
    out.min_chars = count(place, key, value);
  } else if (key == "maxLength") {
    out.max_chars = count(place, key, value);
  } else if (key == "pattern") {
    if (!value.is_string()) {
      problem(SchemaStatus::kInvalid, pointer, "must be a string");
    } else if (auto dfa = pattern(pointer, value.get<std::string>())) {
      out.texts.push_back(std::move(dfa));
    }
  } else if (key == "format" && value.is_string()) {
    auto made = CharDfa::format(value.get<std::string>(), {});
    if (options_.formats == Formats::kAnnotate) {
      doc_.ignored.push_back(pointer);
    } else if (!made) {
      problem(SchemaStatus::kLimit, pointer, made.error().message);
    } else if (*made == nullptr) {
      doc_.ignored.push_back(pointer);  // an annotation, as the specification says
    } else {
      out.texts.push_back(std::move(made).value());
    }
  } else {
    return false;
  }
  return true;
}

SchemaDoc parse_schema(std::string_view text, const SchemaOptions& options) {
  SchemaDoc failed;
  if (text.size() > options.limits.max_bytes) {
    failed.problem = {SchemaStatus::kLimit, "",
                      fmt::format("{} bytes, more than {}", text.size(), options.limits.max_bytes)};
    return failed;
  }
  if (nesting(text) > options.limits.max_nesting) {
    failed.problem = {SchemaStatus::kLimit, "", fmt::format("nested more than {} deep", options.limits.max_nesting)};
    return failed;
  }
  if (!base::is_valid_utf8(text)) {
    failed.problem = {SchemaStatus::kInvalid, "", "not valid UTF-8"};
    return failed;
  }
  JsonFault fault;
  const std::optional<Json> root = read_json(text, fault, options.numbers);
  if (!root) {
    failed.problem = {fault.too_large ? SchemaStatus::kUnsupported : SchemaStatus::kInvalid, std::move(fault.pointer),
                      std::move(fault.why)};
    return failed;
  }
  return SchemaParser(*root, options).run();
}

}  // namespace sgl::constraint
