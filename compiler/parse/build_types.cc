// Types.
#include <algorithm>
#include <tuple>

#include "compiler/parse/builder.h"

namespace sgl::compiler::parsing {

ast::TypePtr Builder::missing_type(SourceRange where) const {
  return make_type(where, ast::TypeExpr::Null{});
}

ast::TypePtr Builder::type(Tree::TypeExprContext* context) {
  if (context == nullptr) return missing_type(range_of(context));
  const std::vector<Tree::OptionalTypeContext*> alternatives = context->optionalType();
  if (alternatives.empty()) return missing_type(range_of(context));
  if (alternatives.size() == 1) return optional_type(alternatives.front());
  ast::TypeExpr::Union node;
  for (Tree::OptionalTypeContext* alternative : alternatives) node.alternatives.push_back(optional_type(alternative));
  return make_type(range_of(context), std::move(node));
}

ast::TypePtr Builder::optional_type(Tree::OptionalTypeContext* context) {
  ast::TypePtr inner = primary_type(context->base);
  if (context->mark == nullptr) return inner;
  ast::TypeExpr::Optional node;
  node.inner = std::move(inner);
  return make_type(range_of(context), std::move(node));
}

ast::TypePtr Builder::primary_type(Tree::PrimaryTypeContext* context) {
  const SourceRange where = range_of(context);
  if (auto* named = as<Tree::NamedTypeContext>(context)) {
    ast::TypeExpr::Named node;
    node.path = path(named->id);
    if (node.path.empty()) return missing_type(where);
    if (Tree::TypeArgsContext* args = named->typeArgs()) {
      for (Tree::TypeExprContext* arg : args->typeExpr()) node.args.push_back(type(arg));
    }
    if (Tree::RefinementsContext* given = named->refinements()) node.refinements = refinements(given->refinement());
    if (node.path.size() == 1 && node.path[0].text == "json_schema") schema_file(node);
    return make_type(where, std::move(node));
  }
  if (auto* literal = as<Tree::StringLiteralTypeContext>(context)) {
    ast::TypeExpr::LiteralType node;
    node.value.kind = plan::Literal::Kind::kString;
    node.value.text = constant_text(literal->stringLit(), "a literal type");
    return make_type(where, std::move(node));
  }
  if (auto* numeric = as<Tree::NumberLiteralTypeContext>(context)) return number_type(numeric);
  if (auto* boolean = as<Tree::BoolLiteralTypeContext>(context)) {
    ast::TypeExpr::LiteralType node;
    node.value.kind = plan::Literal::Kind::kBool;
    node.value.number = boolean->value != nullptr && boolean->value->getType() == Tree::KW_TRUE ? 1 : 0;
    return make_type(where, std::move(node));
  }
  if (auto* fields = as<Tree::RecordTypeContext>(context)) return record_type(fields);
  if (auto* regex = as<Tree::RegexTypeContext>(context)) return regex_type(regex);
  if (auto* inner = as<Tree::ParenTypeContext>(context)) {
    ast::TypePtr out = type(inner->typeExpr());
    out->range = where;
    return out;
  }
  // `null`; an unterminated regex, which is reported already; nothing usable.
  return missing_type(where);
}

// json_schema("file.json"): the driver reads the file before the checker asks for it.
void Builder::schema_file(const ast::TypeExpr::Named& type) {
  if (type.refinements.size() != 1 || !type.refinements[0].lo) return;
  const auto* text = std::get_if<ast::Expr::StringLit>(&type.refinements[0].lo->node);
  if (text == nullptr || text->parts.size() != 1 || text->parts[0].value) return;
  const std::string& path = text->parts[0].text;
  const bool known =
      std::any_of(schemas_.begin(), schemas_.end(), [&](const ast::SchemaFile& file) { return file.path == path; });
  if (!known) schemas_.push_back({path, type.refinements[0].lo->range, std::nullopt});
}

ast::TypePtr Builder::number_type(Tree::NumberLiteralTypeContext* context) {
  const SourceRange where = range_of(context);
  const ast::ExprPtr value = number(context->number(), context->minus != nullptr, where);
  ast::TypeExpr::LiteralType node;
  node.value.kind = plan::Literal::Kind::kInt;
  if (const auto* whole = std::get_if<ast::Expr::IntLit>(&value->node)) {
    node.value.number = whole->value;
  } else if (std::holds_alternative<ast::Expr::FloatLit>(value->node)) {
    reporter_.add(DiagKind::kBadNumber, where, "a literal type is a string, a whole number or a bool")
        .suggest("write a range: float(0.5..0.5)");
  }
  return make_type(where, std::move(node));
}

ast::TypePtr Builder::regex_type(Tree::RegexTypeContext* context) {
  ast::TypeExpr::Regex node;
  antlr4::tree::TerminalNode* token = context->REGEX_TYPE();
  if (token == nullptr) return missing_type(range_of(context));
  std::tie(node.pattern, node.pattern_range) = regex_body(token->getSymbol());
  node.refinements = refinements(context->refinement());
  return make_type(range_of(context), std::move(node));
}

ast::TypePtr Builder::record_type(Tree::RecordTypeContext* context) {
  ast::TypeExpr::Record node;
  for (Tree::FieldDeclContext* given : context->fieldDecl()) {
    ast::FieldDecl field;
    field.name = field_key(given->key);
    if (given->annotation == nullptr && field.name.text.empty()) continue;
    field.optional = given->mark != nullptr;
    field.type = type(given->annotation);
    if (given->init != nullptr) field.init = expr(given->init);
    field.doc = doc_before(range_of(given).begin);
    node.fields.push_back(std::move(field));
  }
  return make_type(range_of(context), std::move(node));
}

ast::Name Builder::field_key(Tree::FieldKeyContext* context) {
  if (auto* word = as<Tree::NameKeyContext>(context)) return name(word->anyName());
  ast::Name out;
  out.range = range_of(context);
  auto* quoted = as<Tree::StringKeyContext>(context);
  if (quoted == nullptr) return out;
  for (antlr4::tree::ParseTree* child : quoted->children) {
    auto* terminal = as<antlr4::tree::TerminalNode>(child);
    if (terminal == nullptr) continue;
    const antlr4::Token* token = terminal->getSymbol();
    if (token->getType() == Tree::STR_TEXT) out.text += text_of(token);
    if (token->getType() == Tree::STR_ESC) out.text += escape(token);
  }
  return out;
}

std::vector<ast::Refinement> Builder::refinements(const std::vector<Tree::RefinementContext*>& contexts) {
  std::vector<ast::Refinement> out;
  for (Tree::RefinementContext* context : contexts) {
    ast::Refinement refinement;
    refinement.range = range_of(context);
    if (auto* named = as<Tree::NamedRefinementContext>(context)) {
      refinement.key = name(named->key);
      bounds(named->value, refinement);
    } else if (auto* plain = as<Tree::PlainRefinementContext>(context)) {
      bounds(plain->value, refinement);
    } else if (auto* pattern = as<Tree::PatternRefinementContext>(context)) {
      antlr4::tree::TerminalNode* token = pattern->PATTERN_REGEX();
      if (token == nullptr) continue;
      ast::Name key;
      key.text = "pattern";
      key.range = refinement.range;
      key.range.end = key.range.begin + static_cast<std::uint32_t>(key.text.size());
      refinement.key = std::move(key);
      refinement.regex = regex_body(token->getSymbol()).first;
    } else {
      continue;  // unterminated, which is reported already, or damaged
    }
    out.push_back(std::move(refinement));
  }
  return out;
}

void Builder::bounds(Tree::BoundsContext* context, ast::Refinement& out) {
  if (auto* lower = as<Tree::LowerBoundsContext>(context)) {
    out.is_range = lower->range != nullptr;
    out.lo = op_expr(lower->lo);
    if (lower->hi != nullptr) out.hi = op_expr(lower->hi);
  } else if (auto* upper = as<Tree::UpperBoundsContext>(context)) {
    out.is_range = true;
    out.hi = op_expr(upper->hi);
  } else {
    out.lo = missing(out.range);
  }
}

std::pair<std::string, SourceRange> Builder::regex_body(const antlr4::Token* token) const {
  const std::string_view text = text_of(token);
  const SourceRange whole = range_of(token);
  const std::size_t first = text.find('/');
  const std::size_t last = text.rfind('/');
  if (first == std::string_view::npos || last <= first) return {std::string(), whole};
  const auto begin = whole.begin + static_cast<std::uint32_t>(first) + 1;
  const auto end = whole.begin + static_cast<std::uint32_t>(last);
  return {std::string(text.substr(first + 1, last - first - 1)), reporter_.range(begin, end)};
}

}  // namespace sgl::compiler::parsing
