#include <unistd.h>

#include <algorithm>

#include "compiler/diag/diag.h"
#include "compiler/format/format.h"
#include "compiler/parse/parse.h"
#include "compiler/source/source.h"
#include "runtime/base/file.h"
#include "tools/common/exit_codes.h"
#include "tools/common/terminal.h"
#include "tools/sglc/commands.h"

namespace sgl::tools {
namespace {

// kOk: formatted. kFailed: not formatted, with `check`, or it cannot be because of syntax errors. kUsage: files.
int format_one(const FormatCommand& command, const std::string& path) {
  const bool from_stdin = path == "-";
  auto text = from_stdin ? read_stdin() : base::read_file(path);
  if (!text.ok()) {
    complain(text.error().message);
    return kUsage;
  }
  compiler::SourceSet sources;
  compiler::Diagnostics diagnostics;
  const compiler::FileId file = sources.add(from_stdin ? "<stdin>" : path, *text);
  // The layout of what cannot be parsed is nobody's intention.
  compiler::parse(sources, file, diagnostics);
  if (diagnostics.has_errors()) {
    const std::string report = compiler::render_text(sources, diagnostics.sorted(), use_color(STDERR_FILENO));
    (void)write_all(STDERR_FILENO, report);
    return kFailed;
  }
  const std::string formatted = compiler::format(*text);
  if (command.check) {
    if (formatted == *text) return kOk;
    (void)print_out((from_stdin ? "<stdin>" : path) + "\n");
    return kFailed;
  }
  if (!command.write || from_stdin) return print_out(formatted);
  if (formatted == *text) return kOk;  // keeps the file's time
  const base::Status written = base::write_file_atomic(path, formatted);
  if (written.ok()) return kOk;
  complain(written.error().message);
  return kUsage;
}

}  // namespace

int format(const FormatCommand& command) {
  int code = kOk;
  for (const std::string& file : command.files) code = std::max(code, format_one(command, file));
  return code;
}

}  // namespace sgl::tools
