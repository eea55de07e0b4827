// The subcommands of sglc: what they take, and functions that do them and return the exit code.
#pragma once

#include <string>
#include <vector>

namespace sgl::tools {

struct CheckCommand {
  std::vector<std::string> files;  // "-": standard input
  bool json = false;
};

struct CompileCommand {
  std::string file;
  std::string output;  // "": beside the source, or standard output with `emit`
  std::string emit;    // "": the plan file; "ast", "plan", "llvm", "schema"
  int optimization = 1;
  bool constraints = true;  // the plan carries its compiled constraints
  bool json = false;
};

struct ExplainCommand {
  std::string file;
  bool dot = false;
};

struct FormatCommand {
  std::vector<std::string> files;  // "-": standard input
  bool check = false;              // report what is not formatted, change nothing
  bool write = false;              // replace the files
};

int check(const CheckCommand& command);
int compile(const CompileCommand& command);
int explain(const ExplainCommand& command);
int format(const FormatCommand& command);

}  // namespace sgl::tools
