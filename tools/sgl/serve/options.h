// The command line of sgl serve and sgl doctor.
#pragma once

#include <string>

#include "runtime/engine/engine.h"
#include "server/app/options.h"
#include "tools/common/load_choice.h"

namespace sgl::tools {

struct ServeCommand {
  std::string model;
  server::AppOptions app;
  engine::EngineOptions engine;
  LoadChoice load;
  std::string log_level = "info";
  bool log_json = false, quiet = false;
};

enum class ServeAs { kServe, kDoctor };

// Reads options from the command line, the environment (SGL_…) and a TOML file (--config), in this order of precedence.
// Nullopt: `exit_code` says how it ended (help, a wrong option, a key that cannot be read). A key on the command line
// is overwritten in `argv`, so that `ps` does not show it.
std::optional<ServeCommand> read_serve_command(int argc, char** argv, ServeAs as, int& exit_code);

}  // namespace sgl::tools
