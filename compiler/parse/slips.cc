#include "compiler/parse/slips.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "SglLexer.h"
#include "compiler/parse/messages.h"

namespace sgl::compiler::parsing {
namespace {

using antlr::SglLexer;

struct Word {
  std::string_view word;
  std::string_view help;
};

// Words of other languages; they are names in SGL, so they only matter where a syntax error is beside them.
constexpr auto kWords = std::to_array<Word>({
    {"elif", "write 'else if', on the line of the '}'"},
    {"elsif", "write 'else if', on the line of the '}'"},
    {"elseif", "write 'else if', on the line of the '}'"},
    {"def", "a pure function is 'fn name(x: int) -> int { … }', one that talks to the model is a 'prompt'"},
    {"function", "a pure function is 'fn name(x: int) -> int { … }', one that talks to the model is a 'prompt'"},
    {"func", "a pure function is 'fn name(x: int) -> int { … }', one that talks to the model is a 'prompt'"},
    {"fun", "a pure function is 'fn name(x: int) -> int { … }', one that talks to the model is a 'prompt'"},
    {"async", "leave it out: the runtime waits for generations by itself"},
    {"await", "leave it out: the runtime waits for generations by itself"},
    {"mut", "'let' is never assigned again; write 'var' for a variable that is"},
    {"class", "a record type is 'type Name = { field: type }'"},
    {"struct", "a record type is 'type Name = { field: type }'"},
    {"interface", "a record type is 'type Name = { field: type }'"},
    {"enum", "write a union of literals: 'type Name = \"a\" | \"b\"'"},
    {"match", "use 'if … else if … else'"},
    {"switch", "use 'if … else if … else'"},
    {"case", "use 'if … else if … else'"},
    {"foreach", "write 'for x in xs { … }'"},
    {"loop", "write 'while true { … }'"},
    {"unless", "write 'if not … { … }'"},
    {"until", "write 'while not … { … }'"},
    {"raise", "write 'fail \"message\"'"},
    {"throw", "write 'fail \"message\"'"},
    {"except", "errors are caught with 'try { … } catch e { … }'"},
    {"pub", "leave it out: every declaration of a file can be imported"},
    {"public", "leave it out: every declaration of a file can be imported"},
    {"export", "leave it out: every declaration of a file can be imported"},
    {"use", "write 'import std.text' or 'import \"./file.sgl\" as name'"},
    {"from", "write 'import std.text' or 'import \"./file.sgl\" as name'"},
    {"include", "write 'import std.text' or 'import \"./file.sgl\" as name'"},
    {"require", "write 'import std.text' or 'import \"./file.sgl\" as name'"},
    {"is", "write '==' to compare"},
    {"lambda", "there are no anonymous functions; use a comprehension '[f(x) for x in xs]' or a 'fn'"},
    {"print", "text in double quotes is appended to the context; the result of a program is what it returns"},
    {"del", "nothing is deleted in place; build a new list, as in 'xs = [x for x in xs if …]'"},
    {"record", "a record type is 'type Name = { field: type }'"},
});

std::string_view word_help(std::string_view text) {
  const auto found = std::find_if(kWords.begin(), kWords.end(), [&](const Word& word) { return word.word == text; });
  return found == kWords.end() ? std::string_view() : found->help;
}

bool is_expected(const Offence& offence, std::size_t type) {
  return std::find(offence.expected.begin(), offence.expected.end(), type) != offence.expected.end();
}

bool adjacent(const Offence& offence, std::size_t previous) {
  return offence.has_previous && offence.previous == previous && offence.previous_end == offence.begin;
}

Slip foreign(std::string_view operator_text, std::string_view help) {
  Slip slip;
  slip.kind = DiagKind::kForeignOperator;
  slip.message = fmt::format("'{}' is not an operator of SGL", operator_text);
  slip.help = std::string(help);
  return slip;
}

// Operators of other languages, alone or as two tokens without a gap.
std::optional<Slip> operator_slip(const Offence& offence, const Reporter& reporter) {
  switch (offence.found) {
    case SglLexer::AMPAMP: return foreign("&&", "write 'and'");
    case SglLexer::PIPEPIPE: return foreign("||", "write 'or'; for a default in place of null, '??'");
    case SglLexer::BANG: return foreign("!", "write 'not'");
    case SglLexer::FATARROW:
      return foreign("=>", "a result type is written '-> T', the value of a function '= expression', a field 'name: value'");
    case SglLexer::QUESTION:
      if (!reporter.source().substr(offence.end).starts_with('.')) break;
      return foreign("?.", "give a default: '(x ?? other).field'; or bind it, 'let y = x', and compare y with null");
    default: break;
  }
  Slip slip;
  if (offence.found == SglLexer::ASSIGN && adjacent(offence, SglLexer::EQ)) {
    slip = foreign("===", "write '=='");
  } else if (offence.found == SglLexer::ASSIGN && adjacent(offence, SglLexer::NE)) {
    slip = foreign("!==", "write '!='");
  } else if (offence.found == SglLexer::ASSIGN && adjacent(offence, SglLexer::COLON)) {
    slip = foreign(":=", "write 'let x = …', or 'var x = …' for a variable that changes");
  } else if (offence.found == SglLexer::STAR && adjacent(offence, SglLexer::STAR)) {
    slip = foreign("**", "there are no powers: write 'x * x', or multiply in a loop");
  } else if (offence.found == SglLexer::SLASH && adjacent(offence, SglLexer::SLASH)) {
    slip = foreign("//", "'/' of two ints is an int");
  } else if (offence.found == SglLexer::GT && adjacent(offence, SglLexer::LT)) {
    slip = foreign("<>", "write '!='");
  } else {
    const bool plus = offence.has_previous && offence.previous == SglLexer::PLUS;
    const std::uint32_t at = offence.previous_begin;
    if (plus && at > 0 && reporter.source()[at - 1] == '+') {
      slip = foreign("++", "write 'x += 1'");
      slip.begin = at - 1;
      return slip;
    }
    return std::nullopt;
  }
  slip.begin = offence.previous_begin;
  return slip;
}

// Characters that no token begins with.
Slip unknown_character(const Offence& offence, const Reporter& reporter) {
  const std::string_view text = reporter.text(offence.begin, offence.end);
  Slip slip;
  for (const std::string_view quote : {"“", "”", "„", "‘", "’", "«", "»", "`", "'"}) {
    if (!text.starts_with(quote)) continue;
    slip.kind = DiagKind::kBadQuotes;
    slip.message = fmt::format("{} is not a quotation mark of SGL", quote);
    slip.help = "strings stand in plain double quotes: \"…\"";
    return slip;
  }
  slip.message = fmt::format("unexpected character '{}'", text);
  if (text == "#") slip.help = "comments begin with '//'";
  if (text == "@") slip.help = "there are no decorators or annotations";
  if (text == "&") slip.help = "write 'and'";
  if (text == "$") slip.help = "in a string, '{expression}' inserts a value; names have no '$'";
  return slip;
}

bool begins_declaration(std::size_t type) {
  return type == SglLexer::KW_FN || type == SglLexer::KW_PROMPT || type == SglLexer::KW_PROGRAM ||
         type == SglLexer::KW_TYPE || type == SglLexer::KW_IMPORT || type == SglLexer::KW_TOOL ||
         type == SglLexer::KW_GRAMMAR;
}

// Help that follows from the kinds of tokens alone.
std::string token_help(const Offence& offence) {
  const bool in_block = is_expected(offence, SglLexer::RBRACE);
  if (offence.found == SglLexer::KW_CONST && in_block) return "inside a block, write 'let'";
  if (begins_declaration(offence.found) && in_block) {
    return "declarations stand outside of blocks: is a '}' missing above?";
  }
  if (offence.found == SglLexer::COLON && is_expected(offence, SglLexer::LBRACE)) {
    return "a block stands in braces: '{ … }'";
  }
  if (offence.found == SglLexer::ASSIGN && is_expected(offence, SglLexer::EQ)) return "write '==' to compare";
  const bool list_end = offence.found == SglLexer::RPAREN || offence.found == SglLexer::COMMA;
  if (list_end && offence.expected.size() == 1 && is_expected(offence, SglLexer::COLON)) {
    return "every parameter has a type: name: string";
  }
  if (offence.found == SglLexer::LPAREN && adjacent(offence, SglLexer::KW_GEN)) {
    return "'gen' is not a function: gen answer: string with max_tokens = 20";
  }
  if (offence.found == SglLexer::LPAREN && adjacent(offence, SglLexer::KW_SELECT)) {
    return "'select' is not a function: select answer from [\"yes\", \"no\"]";
  }
  if (offence.found == SglLexer::QUESTION) return "a choice between two values is written 'a if condition else b'";
  if (offence.found == SglLexer::STRING_OPEN && adjacent(offence, SglLexer::IDENT)) {
    return "strings interpolate '{expression}' without a prefix; only r\"…\" has one";
  }
  const bool keyword = offence.found >= SglLexer::KW_AND && offence.found <= SglLexer::KW_YIELD;
  if (keyword && is_expected(offence, SglLexer::IDENT) && !is_expected(offence, SglLexer::INT_LIT) &&
      !is_expected(offence, SglLexer::REGEX_TYPE)) {
    return fmt::format("{} is a word of the language; choose another name", spelled(offence.found));
  }
  return {};
}

}  // namespace

Slip find_slip(const Offence& offence, const Reporter& reporter) {
  if (const std::optional<Slip> slip = operator_slip(offence, reporter)) return *slip;
  if (offence.found == SglLexer::UNKNOWN) return unknown_character(offence, reporter);
  Slip slip;
  if (offence.found == SglLexer::BAD_QUOTED) {
    slip.kind = DiagKind::kBadQuotes;
    slip.message = "strings stand in double quotes";
    slip.help = "write \"…\"";
    return slip;
  }
  slip.help = token_help(offence);
  if (slip.help.empty() && offence.has_previous && offence.previous == SglLexer::IDENT) {
    slip.help = std::string(word_help(reporter.text(offence.previous_begin, offence.previous_end)));
  }
  if (slip.help.empty() && offence.has_previous && offence.previous == SglLexer::KW_FROM) {
    slip.help = is_expected(offence, SglLexer::INT_LIT) ? std::string() : std::string(word_help("from"));
  }
  if (slip.help.empty() && offence.found == SglLexer::IDENT) {
    slip.help = std::string(word_help(reporter.text(offence.begin, offence.end)));
  }
  return slip;
}

}  // namespace sgl::compiler::parsing
