// Plans that carry compiled constraints: the same results with them and without, and who believes them.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/constraint/compiled.h"
#include "runtime/constraint/plan_constraints.h"
#include "runtime/constraint/plan_types.h"
#include "runtime/plan/codec.h"
#include "runtime/plan/verify.h"
#include "tests/unit/exec/scripted_port.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

// ask() -> a text of the pattern.
plan::Plan plan_with(plan::TypeKind kind, const std::string& pattern) {
  plan::Plan plan = sample_programs()->plan();
  plan::Type type;
  type.kind = kind;
  type.pattern = pattern;
  plan.gens[0].type = plan::TypeId(static_cast<std::uint32_t>(plan.types.size()));
  plan.types.push_back(std::move(type));
  REQUIRE(plan::verify(plan).ok());
  return plan;
}

plan::Plan carrying(plan::Plan plan) {
  REQUIRE(constraint::carry_constraints(plan).ok());
  REQUIRE(plan.constraints.size() == 1);
  return plan;
}

RunResult ask(plan::Plan plan, Carried carried, std::uint64_t seed) {
  ScriptedPort port;
  RunOptions options;
  options.seed = seed;
  return run_program(std::make_shared<const LoadedPlan>(std::move(plan), carried), port, "ask", Json::object(),
                     options);
}

struct Counts {
  std::int64_t loaded, compiled;
  std::size_t refused;
};

void check_counts(const RunResult& result, const Counts& counts) {
  CHECK(result.constraints_loaded == counts.loaded);
  CHECK(result.constraints_compiled == counts.compiled);
  CHECK(result.constraints_refused.size() == counts.refused);
}

TEST_CASE("a program gives the same with the constraints that its plan carries and without") {
  for (const plan::Plan& without :
       {plan_with(plan::TypeKind::kRegex, "[a-c]{3,9}(x|yy)"),
        plan_with(plan::TypeKind::kGrammar, "start: \"(\" start \")\" | /[0-9]{2}/"),
        plan_with(plan::TypeKind::kJson,
                  R"({"type":"array","items":{"enum":[1,2,"three"]},"minItems":2,"maxItems":4})")}) {
    const plan::Plan with = carrying(without);
    plan::Plan stale = with;
    stale.constraints[0].bytes[12] = static_cast<char>(stale.constraints[0].bytes[12] ^ 1);
    plan::Plan damaged = with;
    damaged.constraints[0].bytes.pop_back();
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const RunResult compiled = ask(without, Carried::kUse, seed);
      const std::string wanted = outcome(compiled);
      CHECK_MESSAGE(compiled.value.ok(), wanted);
      check_counts(compiled, {0, 1, 0});
      for (const auto& [plan, carried, counts] :
           {std::tuple(with, Carried::kUse, Counts{1, 0, 0}), std::tuple(with, Carried::kIgnore, Counts{0, 1, 0}),
            std::tuple(stale, Carried::kUse, Counts{0, 1, 1}), std::tuple(damaged, Carried::kUse, Counts{0, 1, 1})}) {
        const RunResult result = ask(plan, carried, seed);
        CHECK(outcome(result) == wanted);
        check_counts(result, counts);
      }
    }
    CHECK(ask(stale, Carried::kUse, 0).constraints_refused[0] ==
          "the compiled constraint of type 3 was not used: another version of the constraint engine made it");
  }
}

TEST_CASE("a forged constraint is used only of a plan that is believed") {
  plan::Plan plan = carrying(plan_with(plan::TypeKind::kRegex, "[a-c]{4}"));
  const auto other = constraint::compile_regex("[x-z]{4}");
  REQUIRE(other.ok());
  const plan::TypeId type = plan.constraints[0].type;
  // Nothing in it tells: its engine, its digest and its checksum are right.
  auto forged = constraint::save(**other, constraint::digest_of(constraint::spec_of(plan, type, false)));
  REQUIRE(forged.ok());
  plan.constraints[0].bytes = std::move(*forged);
  REQUIRE(plan::decode(plan::encode(plan)).ok());
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const RunResult ignored = ask(plan, Carried::kIgnore, seed);
    CHECK(outcome(ignored).find_first_of("xyz") == std::string::npos);
    CHECK(ignored.constraints_loaded == 0);
    CHECK(outcome(ask(plan, Carried::kUse, seed)).find_first_of("xyz") == 1);
  }
  // Who does not say so does not believe.
  CHECK(LoadedPlan(plan).plan().constraints.empty());
  CHECK(LoadedPlan(plan, Carried::kUse).plan().constraints.size() == 1);
}

TEST_CASE("an executor loads a constraint once") {
  const auto loaded =
      std::make_shared<const LoadedPlan>(carrying(plan_with(plan::TypeKind::kRegex, "[a-c]{4}")), Carried::kUse);
  ScriptedPort port;
  Executor executor(loaded, port);
  std::int64_t constraints = 0, finished = 0;
  for (int i = 0; i < 5; ++i) {
    RunEvents events;
    events.on_finished = [&](const RunResult& result) {
      CHECK(result.value.ok());
      constraints += result.constraints_loaded;
      CHECK(result.constraints_compiled == 0);
      ++finished;
    };
    REQUIRE(executor.start("ask", Json::object(), {}, std::move(events)).ok());
  }
  executor.run();
  CHECK(finished == 5);
  CHECK(constraints == 1);
}

}  // namespace
}  // namespace sgl::exec::test
