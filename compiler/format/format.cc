#include "compiler/format/format.h"

#include <vector>

#include "compiler/format/layout.h"
#include "compiler/parse/parse.h"

namespace sgl::compiler {
namespace {

using formatting::Token;
using Kind = LexedToken::Kind;

std::string_view without_trailing_space(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\f\r");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// The tokens of a text; refers to it. Empty, with `broken` set, if it does not tokenise.
std::vector<Token> tokens_of(std::string_view text, bool& broken) {
  std::vector<Token> out;
  for (const LexedToken& lexed : lex(text)) {
    if (lexed.kind == Kind::kBroken) {
      broken = true;
      return {};
    }
    Token token;
    token.kind = lexed.kind;
    token.text = text.substr(lexed.begin, lexed.end - lexed.begin);
    // Trailing white space of a comment is trailing white space of its line.
    if (token.kind == Kind::kComment && token.text.starts_with("//")) token.text = without_trailing_space(token.text);
    out.push_back(token);
  }
  return out;
}

bool same_tokens(const std::vector<Token>& a, const std::vector<Token>& b) {
  std::size_t i = 0;
  std::size_t j = 0;
  for (;;) {
    while (i < a.size() && a[i].kind == Kind::kNewline) ++i;
    while (j < b.size() && b[j].kind == Kind::kNewline) ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (a[i].kind != b[j].kind || a[i].text != b[j].text) return false;
    ++i;
    ++j;
  }
}

}  // namespace

std::string format(std::string_view text) {
  bool broken = false;
  std::vector<Token> tokens = tokens_of(text, broken);
  if (broken) return std::string(text);
  formatting::classify(tokens);
  std::string out = formatting::lay_out(tokens);
  // The formatter must never change a program: where two tokens would become others side by side, nothing is done.
  const std::vector<Token> after = tokens_of(out, broken);
  if (broken || !same_tokens(tokens, after)) return std::string(text);
  return out;
}

std::string format(const SourceFile& file) { return format(file.text()); }

}  // namespace sgl::compiler
