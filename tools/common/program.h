// Programs from files: sources are compiled, plans are read.
#pragma once

#include <optional>
#include <string>

#include "compiler/driver/driver.h"
#include "runtime/base/expected.h"
#include "runtime/plan/plan.h"

namespace sgl::tools {

enum class DiagnosticFormat { kText, kJson };

// Text to standard error (coloured on a terminal), JSON to standard output, one object a line.
void print_diagnostics(const compiler::Compilation& compilation, DiagnosticFormat format);

struct LoadOptions {
  bool optimize = true;
  bool warnings = true;  // print them when there are no errors
  DiagnosticFormat format = DiagnosticFormat::kText;
};

struct LoadedFile {
  std::optional<plan::Plan> plan;  // absent: what was wrong has been printed, and `exit_code` is not kOk
  bool compiled = false;           // from a source; else the file was a plan
  int exit_code = 0;               // kFailed: the program has errors; kUsage: the file cannot be used
  double milliseconds = 0;
};

// `path` is a source file or a plan file (told apart by their first bytes), or "-" for standard input. Read once: it may
// be a pipe.
LoadedFile load_program_file(const std::string& path, const LoadOptions& options = {});

// The bytes of such a file, and its name in messages.
base::Expected<std::string> read_program(const std::string& path);
std::string shown_name(const std::string& path);

}  // namespace sgl::tools
