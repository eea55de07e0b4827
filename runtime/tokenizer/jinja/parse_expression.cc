#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "runtime/tokenizer/jinja/parser.h"

namespace sgl::tokenizer::jinja {

using base::Expected;
using base::Status;
using Kind = Expr::Kind;

base::Error Parser::unexpected(std::string_view wanted) const {
  const Token& token = peek();
  std::string found = "'" + token.text + "'";
  if (token.kind == Token::Kind::kTagEnd) found = "the end of the tag";
  if (token.kind == Token::Kind::kOutputEnd) found = "'}}'";
  if (token.kind == Token::Kind::kEnd) found = "the end of the template";
  return at_line(token.line, fmt::format("expected {}, found {}", wanted, found));
}

Status Parser::expect_operator(std::string_view text) {
  if (!take_operator(text)) return unexpected(fmt::format("'{}'", text));
  return {};
}

Expected<std::string> Parser::name() {
  if (peek().kind != Token::Kind::kName) return unexpected("a name");
  return tokens_[at_++].text;
}

Expected<ExprPtr> Parser::make(Kind kind, int line, std::string text, std::vector<ExprPtr> args) {
  auto out = std::make_unique<Expr>();
  out->kind = kind;
  out->line = line;
  out->text = std::move(text);
  out->args = std::move(args);
  for (const ExprPtr& arg : out->args) {
    if (arg != nullptr) out->depth = std::max(out->depth, arg->depth + 1);
  }
  if (out->depth > kMaxDepth) return at_line(line, "expression is nested too deeply");
  return out;
}

namespace {
std::vector<ExprPtr> list_of(ExprPtr a) {
  std::vector<ExprPtr> out;
  out.push_back(std::move(a));
  return out;
}
std::vector<ExprPtr> list_of(ExprPtr a, ExprPtr b) {
  std::vector<ExprPtr> out = list_of(std::move(a));
  out.push_back(std::move(b));
  return out;
}
}  // namespace

Expected<ExprPtr> Parser::expression(bool with_conditional) {
  if (++depth_ > kMaxDepth) return at_line(peek().line, "expression is nested too deeply");
  SGL_TRY(ExprPtr value, or_expression());
  while (with_conditional && at_name("if")) {
    const int line = peek().line;
    ++at_;
    SGL_TRY(ExprPtr condition, or_expression());
    ExprPtr otherwise;
    if (take_name("else")) {
      SGL_TRY(otherwise, expression());
    }
    std::vector<ExprPtr> args = list_of(std::move(value), std::move(condition));
    args.push_back(std::move(otherwise));
    SGL_TRY(value, make(Kind::kConditional, line, "", std::move(args)));
  }
  --depth_;
  return value;
}

Expected<ExprPtr> Parser::or_expression() {
  SGL_TRY(ExprPtr left, and_expression());
  while (at_name("or")) {
    const int line = tokens_[at_++].line;
    SGL_TRY(ExprPtr right, and_expression());
    SGL_TRY(left, make(Kind::kOr, line, "or", list_of(std::move(left), std::move(right))));
  }
  return left;
}

Expected<ExprPtr> Parser::and_expression() {
  SGL_TRY(ExprPtr left, not_expression());
  while (at_name("and")) {
    const int line = tokens_[at_++].line;
    SGL_TRY(ExprPtr right, not_expression());
    SGL_TRY(left, make(Kind::kAnd, line, "and", list_of(std::move(left), std::move(right))));
  }
  return left;
}

Expected<ExprPtr> Parser::not_expression() {
  int count = 0;
  const int line = peek().line;
  while (take_name("not")) ++count;
  SGL_TRY(ExprPtr value, comparison());
  if (count > kMaxDepth) return at_line(line, "expression is nested too deeply");
  for (; count > 0; --count) {
    SGL_TRY(value, make(Kind::kNot, line, "not", list_of(std::move(value))));
  }
  return value;
}

// Chains (a < b < c) are left out: no template uses them, and reading them as (a < b) < c would be wrong.
Expected<ExprPtr> Parser::comparison() {
  SGL_TRY(ExprPtr left, binary(0));
  bool compared = false;
  while (true) {
    const int line = peek().line;
    std::string op;
    if (peek().kind == Token::Kind::kOperator && (peek().text == "==" || peek().text == "!=" || peek().text == "<" ||
                                                  peek().text == "<=" || peek().text == ">" || peek().text == ">=")) {
      op = tokens_[at_++].text;
    } else if (take_name("in")) {
      op = "in";
    } else if (at_name("not") && peek(1).kind == Token::Kind::kName && peek(1).text == "in") {
      at_ += 2;
      op = "not in";
    } else {
      return left;
    }
    if (compared) return at_line(line, "chained comparisons are not supported");
    compared = true;
    SGL_TRY(ExprPtr right, binary(0));
    SGL_TRY(left, make(Kind::kBinary, line, std::move(op), list_of(std::move(left), std::move(right))));
  }
}

// Levels: + and -, then ~, then * / // %, then **.
Expected<ExprPtr> Parser::binary(int level) {
  static constexpr std::string_view kLevels[4][4] = {
      {"+", "-", "", ""}, {"~", "", "", ""}, {"*", "/", "//", "%"}, {"**", "", "", ""}};
  if (level == 4) return unary();
  SGL_TRY(ExprPtr left, binary(level + 1));
  while (peek().kind == Token::Kind::kOperator && !peek().text.empty() &&
         std::find(std::begin(kLevels[level]), std::end(kLevels[level]), peek().text) != std::end(kLevels[level])) {
    const int line = peek().line;
    std::string op = tokens_[at_++].text;
    SGL_TRY(ExprPtr right, binary(level + 1));
    SGL_TRY(left, make(Kind::kBinary, line, std::move(op), list_of(std::move(left), std::move(right))));
  }
  return left;
}

Expected<ExprPtr> Parser::unary(bool with_filters) {
  if (++depth_ > kMaxDepth) return at_line(peek().line, "expression is nested too deeply");
  const int line = peek().line;
  ExprPtr value;
  if (at_operator("-") || at_operator("+")) {
    const Kind kind = tokens_[at_++].text == "-" ? Kind::kNegate : Kind::kPlus;
    SGL_TRY(ExprPtr inner, unary(false));
    SGL_TRY(value, make(kind, line, "", list_of(std::move(inner))));
  } else {
    SGL_TRY(value, primary());
  }
  SGL_TRY(value, postfix(std::move(value)));
  if (with_filters) {
    SGL_TRY(value, filters(std::move(value)));
  }
  --depth_;
  return value;
}

Expected<ExprPtr> Parser::number_or_string() {
  const Token& token = peek();
  SGL_TRY(ExprPtr out, make(Kind::kConstant, token.line, "", {}));
  if (token.kind == Token::Kind::kString) {
    std::string text;
    for (; peek().kind == Token::Kind::kString; ++at_) text += peek().text;  // adjacent strings join
    out->constant = Value::text(Text(std::move(text)));
    return out;
  }
  const char* end = token.text.data() + token.text.size();
  if (token.kind == Token::Kind::kInt) {
    std::int64_t value = 0;
    if (std::from_chars(token.text.data(), end, value).ec != std::errc())
      return at_line(token.line, "integer out of range");
    out->constant = Value(value);
  } else {
    double value = 0;
    if (std::from_chars(token.text.data(), end, value).ec != std::errc())
      return at_line(token.line, "number out of range");
    out->constant = Value(value);
  }
  ++at_;
  return out;
}

Expected<ExprPtr> Parser::dictionary() {
  const int line = peek().line;
  SGL_TRY_STATUS(expect_operator("{"));
  std::vector<ExprPtr> args;
  while (!at_operator("}")) {
    SGL_TRY(ExprPtr key, expression());
    SGL_TRY_STATUS(expect_operator(":"));
    SGL_TRY(ExprPtr value, expression());
    args.push_back(std::move(key));
    args.push_back(std::move(value));
    if (!take_operator(",")) break;
  }
  SGL_TRY_STATUS(expect_operator("}"));
  return make(Kind::kDict, line, "", std::move(args));
}

Expected<ExprPtr> Parser::primary() {
  const Token& token = peek();
  const int line = token.line;
  switch (token.kind) {
    case Token::Kind::kInt:
    case Token::Kind::kFloat:
    case Token::Kind::kString:
      return number_or_string();
    case Token::Kind::kName: {
      const std::string text = tokens_[at_++].text;
      SGL_TRY(ExprPtr out, make(Kind::kConstant, line, "", {}));
      if (text == "true" || text == "True") {
        out->constant = Value(true);
      } else if (text == "false" || text == "False") {
        out->constant = Value(false);
      } else if (text == "none" || text == "None") {
        out->constant = Value(None{});
      } else {
        out->kind = Kind::kName;
        out->text = text;
      }
      return out;
    }
    case Token::Kind::kOperator:
      break;
    default:
      return unexpected("an expression");
  }
  if (at_operator("{")) return dictionary();
  const bool round = at_operator("(");
  if (!round && !at_operator("[")) return unexpected("an expression");
  ++at_;
  const std::string_view close = round ? ")" : "]";
  std::vector<ExprPtr> items;
  bool comma = !round;
  while (!at_operator(close)) {
    SGL_TRY(ExprPtr item, expression());
    items.push_back(std::move(item));
    if (!take_operator(",")) break;
    comma = true;
  }
  SGL_TRY_STATUS(expect_operator(close));
  if (!comma && items.size() == 1) return std::move(items[0]);
  return make(Kind::kList, line, "", std::move(items));
}

Expected<ExprPtr> Parser::tuple_or_expression() {
  const int line = peek().line;
  SGL_TRY(ExprPtr first, expression());
  if (!at_operator(",")) return first;
  std::vector<ExprPtr> items = list_of(std::move(first));
  while (take_operator(",")) {
    if (peek().kind == Token::Kind::kTagEnd || peek().kind == Token::Kind::kOutputEnd) break;
    SGL_TRY(ExprPtr item, expression());
    items.push_back(std::move(item));
  }
  return make(Kind::kList, line, "", std::move(items));
}

Status Parser::arguments(Expr& call) {
  SGL_TRY_STATUS(expect_operator("("));
  while (!at_operator(")")) {
    if (at_operator("*") || at_operator("**")) return at_line(peek().line, "unpacked arguments are not supported");
    const bool named =
        peek().kind == Token::Kind::kName && peek(1).kind == Token::Kind::kOperator && peek(1).text == "=";
    std::string key;
    if (named) {
      key = peek().text;
      at_ += 2;
    } else if (!call.named.empty()) {
      return unexpected("a keyword argument");
    }
    SGL_TRY(ExprPtr value, expression());
    call.depth = std::max(call.depth, value->depth + 1);
    if (named) {
      call.named.emplace_back(std::move(key), std::move(value));
    } else {
      call.args.push_back(std::move(value));
    }
    if (!take_operator(",")) break;
  }
  if (call.depth > kMaxDepth) return at_line(call.line, "expression is nested too deeply");
  return expect_operator(")");
}

Expected<ExprPtr> Parser::subscript(ExprPtr value) {
  const int line = peek().line;
  SGL_TRY_STATUS(expect_operator("["));
  ExprPtr parts[3];
  int colons = 0;
  for (; !at_operator("]") && colons < 3;) {
    if (take_operator(":")) {
      if (++colons > 2) return unexpected("']'");
      continue;
    }
    SGL_TRY(parts[colons], expression());
    if (!at_operator(":") && !at_operator("]")) return unexpected("']'");
  }
  SGL_TRY_STATUS(expect_operator("]"));
  std::vector<ExprPtr> args = list_of(std::move(value), std::move(parts[0]));
  if (colons == 0) {
    if (args[1] == nullptr) return at_line(line, "empty subscript");
    return make(Kind::kIndex, line, "", std::move(args));
  }
  args.push_back(std::move(parts[1]));
  args.push_back(std::move(parts[2]));
  return make(Kind::kSlice, line, "", std::move(args));
}

Expected<ExprPtr> Parser::postfix(ExprPtr value) {
  while (true) {
    const int line = peek().line;
    if (take_operator(".")) {
      if (peek().kind == Token::Kind::kInt) {
        SGL_TRY(ExprPtr index, number_or_string());
        SGL_TRY(value, make(Kind::kIndex, line, "", list_of(std::move(value), std::move(index))));
      } else {
        SGL_TRY(std::string member, name());
        SGL_TRY(value, make(Kind::kMember, line, std::move(member), list_of(std::move(value))));
      }
    } else if (at_operator("[")) {
      SGL_TRY(value, subscript(std::move(value)));
    } else if (at_operator("(")) {
      SGL_TRY(value, make(Kind::kCall, line, "", list_of(std::move(value))));
      SGL_TRY_STATUS(arguments(*value));
    } else {
      return value;
    }
  }
}

Expected<ExprPtr> Parser::filters(ExprPtr value) {
  while (true) {
    const int line = peek().line;
    if (take_operator("|")) {
      SGL_TRY(std::string filter, name());
      SGL_TRY(value, make(Kind::kFilter, line, std::move(filter), list_of(std::move(value))));
      if (at_operator("(")) SGL_TRY_STATUS(arguments(*value));
      SGL_TRY(value, postfix(std::move(value)));
    } else if (take_name("is")) {
      SGL_TRY(value, test(std::move(value)));
    } else {
      return value;
    }
  }
}

Expected<ExprPtr> Parser::test(ExprPtr value) {
  const int line = peek().line;
  const bool negated = take_name("not");
  SGL_TRY(std::string which, name());
  SGL_TRY(value, make(Kind::kTest, line, std::move(which), list_of(std::move(value))));
  const Token::Kind next = peek().kind;
  const bool keyword = at_name("else") || at_name("or") || at_name("and") || at_name("is") || at_name("if") ||
                       at_name("in") || at_name("not");
  if (at_operator("(")) {
    SGL_TRY_STATUS(arguments(*value));
  } else if (next == Token::Kind::kString || next == Token::Kind::kInt || next == Token::Kind::kFloat ||
             (next == Token::Kind::kName && !keyword) || at_operator("[") || at_operator("{")) {
    SGL_TRY(ExprPtr argument, primary());
    SGL_TRY(argument, postfix(std::move(argument)));
    value->depth = std::max(value->depth, argument->depth + 1);
    value->args.push_back(std::move(argument));
  }
  return negated ? make(Kind::kNot, line, "not", list_of(std::move(value))) : Expected<ExprPtr>(std::move(value));
}

}  // namespace sgl::tokenizer::jinja
