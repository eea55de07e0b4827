// What to say to a person about a syntax error: pure functions of what was met and what was possible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/parse/reporter.h"

namespace sgl::compiler::parsing {

// A place where the parser could not go on. Token types are SglLexer's, positions bytes.
struct Offence {
  std::size_t found = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  // The token before it, unless that is a line end.
  bool has_previous = false;
  std::size_t previous = 0;
  std::uint32_t previous_begin = 0;
  std::uint32_t previous_end = 0;
  std::vector<std::size_t> expected;   // what could have stood here; empty when that is not known
  std::optional<SourceRange> opener;   // the bracket that could have been closed here
};

// "an expression", "')' or ','"; "" when nothing short can be said. Names at most four alternatives.
std::string expected_phrase(const std::vector<std::size_t>& expected);

// As users write it, quoted: "'='"; "" for tokens with many spellings.
std::string spelled(std::size_t type);

// Reports the offence.
void explain(const Offence& offence, Reporter& reporter);

}  // namespace sgl::compiler::parsing
