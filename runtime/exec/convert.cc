#include "runtime/exec/convert.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "runtime/base/utf8.h"
#include "runtime/exec/ops.h"
#include "runtime/exec/type_checks.h"

namespace sgl::exec {

using base::Error;
using base::ErrorKind;
using Json = nlohmann::ordered_json;
using plan::Type;
using plan::TypeId;
using plan::TypeKind;

namespace {

std::string literal_json(const plan::Literal& literal) {
  switch (literal.kind) {
    case plan::Literal::Kind::kString:
      return Json(literal.text).dump(-1, ' ', false, Json::error_handler_t::replace);
    case plan::Literal::Kind::kInt:
      return std::to_string(literal.number);
    case plan::Literal::Kind::kBool:
      return literal.number != 0 ? "true" : "false";
  }
  return "null";
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

class JsonReader {
 public:
  explicit JsonReader(const plan::Plan& plan) : plan_(plan) {}

  base::Expected<Value> read(TypeId id, const Json& json, const std::string& path, int depth) {
    if (depth > kMaxDepth) return too_deep(path);
    const Type& type = plan_.type(id);
    switch (type.kind) {
      case TypeKind::kList:
        return read_list(type, json, path, depth);
      case TypeKind::kRecord:
        return read_record(id, type, json, path, depth);
      case TypeKind::kUnion:
        return read_union(type, json, path, depth);
      case TypeKind::kJson:
        return read_json(type, json, path, depth);
      default:
        return read_scalar(id, type, json, path);
    }
  }

  // Any value, whatever its type: objects become maps.
  base::Expected<Value> read_any(const Json& json, const std::string& path, int depth) {
    if (depth > kMaxDepth) return too_deep(path);
    if (json.is_null()) return Value();
    if (json.is_boolean()) return Value::boolean(json.get<bool>());
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
      return Value::real(json.get<double>());  // as integers that are larger still
    }
    if (json.is_number_integer()) return Value::integer(json.get<std::int64_t>());
    if (json.is_number()) return Value::real(json.get<double>());
    if (json.is_string()) {
      const auto& text = json.get_ref<const std::string&>();
      if (!base::is_valid_utf8(text)) return base::invalid(path + ": the string is not UTF-8");
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
      if (!base::is_valid_utf8(key)) return base::invalid(path + ": a name is not UTF-8");
      SGL_TRY(Value made, read_any(value, path, depth + 1));
      items.push_back(Value::string(key));
      items.push_back(std::move(made));
    }
    return Value::map(items);
  }

  static Value literal_value(const plan::Literal& literal) {
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

 private:
  // Deeper data than this comes from no person, and the reader recurses. A model may write it, in a type that contains
  // itself. Half of what a stack of 8 MB holds with the frames of AddressSanitizer, which are several times as large.
  static constexpr int kMaxDepth = 400;

  static Error too_deep(const std::string& path) {
    constexpr std::size_t kShown = 60;
    return base::over_limit(fmt::format("{}{}: nested more than {} deep", path.substr(0, kShown),
                                        path.size() > kShown ? "…" : "", kMaxDepth));
  }

  // Precondition: no list and no object, for the library's writer recurses.
  static std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

  static Error mismatch(const std::string& wanted, const Json& json, const std::string& path) {
    return base::invalid(fmt::format("{}: expected {}, found {}", path, wanted, json_kind(json)));
  }

  static base::Expected<Value> read_int(const Type& type, const Json& json, const std::string& path) {
    if (!json.is_number_integer()) return mismatch("an int", json, path);
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
      return base::invalid(path + ": the number does not fit 64 bits");
    }
    const auto number = json.get<std::int64_t>();
    if ((type.min_int && number < *type.min_int) || (type.max_int && number > *type.max_int)) {
      return base::invalid(fmt::format("{}: {} is outside {}..{}", path, number,
                                       type.min_int ? std::to_string(*type.min_int) : "",
                                       type.max_int ? std::to_string(*type.max_int) : ""));
    }
    return Value::integer(number);
  }

  static base::Expected<Value> read_float(const Type& type, const Json& json, const std::string& path) {
    if (!json.is_number()) return mismatch("a number", json, path);
    const auto number = json.get<double>();
    if ((type.min_float && number < *type.min_float) || (type.max_float && number > *type.max_float)) {
      return base::invalid(fmt::format("{}: {} is out of range", path, number));
    }
    return Value::real(number);
  }

  base::Expected<Value> read_string(TypeId id, const Type& type, const Json& json, const std::string& path) {
    if (!json.is_string()) return mismatch("a string", json, path);
    const auto& text = json.get_ref<const std::string&>();
    if (!base::is_valid_utf8(text)) return base::invalid(path + ": the string is not UTF-8");
    if (type.kind == TypeKind::kString && type.pattern.empty() && type.format.empty()) {
      const auto size = static_cast<std::int64_t>(base::count_code_points(text));
      if (size < type.min_size || (type.max_size >= 0 && size > type.max_size)) {
        return base::invalid(fmt::format("{}: the string has {} characters, allowed are {}..{}", path, size,
                                         type.min_size, type.max_size < 0 ? "" : std::to_string(type.max_size)));
      }
      return Value::string(text);
    }
    SGL_TRY(const bool fits, TypeChecks::shared().text_fits(plan_, id, text));
    if (!fits) {
      return base::invalid(fmt::format("{}: the string does not have the form its type asks for", path));
    }
    return Value::string(text);
  }

  // Apart from `read`, so that a level of the recursion costs the stack no more than it has to.
  [[gnu::noinline]] base::Expected<Value> read_scalar(TypeId id, const Type& type, const Json& json,
                                                      const std::string& path) {
    switch (type.kind) {
      case TypeKind::kNull:
        return json.is_null() ? base::Expected<Value>(Value()) : mismatch("null", json, path);
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
        // Dumped rather than compared as JSON values: 1 and 1.0 are different literals.
        if (json.is_structured() || dumped(json) != literal_json(type.literal)) {
          return mismatch(literal_json(type.literal), json, path);
        }
        return literal_value(type.literal);
      default:
        return base::invalid(path + ": unknown type");
    }
  }

  base::Expected<Value> read_list(const Type& type, const Json& json, const std::string& path, int depth) {
    if (!json.is_array()) return mismatch("a list", json, path);
    const auto size = static_cast<std::int64_t>(json.size());
    if (size < type.min_size || (type.max_size >= 0 && size > type.max_size)) {
      return base::invalid(fmt::format("{}: the list has {} items, allowed are {}..{}", path, size, type.min_size,
                                       type.max_size < 0 ? "" : std::to_string(type.max_size)));
    }
    std::vector<Value> items;
    for (std::size_t i = 0; i < json.size(); ++i) {
      SGL_TRY(Value item, read(type.args[0], json[i], fmt::format("{}[{}]", path, i), depth + 1));
      items.push_back(std::move(item));
    }
    return Value::list(items);
  }

  base::Expected<Value> read_record(TypeId id, const Type& type, const Json& json, const std::string& path, int depth) {
    if (!json.is_object()) return mismatch("an object", json, path);
    std::size_t known = 0;
    std::vector<Value> fields;
    for (const plan::Field& field : type.fields) {
      const auto it = json.find(field.name);
      if (it == json.end()) {
        if (!field.optional) return base::invalid(fmt::format("{}.{}: the field is missing", path, field.name));
        fields.emplace_back();
        continue;
      }
      ++known;
      SGL_TRY(Value value, read(field.type, *it, path + "." + field.name, depth + 1));
      fields.push_back(std::move(value));
    }
    if (known != json.size()) {
      for (const auto& [key, unused] : json.items()) {
        bool found = false;
        for (const plan::Field& field : type.fields) found = found || field.name == key;
        if (!found) return base::invalid(fmt::format("{}.{}: there is no such field", path, key));
      }
    }
    return Value::record(id, fields);
  }

  base::Expected<Value> read_json(const Type& type, const Json& json, const std::string& path, int depth) {
    SGL_TRY(Value value, read_any(json, path, depth));
    if (type.pattern.empty()) return value;
    // In the schema's spelling of it, for constraints are about texts. What was read is not deep, so it can be written.
    const auto fits = TypeChecks::shared().json_fits(type, dumped(json));
    if (!fits.ok()) return base::invalid(fmt::format("{}: its JSON Schema: {}", path, fits.error().message));
    if (!*fits) {
      return base::invalid(fmt::format("{}: the JSON Schema{} does not allow the value", path,
                                       type.format.empty() ? "" : fmt::format(" of \"{}\"", type.format)));
    }
    return value;
  }

  base::Expected<Value> read_union(const Type& type, const Json& json, const std::string& path, int depth) {
    std::string last;
    for (const TypeId alternative : type.args) {
      auto value = read(alternative, json, path, depth + 1);
      if (value.ok()) return value;
      last = value.error().message;
    }
    // With one alternative beside null, its own complaint says most.
    if (type.args.size() == 2) return base::invalid(last);
    return base::invalid(fmt::format("{}: {} fits none of the alternatives", path,
                                     json.is_structured() ? json_kind(json) : dumped(json).substr(0, 60)));
  }

  const plan::Plan& plan_;
};

template <typename T>
bool parse_all(std::string_view text, T& out) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc() && end == text.data() + text.size();
}

Error cut_off(std::string_view text, const char* what) {
  constexpr std::size_t kShown = 60;
  return {ErrorKind::kFailed, fmt::format("the generated text '{}{}' is not {}: it was probably cut off by max_tokens",
                                          text.substr(0, base::complete_utf8_prefix(text.substr(0, kShown))),
                                          text.size() > kShown ? "…" : "", what)};
}

}  // namespace

bool is_free_text(const Type& type) {
  return type.kind == TypeKind::kString && type.min_size == 0 && type.max_size < 0 && type.pattern.empty() &&
         type.format.empty();
}

base::Expected<Value> value_from_json(const plan::Plan& plan, TypeId type, const Json& json, const std::string& path) {
  return JsonReader(plan).read(type, json, path, 0);
}

base::Expected<Value> value_from_text(const plan::Plan& plan, TypeId id, std::string_view text,
                                      const constraint::Constraint* under) {
  const Type& type = plan.type(id);
  switch (type.kind) {
    case TypeKind::kString:
    case TypeKind::kRegex:
    case TypeKind::kGrammar: {
      if (is_free_text(type)) return Value::string(text);
      if (under == nullptr || !constraint::accepts(*under, text)) {
        SGL_TRY(const bool fits, TypeChecks::shared().text_fits(plan, id, text));
        if (!fits) return cut_off(text, "of its type's form");
      }
      return Value::string(text);
    }
    case TypeKind::kInt: {
      std::int64_t number = 0;
      if (!parse_all(text, number)) return cut_off(text, "an int");
      return Value::integer(number);
    }
    case TypeKind::kFloat: {
      double number = 0;
      if (!parse_all(text, number) || !std::isfinite(number)) return cut_off(text, "a float");
      return Value::real(number);
    }
    case TypeKind::kBool:
      if (text != "true" && text != "false") return cut_off(text, "a bool");
      return Value::boolean(text == "true");
    case TypeKind::kNull:
      if (text != "null") return cut_off(text, "null");
      return Value();
    case TypeKind::kLiteral: {
      const bool bare = type.literal.kind == plan::Literal::Kind::kString;
      if (text != (bare ? type.literal.text : literal_json(type.literal))) return cut_off(text, "the literal");
      return JsonReader::literal_value(type.literal);
    }
    case TypeKind::kUnion:
      for (const TypeId alternative : type.args) {
        auto value = value_from_text(plan, alternative, text);
        if (value.ok()) return value;
      }
      return cut_off(text, "one of the alternatives");
    case TypeKind::kList:
    case TypeKind::kRecord:
    case TypeKind::kJson:
      break;
  }
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return cut_off(text, "complete JSON");
  // A beginning of a list or object is none itself, so one that is whole was not cut off: its constraint made it, and a
  // schema need not be asked again.
  const bool whole = type.kind == TypeKind::kJson && json.is_structured();
  const std::string path = type.name.empty() ? "value" : type.name;
  auto value = whole ? JsonReader(plan).read_any(json, path, 0) : value_from_json(plan, id, json, path);
  if (!value.ok() && value.error().kind != ErrorKind::kLimit) {
    return Error{ErrorKind::kFailed, std::move(value).error().message};
  }
  return value;
}

base::Expected<std::string> to_json_text(const plan::Plan& plan, const Value& value) {
  std::string out;
  if (!append_json(plan, value, kMaxResultBytes, out))
    return base::over_limit("the result is nested too deeply, or longer than 256 MiB as JSON");
  return out;
}

}  // namespace sgl::exec
