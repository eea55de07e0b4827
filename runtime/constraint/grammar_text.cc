#include "runtime/constraint/grammar_text.h"

#include <fmt/format.h>

#include "runtime/base/utf8.h"

namespace sgl::constraint {

std::string GrammarReader::found() const {
  if (at_end()) return "the end of the grammar";
  if (peek() == '\n' || peek() == '\r') return "the end of the line";
  const base::DecodedChar c = base::decode_utf8(text_, at_);
  if (!c.valid || static_cast<unsigned char>(peek()) < 0x20) {
    return fmt::format("the byte 0x{:02X}", static_cast<unsigned char>(peek()));
  }
  return fmt::format("'{}'", text_.substr(at_, c.bytes));
}

std::optional<std::int64_t> GrammarReader::number() {
  constexpr std::int64_t kMost = 1'000'000'000;
  std::optional<std::int64_t> out;
  for (; peek() >= '0' && peek() <= '9'; ++at_) out = std::min(out.value_or(0) * 10 + (peek() - '0'), kMost);
  return out;
}

std::optional<char32_t> GrammarReader::hexadecimal(std::size_t count, std::size_t place) {
  char32_t code = 0;
  for (std::size_t i = 0; i < count; ++i, ++at_) {
    const char c = peek(), lower = static_cast<char>(c | 32);
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (lower < 'a' || lower > 'f')) {
      fail(place, fmt::format("the escape needs {} hexadecimal digits", count));
      return std::nullopt;
    }
    code = code * 16 + static_cast<char32_t>(digit ? c - '0' : lower - 'a' + 10);
  }
  if (code > base::kMaxCodePoint || (code >= 0xD800 && code <= 0xDFFF)) {
    fail(place, "the escape does not stand for a character");
    return std::nullopt;
  }
  return code;
}

std::optional<char32_t> GrammarReader::character() {
  const base::DecodedChar c = base::decode_utf8(text_, at_);
  if (!c.valid) {
    fail(at_, "not valid UTF-8");
    return std::nullopt;
  }
  at_ += c.bytes;
  return c.code;
}

bool GrammarReader::nested(std::size_t depth, std::size_t place) {
  if (depth <= limits_.max_nesting) return true;
  return fail(place, fmt::format("brackets nested more than {} deep", limits_.max_nesting), GrammarStatus::kLimit);
}

ExprId GrammarReader::text_expr(std::string text, std::size_t place, bool ignore_case) {
  GrammarExpr expr;
  expr.kind = GrammarExpr::Kind::kText;
  expr.text = std::move(text), expr.place = place, expr.ignore_case = ignore_case;
  return doc_.add(std::move(expr));
}

ExprId GrammarReader::repeat_expr(ExprId item, std::int64_t min, std::int64_t max, std::size_t place) {
  GrammarExpr expr;
  expr.kind = GrammarExpr::Kind::kRepeat;
  expr.children = {item}, expr.min = min, expr.max = max, expr.place = place;
  return doc_.add(std::move(expr));
}

ExprId GrammarReader::group(GrammarExpr::Kind kind, std::vector<ExprId> children, std::size_t place) {
  if (children.size() == 1) return children[0];
  return doc_.add(kind, place, std::move(children));
}

}  // namespace sgl::constraint
