// What the checker must accept.
#include <string>

#include <doctest/doctest.h>

#include "compiler/driver/driver.h"
#include "runtime/plan/verify.h"
#include "tests/unit/check/sources.h"

namespace sgl::compiler::test {
namespace {

struct Case {
  const char* name;
  Place place;
  const char* text;
};

const Case kCases[] = {
    {"literals into their kinds", kFn, R"s(let a: string = "x"
  let c: int = 3
  let d: int(0..5) = 5
  let e: float = 2
  let g: "A" | "B" = "A")s"},
    {"narrow into wide", kFile, R"s(fn f(a: int(0..5)) -> int = a
fn g(a: list<int(0..5)>) -> list<int> = a
fn h(a: "A" | "B") -> string = a)s"},
    {"value into a maybe", kFn, R"s(let a: int? = i
  let c: int | string = i)s"},
    {"narrowing by comparison", kFn, R"s(if o != null { return o }
  let a = o ?? 3)s"},
    {"narrowing by an early return", kFn, R"s(if o == null { return 0 }
  return o + 1)s"},
    {"narrowing in a condition", kFn, R"s(let a = o != null and o > 3
  let c = o + 1 if o != null else 0)s"},
    {"records by structure", kFile, R"s(type R = { a: int }
type S = { a: int }
fn f(r: R) -> S = r)s"},
    {"optional field left out", kFile, R"s(type R = { a: int, b?: int }
fn f() -> R = { a: 1 }
fn g(r: R) -> int = r.b ?? 0)s"},
    {"recursive type", kFile, R"s(type T = { kids: list<T> }
fn f(t: T) -> int = len(t.kids))s"},
    {"recursion with an end", kFile, R"s(fn f(i: int) -> int {
  if i <= 0 { return 0 }
  return f(i - 1)
})s"},
    {"recursion with an end in an expression", kFile, "fn f(i: int) -> int = 0 if i <= 0 else f(i - 1)"},
    {"return in all branches", kFile, R"s(fn f(b: bool) -> int {
  if b { return 1 } else { fail "no" }
})s"},
    {"reading what a fork captures", kProgram, R"s(var n = 0
  n = 1
  let a = parallel for i in items { var m = n; m += 1; yield m })s"},
    {"break in a loop of a fork", kProgram, "let a = parallel for i in items { for k in items { break }; yield 1 }"},
    {"yield or fail", kProgram, R"s(let a = parallel for i in items { if i == "" { fail "x" }; yield 1 })s"},
    {"possible stop", kProgram, R"s(gen a: int with stop = "1"
  gen c: string with stop = ["\n", "x"])s"},
    {"options at their ends", kProgram, "gen a: string with temperature = 0, top_p = 1, top_k = 0, min_p = 1, frequency_penalty = -2, repetition_penalty = 10"},
    {"comparison of overlapping unions", kFile, R"s(fn f(a: "A" | "B", c: "B" | "C") -> bool = a == c)s"},
    {"empty list with a type", kFn, R"s(var a: list<string> = []
  a = [])s"},
    {"shadowing in an inner scope", kFn, R"s(let a = 1
  if b {
    let a = "x"
  })s"},
    {"gen in assistant and bare", kProgram, R"s(gen a: string
  assistant { gen c: int }
  let d = gen: bool)s"},
    {"defaults", kWhole, R"s(fn f(a: int = 3, s: string = "x", l: list<int> = [1, 2]) -> int = a
fn g() -> int = f(s: "y")
program p(a: int? = null) -> int { return f(1) })s"},
};

TEST_CASE("sound programs are accepted, and their plans are sound") {
  for (const Case& c : kCases) {
    const std::string source = source_at(c.place, c.text);
    CAPTURE(c.name);
    const auto compilation = compile_text("case.sgl", source, Stage::kPlan);
    REQUIRE_MESSAGE(compilation->plan.has_value(),
                    render_text(compilation->sources, compilation->diagnostics.sorted(), false));
    const base::Status verified = plan::verify(*compilation->plan);
    CHECK_MESSAGE(verified.ok(), (verified.ok() ? "" : verified.error().message));
  }
}

TEST_CASE("the standard library is accepted") {
  CHECK(standard_library().size() >= 4);
  for (const auto& [name, text] : standard_library()) {
    CAPTURE(name);
    CompileOptions options;
    options.require_program = false;
    const auto compilation = compile_text(name + ".sgl", text, Stage::kCheck, options);
    CHECK(compilation->diagnostics.sorted().empty());
  }
}

}  // namespace
}  // namespace sgl::compiler::test
