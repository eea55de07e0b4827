#include "tools/common/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "runtime/base/file.h"
#include "runtime/plan/codec.h"
#include "tools/common/exit_codes.h"
#include "tools/common/terminal.h"

namespace sgl::tools {
namespace {

// Bytes. A plan has at most 64 MiB of text (plan::PlanLimits) and code that is smaller; sources are far below.
constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;

double elapsed_ms(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

LoadedFile refuse(std::string_view message) {
  complain(message);
  LoadedFile out;
  out.exit_code = kUsage;
  return out;
}

bool ends_in(const std::string& path, std::string_view ending) {
  return path.size() > ending.size() && path.compare(path.size() - ending.size(), ending.size(), ending) == 0;
}

}  // namespace

void print_diagnostics(const compiler::Compilation& compilation, DiagnosticFormat format) {
  const auto diagnostics = compilation.diagnostics.sorted();
  if (diagnostics.empty()) return;
  if (format == DiagnosticFormat::kJson) {
    (void)print_out(compiler::render_json(compilation.sources, diagnostics));
  } else {
    const bool color = use_color(STDERR_FILENO);
    (void)write_all(STDERR_FILENO, compiler::render_text(compilation.sources, diagnostics, color));
  }
}

base::Expected<std::string> read_program(const std::string& path) {
  if (path == "-") return read_stdin();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return base::invalid(fmt::format("'{}' is a folder, not a file", path));
  }
  SGL_TRY(std::string bytes, base::read_file(path, kMaxFileBytes));
  if (!plan::looks_like_plan(bytes) && bytes.size() > compiler::kMaxSourceBytes) {
    return base::over_limit(fmt::format("'{}' is longer than the limit of {} bytes", path, compiler::kMaxSourceBytes));
  }
  return bytes;
}

std::string shown_name(const std::string& path) {
  return path == "-" ? "<stdin>" : path;
}

LoadedFile load_program_file(const std::string& path, const LoadOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  auto bytes = read_program(path);  // once: it may be a pipe
  if (!bytes.ok()) return refuse(bytes.error().message);
  LoadedFile out;
  if (plan::looks_like_plan(*bytes) || ends_in(path, ".sglp")) {
    auto decoded = plan::decode(*bytes);
    if (!decoded.ok()) return refuse(fmt::format("'{}' cannot be used: {}", path, decoded.error().message));
    out.plan = std::move(*decoded);
  } else {
    auto compilation = compiler::compile_text(shown_name(path), std::move(*bytes), compiler::Stage::kPlan,
                                              {.optimize = options.optimize});
    const bool errors = compilation->diagnostics.has_errors();
    if (errors || options.warnings) print_diagnostics(*compilation, options.format);
    if (errors || !compilation->plan) {
      out.exit_code = kFailed;
      return out;
    }
    out.plan = std::move(compilation->plan);
    out.compiled = true;
  }
  out.milliseconds = elapsed_ms(start);
  return out;
}

}  // namespace sgl::tools
