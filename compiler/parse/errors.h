// Error recovery and reporting for the generated parser.
#pragma once

#include <unordered_set>

#include "antlr4-runtime.h"

#include "compiler/parse/reporter.h"
#include "compiler/parse/token_filter.h"

namespace sgl::compiler::parsing {

// Reports each place once, in words of the language, and recovers at line ends, closing braces, and declarations
// that begin a line. Skips balanced braces as a whole.
class ErrorStrategy : public antlr4::DefaultErrorStrategy {
 public:
  // `source` is stopped when there are more errors than anybody reads.
  ErrorStrategy(Reporter& reporter, TokenListSource& source) : reporter_(reporter), source_(source) {}

  void recover(antlr4::Parser* parser, std::exception_ptr error) override;
  void sync(antlr4::Parser* parser) override;

 protected:
  void reportNoViableAlternative(antlr4::Parser* parser, const antlr4::NoViableAltException& error) override;
  void reportInputMismatch(antlr4::Parser* parser, const antlr4::InputMismatchException& error) override;
  void reportUnwantedToken(antlr4::Parser* parser) override;
  void reportMissingToken(antlr4::Parser* parser) override;
  antlr4::Token* singleTokenDeletion(antlr4::Parser* parser) override;
  void consumeUntil(antlr4::Parser* parser, const antlr4::misc::IntervalSet& until) override;

 private:
  void report(antlr4::Parser* parser, antlr4::Token* at, bool knows_expected);
  bool at_declaration(antlr4::Parser* parser) const;

  Reporter& reporter_;
  TokenListSource& source_;
  std::unordered_set<std::size_t> places_;  // token indices reported
};

}  // namespace sgl::compiler::parsing
