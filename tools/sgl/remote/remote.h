// Programs on a server: run with the output of a local run, or submitted and looked after.
#pragma once

#include <string>

#include "tools/sgl/commands.h"
#include "tools/sgl/remote/client.h"

namespace sgl::tools {

struct RemoteCommand {
  RemoteOptions remote;
  RunCommand run;     // submit
  std::string key;    // submit: idempotency key
  std::string id;     // status, result, cancel
  bool wait = false;  // result
};

// sgl run FILE --remote URL. Exit codes as for a local run.
int run_remote(const RunCommand& command, const RemoteOptions& remote);
// Exit codes: 0 fine; 1 the run failed (result), or is not there; 2 wrong usage, or the server cannot be reached.
int submit(const RemoteCommand& command);
int status(const RemoteCommand& command);
int result(const RemoteCommand& command);
int cancel(const RemoteCommand& command);

}  // namespace sgl::tools
