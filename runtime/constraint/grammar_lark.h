// Parts of reading Lark's notation: templates and the library `common`. Private to runtime/constraint.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/grammar_doc.h"

namespace sgl::constraint {

struct GrammarTemplate {
  GrammarRule rule;
  std::vector<std::string> parameters;
};

// Replaces every use of a template by a rule made for its arguments; equal arguments share one. Sets doc.problem for
// unknown templates, wrong numbers of arguments and more instances than max_rules.
void expand_templates(GrammarDoc& doc, const std::vector<GrammarTemplate>& templates, const GrammarLimits& limits);

// Adds the terminal `name` of the library `common` under the name `alias`, and those that it needs. Sets doc.problem
// when there is no such terminal.
void import_common(GrammarDoc& doc, std::string_view name, std::string_view alias, std::size_t place);

}  // namespace sgl::constraint
