#include <fmt/format.h>

#include <algorithm>

#include "runtime/tokenizer/jinja/parser.h"

namespace sgl::tokenizer::jinja {

using base::Expected;
using base::Status;
using Kind = Statement::Kind;

Expected<Body> Parser::run() {
  SGL_TRY(Body out, body({}));
  if (peek().kind != Token::Kind::kEnd) {
    return at_line(peek(1).line, fmt::format("'{}' without its beginning", peek(1).text));
  }
  return out;
}

// Statements up to a tag that begins with one of `ends` (not taken), or up to the end of the template.
Expected<Body> Parser::body(std::initializer_list<std::string_view> ends) {
  if (++depth_ > kMaxDepth) return at_line(peek().line, "blocks are nested too deeply");
  Body out;
  while (peek().kind != Token::Kind::kEnd) {
    if (peek().kind == Token::Kind::kTagBegin) {
      const std::string& word = peek(1).text;
      const bool closing = word.starts_with("end") || word == "else" || word == "elif";
      if (closing && std::find(ends.begin(), ends.end(), word) != ends.end()) break;
      if (closing) return at_line(peek(1).line, fmt::format("'{}' without its beginning", word));
    }
    SGL_TRY_STATUS(statement(out));
  }
  if (ends.size() != 0 && peek().kind == Token::Kind::kEnd) {
    return at_line(peek().line, fmt::format("missing '{}'", *(ends.end() - 1)));
  }
  --depth_;
  return out;
}

Status Parser::end_tag() {
  if (peek().kind != Token::Kind::kTagEnd) return unexpected("the end of the tag");
  ++at_;
  return {};
}

Status Parser::end_block(std::string_view name) {
  ++at_;  // the beginning of the tag, which body() has seen
  if (!take_name(name)) return unexpected(fmt::format("'{}'", name));
  return end_tag();
}

Status Parser::statement(Body& out) {
  const Token& token = peek();
  const int line = token.line;
  Statement made;
  made.line = line;
  if (token.kind == Token::Kind::kText) {
    made.text = token.text;
    ++at_;
  } else if (token.kind == Token::Kind::kOutputBegin) {
    ++at_;
    made.kind = Kind::kOutput;
    SGL_TRY(made.value, tuple_or_expression());
    if (peek().kind != Token::Kind::kOutputEnd) return unexpected("'}}'");
    ++at_;
  } else {
    ++at_;
    SGL_TRY(const std::string word, name());
    if (word == "if") {
      SGL_TRY(made, if_statement(line));
    } else if (word == "for") {
      SGL_TRY(made, for_statement(line));
    } else if (word == "set") {
      SGL_TRY(made, set_statement(line));
    } else if (word == "macro") {
      SGL_TRY(made, macro_statement(line));
    } else if (word == "break" || word == "continue") {
      if (loops_ == 0) return at_line(line, fmt::format("'{}' outside of a loop", word));
      made.kind = word == "break" ? Kind::kBreak : Kind::kContinue;
      SGL_TRY_STATUS(end_tag());
    } else if (word == "generation") {
      // Marks what the model writes, for training; it renders as its content.
      SGL_TRY_STATUS(end_tag());
      made.kind = Kind::kGroup;
      SGL_TRY(made.body, body({"endgeneration"}));
      SGL_TRY_STATUS(end_block("endgeneration"));
    } else {
      return at_line(line, fmt::format("statement '{}' is not supported", word));
    }
  }
  out.push_back(std::move(made));
  return {};
}

Expected<Statement> Parser::if_statement(int line) {
  Statement out;
  out.kind = Kind::kIf;
  out.line = line;
  do {
    SGL_TRY(ExprPtr condition, tuple_or_expression());
    SGL_TRY_STATUS(end_tag());
    SGL_TRY(Body then, body({"elif", "else", "endif"}));
    out.branches.emplace_back(std::move(condition), std::move(then));
    ++at_;
  } while (take_name("elif"));
  --at_;
  if (peek(1).text == "else") {
    SGL_TRY_STATUS(end_block("else"));
    SGL_TRY(out.otherwise, body({"endif"}));
  }
  SGL_TRY_STATUS(end_block("endif"));
  return out;
}

Expected<Statement> Parser::for_statement(int line) {
  Statement out;
  out.kind = Kind::kFor;
  out.line = line;
  const bool bracket = take_operator("(");
  do {
    SGL_TRY(std::string target, name());
    out.targets.push_back(std::move(target));
  } while (take_operator(","));
  if (bracket) SGL_TRY_STATUS(expect_operator(")"));
  if (!take_name("in")) return unexpected("'in'");
  SGL_TRY(out.value, expression(false));
  if (take_name("if")) {
    SGL_TRY(out.condition, expression());
  }
  if (at_name("recursive")) return at_line(line, "recursive loops are not supported");
  SGL_TRY_STATUS(end_tag());
  ++loops_;
  SGL_TRY(out.body, body({"else", "endfor"}));
  --loops_;
  if (peek(1).text == "else") {
    SGL_TRY_STATUS(end_block("else"));
    SGL_TRY(out.otherwise, body({"endfor"}));
  }
  SGL_TRY_STATUS(end_block("endfor"));
  return out;
}

Expected<Statement> Parser::set_statement(int line) {
  Statement out;
  out.kind = Kind::kSet;
  out.line = line;
  do {
    SGL_TRY(std::string target, name());
    out.targets.push_back(std::move(target));
  } while (take_operator(","));
  if (out.targets.size() == 1 && take_operator(".")) {
    SGL_TRY(out.text, name());
  }
  if (take_operator("=")) {
    SGL_TRY(out.value, tuple_or_expression());
    SGL_TRY_STATUS(end_tag());
    return out;
  }
  if (out.targets.size() != 1 || !out.text.empty()) return unexpected("'='");
  if (at_operator("|")) return at_line(line, "filters on a set block are not supported");
  out.kind = Kind::kSetBlock;
  SGL_TRY_STATUS(end_tag());
  SGL_TRY(out.body, body({"endset"}));
  SGL_TRY_STATUS(end_block("endset"));
  return out;
}

Expected<Statement> Parser::macro_statement(int line) {
  Statement out;
  out.kind = Kind::kMacro;
  out.line = line;
  auto macro = std::make_shared<Macro>();
  SGL_TRY(macro->name, name());
  SGL_TRY_STATUS(expect_operator("("));
  while (!at_operator(")")) {
    SGL_TRY(std::string parameter, name());
    ExprPtr otherwise;
    if (take_operator("=")) {
      SGL_TRY(otherwise, expression());
    }
    macro->parameters.emplace_back(std::move(parameter), std::move(otherwise));
    if (!take_operator(",")) break;
  }
  SGL_TRY_STATUS(expect_operator(")"));
  SGL_TRY_STATUS(end_tag());
  const int outer_loops = std::exchange(loops_, 0);
  SGL_TRY(macro->body, body({"endmacro"}));
  loops_ = outer_loops;
  SGL_TRY_STATUS(end_block("endmacro"));
  out.macro = std::move(macro);
  return out;
}

Expected<Body> parse_template(std::string_view source) {
  SGL_TRY(std::vector<Token> tokens, tokenize(source));
  return Parser(std::move(tokens)).run();
}

}  // namespace sgl::tokenizer::jinja
