// Between lexer and parser: inserts NL where a line ends a statement or an item, and reports what the lexer found
// unterminated (grammar/README.md has the contract).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "antlr4-runtime.h"

#include "compiler/parse/lexer.h"
#include "compiler/parse/reporter.h"

namespace sgl::compiler::parsing {

struct ParserToken {
  std::size_t type = 0;
  std::uint32_t begin = 0;  // begin == end: inserted, or the end of the file
  std::uint32_t end = 0;
};

// The tokens for the parser, ending with EOF. What is never closed (a string, a
// bracket before the next declaration or the end) is reported and gets its closers, so that only one error results. Ends early, with a diagnostic, where the text is nested deeper than ParseLimits allows.
std::vector<ParserToken> filter_tokens(const std::vector<RawToken>& raw, Reporter& reporter);

// Serves tokens to the parser; positions of the tokens are byte offsets. Refers to `tokens`.
class TokenListSource : public antlr4::TokenSource {
 public:
  explicit TokenListSource(const std::vector<ParserToken>& tokens) : tokens_(tokens) {}

  // From now on there is only EOF: for a parser that has seen enough errors.
  void stop() { stopped_ = true; }

  std::unique_ptr<antlr4::Token> nextToken() override;
  std::size_t getLine() const override { return 1; }
  std::size_t getCharPositionInLine() override { return 0; }
  antlr4::CharStream* getInputStream() override { return &no_input_; }
  std::string getSourceName() override { return {}; }
  antlr4::TokenFactory<antlr4::CommonToken>* getTokenFactory() override;

 private:
  const std::vector<ParserToken>& tokens_;
  std::size_t next_ = 0;
  bool stopped_ = false;
  antlr4::ANTLRInputStream no_input_;
};

// Byte range of a token that TokenListSource made. `valid` is false for a token that error recovery made up.
struct TokenSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool valid = false;
};
TokenSpan span_of(const antlr4::Token* token);

}  // namespace sgl::compiler::parsing
