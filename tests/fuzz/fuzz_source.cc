// Any text as a program: diagnostics or a plan, and every plan that the compiler makes is one that the verifier
// accepts and that can be executed.
#include "compiler/driver/driver.h"
#include "runtime/base/check.h"
#include "runtime/plan/verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/run_plan.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sgl;
  // The folder is not there, so that imports of files find nothing.
  const auto compilation =
      compiler::compile_text("no-such-folder/fuzz.sgl", std::string(fuzz::as_text(data, size)), compiler::Stage::kPlan);
  const bool errors = compilation->diagnostics.has_errors();
  SGL_ASSERT(errors != compilation->plan.has_value());
  if (compilation->plan) {
    SGL_ASSERT(plan::verify(*compilation->plan).ok());
    fuzz::run_plan(*compilation->plan);
  }
  (void)compiler::render_text(compilation->sources, compilation->diagnostics.sorted(), false);
  return 0;
}
