#include "compiler/parse/errors.h"

#include <optional>

#include "SglParser.h"
#include "compiler/parse/messages.h"

namespace sgl::compiler::parsing {
namespace {

using antlr::SglParser;

bool begins_declaration(std::size_t type) {
  switch (type) {
    case SglParser::KW_IMPORT: case SglParser::KW_TYPE: case SglParser::KW_GRAMMAR: case SglParser::KW_CONST:
    case SglParser::KW_FN: case SglParser::KW_PROMPT: case SglParser::KW_PROGRAM: case SglParser::KW_TOOL:
      return true;
    default:
      return false;
  }
}

bool opens(std::size_t type) {
  return type == SglParser::LBRACE || type == SglParser::INTERP_OPEN || type == SglParser::STRING_OPEN ||
         type == SglParser::TSTRING_OPEN;
}

bool closes(std::size_t type) {
  return type == SglParser::RBRACE || type == SglParser::INTERP_CLOSE || type == SglParser::STR_CLOSE ||
         type == SglParser::TSTR_CLOSE || type == SglParser::STR_UNTERMINATED;
}

std::size_t closer_of(std::size_t type) {
  switch (type) {
    case SglParser::LPAREN: case SglParser::REGEX_TYPE: return SglParser::RPAREN;
    case SglParser::LBRACK: return SglParser::RBRACK;
    case SglParser::LBRACE: return SglParser::RBRACE;
    case SglParser::INTERP_OPEN: return SglParser::INTERP_CLOSE;
    default: return 0;
  }
}

// Whether recovery is between declarations: in a rule above them, or in a body that lacks its brace.
bool at_top_level(antlr4::Parser* parser) {
  antlr4::ParserRuleContext* context = parser->getContext();
  if (context == nullptr) return true;
  switch (context->getRuleIndex()) {
    case SglParser::RuleFile: case SglParser::RuleTopDecl: case SglParser::RuleDeclaration:
      return true;
    case SglParser::RuleBlock: {
      const auto* parent = dynamic_cast<SglParser::DeclarationContext*>(context->parent);
      return parent != nullptr && context->children.empty();
    }
    default:
      return false;
  }
}

// The innermost open bracket that one of `expected` closes.
std::optional<TokenSpan> find_opener(antlr4::Parser* parser, const antlr4::misc::IntervalSet& expected) {
  antlr4::tree::ParseTree* node = parser->getContext();
  for (; node != nullptr; node = node->parent) {
    for (antlr4::tree::ParseTree* child : node->children) {
      auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child);
      if (terminal == nullptr || terminal->getSymbol() == nullptr) continue;
      const std::size_t closer = closer_of(terminal->getSymbol()->getType());
      if (closer == 0) continue;
      const TokenSpan span = span_of(terminal->getSymbol());
      if (!span.valid) continue;
      if (expected.contains(closer)) return span;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

bool ErrorStrategy::at_declaration(antlr4::Parser* parser) const {
  const antlr4::Token* next = parser->getTokenStream()->LT(1);
  if (!begins_declaration(next->getType())) return false;
  const TokenSpan span = span_of(next);
  return span.valid && (span.begin == 0 || reporter_.source()[span.begin - 1] == '\n');
}

void ErrorStrategy::recover(antlr4::Parser* parser, std::exception_ptr error) {
  // A declaration at the start of a line ends whatever was unclosed: every rule below the file gives up here.
  if (at_declaration(parser) && !at_top_level(parser)) return;
  DefaultErrorStrategy::recover(parser, error);
}

void ErrorStrategy::sync(antlr4::Parser* parser) {
  // What is no declaration is skipped here: an exception would end the whole file.
  const antlr4::ParserRuleContext* context = parser->getContext();
  if (context != nullptr && context->getRuleIndex() == SglParser::RuleFile && !inErrorRecoveryMode(parser)) {
    const std::size_t next = parser->getTokenStream()->LA(1);
    const bool fits = next == antlr4::Token::EOF || next == SglParser::NL || next == SglParser::SEMI;
    if (!fits && !begins_declaration(next)) {
      reportUnwantedToken(parser);
      consumeUntil(parser, antlr4::misc::IntervalSet());
      return;
    }
  }
  DefaultErrorStrategy::sync(parser);
}

void ErrorStrategy::reportNoViableAlternative(antlr4::Parser* parser, const antlr4::NoViableAltException& error) {
  // What was possible is known only for the token where the decision began.
  report(parser, error.getOffendingToken(), error.getStartToken() == error.getOffendingToken());
}

void ErrorStrategy::reportInputMismatch(antlr4::Parser* parser, const antlr4::InputMismatchException& error) {
  report(parser, error.getOffendingToken(), true);
}

void ErrorStrategy::reportUnwantedToken(antlr4::Parser* parser) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  report(parser, parser->getCurrentToken(), true);
}

void ErrorStrategy::reportMissingToken(antlr4::Parser* parser) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  report(parser, parser->getCurrentToken(), true);
}

antlr4::Token* ErrorStrategy::singleTokenDeletion(antlr4::Parser* parser) {
  const std::size_t next = parser->getTokenStream()->LA(1);
  // To drop a bracket or a quote would pair all that follow wrongly.
  if (opens(next) || closes(next) || at_declaration(parser)) return nullptr;
  return DefaultErrorStrategy::singleTokenDeletion(parser);
}

void ErrorStrategy::consumeUntil(antlr4::Parser* parser, const antlr4::misc::IntervalSet& until) {
  const bool top_level = at_top_level(parser);
  std::size_t depth = 0;
  std::size_t previous = SglParser::NL;
  for (;;) {
    const std::size_t next = parser->getTokenStream()->LA(1);
    if (next == antlr4::Token::EOF || at_declaration(parser)) return;
    if (depth == 0) {
      const bool line_begins = previous == SglParser::NL || previous == SglParser::SEMI;
      if (top_level ? (line_begins && begins_declaration(next)) : until.contains(next)) return;
    }
    if (opens(next)) {
      ++depth;
    } else if (closes(next) && depth > 0) {
      --depth;
    }
    previous = next;
    parser->consume();
  }
}

void ErrorStrategy::report(antlr4::Parser* parser, antlr4::Token* at, bool knows_expected) {
  if (at == nullptr) return;
  const TokenSpan span = span_of(at);
  const std::size_t found = at->getType();
  if (!span.valid || (found == antlr4::Token::EOF && reporter_.end_silenced())) return;
  // A closer that the filter put in stands where an unterminated string was reported.
  const bool inserted = span.begin == span.end && found != SglParser::NL && found != antlr4::Token::EOF;
  if (inserted || reporter_.reported(span.begin) || !places_.insert(at->getTokenIndex()).second) return;
  if (places_.size() > Diagnostics::kMaxErrors) source_.stop();

  Offence offence;
  offence.found = found;
  offence.begin = span.begin;
  offence.end = span.end;
  if (at->getTokenIndex() > 0) {
    const antlr4::Token* before = parser->getTokenStream()->get(at->getTokenIndex() - 1);
    const TokenSpan previous = span_of(before);
    offence.has_previous = previous.valid && before->getType() != SglParser::NL;
    offence.previous = before->getType();
    offence.previous_begin = previous.begin;
    offence.previous_end = previous.end;
  }
  if (knows_expected) {
    const antlr4::misc::IntervalSet expected = parser->getExpectedTokens();
    for (const ssize_t type : expected.toList()) offence.expected.push_back(static_cast<std::size_t>(type));
    if (const auto opener = find_opener(parser, expected)) {
      // That it is never closed has been said.
      if (reporter_.reported(opener->begin)) return;
      offence.opener = reporter_.range(opener->begin, opener->end);
    }
  }
  explain(offence, reporter_);
}

}  // namespace sgl::compiler::parsing
