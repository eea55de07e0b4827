// Upper bounds of generated tokens, generations and forks.
#include <cstdint>
#include <optional>
#include <string>

#include "tests/unit/passes/support.h"

namespace sgl::compiler::test {
namespace {

using Count = std::optional<std::int64_t>;

struct Case {
  const char* params;
  const char* body;  // after some text
  Count tokens, generations, forks;
};

const Count kOpen = std::nullopt;

const Case kCases[] = {
    {"", "", 0, 0, 0},
    {"", "gen g: string with max_tokens = 6", 6, 1, 0},
    {"", "gen g: string", 256, 1, 0},  // the runtime's default
    {"", "gen g: string with n = 3, max_tokens = 2", 6, 3, 0},
    {"n: int", "gen g: string with max_tokens = n", kOpen, 1, 0},
    {"", "select v from [\"a\", \"b\"]", 0, 0, 0},
    {"b: bool", "if b { gen g: string with max_tokens = 6 } else { gen h: string with max_tokens = 9 }", 15, 2, 0},
    // loops
    {"", "for w in [\"a\", \"b\", \"c\"] { gen g: string with max_tokens = 10 }", 30, 3, 0},
    {"", "for i in range(4) { gen g: string with max_tokens = 10 }", 40, 4, 0},
    {"n: int(1..3)", "for i in range(n) { gen g: string with max_tokens = 10 }", 30, 3, 0},
    {"n: int(1..3)", "for i in range(n) { for w in [\"a\", \"b\"] { gen g: string with max_tokens = 10 } }", 60, 6, 0},
    {"n: int", "for i in range(n) { gen g: string with max_tokens = 10 }", kOpen, kOpen, 0},
    {"n: int(1..)", "for i in range(n) { gen g: string with max_tokens = 10 }", kOpen, kOpen, 0},
    {"n: int(1..3)", "var i = 0; while i < n { gen g: string with max_tokens = 10; i += 1 }", kOpen, kOpen, 0},
    {"n: int", "var t = 0; for i in range(n) { t += i }; gen g: string with max_tokens = 10", 10, 1, 0},
    {"", "for i in range(2, 6) { gen g: string with max_tokens = 10 }", 40, 4, 0},
    {"", "for i in range(6, 2) { gen g: string with max_tokens = 10 }", 0, 0, 0},
    {"", "for i, x in range(-2, 2) { gen g: string with max_tokens = 10 }", 40, 4, 0},
    {"n: int(1..3)", "for i in range(n, 5) { gen g: string with max_tokens = 10 }", 40, 4, 0},
    {"n: int", "for i in range(n, 5) { gen g: string with max_tokens = 10 }", kOpen, kOpen, 0},
    {"", "for i in range(5) { if i == 2 { continue }; gen g: string with max_tokens = 10; if i == 3 { break } }", 50, 5, 0},
    {"b: bool", "var n = 9; if b { n = 4 }; for i in range(n) { gen g: string with max_tokens = 10 }", kOpen, kOpen, 0},
    {"", "var n = 2; for i in range(n) { n = 9; gen g: string with max_tokens = 10 }", 20, 2, 0},
    {"", "var i = 0; let n = 3; while i < n { gen g: string with max_tokens = 10; if g == \"x\" { i = 0 }; i += 1 }", kOpen, kOpen, 0},
    {"xs: list<string>(1..4)", "var i = 0; let n = len(xs); while i < n { gen g: string with max_tokens = 5 }", kOpen, kOpen, 0},
    {"xs: list<string>(1..4)", "for i in range(len(xs)) { gen g: string with max_tokens = 5 }", 20, 4, 0},
    {"xs: list<string>(1..4)", "for x in xs { gen g: string with max_tokens = 5 }", 20, 4, 0},
    {"xs: list<string>", "for x in xs { gen g: string with max_tokens = 5 }", kOpen, kOpen, 0},
    // forks
    {"xs: list<string>(1..4)", "let a = parallel for x in xs { gen g: string with max_tokens = 5; yield g }", 20, 4, 4},
    {"xs: list<string>", "let a = parallel for x in xs { gen g: string with max_tokens = 5; yield g }", kOpen, kOpen, kOpen},
    {"xs: list<string>", "let a = parallel for x in xs { yield x }", 0, 0, kOpen},
    {"", "let v = branch { a: { gen h: string with max_tokens = 7; yield h }, b: { gen h: bool with max_tokens = 2; yield h } }", 9, 2, 2},
    {"", "let a = parallel for i in range(3) { let b = parallel for k in range(2) { gen g: string with max_tokens = 2; yield g }; yield 1 }",
     12, 6, 9},
};

TEST_CASE("bounds") {
  for (const Case& c : kCases) {
    const std::string source =
        std::string("program p(") + c.params + ") -> int {\n  \"x\"\n  " + c.body + "\n  return 1\n}\n";
    CAPTURE(source);
    for (const bool optimize : {true, false}) {
      const plan::Bounds bounds = compiled(source, optimize).find_program("p")->bounds;
      CHECK(bounds.generated_tokens.value_or(-1) == c.tokens.value_or(-1));
      CHECK(bounds.generations.value_or(-1) == c.generations.value_or(-1));
      CHECK(bounds.forks.value_or(-1) == c.forks.value_or(-1));
    }
  }
}

TEST_CASE("limits bound what loops do not") {
  const plan::Plan plan = compiled(
      "program p(n: int) -> int {\n  limits { tokens: 100, forks: 7 }\n  \"x\"\n"
      "  let a = parallel for i in range(n) { gen g: string; yield g }\n  return 1\n}\n"
      "program q() -> int {\n  limits { tokens: 100 }\n  \"x\"\n  gen g: string with max_tokens = 5\n  return 1\n}\n");
  CHECK(plan.find_program("p")->bounds.generated_tokens == 100);
  CHECK(plan.find_program("p")->bounds.forks == 7);
  CHECK(plan.find_program("q")->bounds.generated_tokens == 5);
}

TEST_CASE("calls count what they call, recursion has no bound") {
  const plan::Plan plan = compiled(
      "prompt ask() -> string { gen g: string with max_tokens = 6; return g }\n"
      "prompt again(n: int) -> string {\n  gen g: string with max_tokens = 6\n  if n > 0 { return again(n - 1) }\n  return g\n}\n"
      "program p() -> int {\n  \"x\"\n  let a = ask()\n  let b = ask()\n  return 1\n}\n"
      "program q(n: int) -> string {\n  \"x\"\n  return again(n)\n}\n");
  CHECK(plan.find_program("p")->bounds.generated_tokens == 12);
  CHECK(plan.find_program("p")->bounds.generations == 2);
  CHECK_FALSE(plan.find_program("q")->bounds.generated_tokens.has_value());
  CHECK_FALSE(plan.find_program("q")->bounds.generations.has_value());
}

}  // namespace
}  // namespace sgl::compiler::test
