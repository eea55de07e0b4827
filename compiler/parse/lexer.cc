#include "compiler/parse/lexer.h"

#include <algorithm>

#include "SglLexer.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler::parsing {
namespace {

using antlr::SglLexer;

// The lexer's input: code points, with the way back to bytes. Decoding here rather than in the library keeps a byte
// order mark in place, so that offsets agree.
class CodePoints : public antlr4::ANTLRInputStream {
 public:
  explicit CodePoints(std::string_view text) {
    _data.reserve(text.size());
    offsets_.reserve(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) {
      const base::DecodedChar decoded = base::decode_utf8(text, at);
      offsets_.push_back(static_cast<std::uint32_t>(at));
      _data.push_back(decoded.code);
      at += decoded.bytes;
    }
    offsets_.push_back(static_cast<std::uint32_t>(text.size()));
  }

  std::uint32_t offset(std::size_t index) const { return offsets_[std::min(index, offsets_.size() - 1)]; }

 private:
  std::vector<std::uint32_t> offsets_;  // of each code point, and the end
};

class Lexer : public SglLexer {
 public:
  explicit Lexer(antlr4::CharStream* input) : SglLexer(input) { removeErrorListeners(); }

  // A stray `}` is the parser's to report.
  std::size_t popMode() override { return modeStack.empty() ? mode : SglLexer::popMode(); }

  // Called at a line end. If it lies in an interpolation of a `"…"` string, leaves the string: the next line is not
  // part of it. Returns whether it did.
  bool leave_open_string() {
    // The stack holds the modes to return to, so the innermost string is its last entry that is not the default.
    std::size_t depth = modeStack.size();
    while (depth > 0 && modeStack[depth - 1] == DEFAULT_MODE) --depth;
    if (depth == 0 || modeStack[depth - 1] != static_cast<std::size_t>(SglLexer::STR)) return false;
    while (modeStack.size() >= depth) popMode();
    popMode();
    return true;
  }
};

}  // namespace

std::vector<RawToken> lex_raw(std::string_view text) {
  CodePoints input(text);
  Lexer lexer(&input);
  std::vector<RawToken> out;
  for (;;) {
    const std::unique_ptr<antlr4::Token> made = lexer.nextToken();
    if (made->getType() == antlr4::Token::EOF) return out;
    RawToken raw;
    raw.type = made->getType();
    raw.channel = made->getChannel();
    raw.begin = input.offset(made->getStartIndex());
    raw.end = input.offset(made->getStopIndex() + 1);
    if (raw.type == SglLexer::NEWLINE && lexer.leave_open_string()) {
      raw.type = SglLexer::STR_UNTERMINATED;
      raw.channel = kDefaultChannel;
    }
    out.push_back(raw);
  }
}

}  // namespace sgl::compiler::parsing
