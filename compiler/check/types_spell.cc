// Types as users write them.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "compiler/check/types.h"

namespace sgl::compiler {

using plan::Literal;

std::string spell_literal(const Literal& literal) {
  switch (literal.kind) {
    case Literal::Kind::kString:
      return nlohmann::json(literal.text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    case Literal::Kind::kInt:
      return std::to_string(literal.number);
    case Literal::Kind::kBool:
      return literal.number != 0 ? "true" : "false";
  }
  return "";
}

std::string TypeTable::spell(TypeId type) const {
  const Type& t = get(type);
  return t.name.empty() ? spell_definition(t) : t.name;
}

namespace {

template <typename T>
std::string spell_range(const std::optional<T>& lo, const std::optional<T>& hi) {
  if (!lo && !hi) return "";
  return fmt::format("({}..{})", lo ? fmt::format("{}", *lo) : "", hi ? fmt::format("{}", *hi) : "");
}

std::string spell_string(const Type& t) {
  std::vector<std::string> parts;
  if (t.min_size > 0) parts.push_back(fmt::format("min_chars: {}", t.min_size));
  if (t.max_size >= 0) parts.push_back(fmt::format("max_chars: {}", t.max_size));
  if (!t.pattern.empty()) parts.push_back(fmt::format("pattern: /{}/", t.pattern));
  if (!t.format.empty()) parts.push_back(fmt::format("format: \"{}\"", t.format));
  return parts.empty() ? "string" : fmt::format("string({})", fmt::join(parts, ", "));
}

}  // namespace

std::string TypeTable::spell_definition(const Type& t) const {
  switch (t.kind) {
    case TypeKind::kNull:
      return "null";
    case TypeKind::kBool:
      return "bool";
    case TypeKind::kInt:
      return "int" + spell_range(t.min_int, t.max_int);
    case TypeKind::kFloat:
      return "float" + spell_range(t.min_float, t.max_float);
    case TypeKind::kString:
      return spell_string(t);
    case TypeKind::kLiteral:
      return spell_literal(t.literal);
    case TypeKind::kRegex:
      return fmt::format("regex(/{}/)", t.pattern);
    case TypeKind::kGrammar:
      return "grammar";
    case TypeKind::kJson:
      return t.pattern.empty() ? "json" : fmt::format("json_schema(\"{}\")", t.format);
    case TypeKind::kList: {
      std::string size;
      if (t.min_size > 0 || t.max_size >= 0) {
        size = fmt::format("({}..{})", t.min_size, t.max_size < 0 ? "" : std::to_string(t.max_size));
      }
      return fmt::format("list<{}>{}", spell(t.args[0]), size);
    }
    case TypeKind::kRecord: {
      std::vector<std::string> parts;
      for (const plan::Field& f : t.fields)
        parts.push_back(fmt::format("{}{}: {}", f.name, f.optional ? "?" : "", spell(f.type)));
      return parts.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(parts, ", "));
    }
    case TypeKind::kUnion: {
      std::vector<std::string> parts;
      for (const TypeId arg : t.args) parts.push_back(spell(arg));
      if (parts.size() == 2 && t.args[1] == null()) return parts[0] + "?";
      return fmt::format("{}", fmt::join(parts, " | "));
    }
  }
  return "?";
}

}  // namespace sgl::compiler
