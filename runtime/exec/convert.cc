#include "runtime/exec/convert.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "runtime/base/json.h"
#include "runtime/base/utf8.h"
#include "runtime/exec/json_reader.h"
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

template <typename T>
bool parse_all(std::string_view text, T& out) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc() && end == text.data() + text.size();
}

Error cut_off(std::string_view text, const char* what) {
  constexpr std::size_t kShown = 60;
  return {ErrorKind::kFailed,
          fmt::format("the generated text '{}{}' is not {}: it was probably cut off by max_tokens or stop",
                      text.substr(0, base::complete_utf8_prefix(text.substr(0, kShown))),
                      text.size() > kShown ? "…" : "", what)};
}

}  // namespace

bool is_free_text(const Type& type) {
  return type.kind == TypeKind::kString && type.min_size == 0 && type.max_size < 0 && type.pattern.empty() &&
         type.format.empty();
}

base::Expected<Value> value_from_json(const plan::Plan& plan, TypeId type, const Json& json, const std::string& path) {
  return JsonReader(plan, json).read(type, path);
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
      // A stop string may end the text where a number of the type goes on.
      if (!int_fits(type, number)) return cut_off(text, "in the range of its type");
      return Value::integer(number);
    }
    case TypeKind::kFloat: {
      double number = 0;
      if (!parse_all(text, number) || !std::isfinite(number)) return cut_off(text, "a float");
      if (!float_fits(type, number)) return cut_off(text, "in the range of its type");
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
      return literal_value(type.literal);
    }
    case TypeKind::kUnion:
      for (const TypeId alternative : type.args) {
        auto value = value_from_text(plan, alternative, text);
        if (value.ok() || value.error().kind == ErrorKind::kLimit) return value;
      }
      return cut_off(text, "one of the alternatives");
    case TypeKind::kList:
    case TypeKind::kRecord:
    case TypeKind::kJson:
      break;
  }
  Json json;
  if (base::parse_json(text, json)) return cut_off(text, "complete JSON");
  // A beginning of a list or object is none itself, so one that is whole was not cut off: its constraint made it, and a
  // schema need not be asked again.
  const bool whole = type.kind == TypeKind::kJson && json.is_structured();
  const std::string path = type.name.empty() ? "value" : type.name;
  auto value = whole ? JsonReader(plan, json).read_any(path) : value_from_json(plan, id, json, path);
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
