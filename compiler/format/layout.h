// Where spaces and indentation go: the rules behind format.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/parse/parse.h"

namespace sgl::compiler::formatting {

struct Token {
  LexedToken::Kind kind = LexedToken::Kind::kBroken;
  std::string_view text;
  bool type_bracket = false;  // `<` or `>` around type arguments, not a comparison
  bool prefix = false;        // a minus that is a sign, not an operator
  bool member = false;        // a word directly after `.`
};

// Finds type brackets, signs and members.
void classify(std::vector<Token>& tokens);

// Lays the classified tokens out.
std::string lay_out(const std::vector<Token>& tokens);

}  // namespace sgl::compiler::formatting
