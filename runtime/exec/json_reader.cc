#include "runtime/exec/json_reader.h"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/utf8.h"
#include "runtime/exec/json_members.h"
#include "runtime/exec/type_checks.h"

namespace sgl::exec {

using base::Error;
using plan::Type;
using plan::TypeId;
using plan::TypeKind;
using Json = JsonReader::Json;

namespace {

// Errors are made apart from those that recurse, whose frames stay small so.
[[gnu::noinline]] Error mismatch(std::string_view wanted, const Json& json, const JsonReader::Path& path) {
  return base::invalid(fmt::format("{}: expected {}, found {}", path.text(), wanted, json_kind(json)));
}

[[gnu::noinline]] Error too_deep(const JsonReader::Path& path) {
  constexpr std::size_t kShown = 60;
  const std::string text = path.text();
  return base::over_limit(fmt::format("{}{}: nested more than {} deep", text.substr(0, kShown),
                                      text.size() > kShown ? "…" : "", JsonReader::kMaxDepth));
}

[[gnu::noinline]] Error field_error(const JsonReader::Path& path, std::string_view name, const char* what) {
  return base::invalid(fmt::format("{}.{}: {}", path.text(), name, what));
}

// Precondition: there is one.
[[gnu::noinline]] Error unknown_field(const Type& type, const Json& json, const JsonReader::Path& path) {
  std::set<std::string_view> fields;
  for (const plan::Field& field : type.fields) fields.insert(field.name);
  for (const auto& [key, unused] : json.items()) {
    if (!fields.contains(key)) return field_error(path, key, "there is no such field");
  }
  return base::invalid(path.text() + ": an unknown field");
}

[[gnu::noinline]] Error wrong_size(const Type& type, std::size_t size, const JsonReader::Path& path) {
  return base::invalid(fmt::format("{}: the list has {} items, allowed are {}..{}", path.text(), size, type.min_size,
                                   type.max_size < 0 ? "" : std::to_string(type.max_size)));
}

base::Expected<Value> read_int(const Type& type, const Json& json, const JsonReader::Path& path) {
  if (!json.is_number_integer()) return mismatch("an int", json, path);
  if (beyond_int(json)) return base::invalid(path.text() + ": the number does not fit 64 bits");
  const auto number = json.get<std::int64_t>();
  if (!int_fits(type, number)) {
    return base::invalid(fmt::format("{}: {} is outside {}..{}", path.text(), number,
                                     type.min_int ? std::to_string(*type.min_int) : "",
                                     type.max_int ? std::to_string(*type.max_int) : ""));
  }
  return Value::integer(number);
}

base::Expected<Value> read_float(const Type& type, const Json& json, const JsonReader::Path& path) {
  if (!json.is_number()) return mismatch("a number", json, path);
  const auto number = json.get<double>();
  if (!float_fits(type, number)) return base::invalid(fmt::format("{}: {} is out of range", path.text(), number));
  return Value::real(number);
}

}  // namespace

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* json_kind(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "a bool";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "an int";
    case Json::value_t::number_float:
      return "a float";
    default:
      return "something else";
  }
}

std::string literal_json(const plan::Literal& literal) {
  switch (literal.kind) {
    case plan::Literal::Kind::kString:
      return dumped(Json(literal.text));
    case plan::Literal::Kind::kInt:
      return std::to_string(literal.number);
    case plan::Literal::Kind::kBool:
      return literal.number != 0 ? "true" : "false";
  }
  return "null";
}

Value literal_value(const plan::Literal& literal) {
  switch (literal.kind) {
    case plan::Literal::Kind::kString:
      return Value::string(literal.text);
    case plan::Literal::Kind::kInt:
      return Value::integer(literal.number);
    case plan::Literal::Kind::kBool:
      return Value::boolean(literal.number != 0);
  }
  return {};
}

bool int_fits(const Type& type, std::int64_t number) {
  return (!type.min_int || number >= *type.min_int) && (!type.max_int || number <= *type.max_int);
}

bool float_fits(const Type& type, double number) {
  return (!type.min_float || number >= *type.min_float) && (!type.max_float || number <= *type.max_float);
}

std::string JsonReader::Path::text() const {
  std::vector<const Path*> steps;
  for (const Path* step = this; step != nullptr; step = step->up) steps.push_back(step);
  std::string out(steps.back()->name);
  for (auto step = steps.rbegin() + 1; step != steps.rend(); ++step) {
    if ((*step)->name.empty()) {
      out += fmt::format("[{}]", (*step)->index);
    } else {
      out += '.';
      out += (*step)->name;
    }
  }
  return out;
}

JsonReader::Result JsonReader::read(TypeId type, const std::string& name) {
  return read(type, json_, Path{nullptr, name}, 0);
}

JsonReader::Result JsonReader::read_any(const std::string& name) {
  return read_any(json_, Path{nullptr, name}, 0);
}

JsonReader::Result JsonReader::read(TypeId id, const Json& json, const Path& path, int depth) {
  if (depth > kMaxDepth) return too_deep(path);
  if (!visit()) return too_ambiguous(path);
  const Type* type = &plan_.type(id);
  if (type->kind == TypeKind::kUnion) {
    const std::optional<TypeId> only = only_alternative(*type, json);
    if (!only) return read_union(*type, json, path, depth);
    id = *only;
    type = &plan_.type(id);
  }
  switch (type->kind) {
    case TypeKind::kList:
      return read_list(*type, json, path, depth);
    case TypeKind::kRecord:
      return read_record(id, *type, json, path, depth);
    case TypeKind::kJson:
      return read_json(*type, json, path, depth);
    default:
      return read_scalar(id, *type, json, path);
  }
}

JsonReader::Result JsonReader::read_any(const Json& json, const Path& path, int depth) {
  if (depth > kMaxDepth) return too_deep(path);
  if (json.is_null()) return Value();
  if (json.is_boolean()) return Value::boolean(json.get<bool>());
  if (beyond_int(json)) return Value::real(json.get<double>());  // as integers that are larger still
  if (json.is_number_integer()) return Value::integer(json.get<std::int64_t>());
  if (json.is_number()) return Value::real(json.get<double>());
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (!base::is_valid_utf8(text)) return base::invalid(path.text() + ": the string is not UTF-8");
    return Value::string(text);
  }
  std::vector<Value> items;
  if (json.is_array()) {
    for (const Json& item : json) {
      SGL_TRY(Value value, read_any(item, path, depth + 1));
      items.push_back(std::move(value));
    }
    return Value::list(items);
  }
  if (!json.is_object()) return mismatch("JSON", json, path);
  for (const auto& [key, value] : json.items()) {
    if (!base::is_valid_utf8(key)) return base::invalid(path.text() + ": a name is not UTF-8");
    SGL_TRY(Value made, read_any(value, path, depth + 1));
    items.push_back(Value::string(key));
    items.push_back(std::move(made));
  }
  return Value::map(items);
}

// Apart from `read`, so that a level of the recursion costs the stack no more than it has to.
[[gnu::noinline]] JsonReader::Result JsonReader::read_scalar(TypeId id, const Type& type, const Json& json,
                                                             const Path& path) {
  switch (type.kind) {
    case TypeKind::kNull:
      return json.is_null() ? Result(Value()) : mismatch("null", json, path);
    case TypeKind::kBool:
      if (!json.is_boolean()) return mismatch("a bool", json, path);
      return Value::boolean(json.get<bool>());
    case TypeKind::kInt:
      return read_int(type, json, path);
    case TypeKind::kFloat:
      return read_float(type, json, path);
    case TypeKind::kString:
    case TypeKind::kRegex:
    case TypeKind::kGrammar:
      return read_string(id, type, json, path);
    case TypeKind::kLiteral:
      if (!literal_fits(type.literal, json)) return mismatch(literal_json(type.literal), json, path);
      return literal_value(type.literal);
    default:
      return base::invalid(path.text() + ": unknown type");
  }
}

JsonReader::Result JsonReader::read_string(TypeId id, const Type& type, const Json& json, const Path& path) {
  if (!json.is_string()) return mismatch("a string", json, path);
  const auto& text = json.get_ref<const std::string&>();
  if (!base::is_valid_utf8(text)) return base::invalid(path.text() + ": the string is not UTF-8");
  if (type.kind == TypeKind::kString && type.pattern.empty() && type.format.empty()) {
    const std::size_t size = base::count_code_points(text);
    if (!size_fits(type, size)) {
      return base::invalid(fmt::format("{}: the string has {} characters, allowed are {}..{}", path.text(), size,
                                       type.min_size, type.max_size < 0 ? "" : std::to_string(type.max_size)));
    }
    return Value::string(text);
  }
  SGL_TRY(const bool fits, TypeChecks::shared().text_fits(plan_, id, text));
  if (!fits) {
    return base::invalid(fmt::format("{}: the string does not have the form its type asks for", path.text()));
  }
  return Value::string(text);
}

JsonReader::Result JsonReader::read_list(const Type& type, const Json& json, const Path& path, int depth) {
  if (!json.is_array()) return mismatch("a list", json, path);
  if (!size_fits(type, json.size())) return wrong_size(type, json.size(), path);
  std::vector<Value> items;
  for (std::size_t i = 0; i < json.size(); ++i) {
    SGL_TRY(Value item, read(type.args[0], json[i], Path{&path, {}, i}, depth + 1));
    items.push_back(std::move(item));
  }
  return Value::list(items);
}

JsonReader::Result JsonReader::read_record(TypeId id, const Type& type, const Json& json, const Path& path, int depth) {
  if (!json.is_object()) return mismatch("an object", json, path);
  JsonMembers members(json);
  std::size_t known = 0;
  std::vector<Value> fields;
  for (const plan::Field& field : type.fields) {
    const Json* const member = members.find(field.name);
    if (member == nullptr) {
      if (!field.optional) return field_error(path, field.name, "the field is missing");
      fields.emplace_back();
      continue;
    }
    ++known;
    SGL_TRY(Value value, read(field.type, *member, Path{&path, field.name}, depth + 1));
    fields.push_back(std::move(value));
  }
  if (known != json.size()) return unknown_field(type, json, path);
  return Value::record(id, fields);
}

JsonReader::Result JsonReader::read_json(const Type& type, const Json& json, const Path& path, int depth) {
  SGL_TRY(Value value, read_any(json, path, depth));
  if (type.pattern.empty()) return value;
  // In the schema's spelling of it, for constraints are about texts. What was read is not deep, so it can be written.
  const auto fits = TypeChecks::shared().json_fits(type, dumped(json));
  if (!fits.ok()) return base::invalid(fmt::format("{}: its JSON Schema: {}", path.text(), fits.error().message));
  if (!*fits) {
    return base::invalid(fmt::format("{}: the JSON Schema{} does not allow the value", path.text(),
                                     type.format.empty() ? "" : fmt::format(" of \"{}\"", type.format)));
  }
  return value;
}

}  // namespace sgl::exec
