// What the subcommands of sgl constrain share.
#pragma once

#include <string>

#include "runtime/base/expected.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/constrain_walk.h"

namespace sgl::tools {

// The tokenizer that the folder holds, and its tokens. Errors: one sentence.
base::Expected<WalkContext> constrain_context(const std::string& folder_option);

}  // namespace sgl::tools
