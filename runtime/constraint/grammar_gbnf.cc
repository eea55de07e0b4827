// The notation of llama.cpp: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
#include <fmt/format.h>

#include "runtime/base/utf8.h"
#include "runtime/constraint/grammar_text.h"

namespace sgl::constraint {
namespace {

using Kind = GrammarExpr::Kind;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfParser : private GrammarReader {
 public:
  using GrammarReader::GrammarReader;

  GrammarDoc run() {
    doc_.start = "root";
    for (skip(true); !at_end() && !failed(); skip(true)) rule();
    return std::move(doc_);
  }

 private:
  // White space and comments; line ends only where `lines`.
  void skip(bool lines) {
    while (!at_end()) {
      const char c = peek();
      if (c == '#') {
        while (!at_end() && peek() != '\n' && peek() != '\r') ++at_;
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string word() {
    const std::size_t begin = at_;
    while (is_word(peek())) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  void rule() {
    GrammarRule rule;
    rule.place = at_;
    rule.name = word();
    if (rule.name.empty()) {
      fail(at_, fmt::format("expected the name of a rule, not {}", found()));
      return;
    }
    skip(false);
    if (!take("::=")) {
      fail(at_, fmt::format("expected '::=' after the name '{}', not {}", rule.name, found()));
      return;
    }
    skip(true);
    rule.body = alternatives(0);
    if (failed()) return;
    if (!at_end() && peek() != '\n' && peek() != '\r') {
      fail(at_, fmt::format("{} cannot stand here", found()));
      return;
    }
    doc_.rules.push_back(std::move(rule));
  }

  // A line that begins with | goes on with the rule.
  bool bar(std::size_t depth) {
    skip(depth > 0);
    if (take("|")) return true;
    const std::size_t before = at_;
    skip(true);
    if (take("|")) return true;
    at_ = before;
    return false;
  }

  ExprId alternatives(std::size_t depth) {
    const std::size_t place = at_;
    std::vector<ExprId> out;
    if (!nested(depth, place)) return 0;
    do {
      skip(!out.empty() || depth > 0);
      out.push_back(sequence(depth));
    } while (!failed() && bar(depth));
    return group(Kind::kChoice, std::move(out), place);
  }

  ExprId sequence(std::size_t depth) {
    const std::size_t place = at_;
    std::vector<ExprId> out;
    while (!failed()) {
      const std::size_t before = at_;
      skip(depth > 0);
      // The name of the next rule, when the last alternative ended with a line.
      if (depth == 0 && next_rule()) {
        at_ = before;
        break;
      }
      const char c = peek();
      if (c != '"' && c != '[' && c != '(' && c != '.' && c != '<' && c != '!' && !is_word(c)) break;
      ExprId item = element(depth);
      for (std::size_t n = depth + 1; !failed() && quantified(item, depth); ++n) (void)nested(n, at_);
      out.push_back(item);
    }
    return group(Kind::kSequence, std::move(out), place);
  }

  bool next_rule() {
    if (!is_word(peek())) return false;
    const std::size_t before = at_;
    word();
    skip(false);
    const bool out = looking_at("::=");
    at_ = before;
    return out;
  }

  ExprId element(std::size_t depth) {
    const std::size_t place = at_;
    if (peek() == '"') return text();
    if (peek() == '[') return set();
    if (take(".")) {
      GrammarExpr expr;
      expr.kind = Kind::kSet, expr.place = place, expr.set = base::CodeSet().negated();
      return doc_.add(std::move(expr));
    }
    if (take("(")) {
      const ExprId out = alternatives(depth + 1);
      skip(true);
      if (!failed() && !take(")")) fail(at_, fmt::format("expected ')', not {}", found()));
      return out;
    }
    if (peek() == '<' || peek() == '!') {
      fail(place, "tokens of a model cannot be named; write their text", GrammarStatus::kUnsupported);
      return 0;
    }
    GrammarExpr expr;
    expr.kind = Kind::kRule, expr.place = place, expr.text = word();
    return doc_.add(std::move(expr));
  }

  // Whether there is one; `item` becomes the repetition.
  bool quantified(ExprId& item, std::size_t depth) {
    skip(depth > 0);
    const std::size_t place = at_;
    std::int64_t min = 0, max = kNoMaximum;
    if (take("*")) {
    } else if (take("+")) {
      min = 1;
    } else if (take("?")) {
      max = 1;
    } else if (take("{")) {
      skip(true);
      const auto low = number();
      skip(true);
      min = low.value_or(0), max = min;
      const bool comma = take(",");
      if (comma) {
        skip(true);
        max = number().value_or(kNoMaximum);
        skip(true);
      }
      if (!take("}") || (!low && !comma))
        return fail(at_, fmt::format("expected {{n}}, {{n,}} or {{n,m}}, not {}", found()));
      if (max != kNoMaximum && max < min) return fail(place, "repetition with max < min");
    } else {
      return false;
    }
    item = repeat_expr(item, min, max, place);
    return true;
  }

  std::optional<char32_t> escaped() {
    const std::size_t place = at_;
    if (!take("\\")) return character();
    const char c = peek();
    ++at_;
    switch (c) {
      case 'x':
        return hexadecimal(2, place);
      case 'u':
        return hexadecimal(4, place);
      case 'U':
        return hexadecimal(8, place);
      case 't':
        return U'\t';
      case 'r':
        return U'\r';
      case 'n':
        return U'\n';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
      case '/':
        return static_cast<char32_t>(c);
      default:
        --at_;
        fail(place, fmt::format("unknown escape: a backslash before {}", found()));
        return std::nullopt;
    }
  }

  ExprId text() {
    const std::size_t place = at_;
    std::string out;
    take("\"");
    while (!take("\"")) {
      if (at_end() || peek() == '\n') {
        fail(place, "the string has no end");
        return 0;
      }
      const auto c = escaped();
      if (!c) return 0;
      base::append_utf8(out, *c);
    }
    return text_expr(std::move(out), place);
  }

  ExprId set() {
    GrammarExpr expr;
    expr.kind = Kind::kSet, expr.place = at_;
    take("[");
    const bool negated = take("^");
    while (!take("]")) {
      if (at_end()) {
        fail(expr.place, "the class of characters has no end");
        return 0;
      }
      const std::size_t place = at_;
      const auto lo = escaped();
      if (!lo) return 0;
      auto hi = lo;
      if (peek() == '-' && peek(1) != ']') {
        ++at_;
        if (at_end()) continue;
        hi = escaped();
        if (!hi) return 0;
        if (*hi < *lo) {
          fail(place, "range out of order");
          return 0;
        }
      }
      expr.set.add(*lo, *hi);
    }
    if (negated) expr.set = expr.set.negated();
    return doc_.add(std::move(expr));
  }
};

}  // namespace

GrammarDoc parse_gbnf(std::string_view text, const GrammarLimits& limits) {
  return GbnfParser(text, limits).run();
}

}  // namespace sgl::constraint
