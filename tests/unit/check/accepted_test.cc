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
    {"a list of so many items grows", kFn, R"s(var xs: list<int>(1..) = [1]
  xs += [i]
  xs = xs + [i])s"},
    {"lists of so many items put together", kFile, R"s(fn a(x: string, xs: list<string>(1..3)) -> list<string>(1..5) = xs + [x]
fn b(x: string, xs: list<string>(1..3)) -> list<string>(2..4) = [x] + xs
fn c(x: string, xs: list<string>) -> list<string>(1..) = xs + [x]
fn d(xs: list<string>(2), ys: list<string>(3)) -> list<string>(5) = xs + ys
fn e(xs: list<string>(2)) -> list<string> {
  var ys = xs + ["x"]
  ys = ys + [] + ["y"]
  return ys
}
fn g() -> list<int>(2..4) = [1] + [2] + [3]
fn h(xs: list<"a" | "b">(2)) -> list<"a" | "b">(3) = xs + ["a"]
fn i(xs: list<"a" | "b">(2)) -> list<"a" | "b">(3) = ["a"] + xs
fn j(xs: list<int>(2)) -> list<int | string>(3) = xs + ["a"]
fn k(xs: list<int>(2), c: bool) -> list<int>(3..4)? = xs + [1] if c else xs + xs
fn l(xs: list<string>(2)) -> list<"a">(3) = ["a" for x in xs] + ["a"])s"},
    {"lists of so many items made of others", kFile, R"s(fn a(xs: list<int>(2)) -> list<int>(3) = xs.append(1)
fn b(xs: list<int>(2)) -> list<int>(2) = reversed(xs)
fn c(xs: list<int>(2)) -> list<int>(2) = xs.sorted()
fn d(xs: list<int>(2)) -> list<"a">(2) = ["a" for x in xs]
fn e(xs: list<int>(2)) -> list<int>(3) = [0] + [x + 1 for x in reversed(xs)])s"},
    {"literals beside a maybe", kFile, R"s(type Mood = "calm" | "wild"
fn a(x: Mood?) -> Mood = x ?? "calm"
fn b(x: Mood?) -> Mood {
  let y = x ?? "calm"
  return y
}
fn c(x: int(0..5)?) -> int(0..5) = x ?? 3
fn d(x: float(0..1)?) -> float(0..1) = x ?? 0.5
fn e(x: string(max_chars: 5)?) -> string(max_chars: 5) = x ?? "abc"
fn g(x: Mood?, y: Mood?) -> Mood = x ?? y ?? "calm"
fn h(x: Mood?) -> Mood | "mild" = x ?? "mild"
fn i(x: Mood?, c: bool) -> Mood = "calm" if c else (x ?? "wild")
fn j(x: Mood?, c: bool) -> Mood = ("wild" if c else null) ?? (x ?? "calm")
fn k(x: Mood?) -> list<Mood> = [x ?? "calm"]
fn l(x: (true | "a")?) -> true | "a" = x ?? true
fn m(x: (1 | 2)?) -> 1 | 2 = x ?? 2
fn n(x: Mood?) -> string = x ?? "mild"
fn o(x: { a: int, b?: int }?) -> { a: int, b?: int } = x ?? { a: 1 }
fn p2(x: int?) -> int | string = x ?? "none")s"},
    {"literals on both sides of a choice", kFile, R"s(fn a(c: bool) -> float(0..1) = 0.5 if c else 1
fn d(c: bool) -> int(0..9) = 2 * 3 if c else 9)s"},
    {"records told apart by several literals", kFile, R"s(type U = { kind: "a" | "b", n: int } | { kind: "c", n: int }
type V = { kind: "a" | "b", xs: list<int> } | { kind: "c", xs: list<string> }
type W = { id: 1 | 2, x: float } | { id: 3, x: float } | { id: int(10..20), x: float }
const C: "c" = "c"
fn a() -> U = { kind: "b", n: 1 }
fn b() -> U = { kind: "c", n: 1 }
fn c(left: bool) -> U = { kind: "a" if left else "b", n: 1 }
fn d(k: "a" | "b") -> V = { kind: k, xs: [] }
fn e() -> V = { kind: C, xs: [] }
fn g(k: ("a" | "b")?) -> V? {
  if k != null { return { kind: k, xs: [] } }
  return null
}
fn h() -> list<W> = [{ id: 2, x: 1 }, { id: 3, x: 1.5 }, { id: 12, x: 2 }])s"},
    {"records told apart by the fields that they need", kFile, R"s(type U = { kind: "a", xs: list<int> } | { kind: "a", xs: list<string>, n: int }
fn a() -> U = { kind: "a", xs: [] }
fn b() -> U = { kind: "a", xs: [], n: 1 })s"},
    {"constants of operators", kFile, R"s(const NONE: int? = null
const R = { x: 1, y: "q" }
const L = [1, 2, 3]
const S = "abc"
const A = "x" if S < "abd" and 2 in L and "b" in S and S not in ["abd"] else "y"
const B = L == [1, 2, 3] and R == { y: "q", x: 1 } and NONE == null and R != { ...R, x: 2 }
const C = 7 / -1 + 7 % -1 + L[0] + L[-1] + R.x + (NONE ?? 4) + len(S) + len(L[1:]) + abs(-3)
const D = S[1] + S[:-1] + "{C} {B} {NONE} {S}" + str(C)
const E: bool = true or 1 / 0 == 1
const F: float(0..1) = float(L[0]) / 2.0
const G: { x: int, z?: int } = { x: 3, ...{ x: R.x } }
type T = int(0..L[2])
fn f(a: int(0..L[2]) = L[1], b: string = S[0:2], t: T = 3) -> int = a)s"},
    {"gen in assistant and bare", kProgram, R"s(gen a: string
  assistant { gen c: int }
  let d = gen: bool)s"},
    {"a retry that returns", kFile, R"s(program q() -> int {
  retry 2 { return 1 }
})s"},
    {"an endless loop that only a return in a retry leaves", kFile, R"s(program q(b: bool) -> int {
  while true { retry 2 { if b { return 1 } } }
})s"},
    {"an endless loop around one with a break", kFile, R"s(program q(b: bool) -> int {
  while true { for i in [1] { retry 2 { break } }; if b { return 1 } }
})s"},
    {"break and continue out of a retry with a value", kProgram, R"s(for i in items {
    let a = retry 2 { if i == "" { continue } else { yield i } }
    let c = retry 2 { if a == "x" { yield 1 }; break }
  })s"},
    {"a call behind a return", kFile, R"s(fn f(i: int) -> int {
  return 1
  return f(i)
})s"},
    {"prompt that generates inside assistant", kFile, R"s(prompt q() -> string { gen a: string; return a }
program r() -> string {
  assistant { let a = q() }
  return a
})s"},
    {"prompt that appends nothing in the text of a role", kFile, R"s(prompt q() -> string {
  let a = retry 2 { yield "a" }
  return a
}
program r() -> int { user "{q()}"; return 1 })s"},
    {"prompt with roles called between them", kFile, R"s(prompt q() -> string {
  user "x"
  assistant { gen a: string }
  return a
}
program r() -> string {
  let a = q()
  user "{a}"
  return q()
})s"},
    {"program in the text of a role", kFile, R"s(program q() -> string { user "x"; return "y" }
program r() -> int { user q(); return 1 })s"},
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
