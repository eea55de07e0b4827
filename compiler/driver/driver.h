// The compiler as a function: files in, plan and diagnostics out. Every stage can be stopped after and dumped.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ast/ast.h"
#include "compiler/diag/diag.h"
#include "compiler/source/source.h"
#include "runtime/plan/plan.h"

namespace sgl::compiler {

struct CompileOptions {
  bool optimize = true;  // run the passes; off shows the plan as lowered
  // Off for sources from a network: only the standard library can be imported, and no JSON Schema read.
  bool import_files = true;
  bool require_program = true;  // a file without a program is an error (E0113); false for checking libraries
};

struct Compilation {
  SourceSet sources;
  Diagnostics diagnostics;
  // In order of import: imported modules before those that import them; the main file last.
  std::vector<std::unique_ptr<ast::Module>> modules;
  std::optional<plan::Plan> plan;  // absent when there are errors or only parsing/checking was asked for
  double parse_ms = 0, check_ms = 0, lower_ms = 0;
};

// Bytes of a source file at most: longer than any program people write; bounds the parser's memory.
constexpr std::size_t kMaxSourceBytes = std::size_t{16} << 20;

enum class Stage { kParse, kCheck, kPlan };

// Compiles `path` and what it imports, up to `stage`. Problems, unreadable files among them, are diagnostics.
// Imports of `std.*` come from the standard library that is built into the binary.
std::unique_ptr<Compilation> compile_file(const std::filesystem::path& path, Stage stage,
                                          const CompileOptions& options = {});
// The same for text that is not in a file; imports of files are resolved beside `path`.
std::unique_ptr<Compilation> compile_text(const std::string& path, std::string text, Stage stage,
                                          const CompileOptions& options = {});

// Sources of the built-in standard library by module name ("std.text").
const std::map<std::string, std::string>& standard_library();

}  // namespace sgl::compiler
