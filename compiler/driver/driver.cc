#include "compiler/driver/driver.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>

#include "compiler/check/check.h"
#include "compiler/lower/lower.h"
#include "compiler/parse/parse.h"
#include "compiler/passes/passes.h"
#include "runtime/base/file.h"
#include "runtime/constraint/json_schema.h"
#include "runtime/plan/verify.h"

namespace sgl::compiler {

namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Loads modules depth first, so that imported ones come before those that import them.
class Loader {
 public:
  Loader(Compilation& out, ImportMap& imports, bool files) : out_(out), imports_(imports), files_(files) {}

  ast::Module* load(const std::string& key, const std::string& path, std::string text) {
    const FileId file = out_.sources.add(path, std::move(text));
    const std::size_t errors = out_.diagnostics.errors();
    auto parsed = parse(out_.sources, file, out_.diagnostics);
    ast::Module* const module = parsed.module.get();
    module->name = key;
    state_[key] = {module, true};
    for (const auto& decl : module->declarations) {
      if (const auto* import = std::get_if<ast::Decl::Import>(&decl->node);
          import != nullptr && out_.diagnostics.errors() == errors) {
        imports_[decl.get()].module = load_import(path, *import);
      }
    }
    if (out_.diagnostics.errors() == errors) {
      for (ast::SchemaFile& schema : module->schemas) read_schema(path, schema);
    }
    state_[key].loading = false;
    out_.modules.push_back(std::move(parsed.module));
    return module;
  }

 private:
  struct State {
    ast::Module* module = nullptr;
    bool loading = false;
  };

  // nullptr after reporting why.
  ast::Module* load_import(const std::string& from, const ast::Decl::Import& import) {
    std::string key, path, text;
    if (!import.module.empty()) {
      for (const ast::Name& part : import.module) key += (key.empty() ? "" : ".") + part.text;
      path = key;
      const auto& library = standard_library();
      const auto it = library.find(key);
      if (it == library.end()) {
        std::vector<std::string> known;
        for (const auto& [name, source] : library) known.push_back(name);
        out_.diagnostics.add(DiagKind::kUnknownModule, import.target_range, fmt::format("there is no module '{}'", key))
            .suggest(key.starts_with("std.") ? did_you_mean(key, known)
                                             : "a file is imported by its path in quotes: import \"./name.sgl\"");
        return nullptr;
      }
      text = it->second;
    } else {
      const auto file = (std::filesystem::path(from).parent_path() / import.path).lexically_normal();
      key = path = file.string();
    }
    if (const auto known = state_.find(key); known != state_.end()) {
      if (!known->second.loading) return known->second.module;
      out_.diagnostics.add(DiagKind::kImportCycle, import.target_range,
                           fmt::format("'{}' imports itself, directly or through others", key));
      return nullptr;
    }
    if (import.module.empty() && !files_) {
      out_.diagnostics.add(DiagKind::kUnknownModule, import.target_range, "files cannot be imported here")
          .suggest("put everything into one source, or send a compiled plan (sglc compile -o program.sglp)");
      return nullptr;
    }
    if (import.module.empty()) {
      auto read = base::read_file(path, kMaxSourceBytes);
      if (!read.ok()) {
        out_.diagnostics.add(DiagKind::kUnknownModule, import.target_range, read.error().message);
        return nullptr;
      }
      text = std::move(*read);
    }
    return load(key, path, std::move(text));
  }

  void read_schema(const std::string& from, ast::SchemaFile& schema) {
    if (!files_) {
      out_.diagnostics.add(DiagKind::kUnreadableFile, schema.range, "files cannot be read here")
          .suggest("send a compiled plan, which carries the schema (sglc compile -o program.sglp)");
      return;
    }
    const auto file = (std::filesystem::path(from).parent_path() / schema.path).lexically_normal();
    auto read = base::read_file(file.string(), constraint::SchemaLimits().max_bytes);
    if (read.ok()) {
      schema.text = std::move(*read);
    } else {
      out_.diagnostics.add(DiagKind::kUnreadableFile, schema.range, read.error().message);
    }
  }

  Compilation& out_;
  ImportMap& imports_;
  const bool files_;
  std::map<std::string, State> state_;
};

bool has_program(const ast::Module& module) {
  for (const auto& decl : module.declarations) {
    const auto* function = std::get_if<ast::Decl::Function>(&decl->node);
    if (function != nullptr && function->kind == plan::FunctionKind::kProgram && !function->tool) return true;
  }
  return false;
}

// What relations between types said after that is not so.
void refuse_worn_out(const TypeTable& types, FileId file, Diagnostics& diagnostics) {
  if (!types.is_worn_out()) return;
  diagnostics
      .add(DiagKind::kTooLarge, {file, 0, 0},
           fmt::format("the types of the program take more than {} comparisons", TypeTable::kMaxComparisons))
      .suggest("compare and convert fewer values of large unions");
}

// A program that may generate without end, and does not limit itself.
void warn_unbounded(const ast::Module& main, const plan::Plan& plan, Diagnostics& diagnostics) {
  for (const auto& decl : main.declarations) {
    const plan::Program* const program = plan.find_program(decl->name.text);
    if (program == nullptr || program->bounds.generated_tokens) continue;
    diagnostics
        .add(DiagKind::kUnboundedLoop, decl->name.range,
             fmt::format("nothing bounds how much '{}' generates: a loop, list or recursion has no known end",
                         program->name))
        .suggest("give it a limit: limits { tokens: 4000 }");
  }
}

}  // namespace

std::unique_ptr<Compilation> compile_text(const std::string& path, std::string text, Stage stage,
                                          const CompileOptions& options) {
  auto out = std::make_unique<Compilation>();
  ImportMap imports;
  auto start = Clock::now();
  const ast::Module* const main =
      Loader(*out, imports, options.import_files)
          .load(std::filesystem::path(path).lexically_normal().string(), path, std::move(text));
  out->parse_ms = ms_since(start);
  // A tree with holes is not checked: what follows from a syntax error is noise.
  if (stage == Stage::kParse || out->diagnostics.has_errors()) return out;
  start = Clock::now();
  TypeTable types;
  Constants constants(types);
  check(out->modules, imports, types, constants, out->diagnostics);
  refuse_worn_out(types, main->file, out->diagnostics);
  if (options.require_program && !has_program(*main) && !out->diagnostics.has_errors()) {
    out->diagnostics.add(DiagKind::kNoProgram, {main->file, 0, 0}, "the file declares no program")
        .suggest("declare an entry point: program main() -> string { … }");
  }
  out->check_ms = ms_since(start);
  if (stage == Stage::kCheck || out->diagnostics.has_errors()) return out;
  start = Clock::now();
  out->plan = lower(*main, types, constants, out->sources);
  refuse_worn_out(types, main->file, out->diagnostics);
  if (const base::Status counts = plan::check_counts(*out->plan); !counts.ok()) {
    out->diagnostics.add(DiagKind::kTooLarge, {main->file, 0, 0}, counts.error().message)
        .suggest("make it of several programs, or of functions that are called instead of written out");
  }
  if (out->diagnostics.has_errors()) {
    out->plan.reset();
    return out;
  }
  if (options.optimize) optimize(*out->plan);
  analyze(*out->plan);
  warn_unbounded(*main, *out->plan, out->diagnostics);
  out->lower_ms = ms_since(start);
  return out;
}

std::unique_ptr<Compilation> compile_file(const std::filesystem::path& path, Stage stage,
                                          const CompileOptions& options) {
  auto text = base::read_file(path, kMaxSourceBytes);
  if (text.ok()) return compile_text(path.string(), std::move(*text), stage, options);
  auto out = std::make_unique<Compilation>();
  const FileId file = out->sources.add(path.string(), "");
  out->diagnostics.add(DiagKind::kUnreadableFile, {file, 0, 0}, text.error().message);
  return out;
}

}  // namespace sgl::compiler
