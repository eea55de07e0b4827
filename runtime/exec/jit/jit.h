// Compiled plans: functions translated to machine code by LLVM. The interpreter is the reference; compiled code gives
// the same results, errors, positions and fuel. Nothing of LLVM shows in this header.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/expected.h"
#include "runtime/exec/state.h"
#include "runtime/plan/plan.h"

namespace sgl::exec {

struct JitOptions {
  int optimization = 1;  // 0: registers in SSA form only; 1: cheap clean-up; 2: also loops and redundant loads
  bool keep_ir = false;  // JitImage::ir() keeps the optimised IR text
};

struct JitTimes {
  double codegen_ms = 0;   // plan to IR
  double optimize_ms = 0;  // IR to better IR, target set-up included
  double emit_ms = 0;      // IR to linked machine code
};

// The machine code of one plan; immutable, shared by threads. It must not outlive code that runs in it, but needs
// the Image only through Machine::image.
class JitImage {
 public:
  // The plan must have been accepted by plan::verify. Errors: kLimit when the plan is too large to compile (the
  // caller interprets it), kInternal when LLVM refuses.
  static base::Expected<std::unique_ptr<JitImage>> compile(const Image& image, const JitOptions& options = {});
  ~JitImage();
  JitImage(const JitImage&) = delete;
  JitImage& operator=(const JitImage&) = delete;

  // The compiled form of interpret() for a prompt, program or fork; nullptr for a pure function, which compiled code
  // calls directly. It returns a Step. On kEffect all registers are in the frame and frame.pc is at the effect; the
  // driver performs it, writes the registers it defines into the frame, and calls again with frame.pc behind it.
  // Precondition: frame.pc is 0 or behind an effect. Machine::result is the driver's to move out after kReturn:
  // whether a list is shared, and so what changing it costs, depends on it.
  NativeStep step(plan::FunctionId function) const;

  const JitTimes& times() const;
  const std::string& ir() const;  // "" unless JitOptions::keep_ir

 private:
  struct Impl;
  explicit JitImage(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The optimised IR of a verified plan, as text.
base::Expected<std::string> llvm_ir(const plan::Plan& plan, const JitOptions& options = {});

}  // namespace sgl::exec
