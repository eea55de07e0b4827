// The notation of Lark: https://lark-parser.readthedocs.io/en/stable/grammar.html
#include "runtime/constraint/grammar_lark.h"

#include <fmt/format.h>

namespace sgl::constraint {
namespace {

using Kind = GrammarExpr::Kind;

class LarkParser : private LarkTerminals {
 public:
  using LarkTerminals::LarkTerminals;

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
      import_common(doc_, imported, alias.empty() ? imported : alias, at, imported_);
    }
    end_line("");
  }

  std::vector<GrammarTemplate> templates_;
  std::set<std::string> imported_;  // from the library
};

}  // namespace

GrammarDoc parse_lark(std::string_view text, const GrammarLimits& limits) {
  return LarkParser(text, limits).run();
}

}  // namespace sgl::constraint
