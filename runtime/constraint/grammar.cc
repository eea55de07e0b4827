#include "runtime/constraint/grammar.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/constraint/grammar_constraint.h"
#include "runtime/constraint/grammar_doc.h"

namespace sgl::constraint {
namespace {

void set_problem(GrammarResult& out, std::string_view text, const GrammarProblem& problem) {
  out.status = problem.status, out.message = problem.message;
  if (problem.whole) return;
  out.offset = std::min(problem.place, text.size());
  out.line = 1 + static_cast<std::size_t>(
                     std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(out.offset), '\n'));
  const std::size_t begin = out.offset == 0 ? std::string_view::npos : text.rfind('\n', out.offset - 1);
  out.column = out.offset - (begin == std::string_view::npos ? 0 : begin + 1) + 1;
}

}  // namespace

// A rule of GBNF begins a line with its name and `::=`; no line of Lark's can, for strings do not go over lines.
GrammarSyntax detect_grammar_syntax(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    while (at < text.size() && is_blank(text[at])) ++at;
    while (at < text.size() && is_word(text[at])) ++at;
    while (at < text.size() && is_blank(text[at])) ++at;
    if (text.substr(std::min(at, text.size()), 3) == "::=") return GrammarSyntax::kGbnf;
    while (at < text.size() && text[at] != '\n') ++at;
  }
  return GrammarSyntax::kLark;
}

GrammarResult compile_grammar(std::string_view text, const GrammarOptions& options) {
  GrammarResult out;
  if (text.size() > options.limits.max_bytes) {
    set_problem(out, text,
                {GrammarStatus::kLimit, 0,
                 "the grammar is longer than " + std::to_string(options.limits.max_bytes) + " bytes", true});
    return out;
  }
  GrammarSyntax syntax = options.syntax;
  if (syntax == GrammarSyntax::kDetect) syntax = detect_grammar_syntax(text);
  GrammarDoc doc = syntax == GrammarSyntax::kGbnf ? parse_gbnf(text, options.limits) : parse_lark(text, options.limits);
  if (!options.start.empty()) doc.start = options.start;
  if (!doc.problem && doc.rules.size() > options.limits.max_rules) {
    doc.problem = GrammarProblem{GrammarStatus::kLimit, 0,
                                 "more than " + std::to_string(options.limits.max_rules) + " rules", true};
  }
  if (!doc.problem) doc.problem = resolve_names(doc);
  if (!doc.problem) {
    const GrammarNfa nfa = make_nfa(doc, options.limits);
    if (!doc.problem) out.constraint = grammar_constraint(nfa, options.limits, out.warnings, doc.problem);
  }
  if (doc.problem) set_problem(out, text, *doc.problem);
  return out;
}

base::Expected<std::shared_ptr<const Constraint>> compile_grammar_type(std::string_view text) {
  GrammarResult made = compile_grammar(text);
  if (made.ok()) return std::move(made.constraint);
  const std::string place = made.line == 0 ? "" : fmt::format("line {}, column {}: ", made.line, made.column);
  const bool limit = made.status == GrammarStatus::kLimit;
  return base::Error{limit ? base::ErrorKind::kLimit : base::ErrorKind::kInvalid,
                     fmt::format("value: grammar: {}{}", place, made.message)};
}

std::shared_ptr<const Constraint> grammar_constraint(const GrammarNfa& nfa, const GrammarLimits& limits,
                                                     std::vector<std::string>& warnings,
                                                     std::optional<GrammarProblem>& problem) {
  auto network = GrammarNetwork::build(nfa, limits, warnings, problem);
  if (problem) return nullptr;
  return std::make_shared<const Constraint>(std::make_shared<GrammarConstraint>(std::move(network), limits));
}

}  // namespace sgl::constraint
