// Compiled code against the interpreter on random plans: value or error, position, fuel, stack units and memory.
#include <doctest/doctest.h>

#include "tests/unit/jit/random_plan.h"
#include "tests/unit/jit/support.h"

namespace sgl::exec::test {
namespace {

constexpr std::uint64_t kSeeds = 300;  // some 40 ms each; tests/diff runs thousands of whole programs

TEST_CASE("random plans do the same compiled and interpreted") {
  std::uint64_t finished = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const plan::Plan plan = random_plan(seed * 0x9E3779B97F4A7C15u);
    // Little fuel for some, so that it ends in odd places.
    const std::int64_t fuel = seed % 3 == 0 ? static_cast<std::int64_t>(seed % 60) : 2000;
    if (run_both(plan, kRandomMain, fuel, static_cast<int>(seed % 3)).ok) ++finished;
  }
  CHECK(finished > kSeeds / 10);  // else the plans fail too early to show anything
}

}  // namespace
}  // namespace sgl::exec::test
