// Declarations, names, documentation.
#include <algorithm>

#include "compiler/parse/builder.h"

namespace sgl::compiler::parsing {

SourceRange Builder::range_of(antlr4::ParserRuleContext* context) const {
  if (context == nullptr) return reporter_.range(0, 0);
  const TokenSpan first = span_of(context->start);
  const TokenSpan last = span_of(context->stop);
  const std::uint32_t begin = first.valid ? first.begin : last.begin;
  // A context that matched nothing stops before it starts.
  return reporter_.range(begin, last.valid ? std::max(last.end, begin) : std::max(first.end, begin));
}

SourceRange Builder::range_of(const antlr4::Token* token) const {
  const TokenSpan span = span_of(token);
  return reporter_.range(span.begin, span.end);
}

std::string_view Builder::text_of(const antlr4::Token* token) const {
  const TokenSpan span = span_of(token);
  return reporter_.text(span.begin, span.end);
}

const antlr4::Token* Builder::last_token(antlr4::ParserRuleContext* context) const {
  // A rule that failed holds the tokens that recovery skipped.
  if (context == nullptr || context->exception != nullptr || context->children.empty()) return nullptr;
  antlr4::tree::ParseTree* last = context->children.back();
  if (auto* terminal = as<antlr4::tree::TerminalNode>(last)) {
    return span_of(terminal->getSymbol()).valid ? terminal->getSymbol() : nullptr;
  }
  return last_token(as<antlr4::ParserRuleContext>(last));
}

ast::Name Builder::name(antlr4::ParserRuleContext* context) const {
  ast::Name out;
  const antlr4::Token* token = last_token(context);
  if (token == nullptr) {
    const SourceRange near = range_of(context);
    out.range = reporter_.range(near.begin, near.begin);
    return out;
  }
  out.text = std::string(text_of(token));
  out.range = range_of(token);
  return out;
}

std::vector<ast::Name> Builder::path(Tree::QualifiedNameContext* context) const {
  std::vector<ast::Name> out;
  if (context == nullptr) return out;
  out.push_back(name(context->ident()));
  for (Tree::AnyNameContext* part : context->anyName()) out.push_back(name(part));
  return out;
}

std::string Builder::doc_before(std::uint32_t begin) const {
  const auto at = std::lower_bound(raw_.begin(), raw_.end(), begin,
                                   [](const RawToken& raw, std::uint32_t offset) { return raw.begin < offset; });
  auto before = static_cast<std::size_t>(at - raw_.begin());  // tokens before this one are still to be looked at
  const auto skip_space = [&](std::size_t i) {
    while (i > 0 && raw_[i - 1].type == Tree::WS) --i;
    return i;
  };
  std::vector<std::string_view> lines;
  for (;;) {
    std::size_t i = skip_space(before);
    if (i == 0 || raw_[i - 1].type != Tree::NEWLINE) break;
    i = skip_space(i - 1);
    if (i == 0 || raw_[i - 1].type != Tree::DOC_COMMENT) break;
    before = i - 1;
    // Behind something else on its line, it is not about what follows.
    const std::size_t line = skip_space(before);
    if (line > 0 && raw_[line - 1].type != Tree::NEWLINE) break;
    std::string_view text = reporter_.text(raw_[before].begin, raw_[before].end).substr(3);
    if (text.starts_with(' ')) text.remove_prefix(1);
    lines.push_back(text);
  }
  std::string out;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line != lines.rbegin()) out += '\n';
    out += *line;
  }
  return out;
}

std::unique_ptr<ast::Binding> Builder::binding(Tree::IdentContext* context, bool is_mutable) const {
  auto out = std::make_unique<ast::Binding>();
  out->name = name(context);
  out->mutable_ = is_mutable;
  return out;
}

// Where the lines of a raw string's text begin in its token, which has them with more indentation. None for others.
static std::vector<std::uint32_t> line_begins(std::string_view token, std::string_view text) {
  if (!token.starts_with("r\"")) return {};
  const bool triple = token.starts_with("r\"\"\"");
  std::size_t at = triple ? 4 : 2;
  if (triple && token.substr(at, 1) == "\n") ++at;
  std::vector<std::uint32_t> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
    const std::size_t found = token.find(line, at);
    if (found == std::string_view::npos) return {};
    out.push_back(static_cast<std::uint32_t>(found));
    at = token.find('\n', found);
    if (at == std::string_view::npos) break;
    ++at;
    begin += line.size() + 1;
  }
  return out;
}

std::unique_ptr<ast::Module> Builder::module(Tree::FileContext* file) {
  auto out = std::make_unique<ast::Module>();
  if (file == nullptr) return out;
  for (Tree::TopDeclContext* top : file->topDecl()) {
    if (auto built = declaration(top->declaration())) out->declarations.push_back(std::move(built));
  }
  out->schemas = std::move(schemas_);
  return out;
}

std::unique_ptr<ast::Decl> Builder::declaration(Tree::DeclarationContext* context) {
  if (context == nullptr) return nullptr;
  auto out = std::make_unique<ast::Decl>();
  out->range = range_of(context);
  out->doc = doc_before(out->range.begin);
  if (auto* imported = as<Tree::ImportDeclContext>(context)) {
    if (!import_decl(imported, *out)) return nullptr;
  } else if (auto* type_decl = as<Tree::TypeDeclContext>(context)) {
    out->name = name(type_decl->id);
    ast::Decl::Type node;
    node.value = type(type_decl->value);
    out->node = std::move(node);
  } else if (auto* constant = as<Tree::ConstDeclContext>(context)) {
    out->name = name(constant->id);
    ast::Decl::Const node;
    if (constant->annotation != nullptr) node.annotation = type(constant->annotation);
    node.value = expr(constant->value);
    out->node = std::move(node);
  } else if (auto* grammar = as<Tree::GrammarDeclContext>(context)) {
    out->name = name(grammar->id);
    ast::Decl::Grammar node;
    node.text = constant_text(grammar->text, "the text of a grammar");
    node.text_range = grammar->text != nullptr ? range_of(grammar->text) : out->range;
    if (grammar->text != nullptr) node.lines = line_begins(text_of(grammar->text->start), node.text);
    for (std::uint32_t& line : node.lines) line += node.text_range.begin;
    out->node = std::move(node);
  } else {
    function_decl(context, *out);
    if (!std::holds_alternative<ast::Decl::Function>(out->node)) return nullptr;
  }
  return out;
}

bool Builder::import_decl(Tree::ImportDeclContext* context, ast::Decl& out) {
  ast::Decl::Import node;
  if (context->module != nullptr) {
    node.module = path(context->module);
    node.target_range = range_of(context->module);
    out.name = node.module.back();
  } else if (context->path != nullptr) {
    node.path = constant_text(context->path, "an import path");
    node.target_range = range_of(context->path);
    // "./lib/rubric.sgl" is known as `rubric`.
    std::string_view stem = node.path;
    stem.remove_prefix(stem.find_last_of('/') + 1);
    out.name.text = std::string(stem.substr(0, stem.find('.')));
    out.name.range = node.target_range;
  } else {
    return false;
  }
  if (context->alias != nullptr) {
    node.alias = name(context->alias);
    out.name = *node.alias;
  }
  out.node = std::move(node);
  return true;
}

void Builder::function_decl(Tree::DeclarationContext* context, ast::Decl& out) {
  ast::Decl::Function node;
  Tree::ReturnTypeContext* result = nullptr;
  Tree::BlockContext* body = nullptr;
  if (auto* fn = as<Tree::FnDeclContext>(context)) {
    out.name = name(fn->id);
    node.kind = plan::FunctionKind::kFn;
    node.params = params(fn->params());
    result = fn->returnType();
    body = fn->body;
    if (fn->value != nullptr) node.expression = expr(fn->value);
  } else if (auto* prompt = as<Tree::PromptDeclContext>(context)) {
    out.name = name(prompt->id);
    node.kind = plan::FunctionKind::kPrompt;
    node.params = params(prompt->params());
    result = prompt->returnType();
    body = prompt->body;
  } else if (auto* program = as<Tree::ProgramDeclContext>(context)) {
    out.name = name(program->id);
    node.kind = plan::FunctionKind::kProgram;
    node.params = params(program->params());
    result = program->returnType();
    body = program->body;
    node.limits = limits(program->limits);
    take_leading_limits(body, program->limits != nullptr, node);
  } else if (auto* tool = as<Tree::ToolDeclContext>(context)) {
    out.name = name(tool->id);
    node.kind = plan::FunctionKind::kProgram;
    node.tool = true;
    node.params = params(tool->params());
    result = tool->returnType();
  } else {
    return;
  }
  if (result != nullptr) node.result = type(result->typeExpr());
  if (node.expression == nullptr && !node.tool) node.body = block(body);
  out.node = std::move(node);
}

std::vector<ast::Param> Builder::params(Tree::ParamsContext* context) {
  std::vector<ast::Param> out;
  if (context == nullptr) return out;
  for (Tree::ParamContext* given : context->param()) {
    ast::Param param;
    param.binding = binding(given->id, false);
    // What recovery skipped in place of a parameter is none.
    if (param.binding->name.text.empty()) continue;
    param.type = type(given->annotation);
    if (given->init != nullptr) param.init = expr(given->init);
    param.doc = doc_before(range_of(given).begin);
    out.push_back(std::move(param));
  }
  return out;
}

std::vector<ast::Option> Builder::limits(Tree::LimitsBlockContext* context) {
  std::vector<ast::Option> out;
  if (context == nullptr) return out;
  for (Tree::LimitItemContext* item : context->limitItem()) {
    ast::Option option;
    option.key = name(item->key);
    if (option.key.text.empty()) continue;
    option.value = expr(item->value);
    out.push_back(std::move(option));
  }
  return out;
}

void Builder::take_leading_limits(Tree::BlockContext* body, bool has_limits, ast::Decl::Function& out) {
  if (body == nullptr) return;
  for (Tree::BlockLineContext* line : body->blockLine()) {
    if (line->statement() == nullptr) continue;
    auto* first = as<Tree::LimitsStmtContext>(line->statement());
    if (first == nullptr) return;
    taken_limits_ = first;
    if (has_limits) {
      reporter_.add(DiagKind::kMisplacedLimits, range_of(first), "this program already has limits after its signature")
          .suggest("keep one of the two");
    } else {
      out.limits = limits(first->limitsBlock());
    }
    return;
  }
}

}  // namespace sgl::compiler::parsing
