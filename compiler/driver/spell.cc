#include "compiler/driver/spell.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace sgl::compiler {

using plan::Plan;
using plan::Type;
using plan::TypeId;
using plan::TypeKind;

namespace {

constexpr int kMaxDepth = 6;            // anonymous types inside one another; people name them earlier
constexpr std::size_t kMaxBytes = 400;  // of a spelling; plans from outside may hold absurd types

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string in_parentheses(const std::vector<std::string>& parts) {
  return parts.empty() ? "" : fmt::format("({})", fmt::join(parts, ", "));
}

template <typename T>
std::string range(const std::optional<T>& lo, const std::optional<T>& hi) {
  if (!lo && !hi) return "";
  return fmt::format("({}..{})", lo ? fmt::format("{}", *lo) : "", hi ? fmt::format("{}", *hi) : "");
}

std::string string_refinements(const Type& type) {
  std::vector<std::string> parts;
  if (type.min_size > 0) parts.push_back(fmt::format("min_chars: {}", type.min_size));
  if (type.max_size >= 0) parts.push_back(fmt::format("max_chars: {}", type.max_size));
  if (!type.pattern.empty()) parts.push_back(fmt::format("pattern: /{}/", type.pattern));
  if (!type.format.empty()) parts.push_back(fmt::format("format: {}", quoted(type.format)));
  return in_parentheses(parts);
}

std::string item_counts(const Type& type) {
  if (type.min_size == 0 && type.max_size < 0) return "";
  if (type.min_size == type.max_size) return fmt::format("({})", type.min_size);
  return fmt::format("({}..{})", type.min_size > 0 ? std::to_string(type.min_size) : "",
                     type.max_size >= 0 ? std::to_string(type.max_size) : "");
}

std::string literal(const plan::Literal& value) {
  switch (value.kind) {
    case plan::Literal::Kind::kString:
      return quoted(value.text);
    case plan::Literal::Kind::kInt:
      return std::to_string(value.number);
    case plan::Literal::Kind::kBool:
      return value.number != 0 ? "true" : "false";
  }
  return "null";
}

std::string spell(const Plan& plan, TypeId id, int depth, bool by_name);

std::string record(const Plan& plan, const Type& type, int depth) {
  std::string out;
  for (const plan::Field& field : type.fields) {
    out += fmt::format("{}{}{}: {}", out.empty() ? "" : ", ", field.name, field.optional ? "?" : "",
                       spell(plan, field.type, depth + 1, true));
    if (out.size() > kMaxBytes) return "{ " + out.substr(0, out.find_last_of(',')) + ", … }";
  }
  return out.empty() ? "{}" : "{ " + out + " }";
}

std::string alternatives(const Plan& plan, const Type& type, int depth) {
  if (type.args.size() == 2 && plan.type(type.args[1]).kind == TypeKind::kNull) {
    return spell(plan, type.args[0], depth + 1, true) + "?";
  }
  std::string out;
  for (const TypeId arg : type.args) {
    if (out.size() > kMaxBytes) return out + " | …";
    out += (out.empty() ? "" : " | ") + spell(plan, arg, depth + 1, true);
  }
  return out;
}

std::string list(const Plan& plan, const Type& type, int depth) {
  return fmt::format("list<{}>{}", spell(plan, type.args[0], depth + 1, true), item_counts(type));
}

std::string spell(const Plan& plan, TypeId id, int depth, bool by_name) {
  const Type& type = plan.type(id);
  if (by_name && !type.name.empty()) return type.name;
  if (depth > kMaxDepth) return "…";
  switch (type.kind) {
    case TypeKind::kNull:
      return "null";
    case TypeKind::kBool:
      return "bool";
    case TypeKind::kInt:
      return "int" + range(type.min_int, type.max_int);
    case TypeKind::kFloat:
      return "float" + range(type.min_float, type.max_float);
    case TypeKind::kString:
      return "string" + string_refinements(type);
    case TypeKind::kLiteral:
      return literal(type.literal);
    case TypeKind::kList:
      return list(plan, type, depth);
    case TypeKind::kRecord:
      return record(plan, type, depth);
    case TypeKind::kUnion:
      return alternatives(plan, type, depth);
    case TypeKind::kRegex:
      return fmt::format("regex(/{}/)", type.pattern);
    case TypeKind::kGrammar:
      return "grammar";
    case TypeKind::kJson:
      return type.pattern.empty() ? "json" : fmt::format("json_schema(\"{}\")", type.format);
  }
  return "?";
}

}  // namespace

std::string spell_type(const Plan& plan, TypeId type) {
  return spell(plan, type, 0, true);
}

std::string spell_type_form(const Plan& plan, TypeId type) {
  return spell(plan, type, 0, false);
}

}  // namespace sgl::compiler
