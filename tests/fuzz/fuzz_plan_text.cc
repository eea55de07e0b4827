// Any text as the text form of a plan. What is accepted prints to a text that parses to the same plan, and can
// be executed.
#include "runtime/base/check.h"
#include "runtime/plan/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/run_plan.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sgl;
  const auto parsed = plan::parse(fuzz::as_text(data, size));
  if (!parsed.ok()) return 0;
  const std::string printed = plan::print(*parsed);
  const auto again = plan::parse(printed);
  SGL_ASSERT(again.ok());
  SGL_ASSERT(plan::print(*again) == printed);
  fuzz::run_plan(*parsed);
  return 0;
}
