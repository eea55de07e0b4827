// Exit codes of the command line tools; documented in each --help.
#pragma once

namespace sgl::tools {

constexpr int kOk = 0;
constexpr int kFailed = 1;         // sglc: the program has errors; sgl: the program failed while it ran
constexpr int kUsage = 2;          // wrong usage, a file or model that cannot be used
constexpr int kInterrupted = 130;  // SIGINT or SIGTERM, as shells report it

}  // namespace sgl::tools
