// The notation of Lark: https://lark-parser.readthedocs.io/en/stable/grammar.html
#include "runtime/constraint/grammar_lark.h"

#include <fmt/format.h>

#include "runtime/base/utf8.h"
#include "runtime/constraint/grammar_text.h"

namespace sgl::constraint {
namespace {

using Kind = GrammarExpr::Kind;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_name_start(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || c == '_';
}
bool is_name(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

class LarkParser : private GrammarReader {
 public:
  using GrammarReader::GrammarReader;

  GrammarDoc run() {
    for (skip(true); !at_end() && !failed(); skip(true)) {
      if (peek() == '%') {
        directive();
      } else {
        definition();
      }
    }
    if (!failed()) expand_templates(doc_, templates_, limits_);
    return std::move(doc_);
  }

 private:
  void skip(bool lines) {
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
  bool at_line_end() {
    skip(false);
    return at_end() || peek() == '\n' || peek() == '\r';
  }
  void end_line(std::string_view hint) {
    if (!failed() && !at_line_end()) fail(at_, fmt::format("{} cannot stand here{}", found(), hint));
  }

  std::string name() {
    const std::size_t begin = at_;
    if (is_name_start(peek())) {
      while (is_name(peek())) ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }
  bool is_terminal(std::string_view name) const {
    const std::size_t first = name.find_first_not_of('_');
    return first != std::string_view::npos && is_upper(name[first]);
  }
  // A name is all in capitals or all in small letters.
  bool check_name(std::string_view name, std::size_t place) {
    const bool terminal = is_terminal(name);
    for (char c : name) {
      if ((terminal && c >= 'a' && c <= 'z') || (!terminal && is_upper(c))) {
        return fail(place, fmt::format("'{}' mixes capitals (terminals) and small letters (rules)", name));
      }
    }
    return true;
  }

  void definition() {
    while (take("?") || take("!")) {
    }
    GrammarRule rule;
    rule.place = at_;
    rule.name = name();
    if (rule.name.empty()) {
      fail(at_, fmt::format("expected the name of a rule or a directive, not {}", found()));
      return;
    }
    if (!check_name(rule.name, rule.place)) return;
    rule.terminal = is_terminal(rule.name);
    std::vector<std::string> parameters;
    const bool is_template = take("{");
    if (is_template && !template_parameters(parameters)) return;
    if (peek() == '[') {
      fail(at_, "attributes of rules are not supported", GrammarStatus::kUnsupported);
      return;
    }
    if (take(".")) {
      take("-");
      if (!number()) fail(at_, "expected a priority, a number");
    }
    skip(false);
    if (!failed() && !take(":")) {
      fail(at_,
           fmt::format("expected ':' after the name '{}', not {} (a rule goes on in the next line with '|' or inside "
                       "brackets)",
                       rule.name, found()));
    }
    if (failed()) return;
    in_terminal_ = rule.terminal;
    rule.body = alternatives(0);
    in_terminal_ = false;
    end_line("");
    if (failed()) return;
    if (is_template) {
      templates_.push_back({std::move(rule), std::move(parameters)});
    } else {
      doc_.rules.push_back(std::move(rule));
    }
  }

  bool template_parameters(std::vector<std::string>& out) {
    do {
      skip(true);
      const std::size_t place = at_;
      out.push_back(name());
      if (out.back().empty()) return fail(place, "expected the name of a parameter");
      skip(true);
    } while (take(","));
    return take("}") || fail(at_, fmt::format("expected '}}', not {}", found()));
  }

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
      out.push_back(sequence(depth));
      skip(depth > 0);
      if (!failed() && take("->")) {
        skip(false);
        if (name().empty()) fail(at_, "expected a name after '->'");
      }
    } while (!failed() && bar(depth));
    return group(Kind::kChoice, std::move(out), place);
  }

  ExprId sequence(std::size_t depth) {
    const std::size_t place = at_;
    std::vector<ExprId> out;
    while (!failed()) {
      skip(depth > 0);
      const char c = peek();
      if (c != '"' && c != '/' && c != '(' && c != '[' && c != '%' && c != '<' && c != '\'' && !is_name_start(c)) break;
      ExprId item = atom(depth);
      if (!failed()) item = quantified(item);
      out.push_back(item);
    }
    return group(Kind::kSequence, std::move(out), place);
  }

  ExprId atom(std::size_t depth) {
    const std::size_t place = at_;
    switch (peek()) {
      case '"':
        return string_or_range();
      case '/':
        return pattern();
      case '%':
        return schema();
      case '<':
        fail(place, "tokens of a model cannot be named; write their text", GrammarStatus::kUnsupported);
        return 0;
      case '\'':
        fail(place, "strings stand in double quotes");
        return 0;
      case '(':
      case '[': {
        const bool optional = take("[");
        if (!optional) take("(");
        const ExprId out = alternatives(depth + 1);
        skip(true);
        const std::string_view close = optional ? "]" : ")";
        if (!failed() && !take(close)) fail(at_, fmt::format("expected '{}', not {}", close, found()));
        return optional ? repeat_expr(out, 0, 1, place) : out;
      }
      default:
        return reference(depth);
    }
  }

  ExprId reference(std::size_t depth) {
    GrammarExpr expr;
    expr.kind = Kind::kRule, expr.place = at_, expr.text = name();
    if (take("{")) {
      if (!nested(depth + 1, expr.place)) return 0;
      expr.kind = Kind::kTemplate;
      do {
        skip(true);
        expr.children.push_back(alternatives(depth + 1));
        skip(true);
      } while (!failed() && take(","));
      if (!failed() && !take("}")) fail(at_, fmt::format("expected '}}', not {}", found()));
    }
    return doc_.add(std::move(expr));
  }

  ExprId quantified(ExprId item) {
    const std::size_t place = at_;
    if (take("*")) return repeat_expr(item, 0, kNoMaximum, place);
    if (take("+")) return repeat_expr(item, 1, kNoMaximum, place);
    if (take("?")) return repeat_expr(item, 0, 1, place);
    skip(false);
    if (peek() == '~') return counted(item);
    at_ = place;
    return item;
  }

  // ~ n, ~ n..m
  ExprId counted(ExprId item) {
    const std::size_t place = at_;
    take("~");
    skip(false);
    const auto min = number();
    auto max = min;
    skip(false);
    if (take("..")) {
      skip(false);
      max = number();
    }
    if (!min || !max) {
      fail(at_, fmt::format("expected a number after '~', not {}", found()));
    } else if (*max < *min) {
      fail(place, "repetition with max < min");
    }
    return repeat_expr(item, min.value_or(0), max.value_or(0), place);
  }

  std::optional<std::string> string() {
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

  std::optional<char32_t> escaped() {
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

  ExprId string_or_range() {
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

  ExprId pattern() {
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

  // %json { … }
  ExprId schema() {
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

  void directive() {
    const std::size_t place = at_;
    ++at_;
    const std::string what = name();
    skip(false);
    if (what == "ignore") {
      in_terminal_ = true;
      doc_.ignored.push_back(alternatives(0));
      in_terminal_ = false;
      end_line("");
    } else if (what == "import") {
      import(place);
    } else if (what == "declare" || what == "override" || what == "extend") {
      fail(place, fmt::format("%{} is not supported: define the terminal or rule in the grammar", what),
           GrammarStatus::kUnsupported);
    } else {
      fail(place, fmt::format("unknown directive '%{}'; there are %ignore and %import", what));
    }
  }

  void import(std::size_t place) {
    const std::string module = peek() == '.' ? "" : name();
    if (module != "common") {
      fail(place, "only the library 'common' can be imported", GrammarStatus::kUnsupported);
      return;
    }
    skip(false);
    std::vector<std::pair<std::string, std::size_t>> names;
    if (take("(")) {
      do {
        skip(true);
        const std::size_t at = at_;
        names.emplace_back(name(), at);
        skip(true);
      } while (take(","));
      if (!take(")")) fail(at_, fmt::format("expected ')', not {}", found()));
    } else if (take(".")) {
      const std::size_t at = at_;
      names.emplace_back(name(), at);
    } else {
      fail(at_, "expected '.' and the name of a terminal after 'common'");
    }
    skip(false);
    std::string alias;
    if (names.size() == 1 && take("->")) {
      skip(false);
      alias = name();
      if (!is_terminal(alias)) fail(at_, "expected a name in capitals after '->'");
    }
    for (const auto& [imported, at] : names) {
      if (failed()) return;
      import_common(doc_, imported, alias.empty() ? imported : alias, at);
    }
    end_line("");
  }

  bool in_terminal_ = false;
  std::vector<GrammarTemplate> templates_;
};

}  // namespace

GrammarDoc parse_lark(std::string_view text, const GrammarLimits& limits) {
  return LarkParser(text, limits).run();
}

}  // namespace sgl::constraint
