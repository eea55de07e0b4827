// Random programs: compiled against interpreted, optimised against as lowered. Many programs share a file, so that
// the compiler's fixed costs are paid once for all of them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "compiler/driver/driver.h"
#include "tests/diff/compare.h"
#include "tests/diff/random_source.h"
#include "tests/unit/exec/scripted_port.h"

namespace sgl::diff {
namespace {

constexpr std::uint64_t kFiles = 60;
constexpr int kPrograms = 50;  // a file

plan::Plan compile(const std::string& source, bool optimize) {
  compiler::CompileOptions options;
  options.optimize = optimize;
  const auto compilation = compiler::compile_text("random.sgl", source, compiler::Stage::kPlan, options);
  REQUIRE_MESSAGE(compilation->plan.has_value(),
                  compiler::render_text(compilation->sources, compilation->diagnostics.sorted(), false) << "\n" << source);
  return *compilation->plan;
}

// Results of all programs of a file, all at once in one executor.
std::vector<exec::RunResult> run_all(const std::shared_ptr<const exec::LoadedPlan>& plan, exec::ModelPort& port, std::uint64_t seed) {
  std::vector<exec::RunResult> results(kPrograms);
  exec::Executor executor(plan, port);
  for (int i = 0; i < kPrograms; ++i) {
    exec::RunOptions options;
    options.trace = true;
    options.seed = seed;
    options.default_max_tokens = 120;
    // Little fuel for some, so that they end in odd places.
    if (i % 10 == 9) options.limits.fuel = static_cast<std::int64_t>(seed * 7 + static_cast<std::uint64_t>(i) * 3) % 150;
    exec::RunEvents events;
    events.on_finished = [&results, i](exec::RunResult r) { results[static_cast<std::size_t>(i)] = std::move(r); };
    const auto started = executor.start("p" + std::to_string(i), random_arguments(seed * 1000 + static_cast<std::uint64_t>(i)),
                                        options, std::move(events));
    REQUIRE_MESSAGE(started.ok(), (started.ok() ? "" : started.error().message));
  }
  executor.run();
  return results;
}

TEST_CASE("random programs do the same compiled and interpreted, optimised and not") {
  std::size_t returned = 0, generations = 0, forks = 0;
  for (std::uint64_t file = 1; file <= kFiles; ++file) {
    CAPTURE(file);
    const std::string source = random_source(file * 0x9E3779B97F4A7C15ULL, kPrograms);
    const plan::Plan plan = compile(source, true);
    const auto reference = load(plan, Mode::kInterpreted);
    const auto compiled = load(plan, Mode::kCompiled);
    const auto lowered = load(compile(source, false), Mode::kInterpreted);

    exec::test::ScriptedPort port;
    const auto wanted = run_all(reference, port, file);
    const auto got = run_all(compiled, port, file);
    // Plans that number their generations differently draw other seeds. The answers come in another order too, which
    // must not matter; only to programs short of fuel it does, since their forks draw on one supply.
    exec::test::ScriptedPort::Options seedless;
    seedless.use_seed = false;
    exec::test::ScriptedPort plain(seedless);
    const auto optimised = run_all(reference, plain, file);
    seedless.delivery = exec::test::ScriptedPort::Delivery::kShuffled;
    seedless.order = file;
    exec::test::ScriptedPort shuffled(seedless);
    const auto unoptimised = run_all(lowered, shuffled, file);

    bool same = true;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      CAPTURE(i);
      CHECK(report(got[i]) == report(wanted[i]));
      same = same && report(got[i]) == report(wanted[i]);
      returned += wanted[i].value.ok() ? 1 : 0;
      generations += static_cast<std::size_t>(wanted[i].generations);
      forks += static_cast<std::size_t>(wanted[i].forks);
      if (i % 10 == 9) continue;  // short of fuel, which optimisation saves
      CHECK(meaning(unoptimised[i]) == meaning(optimised[i]));
      CHECK(optimised[i].fuel_used <= unoptimised[i].fuel_used);
      same = same && meaning(unoptimised[i]) == meaning(optimised[i]);
    }
    if (!same) {
      MESSAGE(source);
      break;
    }
  }
  // Else the programs fail too early to show anything.
  MESSAGE("returned " << returned << ", generations " << generations << ", forks " << forks);
  CHECK(returned > kFiles * kPrograms / 3);
  CHECK(generations > kFiles * kPrograms);
  CHECK(forks > kFiles * kPrograms / 2);
}

}  // namespace
}  // namespace sgl::diff
