#include <fmt/format.h>

#include "runtime/base/utf8.h"
#include "runtime/constraint/grammar_lark.h"

namespace sgl::constraint {

using Kind = GrammarExpr::Kind;

void LarkTerminals::skip(bool lines) {
  while (!at_end()) {
    const char c = peek();
    if (c == '#' || looking_at("//")) {
      while (!at_end() && peek() != '\n' && peek() != '\r') ++at_;
    } else if (c == ' ' || c == '\t' || c == '\f' || (lines && (c == '\n' || c == '\r'))) {
      ++at_;
    } else {
      return;
    }
  }
}
std::optional<std::string> LarkTerminals::string() {
  const std::size_t place = at_;
  take("\"");
  std::string out;
  while (!take("\"")) {
    if (at_end() || peek() == '\n' || peek() == '\r') {
      fail(place, "the string has no end");
      return std::nullopt;
    }
    const auto c = escaped();
    if (!c) return std::nullopt;
    base::append_utf8(out, *c);
  }
  return out;
}

std::optional<char32_t> LarkTerminals::escaped() {
  static constexpr std::string_view kLetters = "ntrfvab0\\\"'/";
  static constexpr std::string_view kMeanings("\n\t\r\f\v\a\b\0\\\"'/", 12);
  const std::size_t place = at_;
  if (!take("\\")) return character();
  const char c = peek();
  if (c == 'x' || c == 'u' || c == 'U') {
    ++at_;
    return hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8, place);
  }
  const std::size_t known = kLetters.find(c);
  if (at_end() || known == std::string_view::npos) {
    fail(place, fmt::format("unknown escape: a backslash before {}", found()));
    return std::nullopt;
  }
  ++at_;
  return static_cast<unsigned char>(kMeanings[known]);
}

ExprId LarkTerminals::string_or_range() {
  const std::size_t place = at_;
  auto first = string();
  if (!first) return 0;
  const bool folded = take("i");
  const std::size_t before = at_;
  skip(false);
  if (!take("..")) {
    at_ = before;
    return text_expr(std::move(*first), place, folded);
  }
  skip(false);
  if (peek() != '"') {
    fail(at_, fmt::format("expected the last character of the range in quotes, not {}", found()));
    return 0;
  }
  const auto last = string();
  if (!last) return 0;
  if (base::count_code_points(*first) != 1 || base::count_code_points(*last) != 1 || folded) {
    fail(place, "the ends of a range are single characters");
    return 0;
  }
  GrammarExpr expr;
  expr.kind = Kind::kSet, expr.place = place;
  const char32_t lo = base::decode_utf8(*first, 0).code, hi = base::decode_utf8(*last, 0).code;
  if (hi < lo) {
    fail(place, "range out of order");
    return 0;
  }
  expr.set.add(lo, hi);
  return doc_.add(std::move(expr));
}

ExprId LarkTerminals::pattern() {
  GrammarExpr expr;
  expr.kind = Kind::kPattern, expr.place = at_;
  take("/");
  bool in_class = false;
  while (in_class || peek() != '/') {
    if (at_end() || peek() == '\n' || peek() == '\r') {
      fail(expr.place, "the regular expression has no end");
      return 0;
    }
    if (peek() == '\\' && peek(1) == '/')
      ++at_;
    else if (peek() == '\\')
      expr.text += text_[at_++];
    if (at_end()) continue;
    expr.text += text_[at_++];
  }
  take("/");
  for (; is_name(peek()); ++at_) {
    const char flag = peek();
    if (flag == 'i')
      expr.ignore_case = true;
    else if (flag == 's')
      expr.dot_all = true;
    else if (flag != 'u' && flag != 'm') {
      fail(at_, fmt::format("the flag '{}' is not supported", flag), GrammarStatus::kUnsupported);
      return 0;
    }
  }
  return doc_.add(std::move(expr));
}

ExprId LarkTerminals::schema() {
  GrammarExpr expr;
  expr.kind = Kind::kSchema, expr.place = at_;
  if (!take("%json")) {
    fail(at_, "only %json may stand inside a rule", GrammarStatus::kUnsupported);
    return 0;
  }
  if (in_terminal_) {
    fail(expr.place, "%json stands in rules, not in terminals");
    return 0;
  }
  skip(true);
  const std::size_t begin = at_;
  std::size_t open = 0;
  do {
    if (at_end() || (open == 0 && peek() != '{')) {
      fail(expr.place, "expected a JSON Schema in braces after %json");
      return 0;
    }
    if (take("\"")) {
      for (; !at_end() && peek() != '"'; ++at_) at_ += peek() == '\\' ? 1 : 0;
    } else if (peek() == '{' || peek() == '[') {
      ++open;
    } else if (peek() == '}' || peek() == ']') {
      --open;
    }
    ++at_;
  } while (open > 0);
  expr.text = text_.substr(begin, at_ - begin);
  return doc_.add(std::move(expr));
}

}  // namespace sgl::constraint
