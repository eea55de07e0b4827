#include "runtime/exec/jit/attach.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/exec/jit/jit.h"

namespace sgl::exec {

base::Status attach_jit(LoadedPlan& plan) {
  SGL_TRY(std::shared_ptr<const JitImage> code, JitImage::compile(plan.image()));
  std::vector<NativeStep> steps;
  for (std::uint32_t i = 0; i < plan.plan().functions.size(); ++i) {
    // What a failure jumps back into is interpreted: compiled code has its registers in the frame only at effects.
    const auto& body = plan.plan().functions[i].code;
    const bool catches = std::any_of(body.begin(), body.end(), [](const plan::Inst& inst) { return inst.op == plan::Op::kTry; });
    steps.push_back(catches ? nullptr : code->step(plan::FunctionId(i)));
  }
  plan.attach(std::move(steps), std::move(code));
  return {};
}

}  // namespace sgl::exec
