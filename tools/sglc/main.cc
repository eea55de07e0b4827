// sglc, the compiler: checks, compiles, explains and formats programs. It needs no model.
#include "tools/common/cli.h"
#include "tools/common/version.h"
#include "tools/sglc/commands.h"

namespace sgl::tools {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 fine; 1 the program has errors; 2 wrong usage or a file that cannot be read or written.";

void add_format_option(CLI::App& app, bool& json) {
  app.add_option_function<std::string>(
         "--format", [&json](const std::string& value) { json = value == "json"; },
         "how diagnostics are printed: text on standard error, or json on standard output, one object a line")
      ->check(CLI::IsMember({"text", "json"}));
}

struct Commands {
  CheckCommand check;
  CompileCommand compile;
  ExplainCommand explain;
  FormatCommand format;
};

void add_check(CLI::App& app, CheckCommand& command, std::function<int()>& action) {
  CLI::App* sub = app.add_subcommand("check", "Find mistakes in programs without running them");
  sub->add_option("files", command.files, "source files, - for standard input")->required();
  add_format_option(*sub, command.json);
  sub->footer(fmt::format("Examples:\n"
                          "  sglc check judge.sgl\n"
                          "  sglc check examples/*.sgl\n"
                          "  sglc check --format json judge.sgl | jq .message\n\n{}",
                          kExitCodes));
  sub->callback([&] { action = [&] { return check(command); }; });
}

void add_compile(CLI::App& app, CompileCommand& command, std::function<int()>& action) {
  CLI::App* sub = app.add_subcommand("compile", "Compile a program to an execution plan (.sglp)");
  sub->add_option("file", command.file, "source file, or a plan where --emit is not ast; - for standard input")->required();
  sub->add_option("-o,--output", command.output, "file to write; default: FILE.sglp, or standard output with --emit");
  sub->add_option("--emit", command.emit,
                  "write something else instead: ast, the syntax tree; plan, the plan as text; llvm, the compiled "
                  "functions; schema, the JSON Schema of arguments and results")
      ->check(CLI::IsMember({"ast", "plan", "llvm", "schema"}));
  sub->add_flag("!--no-constraints", command.constraints,
                "leave compiled constraints out of the plan: it gets smaller, and `sgl run` compiles them itself");
  sub->add_option("-O", command.optimization, "0: leave the plan as it was lowered")->check(CLI::Range(0, 2));
  add_format_option(*sub, command.json);
  sub->footer(fmt::format("Examples:\n"
                          "  sglc compile judge.sgl -o judge.sglp\n"
                          "  sglc compile judge.sgl --emit=plan | less\n"
                          "  sglc compile judge.sgl --emit=schema -o judge.schema.json\n\n{}",
                          kExitCodes));
  sub->callback([&] { action = [&] { return compile(command); }; });
}

void add_explain(CLI::App& app, ExplainCommand& command, std::function<int()>& action) {
  CLI::App* sub = app.add_subcommand("explain", "Tell what a program does, step by step");
  sub->add_option("file", command.file, "source or plan file, - for standard input")->required();
  sub->add_flag("--dot", command.dot, "a graph in Graphviz' language instead of text");
  sub->footer(fmt::format("Examples:\n"
                          "  sglc explain judge.sgl\n"
                          "  sglc explain --dot judge.sgl | dot -Tsvg > judge.svg\n\n{}",
                          kExitCodes));
  sub->callback([&] { action = [&] { return explain(command); }; });
}

void add_format(CLI::App& app, FormatCommand& command, std::function<int()>& action) {
  CLI::App* sub = app.add_subcommand("fmt", "Format programs");
  sub->add_option("files", command.files, "source files, - for standard input")->required();
  CLI::Option* check_flag = sub->add_flag("--check", command.check, "name the files that are not formatted, change nothing");
  sub->add_flag("--write,-w", command.write, "replace the files")->excludes(check_flag);
  sub->footer("Examples:\n"
              "  sglc fmt judge.sgl                 print it formatted\n"
              "  sglc fmt --write examples/*.sgl\n"
              "  sglc fmt --check examples/*.sgl    for continuous integration\n"
              "  cat judge.sgl | sglc fmt -         for editors\n\n"
              "Exit codes: 0 fine; 1 a file has syntax errors or, with --check, is not formatted; 2 wrong usage or a "
              "file that cannot be read or written.");
  sub->callback([&] { action = [&] { return format(command); }; });
}

int run(int argc, char** argv) {
  CLI::App app{"The compiler of SGL, the structured generation language.", "sglc"};
  app.require_subcommand(1);
  app.footer("Examples:\n"
             "  sglc check judge.sgl\n"
             "  sglc compile judge.sgl -o judge.sglp\n"
             "  sglc explain judge.sgl\n\n"
             "`sglc COMMAND --help` says more. Programs are run by `sgl run`.");
  app.set_version_flag("--version", version_text("sglc"));
  Commands commands;
  std::function<int()> action;
  add_check(app, commands.check, action);
  add_compile(app, commands.compile, action);
  add_explain(app, commands.explain, action);
  add_format(app, commands.format, action);
  app.add_subcommand("version", "Print the version")->callback([&] {
    action = [] { return print_out(version_text("sglc") + "\n"); };
  });
  return parse_and_run(app, argc, argv, action);
}

}  // namespace
}  // namespace sgl::tools

int main(int argc, char** argv) { return sgl::tools::run(argc, argv); }
