// The two halves of the template parser share this state. Private to runtime/tokenizer.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/tokenizer/jinja/ast.h"

namespace sgl::tokenizer::jinja {

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
  base::Expected<Body> run();

 private:
  static constexpr int kMaxDepth = 200;  // of expressions and of blocks; bounds every recursion over the tree

  // Tokens.
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool at(Token::Kind kind, std::string_view text) const { return peek().kind == kind && peek().text == text; }
  bool at_name(std::string_view name) const { return at(Token::Kind::kName, name); }
  bool at_operator(std::string_view text) const { return at(Token::Kind::kOperator, text); }
  bool take_name(std::string_view name) { return at_name(name) && ++at_; }
  bool take_operator(std::string_view text) { return at_operator(text) && ++at_; }
  base::Error unexpected(std::string_view wanted) const;
  base::Status expect_operator(std::string_view text);
  base::Expected<std::string> name();

  // Expressions, loosest first.
  base::Expected<ExprPtr> expression(bool with_conditional = true);
  base::Expected<ExprPtr> or_expression();
  base::Expected<ExprPtr> and_expression();
  base::Expected<ExprPtr> not_expression();
  base::Expected<ExprPtr> comparison();
  base::Expected<ExprPtr> binary(int level);
  base::Expected<ExprPtr> unary(bool with_filters = true);
  base::Expected<ExprPtr> primary();
  base::Expected<ExprPtr> number_or_string();
  base::Expected<ExprPtr> dictionary();
  base::Expected<ExprPtr> postfix(ExprPtr value);
  base::Expected<ExprPtr> subscript(ExprPtr value);
  base::Expected<ExprPtr> filters(ExprPtr value);
  base::Expected<ExprPtr> test(ExprPtr value);
  base::Status arguments(Expr& call);
  base::Expected<ExprPtr> tuple_or_expression();  // "a, b" without brackets too
  static base::Expected<ExprPtr> make(Expr::Kind kind, int line, std::string text, std::vector<ExprPtr> args);

  // Statements.
  base::Expected<Body> body(std::initializer_list<std::string_view> ends);
  base::Status statement(Body& out);
  base::Expected<Statement> if_statement(int line);
  base::Expected<Statement> for_statement(int line);
  base::Expected<Statement> set_statement(int line);
  base::Expected<Statement> macro_statement(int line);
  base::Status end_tag();
  base::Status end_block(std::string_view name);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0, loops_ = 0;
};

}  // namespace sgl::tokenizer::jinja
