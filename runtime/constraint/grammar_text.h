// Reading the text of a grammar: what both notations share. Private to runtime/constraint.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/constraint/grammar_doc.h"

namespace sgl::constraint {

// Thrown by nobody: parsers stop at the first problem, which is kept here, and return what they have.
class GrammarReader {
 public:
  GrammarReader(std::string_view text, const GrammarLimits& limits) : text_(text), limits_(limits) {}

  bool failed() const { return doc_.problem.has_value(); }

 protected:
  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool looking_at(std::string_view what) const { return text_.substr(std::min(at_, text_.size())).starts_with(what); }
  bool take(std::string_view what) {
    if (!looking_at(what)) return false;
    at_ += what.size();
    return true;
  }
  // Keeps the first problem only. False, for `return fail(…)`.
  bool fail(std::size_t place, std::string message, GrammarStatus status = GrammarStatus::kInvalid) {
    if (!doc_.problem) doc_.problem = GrammarProblem{status, place, std::move(message), false};
    return false;
  }
  // "'x'", "the end of the line" or "the end of the grammar": what stands here, for messages.
  std::string found() const;
  // A decimal number, at most 10^9; nullopt: none here.
  std::optional<std::int64_t> number();
  // `count` hexadecimal digits as a character; fails for others, surrogates and values that are no characters.
  std::optional<char32_t> hexadecimal(std::size_t count, std::size_t place);
  // The next character, which is not an escape; fails for text that is not UTF-8.
  std::optional<char32_t> character();
  // Too deep: fails.
  bool nested(std::size_t depth, std::size_t place);

  ExprId text_expr(std::string text, std::size_t place, bool ignore_case = false);
  ExprId repeat_expr(ExprId item, std::int64_t min, std::int64_t max, std::size_t place);
  // The only child, or a sequence or choice of all.
  ExprId group(GrammarExpr::Kind kind, std::vector<ExprId> children, std::size_t place);

  std::string_view text_;
  const GrammarLimits& limits_;
  std::size_t at_ = 0;
  GrammarDoc doc_;
};

}  // namespace sgl::constraint
