#include "compiler/parse/messages.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "SglLexer.h"
#include "compiler/parse/slips.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler::parsing {
namespace {

using antlr::SglLexer;
using TokenSet = std::set<std::size_t>;

const TokenSet kNameWords = {SglLexer::IDENT, SglLexer::KW_AS, SglLexer::KW_BY,
                             SglLexer::KW_FROM, SglLexer::KW_TO, SglLexer::KW_UP};

const TokenSet kStringStart = {SglLexer::RAW_TSTRING, SglLexer::RAW_STRING, SglLexer::RAW_UNTERMINATED,
                               SglLexer::TSTRING_OPEN, SglLexer::STRING_OPEN, SglLexer::BAD_QUOTED};

const TokenSet kExpressionStart = {
    SglLexer::HEX_LIT, SglLexer::DURATION_LIT, SglLexer::FLOAT_LIT, SglLexer::INT_LIT, SglLexer::BAD_NUMBER,
    SglLexer::LBRACE, SglLexer::LPAREN, SglLexer::LBRACK, SglLexer::MINUS, SglLexer::KW_NOT, SglLexer::KW_TRUE,
    SglLexer::KW_FALSE, SglLexer::KW_NULL, SglLexer::KW_GEN, SglLexer::KW_SELECT, SglLexer::KW_PARALLEL,
    SglLexer::KW_BRANCH, SglLexer::KW_RETRY};

const TokenSet kTypeStart = {
    SglLexer::HEX_LIT, SglLexer::FLOAT_LIT, SglLexer::INT_LIT, SglLexer::BAD_NUMBER, SglLexer::LBRACE,
    SglLexer::LPAREN, SglLexer::MINUS, SglLexer::KW_TRUE, SglLexer::KW_FALSE, SglLexer::KW_NULL,
    SglLexer::REGEX_TYPE, SglLexer::REGEX_TYPE_UNTERMINATED, SglLexer::PIPE};

// What may follow an operand: it is nearly always possible, so it is not worth saying.
const TokenSet kContinuations = {
    SglLexer::DOT, SglLexer::LPAREN, SglLexer::LBRACK, SglLexer::STAR, SglLexer::SLASH, SglLexer::PERCENT,
    SglLexer::PLUS, SglLexer::MINUS, SglLexer::QQ, SglLexer::EQ, SglLexer::NE, SglLexer::LT, SglLexer::LE,
    SglLexer::GT, SglLexer::GE, SglLexer::KW_IN, SglLexer::KW_NOT, SglLexer::KW_AND, SglLexer::KW_OR,
    SglLexer::KW_IF, SglLexer::ASSIGN, SglLexer::PLUS_ASSIGN, SglLexer::MINUS_ASSIGN, SglLexer::STAR_ASSIGN,
    SglLexer::SLASH_ASSIGN, SglLexer::PERCENT_ASSIGN};

void remove_all(TokenSet& from, const TokenSet& what) {
  for (const std::size_t type : what) from.erase(type);
}

void take_words(TokenSet& rest) {
  for (std::size_t word = SglLexer::KW_AND; word <= SglLexer::KW_YIELD; ++word) rest.erase(word);
}

// Where a line may begin, it may also be empty.
void take_line_ends(TokenSet& rest) {
  for (const std::size_t type : {std::size_t{SglLexer::NL}, std::size_t{SglLexer::SEMI}, antlr4::Token::EOF}) rest.erase(type);
}

// Takes the tokens of a group out of `rest` and names the group.
void take_groups(TokenSet& rest, std::vector<std::string>& out) {
  const auto has = [&](std::size_t type) { return rest.contains(type); };
  const bool any_word = has(SglLexer::KW_AND) && has(SglLexer::KW_LET) && has(SglLexer::KW_ELSE);
  const bool expression = has(SglLexer::INT_LIT) && has(SglLexer::KW_NOT) && has(SglLexer::LBRACK);
  const bool type = has(SglLexer::REGEX_TYPE);
  if (any_word) {
    const bool field = has(SglLexer::STRING_OPEN);
    take_words(rest);
    out.push_back(expression ? "an argument" : (field ? "a field" : "a name"));
    if (field) rest.erase(SglLexer::ELLIPSIS);
  } else if (has(SglLexer::KW_LET) && has(SglLexer::KW_WHILE)) {
    take_words(rest);
    take_line_ends(rest);
    out.push_back("a statement");
  } else if (has(SglLexer::KW_IMPORT) && has(SglLexer::KW_TOOL)) {
    take_words(rest);
    take_line_ends(rest);
    out.push_back("a declaration");
  } else if (type) {
    out.push_back("a type");
  } else if (expression) {
    out.push_back("an expression");
  } else if (has(SglLexer::IDENT)) {
    out.push_back("a name");
  } else if (has(SglLexer::RAW_STRING)) {
    out.push_back("a string");
  }
  const bool grouped = !out.empty();
  if (grouped) {
    remove_all(rest, kNameWords);
    remove_all(rest, kStringStart);
  }
  if (type) remove_all(rest, kTypeStart);
  if (expression) remove_all(rest, kExpressionStart);
  // After an operand; elsewhere '=' or '(' are what is missing.
  if (!expression && has(SglLexer::PLUS)) remove_all(rest, kContinuations);
}

std::string found_phrase(const Offence& offence, Reporter& reporter) {
  switch (offence.found) {
    case antlr4::Token::EOF: return "the end of the file";
    case SglLexer::NL: return "the end of the line";
    case SglLexer::STRING_OPEN: case SglLexer::TSTRING_OPEN: return "a string";
    case SglLexer::INTERP_CLOSE: return "'}'";
    default: break;
  }
  std::string text(reporter.text(offence.begin, offence.end));
  constexpr std::size_t kShown = 24;
  if (text.size() > kShown) {
    text.resize(base::complete_utf8_prefix(std::string_view(text).substr(0, kShown)));
    text += "…";
  }
  return fmt::format("'{}'", text);
}

std::string join_or(const std::vector<std::string>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? " or " : ", ";
    out += parts[i];
  }
  return out;
}

}  // namespace

std::string spelled(std::size_t type) {
  switch (type) {
    case antlr4::Token::EOF: return "the end of the file";
    case SglLexer::NL: return "the end of the line";
    case SglLexer::LBRACE: return "'{'";
    case SglLexer::RBRACE: case SglLexer::INTERP_CLOSE: return "'}'";
    case SglLexer::STR_CLOSE: return "'\"'";
    case SglLexer::TSTR_CLOSE: return "'\"\"\"'";
    default: break;
  }
  // The vocabulary belongs to an instance; its literal names never change.
  static const std::vector<std::string> kNames = [] {
    antlr4::ANTLRInputStream none;
    SglLexer lexer(&none);
    std::vector<std::string> names(static_cast<std::size_t>(SglLexer::TSTR_CLOSE) + 1);
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = lexer.getVocabulary().getLiteralName(i);
    return names;
  }();
  return type < kNames.size() ? kNames[type] : std::string();
}

std::string expected_phrase(const std::vector<std::size_t>& expected) {
  TokenSet rest(expected.begin(), expected.end());
  std::vector<std::string> parts;
  take_groups(rest, parts);
  if (rest.contains(SglLexer::NL)) rest.erase(SglLexer::SEMI);
  // Where a comma may stand, a line end may too.
  if (rest.contains(SglLexer::COMMA)) rest.erase(SglLexer::NL);
  if (rest.contains(SglLexer::RBRACE)) rest.erase(SglLexer::INTERP_CLOSE);
  for (const std::size_t type : rest) {
    const std::string name = spelled(type);
    if (!name.empty() && std::find(parts.begin(), parts.end(), name) == parts.end()) parts.push_back(name);
  }
  constexpr std::size_t kMostNamed = 4;
  if (parts.size() > kMostNamed) {
    // A group is worth naming even where much else is possible.
    const bool group = parts.front().front() != '\'';
    if (!group) return {};
    parts.resize(1);
  }
  return join_or(parts);
}

void explain(const Offence& offence, Reporter& reporter) {
  const Slip slip = find_slip(offence, reporter);
  std::uint32_t begin = slip.begin ? *slip.begin : offence.begin;
  std::uint32_t end = offence.end;
  if (offence.found == SglLexer::NL || offence.found == antlr4::Token::EOF) {
    // Nothing to underline: point behind the last token.
    if (offence.has_previous) begin = end = offence.previous_end;
  }
  std::string message = slip.message;
  if (message.empty()) {
    const std::string expected = expected_phrase(offence.expected);
    const std::string found = found_phrase(offence, reporter);
    const std::string before = offence.has_previous ? spelled(offence.previous) : std::string();
    if (expected.empty()) {
      message = before.empty() ? fmt::format("unexpected {}", found) : fmt::format("unexpected {} after {}", found, before);
    } else if (before.empty()) {
      message = fmt::format("expected {}, found {}", expected, found);
    } else {
      message = fmt::format("expected {} after {}, found {}", expected, before, found);
    }
  }
  Diagnostic& diagnostic = reporter.add(slip.kind, begin, end, std::move(message));
  if (!slip.help.empty()) diagnostic.suggest(slip.help);
  if (offence.opener && slip.kind == DiagKind::kSyntax) diagnostic.label(*offence.opener, "opened here");
}

}  // namespace sgl::compiler::parsing
