// What `version` and `--version` print.
#pragma once

#include <string>

#include <fmt/format.h>

#include "runtime/plan/plan.h"

namespace sgl::tools {

inline std::string version_text(const char* tool) {
  return fmt::format("{} {} (plan format {})", tool, SGL_VERSION, plan::kPlanVersion);
}

}  // namespace sgl::tools
