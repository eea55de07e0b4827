// Command lines with subcommands: the part that is alike in all tools. Includes CLI11, which is slow to compile: for
// each tool's main.cc alone.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/diag/diag.h"
#include "tools/common/exit_codes.h"
#include "tools/common/terminal.h"

namespace sgl::tools {

// Names of the subcommands given, checked before CLI11 sees them, because it knows no nearest name. kOk: go on.
inline int check_subcommands(CLI::App& app, int argc, char** argv) {
  CLI::App* current = &app;
  for (int i = 1;; ++i) {
    std::vector<std::string> names;
    for (const CLI::App* sub : current->get_subcommands({})) names.push_back(sub->get_name());
    if (names.empty()) return kOk;
    if (i >= argc) {
      (void)write_all(2, current->help());
      return kUsage;
    }
    const std::string given = argv[i];
    if (given.empty() || given.front() == '-') return kOk;
    CLI::App* next = nullptr;
    for (CLI::App* sub : current->get_subcommands({})) {
      if (sub->get_name() == given) next = sub;
    }
    if (next == nullptr) {
      const std::string hint = compiler::did_you_mean(given, names);
      complain(fmt::format("unknown command '{}'; {}", given,
                           hint.empty() ? fmt::format("commands are: {}", fmt::join(names, ", ")) : hint));
      return kUsage;
    }
    current = next;
  }
}

// Parses, then runs what the chosen subcommand stored in `action`. Returns the exit code; `usage` for wrong usage.
inline int parse_and_run(CLI::App& app, int argc, char** argv, const std::function<int()>& action, int usage = kUsage) {
  if (check_subcommands(app, argc, argv) != kOk) return usage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : usage;  // prints the help or the message
  }
  return action ? action() : usage;
}

}  // namespace sgl::tools
