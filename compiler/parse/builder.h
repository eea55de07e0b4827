// Parse tree -> ast. The tree may be damaged: after an error any child may be missing, and a context may lack its
// label. Every method takes null and answers with something that can be walked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "SglParser.h"
#include "compiler/ast/ast.h"
#include "compiler/parse/lexer.h"
#include "compiler/parse/reporter.h"
#include "compiler/parse/token_filter.h"

namespace sgl::compiler::parsing {

using Tree = antlr::SglParser;

// A piece of a string literal before indentation is stripped.
struct StringPiece {
  enum class Kind : std::uint8_t { kText, kEscape, kValue } kind = Kind::kText;
  std::string text;             // kText: as in the source; kEscape: decoded
  ast::Expr::StringPart value;  // kValue
};

class Builder {
 public:
  // Refers to both for its lifetime.
  Builder(Reporter& reporter, const std::vector<RawToken>& raw) : reporter_(reporter), raw_(raw) {}

  std::unique_ptr<ast::Module> module(Tree::FileContext* file);

 private:
  // -- places and names (build_decls.cc)
  SourceRange range_of(antlr4::ParserRuleContext* context) const;
  SourceRange range_of(const antlr4::Token* token) const;
  std::string_view text_of(const antlr4::Token* token) const;
  // The token that a rule of one token matched; null when it is missing.
  const antlr4::Token* last_token(antlr4::ParserRuleContext* context) const;
  ast::Name name(antlr4::ParserRuleContext* context) const;  // of ident and anyName
  std::vector<ast::Name> path(Tree::QualifiedNameContext* context) const;
  // The `///` lines directly above the token that begins at `begin`.
  std::string doc_before(std::uint32_t begin) const;
  std::unique_ptr<ast::Binding> binding(Tree::IdentContext* context, bool is_mutable) const;

  // -- declarations (build_decls.cc)
  std::unique_ptr<ast::Decl> declaration(Tree::DeclarationContext* context);
  bool import_decl(Tree::ImportDeclContext* context, ast::Decl& out);
  void function_decl(Tree::DeclarationContext* context, ast::Decl& out);
  std::vector<ast::Param> params(Tree::ParamsContext* context);
  std::vector<ast::Option> limits(Tree::LimitsBlockContext* context);
  void take_leading_limits(Tree::BlockContext* body, bool has_limits, ast::Decl::Function& out);

  // -- types (build_types.cc)
  ast::TypePtr type(Tree::TypeExprContext* context);
  ast::TypePtr optional_type(Tree::OptionalTypeContext* context);
  ast::TypePtr primary_type(Tree::PrimaryTypeContext* context);
  ast::TypePtr number_type(Tree::NumberLiteralTypeContext* context);
  ast::TypePtr regex_type(Tree::RegexTypeContext* context);
  ast::TypePtr record_type(Tree::RecordTypeContext* context);
  ast::TypePtr missing_type(SourceRange where) const;
  void schema_file(const ast::TypeExpr::Named& type);
  ast::Name field_key(Tree::FieldKeyContext* context);
  std::vector<ast::Refinement> refinements(const std::vector<Tree::RefinementContext*>& contexts);
  void bounds(Tree::BoundsContext* context, ast::Refinement& out);
  // The body between the slashes of a regex token.
  std::pair<std::string, SourceRange> regex_body(const antlr4::Token* token) const;

  // -- expressions (build_exprs.cc)
  ast::ExprPtr expr(Tree::ExprContext* context);
  ast::ExprPtr op_expr(Tree::OpExprContext* context);
  ast::ExprPtr extend(Tree::OpExprContext* context, ast::ExprPtr left);
  ast::ExprPtr binary(Tree::OpExprContext* context, ast::BinaryOp op, SourceRange op_range, ast::ExprPtr left,
                      Tree::OpExprContext* right);
  ast::ExprPtr compare(Tree::CompareExprContext* context, ast::ExprPtr left);
  ast::ExprPtr call(Tree::CallExprContext* context, ast::ExprPtr callee);
  ast::ExprPtr index(Tree::IndexExprContext* context, ast::ExprPtr object);
  ast::ExprPtr negate(Tree::NegateExprContext* context);
  ast::ExprPtr primary(Tree::PrimaryContext* context);
  ast::ExprPtr list(Tree::ListExprContext* context);
  ast::ExprPtr record(Tree::RecordExprContext* context);
  ast::ExprPtr parallel(Tree::ParallelExprContext* context);
  ast::ExprPtr branch(Tree::BranchExprContext* context);
  ast::ExprPtr missing(SourceRange where) const;
  ast::LoopVars loop_vars(Tree::LoopVarsContext* context) const;

  // -- numbers and strings (build_literals.cc)
  ast::ExprPtr number(Tree::NumberContext* context, bool negative, SourceRange where);
  std::optional<std::int64_t> integer(const antlr4::Token* token, bool negative);
  std::int64_t duration(const antlr4::Token* token);
  std::string escape(const antlr4::Token* token);
  ast::Expr::StringLit string(Tree::StringLitContext* context);
  // The text of a literal that must not interpolate; `where` says what it is ("an import path").
  std::string constant_text(Tree::StringLitContext* context, std::string_view where);
  std::vector<StringPiece> pieces(const std::vector<Tree::StringPartContext*>& parts);
  ast::Expr::StringPart interpolation(Tree::InterpolationPartContext* context);

  // -- statements (build_stmts.cc)
  ast::Block block(Tree::BlockContext* context);
  ast::StmtPtr statement(Tree::StatementContext* context);
  ast::StmtPtr simple_statement(Tree::StatementContext* context);
  ast::StmtPtr compound_statement(Tree::StatementContext* context);
  ast::StmtPtr model_statement(Tree::StatementContext* context);
  ast::StmtPtr let_statement(SourceRange where, Tree::IdentContext* id, bool is_mutable,
                             Tree::TypeExprContext* annotation, Tree::ExprContext* value);
  ast::StmtPtr if_statement(Tree::IfStmtContext* context);
  ast::StmtPtr assign_statement(Tree::ExprOrAssignStmtContext* context);
  ast::GenNode gen_node(Tree::TypeExprContext* annotation, Tree::WithOptionsContext* with, ast::Name label);
  ast::SelectNode select_node(Tree::SelectTailContext* tail, ast::Name label);
  std::vector<ast::Option> options(Tree::OptionListContext* context);

  Reporter& reporter_;
  const std::vector<RawToken>& raw_;
  std::vector<ast::SchemaFile> schemas_;  // that types so far name
  // The `limits` statement that its program has taken; any other one is misplaced.
  antlr4::ParserRuleContext* taken_limits_ = nullptr;
};

// Strips the common indentation of a `"""` literal, and merges and decodes its pieces (strip.cc).
void strip_indentation(std::vector<StringPiece>& pieces);
std::vector<ast::Expr::StringPart> merge_pieces(std::vector<StringPiece> pieces);

template <typename Node>
ast::ExprPtr make_expr(SourceRange where, Node node) {
  auto made = std::make_unique<ast::Expr>();
  made->range = where;
  made->node = std::move(node);
  return made;
}

template <typename Node>
ast::StmtPtr make_stmt(SourceRange where, Node node) {
  auto made = std::make_unique<ast::Stmt>();
  made->range = where;
  made->node = std::move(node);
  return made;
}

template <typename Node>
ast::TypePtr make_type(SourceRange where, Node node) {
  auto made = std::make_unique<ast::TypeExpr>();
  made->range = where;
  made->node = std::move(node);
  return made;
}

// dynamic_cast with a short name: labels of a damaged tree are not to be trusted.
template <typename Context, typename Base>
Context* as(Base* context) {
  return dynamic_cast<Context*>(context);
}

}  // namespace sgl::compiler::parsing
