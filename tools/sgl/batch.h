// `sgl run --batch`: many inputs through one engine, results in the order of the inputs, resumable after a kill.
#pragma once

#include "tools/common/signals.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/prepare.h"

namespace sgl::tools {

// Precondition: prepare_program succeeded. Returns the exit code.
int run_batch(const RunCommand& command, Prepared& prepared, Interrupt& interrupt);

}  // namespace sgl::tools
