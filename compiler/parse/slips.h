// Habits from Python, TypeScript and Rust that are recognised in a syntax error, and what to write in SGL instead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/diag/kinds.h"

namespace sgl::compiler::parsing {

struct Offence;
class Reporter;

struct Slip {
  DiagKind kind = DiagKind::kSyntax;
  std::string message;                // "": the general one fits
  std::string help;                   // "": nothing to teach
  std::optional<std::uint32_t> begin; // where the mistake begins, if before the offending token
};

// A Slip without message and help when the error is no known habit.
Slip find_slip(const Offence& offence, const Reporter& reporter);

}  // namespace sgl::compiler::parsing
