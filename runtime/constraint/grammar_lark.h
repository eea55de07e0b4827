// Parts of reading Lark's notation: templates and the library `common`. Private to runtime/constraint.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/grammar_text.h"

namespace sgl::constraint {

inline bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
inline bool is_name_start(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || c == '_';
}
inline bool is_name(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

// Strings, ranges, patterns and schemas (grammar_lark_terminals.cc). On a problem they return 0 or nothing.
class LarkTerminals : protected GrammarReader {
 public:
  using GrammarReader::GrammarReader;

 protected:
  // White space and comments; line ends only where `lines`.
  void skip(bool lines);
  ExprId string_or_range();
  ExprId pattern();
  ExprId schema();  // %json { … }

  bool in_terminal_ = false;  // in the definition of one

 private:
  std::optional<std::string> string();
  std::optional<char32_t> escaped();
};

struct GrammarTemplate {
  GrammarRule rule;
  std::vector<std::string> parameters;
};

// Replaces every use of a template by a rule made for its arguments; equal arguments share one. Sets doc.problem for
// unknown templates, wrong numbers of arguments and more instances than max_rules.
void expand_templates(GrammarDoc& doc, const std::vector<GrammarTemplate>& templates, const GrammarLimits& limits);

// Adds the terminal `name` of the library `common` under the name `alias`, and those that it needs and that are not
// among `imported` yet. Sets doc.problem when there is no such terminal.
void import_common(GrammarDoc& doc, std::string_view name, std::string_view alias, std::size_t place,
                   std::set<std::string>& imported);

}  // namespace sgl::constraint
