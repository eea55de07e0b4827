// Plans of all examples: sound after every pass, and the same after a trip through text and bytes.
#include <filesystem>
#include <string>
#include <vector>

#include "compiler/passes/passes.h"
#include "runtime/plan/codec.h"
#include "runtime/plan/text.h"
#include "runtime/plan/verify.h"
#include "tests/unit/passes/support.h"

namespace sgl::compiler::test {
namespace {

std::vector<std::string> examples() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() == ".sgl") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  REQUIRE(out.size() >= 10);
  return out;
}

plan::Plan plan_of(const std::string& path, bool optimize) {
  CompileOptions options;
  options.optimize = optimize;
  const auto compilation = compile_file(path, Stage::kPlan, options);
  REQUIRE_MESSAGE(compilation->plan.has_value(),
                  render_text(compilation->sources, compilation->diagnostics.sorted(), false));
  return *compilation->plan;
}

void check_sound(const plan::Plan& plan, const std::string& stage) {
  const base::Status verified = plan::verify(plan);
  CHECK_MESSAGE(verified.ok(), stage << ": " << (verified.ok() ? "" : verified.error().message));
}

TEST_CASE("plans are sound after every pass") {
  struct Pass {
    const char* name;
    void (*run)(plan::Plan&);
  };
  const Pass passes[] = {{"fold", fold_constants},
                         {"merge", merge_literals},
                         {"independent", parallelize_independent},
                         {"fold again", fold_constants},
                         {"merge again", merge_literals},
                         {"prefix", extract_static_prefixes},
                         {"bounds", compute_bounds}};
  for (const std::string& path : examples()) {
    CAPTURE(path);
    plan::Plan plan = plan_of(path, false);
    check_sound(plan, "lowered");
    std::size_t size = 0;
    for (const plan::Function& f : plan.functions) size += f.code.size();
    for (const Pass& pass : passes) {
      pass.run(plan);
      check_sound(plan, pass.name);
    }
    std::size_t after = 0;
    for (const plan::Function& f : plan.functions) after += f.code.size();
    CHECK(after <= size + 8);  // a group adds an instruction for the field of each member
  }
}

TEST_CASE("optimising twice changes nothing more") {
  for (const std::string& path : examples()) {
    CAPTURE(path);
    plan::Plan plan = plan_of(path, true);
    optimize(plan);
    optimize(plan);
    const std::string twice = plan::print(plan);
    optimize(plan);
    CHECK(plan::print(plan) == twice);  // there is an end to it
  }
}

TEST_CASE("plans survive text and bytes") {
  for (const std::string& path : examples()) {
    CAPTURE(path);
    for (const bool optimize : {true, false}) {
      const plan::Plan plan = plan_of(path, optimize);
      const std::string text = plan::print(plan);
      const auto parsed = plan::parse(text);
      REQUIRE_MESSAGE(parsed.ok(), (parsed.ok() ? "" : parsed.error().message));
      CHECK(plan::print(*parsed) == text);
      const std::string bytes = plan::encode(plan);
      CHECK(plan::looks_like_plan(bytes));
      const auto decoded = plan::decode(bytes);
      REQUIRE_MESSAGE(decoded.ok(), (decoded.ok() ? "" : decoded.error().message));
      CHECK(plan::print(*decoded) == text);
      CHECK(plan::encode(*decoded) == bytes);
      CHECK(plan::encode(*parsed) == bytes);
    }
  }
}

TEST_CASE("compiling is deterministic") {
  for (const std::string& path : examples()) {
    CAPTURE(path);
    CHECK(plan::encode(plan_of(path, true)) == plan::encode(plan_of(path, true)));
  }
}

}  // namespace
}  // namespace sgl::compiler::test
