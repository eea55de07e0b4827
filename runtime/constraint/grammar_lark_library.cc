#include <fmt/format.h>

#include <map>

#include "runtime/constraint/grammar_lark.h"

namespace sgl::constraint {
namespace {

using Kind = GrammarExpr::Kind;

// The terminals of Lark's `common`, as regular languages: where Lark relies on the shortest match, the pattern says
// what ends it.
constexpr std::string_view kCommon = R"x(
DIGIT: "0".."9"
HEXDIGIT: "a".."f" | "A".."F" | DIGIT
INT: DIGIT+
SIGNED_INT: ["+" | "-"] INT
DECIMAL: INT "." INT? | "." INT
_EXP: ("e" | "E") SIGNED_INT
FLOAT: INT _EXP | DECIMAL _EXP?
SIGNED_FLOAT: ["+" | "-"] FLOAT
NUMBER: FLOAT | INT
SIGNED_NUMBER: ["+" | "-"] NUMBER
ESCAPED_STRING: /"([^"\\\n]|\\.)*"/
LCASE_LETTER: "a".."z"
UCASE_LETTER: "A".."Z"
LETTER: UCASE_LETTER | LCASE_LETTER
WORD: LETTER+
CNAME: ("_" | LETTER) ("_" | LETTER | DIGIT)*
WS_INLINE: /[ \t]+/
WS: /[ \t\f\r\n]+/
CR: /\r/
LF: /\n/
NEWLINE: (CR? LF)+
SH_COMMENT: /#[^\n]*/
CPP_COMMENT: /\/\/[^\n]*/
C_COMMENT: /\/\*([^*]|\*+[^*\/])*\*+\//
SQL_COMMENT: /--[^\n]*/
)x";

const GrammarDoc& common() {
  static const GrammarDoc doc = parse_lark(kCommon, GrammarLimits());
  return doc;
}

const GrammarRule* common_rule(std::string_view name) {
  for (const GrammarRule& rule : common().rules) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

// Copies a tree of `from` into `doc`; `change` sees each copy.
template <typename Change>
ExprId copy_tree(GrammarDoc& doc, const GrammarDoc& from, ExprId root, Change change) {
  GrammarExpr expr = from.exprs[root];  // a copy: `doc` may be `from` and grow
  for (ExprId& child : expr.children) child = copy_tree(doc, from, child, change);
  return change(doc.add(std::move(expr)));
}

std::string library_name(std::string_view name) {
  return fmt::format("common.{}", name);
}

class TemplateExpander {
 public:
  TemplateExpander(GrammarDoc& doc, const std::vector<GrammarTemplate>& templates, const GrammarLimits& limits)
      : doc_(doc), limits_(limits) {
    for (const GrammarTemplate& t : templates) {
      if (!index_.emplace(t.rule.name, &t).second) {
        fail(t.rule.place, fmt::format("the template '{}' is defined twice", t.rule.name));
      }
    }
  }

  void run() {
    for (const ExprId ignored : doc_.ignored) expand(ignored);
    // Instances are appended and so are met later.
    for (std::size_t i = 0; i < doc_.rules.size() && !doc_.problem; ++i) expand(doc_.rules[i].body);
  }

 private:
  using Arguments = std::map<std::string, ExprId>;
  static constexpr std::size_t kMaxExprs = 1'000'000;  // some 150 bytes each; texts within max_bytes have as many

  void fail(std::size_t place, std::string message, GrammarStatus status = GrammarStatus::kInvalid) {
    if (!doc_.problem) doc_.problem = GrammarProblem{status, place, std::move(message), false};
  }

  // Instantiates the templates that a tree uses, innermost first. Recursion is bounded by the nesting of the text.
  void expand(ExprId id) {
    const std::vector<ExprId> children = doc_.exprs[id].children;
    for (ExprId child : children) expand(child);
    if (doc_.problem || doc_.exprs[id].kind != Kind::kTemplate) return;
    std::string name = instance(doc_.exprs[id]);
    GrammarExpr& expr = doc_.exprs[id];
    expr.kind = Kind::kRule, expr.text = std::move(name);
    expr.children.clear();
  }

  // The name of the rule for these arguments, which is made when it is not there yet.
  std::string instance(const GrammarExpr& use) {
    const auto it = index_.find(use.text);
    if (it == index_.end()) {
      fail(use.place, fmt::format("there is no template '{}'", use.text));
      return {};
    }
    const GrammarTemplate& t = *it->second;
    if (use.children.size() != t.parameters.size()) {
      fail(use.place, fmt::format("the template '{}' takes {} arguments, not {}", use.text, t.parameters.size(),
                                  use.children.size()));
      return {};
    }
    const std::vector<ExprId> children = use.children;
    const std::size_t place = use.place;
    std::string name = use.text + "{";
    Arguments arguments;
    for (std::size_t i = 0; i < children.size(); ++i) {
      const ExprId argument = simple(children[i]);
      arguments[t.parameters[i]] = argument;
      const GrammarExpr& expr = doc_.exprs[argument];
      const bool text = expr.kind == Kind::kText;
      name += fmt::format("{}{}", i > 0 ? "," : "",
                          text ? fmt::format("{}\"{}\"", expr.ignore_case ? "i" : "", expr.text) : expr.text);
    }
    name += "}";
    if (!made_.insert(name).second) return name;
    if (doc_.rules.size() >= limits_.max_rules || doc_.exprs.size() > kMaxExprs || name.size() > kMaxName) {
      fail(place, fmt::format("the templates need more than {} rules", limits_.max_rules), GrammarStatus::kLimit);
      return {};
    }
    GrammarRule rule = t.rule;
    rule.name = name;
    rule.body = copy_tree(doc_, doc_, t.rule.body, [&](ExprId made) { return substitute(made, arguments); });
    doc_.rules.push_back(std::move(rule));
    return name;
  }

  ExprId substitute(ExprId made, const Arguments& arguments) const {
    const GrammarExpr& expr = doc_.exprs[made];
    if (expr.kind != Kind::kRule) return made;
    const auto it = arguments.find(expr.text);
    return it == arguments.end() ? made : it->second;
  }

  // An argument as a name or a string, so that instances can be compared; others get a rule of their own.
  ExprId simple(ExprId argument) {
    const GrammarExpr& expr = doc_.exprs[argument];
    if (expr.kind == Kind::kRule || expr.kind == Kind::kText) return argument;
    GrammarRule rule;
    rule.name = fmt::format("argument{{{}}}", doc_.rules.size());
    rule.place = expr.place, rule.body = argument;
    GrammarExpr reference;
    reference.kind = Kind::kRule, reference.text = rule.name, reference.place = expr.place;
    doc_.rules.push_back(std::move(rule));
    return doc_.add(std::move(reference));
  }

  static constexpr std::size_t kMaxName = 10'000;  // bytes; instances of instances of … have longer and longer names
  GrammarDoc& doc_;
  const GrammarLimits& limits_;
  std::map<std::string, const GrammarTemplate*> index_;
  std::set<std::string> made_;
};

}  // namespace

void expand_templates(GrammarDoc& doc, const std::vector<GrammarTemplate>& templates, const GrammarLimits& limits) {
  TemplateExpander(doc, templates, limits).run();
}

void import_common(GrammarDoc& doc, std::string_view name, std::string_view alias, std::size_t place,
                   std::set<std::string>& imported) {
  const GrammarRule* found = common_rule(name);
  if (found == nullptr) {
    std::string names;
    for (const GrammarRule& rule : common().rules) names += (names.empty() ? "" : ", ") + rule.name;
    doc.problem = GrammarProblem{GrammarStatus::kInvalid, place,
                                 fmt::format("'common' has no terminal '{}'; it has {}", name, names), false};
    return;
  }
  std::vector<std::string> todo{std::string(name)};
  while (!todo.empty()) {
    const std::string next = std::move(todo.back());
    todo.pop_back();
    if (!imported.insert(next).second) continue;
    GrammarRule rule{library_name(next), place, 0, true};
    rule.body = copy_tree(doc, common(), common_rule(next)->body, [&](ExprId made) {
      GrammarExpr& expr = doc.exprs[made];
      expr.place = place;
      if (expr.kind == Kind::kRule) {
        todo.push_back(expr.text);
        expr.text = library_name(expr.text);
      }
      return made;
    });
    doc.rules.push_back(std::move(rule));
  }
  GrammarExpr reference;
  reference.kind = Kind::kRule, reference.text = library_name(name), reference.place = place;
  doc.rules.push_back({std::string(alias), place, doc.add(std::move(reference)), true});
}

}  // namespace sgl::constraint
