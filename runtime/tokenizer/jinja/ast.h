// Syntax tree of a template, and the functions that make it. Private to runtime/tokenizer.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/tokenizer/jinja/value.h"

namespace sgl::tokenizer::jinja {

struct Token {
  enum class Kind {
    kText,
    kOutputBegin,
    kOutputEnd,
    kTagBegin,
    kTagEnd,
    kName,
    kInt,
    kFloat,
    kString,
    kOperator,
    kEnd
  };
  Kind kind = Kind::kEnd;
  std::string text;
  int line = 1;
};
// With trim_blocks and lstrip_blocks, as transformers sets them; comments and {% raw %} are resolved here.
base::Expected<std::vector<Token>> tokenize(std::string_view source);

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  enum class Kind {
    kConstant,
    kName,
    kMember,  // args[0].text
    kIndex,   // args[0][args[1]]
    kSlice,   // args[0][args[1]:args[2]:args[3]], null where left out
    kCall,    // args[0](args[1…])
    kFilter,  // args[0] | text(args[1…])
    kTest,    // args[0] is text(args[1…])
    kNot,
    kNegate,
    kPlus,
    kBinary,  // text: + - * / // % ** ~ == != < <= > >= in "not in"
    kAnd,
    kOr,
    kConditional,  // args[0] if args[1] else args[2]; args[2] may be null
    kList,
    kDict,  // kDict: key, value, key, value, …
  };
  Kind kind = Kind::kConstant;
  int line = 1;
  std::string text;
  Value constant;
  std::vector<ExprPtr> args;
  std::vector<std::pair<std::string, ExprPtr>> named;  // keyword arguments of calls, filters and tests
  int depth = 1;                                       // bounds the recursion of evaluation and destruction
};

struct Statement;
using Body = std::vector<Statement>;

struct Macro {
  std::string name;
  std::vector<std::pair<std::string, ExprPtr>> parameters;  // default null: none
  Body body;
};

struct Statement {
  enum class Kind { kText, kOutput, kIf, kFor, kSet, kSetBlock, kMacro, kBreak, kContinue, kGroup };
  Kind kind = Kind::kText;
  int line = 1;
  std::string text;                                // kText; kSet of an attribute: the attribute
  ExprPtr value, condition;                        // kOutput, kSet, kFor (what is iterated; `if` part)
  std::vector<std::string> targets;                // kFor, kSet
  std::vector<std::pair<ExprPtr, Body>> branches;  // kIf
  Body body, otherwise;                            // kFor, kSetBlock, kGroup; else part
  std::shared_ptr<const Macro> macro;
};

// Errors: `invalid`, with line and construct.
base::Expected<Body> parse_template(std::string_view source);

inline base::Error at_line(int line, std::string_view what) {
  return base::invalid("chat template, line " + std::to_string(line) + ": " + std::string(what));
}

}  // namespace sgl::tokenizer::jinja
