#include "tools/sgl/prepare.h"

#include <chrono>

#include <fmt/format.h>

#include "runtime/exec/jit/attach.h"
#include "server/outbound/tool_runner.h"
#include "tools/common/exit_codes.h"
#include "tools/common/model_folder.h"
#include "tools/common/program.h"
#include "tools/common/terminal.h"
#include "tools/sgl/arguments.h"

namespace sgl::tools {
namespace {

int refuse(const base::Error& error) {
  complain(error.message);
  return kUsage;
}

// Binds the program's tools; a run does not begin with one that is bound to nothing.
int prepare_tools(const RunCommand& command, Prepared& out) {
  const std::vector<plan::Tool>& wanted = out.plan->plan().tools;
  if (wanted.empty()) return kOk;
  server::ToolBindings bindings;
  if (!command.tools.empty()) {
    auto read = server::read_tool_bindings(command.tools, command.allow_exec);
    if (!read.ok()) return refuse(read.error());
    bindings = std::move(*read);
  }
  out.tools = std::make_unique<server::ToolRunner>(std::move(bindings));
  for (const plan::Tool& tool : wanted) {
    if (out.tools->bound(tool.name)) continue;
    return refuse(base::invalid(fmt::format("the program's tool '{}' is bound to nothing; {}", tool.name,
                                            command.tools.empty() ? fmt::format("pass --tools FILE with a section [tools.{}]", tool.name)
                                                                  : fmt::format("add a section [tools.{}] to '{}'", tool.name, command.tools))));
  }
  out.options.tools = out.tools.get();
  return kOk;
}

}  // namespace

int prepare_program(const RunCommand& command, Prepared& out) {
  LoadOptions options;
  options.warnings = !command.quiet;
  LoadedFile loaded = load_program_file(command.file, options);
  if (!loaded.plan) return kUsage;
  out.compile_ms = loaded.milliseconds;
  // The user runs the file, and so believes it.
  out.plan = std::make_shared<exec::LoadedPlan>(std::move(*loaded.plan), exec::Carried::kUse);
  const auto program = choose_program(out.plan->plan(), command.program);
  if (!program.ok()) return refuse(program.error());
  out.program = *program;
  const auto limits = parse_limits(command.limits);
  if (!limits.ok()) return refuse(limits.error());
  out.options.limits = *limits;
  out.options.seed = command.seed;
  out.options.default_max_tokens = command.max_tokens;
  out.options.trace = command.trace;
  return prepare_tools(command, out);
}

int prepare_model(const RunCommand& command, Prepared& out) {
  const plan::Plan& plan = out.plan->plan();
  if (plan.gens.empty() && plan.selects.empty()) {
    out.absent = make_absent_port();
  } else {
    const auto folder = model_folder(command.model);
    if (!folder.ok()) return refuse(folder.error());
    if (!command.quiet) announce(*folder);
    auto session = open_session(folder->path, command.threads, command.load);
    if (!session.ok()) return refuse(session.error());
    out.session = std::move(*session);
  }
  if (command.interpret) return kOk;
  const auto start = std::chrono::steady_clock::now();
  const base::Status attached = exec::attach_jit(*out.plan);
  // The interpreter gives the same results, only later.
  if (!attached.ok() && !command.quiet) {
    complain(fmt::format("functions are interpreted, not compiled: {}", attached.error().message));
  }
  out.jit_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return kOk;
}

std::string position_text(const plan::Plan& plan, const plan::SourcePosition& position) {
  if (position.line == 0 || position.file >= plan.files.size()) return "";
  return fmt::format("{}:{}:{}", plan.files[position.file], position.line, position.column);
}

}  // namespace sgl::tools
