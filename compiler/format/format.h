// The canonical layout of a program.
#pragma once

#include <string>
#include <string_view>

#include "compiler/source/source.h"

namespace sgl::compiler {

// Two spaces per level of brackets, one space between tokens where people expect one, at most one blank line in a
// row, a line end at the end. Line breaks, comments and string literals stay as the author made them.
//
// Only white space changes: the result has the tokens of `text`, and format(format(x)) == format(x). Text that does
// not tokenise (an unterminated string, a stray character) is returned as it is. Time and space are linear.
std::string format(std::string_view text);
std::string format(const SourceFile& file);

}  // namespace sgl::compiler
