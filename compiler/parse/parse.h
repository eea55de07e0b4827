// Text of one file -> syntax tree. The only part of the compiler that knows the parser generator; nothing of it
// shows in this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "compiler/ast/ast.h"
#include "compiler/diag/diag.h"
#include "compiler/source/source.h"

namespace sgl::compiler {

// Bounds on what is parsed: the parser and every later stage recurse with the nesting of the text.
struct ParseLimits {
  static constexpr std::size_t kMaxBytes = 16u << 20;  // 16 MB; keeps byte offsets and token tables small
  static constexpr std::size_t kMaxNesting = 200;      // open brackets; far more than people write
  // Operators, prefixes and conditions that are open at once in one statement, over all its brackets: each may deepen
  // the tree by one. 1,000 levels stay within a thread's stack even in a build with sanitizers.
  static constexpr std::size_t kMaxChain = 1000;
};

struct ParseResult {
  std::unique_ptr<ast::Module> module;  // never null
};

// Parses a file. Mistakes go to `diagnostics`; the module holds whatever could be understood, and every operand,
// type and block that the syntax requires is there (a `null` stands for a missing one), so that it can be walked.
// Module::name is the path of the file. Works in time linear in the size of the text.
ParseResult parse(const SourceSet& sources, FileId file, Diagnostics& diagnostics);

// ---- tokens, for the formatter ----------------------------------------------------------------------------------

struct LexedToken {
  enum class Kind : std::uint8_t {
    kKeyword,
    kIdentifier,
    kNumber,       // also durations
    kString,       // a whole literal with its interpolations
    kRegex,        // `regex(/…/` or `pattern: /…/`
    kPunctuation,  // brackets, operators, separators
    kNewline,
    kComment,      // any, without its line end
    kBroken,       // unterminated or unknown: the text is not SGL
  };
  Kind kind = Kind::kBroken;
  std::uint32_t begin = 0;  // bytes
  std::uint32_t end = 0;
};

// All tokens but white space, in order. A string literal that never ends is kBroken. Text that is not UTF-8 gives
// one kBroken token.
std::vector<LexedToken> lex(std::string_view text);

}  // namespace sgl::compiler
