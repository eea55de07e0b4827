// The tokens that the formatter works on.
#include <optional>

#include "SglLexer.h"
#include "compiler/parse/lexer.h"
#include "compiler/parse/parse.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler {
namespace {

using antlr::SglLexer;
using Kind = LexedToken::Kind;

// nullopt: white space.
std::optional<Kind> kind_of(std::size_t type) {
  switch (type) {
    case SglLexer::WS:
      return std::nullopt;
    case SglLexer::NEWLINE:
      return Kind::kNewline;
    case SglLexer::DOC_COMMENT: case SglLexer::LINE_COMMENT: case SglLexer::BLOCK_COMMENT:
      return Kind::kComment;
    case SglLexer::REGEX_TYPE: case SglLexer::PATTERN_REGEX:
      return Kind::kRegex;
    case SglLexer::HEX_LIT: case SglLexer::DURATION_LIT: case SglLexer::FLOAT_LIT: case SglLexer::INT_LIT:
    case SglLexer::BAD_NUMBER:
      return Kind::kNumber;
    case SglLexer::RAW_TSTRING: case SglLexer::RAW_STRING: case SglLexer::BAD_QUOTED:
      return Kind::kString;
    case SglLexer::IDENT:
      return Kind::kIdentifier;
    case SglLexer::BLOCK_COMMENT_UNTERMINATED: case SglLexer::REGEX_TYPE_UNTERMINATED:
    case SglLexer::PATTERN_REGEX_UNTERMINATED: case SglLexer::RAW_UNTERMINATED: case SglLexer::UNKNOWN:
    case SglLexer::STR_UNTERMINATED:
      return Kind::kBroken;
    default:
      break;
  }
  return type >= SglLexer::KW_AND && type <= SglLexer::KW_YIELD ? Kind::kKeyword : Kind::kPunctuation;
}

bool opens_string(std::size_t type) { return type == SglLexer::STRING_OPEN || type == SglLexer::TSTRING_OPEN; }
bool closes_string(std::size_t type) {
  return type == SglLexer::STR_CLOSE || type == SglLexer::TSTR_CLOSE || type == SglLexer::STR_UNTERMINATED;
}

}  // namespace

std::vector<LexedToken> lex(std::string_view text) {
  std::vector<LexedToken> out;
  if (text.size() > ParseLimits::kMaxBytes || !base::is_valid_utf8(text)) {
    out.push_back({Kind::kBroken, 0, static_cast<std::uint32_t>(text.size())});
    return out;
  }
  std::size_t open_strings = 0;
  std::uint32_t string_begin = 0;
  bool broken = false;
  for (const parsing::RawToken& raw : parsing::lex_raw(text)) {
    if (opens_string(raw.type)) {
      if (open_strings++ == 0) {
        string_begin = raw.begin;
        broken = false;
      }
      continue;
    }
    const std::optional<Kind> kind = kind_of(raw.type);
    if (open_strings > 0) {
      // Everything up to the closing quote belongs to the literal, also the tokens of its interpolations.
      broken = broken || kind == Kind::kBroken;
      if (closes_string(raw.type) && --open_strings == 0) {
        out.push_back({broken ? Kind::kBroken : Kind::kString, string_begin, raw.end});
      }
      continue;
    }
    if (kind) out.push_back({*kind, raw.begin, raw.end});
  }
  if (open_strings > 0) out.push_back({Kind::kBroken, string_begin, static_cast<std::uint32_t>(text.size())});
  return out;
}

}  // namespace sgl::compiler
