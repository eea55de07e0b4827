#include <unistd.h>

#include <set>

#include <fmt/format.h>

#include "compiler/driver/driver.h"
#include "tools/common/exit_codes.h"
#include "tools/common/terminal.h"
#include "tools/sglc/commands.h"

namespace sgl::tools {
namespace {

std::string plural(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

struct Tally {
  std::set<std::string> seen;  // modules imported by several files would be reported once per importer
  std::size_t errors = 0, warnings = 0;
  bool unreadable = false;
};

void report(const compiler::Compilation& compilation, bool json, Tally& tally) {
  const bool color = !json && use_color(STDERR_FILENO);
  for (const compiler::Diagnostic& diagnostic : compilation.diagnostics.sorted()) {
    const std::string text = json ? compiler::render_json(compilation.sources, {diagnostic})
                                  : compiler::render_text(compilation.sources, {diagnostic}, color);
    if (!tally.seen.insert(text).second) continue;
    ++(diagnostic.is_error() ? tally.errors : tally.warnings);
    tally.unreadable |= diagnostic.kind == compiler::DiagKind::kUnreadableFile;
    (void)write_all(json ? STDOUT_FILENO : STDERR_FILENO, text);
  }
}

}  // namespace

int check(const CheckCommand& command) {
  // The whole pipeline, since some warnings (generations without a bound) come from its end.
  constexpr auto kStage = compiler::Stage::kPlan;
  const compiler::CompileOptions options{.optimize = true, .require_program = false};
  Tally tally;
  int code = kOk;
  for (const std::string& file : command.files) {
    if (file == "-") {
      auto text = read_stdin();
      if (!text.ok()) {
        complain(text.error().message);
        code = kUsage;
        continue;
      }
      report(*compiler::compile_text("<stdin>", std::move(*text), kStage, options), command.json, tally);
    } else {
      report(*compiler::compile_file(file, kStage, options), command.json, tally);
    }
  }
  if (!command.json && tally.errors + tally.warnings > 0) {
    std::string summary;
    if (tally.errors > 0) summary = plural(tally.errors, "error");
    if (tally.warnings > 0) summary += (summary.empty() ? "" : ", ") + plural(tally.warnings, "warning");
    (void)write_all(STDERR_FILENO, summary + "\n");
  }
  if (code != kOk || tally.unreadable) return kUsage;
  return tally.errors > 0 ? kFailed : kOk;
}

}  // namespace sgl::tools
