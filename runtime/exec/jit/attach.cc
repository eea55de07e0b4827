#include "runtime/exec/jit/attach.h"

#include <memory>
#include <utility>
#include <vector>

#include "runtime/exec/jit/jit.h"

namespace sgl::exec {

base::Status attach_jit(LoadedPlan& plan) {
  SGL_TRY(std::shared_ptr<const JitImage> code, JitImage::compile(plan.image()));
  std::vector<NativeStep> steps;
  for (std::uint32_t i = 0; i < plan.plan().functions.size(); ++i) steps.push_back(code->step(plan::FunctionId(i)));
  plan.attach(std::move(steps), std::move(code));
  return {};
}

}  // namespace sgl::exec
