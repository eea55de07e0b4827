// The syntax tree as text, for `--emit=ast` and golden tests.
#pragma once

#include <string>

#include "compiler/ast/ast.h"

namespace sgl::compiler::ast {

// One declaration or statement per line, blocks indented by two spaces, expressions as (operator operands …), types
// as they are written. Says what the parser made, nothing of what the checker added. Ends with a line end.
std::string dump(const Module& module);

// A single expression or type, for tests and messages.
std::string dump(const Expr& expr);
std::string dump(const TypeExpr& type);

}  // namespace sgl::compiler::ast
