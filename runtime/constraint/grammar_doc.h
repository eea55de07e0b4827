// A grammar as it was written: rules whose bodies are trees of expressions. Both notations become this. Private to
// runtime/constraint.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/unicode.h"
#include "runtime/constraint/grammar.h"

namespace sgl::constraint {

using ExprId = std::uint32_t;
using RuleId = std::uint32_t;
constexpr RuleId kNoRule = UINT32_MAX;
constexpr std::int64_t kNoMaximum = -1;

struct GrammarExpr {
  enum class Kind : std::uint8_t {
    kText,      // exactly `text`; with ignore_case, by simple case folding
    kSet,       // one character of `set`
    kPattern,   // what the regular expression `text` matches
    kRule,      // `text` names a rule, which is `rule` once names are resolved
    kSequence,  // children one after the other; none: the empty text
    kChoice,    // one of the children
    kRepeat,    // children[0], min … max times
    kSchema,    // JSON text of the JSON Schema `text`
    kTemplate,  // an instance of the template `text` with children as arguments; gone when a grammar has been parsed
  } kind = Kind::kSequence;
  bool ignore_case = false, dot_all = false;
  std::size_t place = 0;  // offset in the text
  std::string text;
  base::CodeSet set;
  RuleId rule = kNoRule;
  std::int64_t min = 0, max = kNoMaximum;  // kNoMaximum: unbounded
  std::vector<ExprId> children;
};

struct GrammarRule {
  std::string name;
  std::size_t place = 0;
  ExprId body = 0;
  bool terminal = false;  // nothing is ignored inside
};

struct GrammarProblem {
  GrammarStatus status = GrammarStatus::kInvalid;
  std::size_t place = 0;
  std::string message;
  bool whole = false;  // it is not about a place
};

struct GrammarDoc {
  std::vector<GrammarExpr> exprs;
  std::vector<GrammarRule> rules;
  std::vector<ExprId> ignored;  // what %ignore names
  std::string start = "start";
  std::optional<GrammarProblem> problem;

  ExprId add(GrammarExpr expr) {
    exprs.push_back(std::move(expr));
    return static_cast<ExprId>(exprs.size() - 1);
  }
  ExprId add(GrammarExpr::Kind kind, std::size_t place, std::vector<ExprId> children = {}) {
    GrammarExpr expr;
    expr.kind = kind, expr.place = place, expr.children = std::move(children);
    return add(std::move(expr));
  }
};

GrammarDoc parse_lark(std::string_view text, const GrammarLimits& limits);
GrammarDoc parse_gbnf(std::string_view text, const GrammarLimits& limits);

// Fills in GrammarExpr::rule. The problem, if a name is unknown, used twice or may not stand where it does.
std::optional<GrammarProblem> resolve_names(GrammarDoc& doc);

}  // namespace sgl::constraint
