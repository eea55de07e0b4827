#include <fmt/format.h>

#include <filesystem>

#include "compiler/ast/dump.h"
#include "compiler/driver/driver.h"
#include "compiler/driver/explain.h"
#include "compiler/driver/spell.h"
#include "runtime/base/file.h"
#include "runtime/constraint/plan_constraints.h"
#include "runtime/exec/jit/jit.h"
#include "runtime/plan/codec.h"
#include "runtime/plan/schema.h"
#include "runtime/plan/text.h"
#include "tools/common/exit_codes.h"
#include "tools/common/program.h"
#include "tools/common/terminal.h"
#include "tools/sglc/commands.h"

namespace sgl::tools {
namespace {

int put(const std::string& output, std::string_view bytes) {
  if (output.empty() || output == "-") return print_out(bytes);
  const base::Status written = base::write_file_atomic(output, bytes);
  if (written.ok()) return kOk;
  complain(written.error().message);
  return kUsage;
}

int emit_ast(const CompileCommand& command) {
  auto text = read_program(command.file);
  if (!text.ok()) {
    complain(text.error().message);
    return kUsage;
  }
  const auto compilation = compiler::compile_text(shown_name(command.file), std::move(*text), compiler::Stage::kParse,
                                                  {.optimize = false, .require_program = false});
  print_diagnostics(*compilation, command.json ? DiagnosticFormat::kJson : DiagnosticFormat::kText);
  if (compilation->diagnostics.has_errors() || compilation->modules.empty()) return kFailed;
  return put(command.output, compiler::ast::dump(*compilation->modules.back()));
}

std::string schema_text(const plan::Plan& plan) {
  nlohmann::ordered_json programs = nlohmann::ordered_json::array();
  for (const plan::Program& program : plan.programs) programs.push_back(plan::program_schema(plan, program));
  return programs.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string default_output(const std::string& file) {
  return std::filesystem::path(file).replace_extension(".sglp").string();
}

// Puts the compiled constraints into the plan that is written, or takes them out. kOk, or kFailed after a message.
int carry(const CompileCommand& command, plan::Plan& plan) {
  plan.constraints.clear();
  if (!command.constraints) return kOk;
  const auto carried = constraint::carry_constraints(plan);
  if (!carried.ok()) {
    complain(carried.error().message);
    return kFailed;
  }
  for (const auto& [type, why] : carried->left_out) {
    complain(fmt::format("the plan does not carry the constraint of {}, which is compiled when a program runs: {}",
                         compiler::spell_type(plan, type), why));
  }
  return kOk;
}

}  // namespace

int compile(const CompileCommand& command) {
  if (command.emit == "ast") return emit_ast(command);
  LoadOptions options;
  options.optimize = command.optimization > 0;
  options.format = command.json ? DiagnosticFormat::kJson : DiagnosticFormat::kText;
  LoadedFile loaded = load_program_file(command.file, options);
  if (!loaded.plan) return loaded.exit_code;
  plan::Plan& plan = *loaded.plan;
  if (command.emit == "plan") {
    // Of a plan file what it has is shown.
    if (loaded.compiled || !command.constraints) {
      if (const int code = carry(command, plan); code != kOk) return code;
    }
    return put(command.output, plan::print(plan));
  }
  if (command.emit == "schema") return put(command.output, schema_text(plan));
  if (command.emit == "llvm") {
    exec::JitOptions jit;
    jit.optimization = command.optimization;
    const auto ir = exec::llvm_ir(plan, jit);
    if (ir.ok()) return put(command.output, *ir);
    complain(ir.error().message);
    return kUsage;
  }
  const std::string output = command.output.empty() ? default_output(command.file) : command.output;
  if (output == command.file) {
    complain(fmt::format("'{}' is a plan already; pass -o to write another file", command.file));
    return kUsage;
  }
  if (const int code = carry(command, plan); code != kOk) return code;
  return put(output, plan::encode(plan));
}

int explain(const ExplainCommand& command) {
  const LoadedFile loaded = load_program_file(command.file);
  if (!loaded.plan) return loaded.exit_code;
  return print_out(command.dot ? compiler::explain_dot(*loaded.plan) : compiler::explain(*loaded.plan));
}

}  // namespace sgl::tools
