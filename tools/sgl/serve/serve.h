// sgl serve and what belongs to running a server.
#pragma once

namespace sgl::tools {

// argv[0] is the subcommand. Return exit codes.
int serve(int argc, char** argv);
int doctor(int argc, char** argv);
// sgl cert, sgl token, sgl audit.
int cert(int argc, char** argv);
int token(int argc, char** argv);
int audit(int argc, char** argv);

}  // namespace sgl::tools
