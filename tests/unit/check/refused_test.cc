// What the checker refuses: the code and the exact range of each mistake, and nothing besides.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "compiler/driver/driver.h"
#include "tests/unit/check/sources.h"

namespace sgl::compiler::test {
namespace {

struct Case {
  const char* name;
  Place place;
  const char* text;
  const char* code;
  const char* range;
};

const Case kCases[] = {
    {"int is no float", kFn, "let a: float = i", "E0201", "i"},
    {"float is no int", kFn, "let a: int = x", "E0201", "x"},
    {"string is no int", kFn, "let a: int = s", "E0201", "s"},
    {"wide int into narrow", kFn, "let a: int(0..5) = i", "E0201", "i"},
    {"literal outside a range", kFn, "let a: int(0..5) = 6", "E0201", "6"},
    {"string into literals", kFn, R"s(let a: "A" | "B" = s)s", "E0201", "s"},
    {"literal outside literals", kFn, R"s(let a: "A" | "B" = "C")s", "E0201", R"s("C")s"},
    {"list of another type", kFn, "let a: list<string> = l", "E0201", "l"},
    {"item of another type", kFn, R"s(let a: list<int> = [1, "b"])s", "E0201", R"s("b")s"},
    {"maybe null into int", kFn, "let a: int = o", "E0211", "o"},
    {"null into int", kFn, "let a: int = null", "E0201", "null"},
    {"arithmetic with a maybe", kFn, "let a = o + 1", "E0202", "o + 1"},
    {"union as one of its parts", kFile, "fn f(u: int | string) -> int = u", "E0201", "u"},
    {"record lacks a field", kFile, R"s(type R = { a: int, b: int }
fn f() -> R = { a: 1 })s",
     "E0212", "{ a: 1 }"},
    {"record with a field too many", kFile, R"s(type R = { a: int }
fn f() -> R = { a: 1, c: 2 })s",
     "E0105", "c"},
    {"record with a wrong field", kFile, R"s(type R = { a: int }
fn f() -> R = { a: "x" })s",
     "E0201", R"s("x")s"},
    {"field twice", kFile, R"s(type R = { a: int }
fn f() -> R = { a: 1, a: 2 })s",
     "E0213", "a"},
    {"field declared twice", kFile, "type R = { a: int, a: string }", "E0213", "a"},
    {"unknown field", kFile, R"s(type R = { name: int }
fn f(r: R) -> int = r.nmae)s",
     "E0105", "nmae"},
    {"optional field as a value", kFile, R"s(type R = { a?: int }
fn f(r: R) -> int = r.a)s",
     "E0211", "r.a"},
    {"records of other structure", kFile, R"s(type R = { a: int }
type S = { a: string }
fn f(r: R) -> S = r)s",
     "E0201", "r"},
    {"sum beyond a range", kFn, "var n: int(0..10) = 5; n += 100", "E0201", "n += 100"},
    {"sum beyond literals", kFn, "var n: 1 | 2 = 1; n += 1", "E0201", "n += 1"},
    {"text beyond literals", kFn, R"s(var g: "A" | "B" = "A"; g += "x")s", "E0201", R"s(g += "x")s"},
    {"list beyond a length, whatever is added", kFn, "var xs: list<int>(2..4) = [1, 2]; xs += [i]", "E0201", "xs += [i]"},
    {"list beyond a length", kFn, "var xs: list<int>(1..2) = [1, 2]; xs += [4]", "E0201", "xs += [4]"},
    {"float beyond a range", kFn, "var y: float(0..1) = 0.5; y *= x", "E0201", "y *= x"},
    {"too many items put together", kFile, "fn f(xs: list<int>(1..3)) -> list<int>(1..3) = xs + [1]", "E0201", "xs + [1]"},
    {"perhaps too few items put together", kFile, "fn f(xs: list<int>) -> list<int>(2..) = [1] + xs", "E0201", "[1] + xs"},
    {"a condition leaves items out", kFile, "fn f(xs: list<int>(2)) -> list<int>(2) = [x for x in xs if x > 1]", "E0201",
     "[x for x in xs if x > 1]"},
    {"literal outside those beside it", kFile, R"s(fn f(x: ("A" | "B")?) -> "A" | "B" = x ?? "C")s", "E0201",
     R"s(x ?? "C")s"},
    {"number outside the range beside it", kFile, "fn f(x: int(0..5)?) -> int(0..5) = x ?? 6", "E0201", "x ?? 6"},
    {"literal of no alternative", kFile, R"s(type U = { kind: "a" | "b", n: int } | { kind: "c", m: int }
fn f() -> U = { kind: "c", n: 1 })s",
     "E0201", R"s("c")s"},
    {"field beyond a range", kFn, "var r: { n: int(0..10) } = { n: 1 }; r.n += 1", "E0201", "r.n += 1"},
    {"unknown name", kFn, "let a = ii", "E0101", "ii"},
    {"name of an inner scope", kFn, R"s(if b { let a = 1 }
  let c = a)s",
     "E0101", "a"},
    {"unknown type", kFile, "fn f(a: Strin) -> int = 1", "E0102", "Strin"},
    {"unknown module", kFile, "import std.txt", "E0103", "std.txt"},
    {"declared twice", kFile, R"s(fn f() -> int = 1
fn f() -> int = 2)s",
     "E0104", "f"},
    {"unknown method of a string", kFn, "let a = s.uper()", "E0105", "uper"},
    {"unknown option", kProgram, "gen a: string with temprature = 1", "E0107", "temprature"},
    {"unknown select method", kProgram, R"s(select a from ["x", "y"] by greedy)s", "E0108", "greedy"},
    {"unknown argument", kFile, R"s(fn g(a: int) -> int = a
fn f() -> int = g(1, b: 2))s",
     "E0109", "b"},
    {"unknown limit", kWhole, R"s(program p() -> int {
  limits { tokenz: 3 }
  return 1
})s",
     "E0110", "tokenz"},
    {"unknown refinement", kWhole, R"s(type T = string(max_char: 3)
program p() -> T { return "" })s",
     "E0111", "max_char"},
    {"operands", kFn, R"s(let a = s - "x")s", "E0202", R"s(s - "x")s"},
    {"int and float", kFn, "let a = i + x", "E0202", "i + x"},
    {"remainder of floats", kFn, "let a = x % 2.0", "E0202", "x % 2.0"},
    {"order of bools", kFn, "let a = b < true", "E0202", "b < true"},
    {"not of an int", kFn, "let a = not i", "E0205", "i"},
    {"minus of a string", kFn, "let a = -s", "E0202", "-s"},
    {"calling a value", kFn, "let a = i(1)", "E0203", "i"},
    {"too few arguments", kFile, R"s(fn g(a: int, b: int) -> int = a
fn f() -> int = g(1))s",
     "E0204", "g(1)"},
    {"too many arguments", kFile, R"s(fn g(a: int) -> int = a
fn f() -> int = g(1, 2))s",
     "E0204", "2"},
    {"argument of a wrong type", kFile, R"s(fn g(a: int) -> int = a
fn f() -> int = g("x"))s",
     "E0201", R"s("x")s"},
    {"built-in with a wrong argument", kFn, "let a = len(i)", "E0201", "i"},
    {"condition", kFn, "if i { return 2 }", "E0205", "i"},
    {"loop condition", kFn, "while s { return 2 }", "E0205", "s"},
    {"conditional expression", kFn, "let a = 1 if i else 2", "E0205", "i"},
    {"not iterable", kFn, "for a in i { return 2 }", "E0206", "i"},
    {"not indexable", kFn, "let a = i[0]", "E0207", "i"},
    {"index that is no int", kFn, R"s(let a = l["x"])s", "E0201", R"s("x")s"},
    {"assignment to let", kFn, R"s(let a = 1
  a = 2)s",
     "E0208", "a"},
    {"assignment to a parameter", kFn, "i = 2", "E0208", "i"},
    {"assignment to an item of let", kFn, R"s(let a = [1]
  a[0] = 2)s",
     "E0208", "a[0]"},
    {"missing return", kFile, R"s(fn f(b: bool) -> int {
  if b { return 1 }
})s",
     "E0209", "f"},
    {"break out of an endless loop from a retry", kFile, R"s(program q() -> int {
  while true { retry 2 { break } }
})s",
     "E0209", "q"},
    {"break out of an endless loop from an expression", kFile, R"s(program q(b: bool) -> string {
  while true { let a = "{retry 2 { if b { break }; yield 1 }}" }
})s",
     "E0209", "q"},
    {"null behind a loop that a retry leaves", kFile, R"s(program q(o: int?) -> int {
  if o == null { while true { retry 2 { break } } }
  return o
})s",
     "E0211", "o"},
    {"return of a wrong type", kFile, R"s(fn f() -> int {
  return "x"
})s",
     "E0201", R"s("x")s"},
    {"never equal", kFile, R"s(fn f(g: "A" | "B") -> bool = g == "C")s", "E0210", R"s(g == "C")s"},
    {"never equal records", kFile, "fn f(a: { x: int }, b: { y: int }) -> bool = a == b", "E0210", "a == b"},
    {"never equal fields", kFile, "fn f(a: { x: int }, b: { x: string }) -> bool = a == b", "E0210", "a == b"},
    {"never equal kinds", kFn, "let a = i == s", "E0210", "i == s"},
    {"empty list", kFn, "let a = []", "E0214", "[]"},
    {"null alone", kFn, "let a = null", "E0214", "null"},
    {"infinite type", kFile, "type T = { next: T }", "E0215", "T"},
    {"range upside down", kFile, "type T = int(5..1)", "E0216", "5..1"},
    {"count below zero", kFile, "type T = list<int>(-1..3)", "E0216", "-1..3"},
    {"refinement of a bool", kFile, "type T = bool(1..2)", "E0216", "1..2"},
    {"constant that is none", kFile, R"s(fn g() -> int = 1
const C = g())s",
     "E0217", "g()"},
    {"constant beyond a list", kFile, "const L = [1]\nconst C = L[1]", "E0217", "L[1]"},
    {"constant that overflows", kFile, "const C = -9223372036854775807 - 2", "E0217", "-9223372036854775807 - 2"},
    {"constant whose hidden field fails", kFile, "const R = { x: 1 }\nconst C = { x: 1 / 0, ...R }", "E0217",
     "{ x: 1 / 0, ...R }"},
    {"constant that is a comprehension", kFile, "const C = [x for x in [1, 2]]", "E0217", "[x for x in [1, 2]]"},
    {"constant that is divided by zero", kFile, "const C: float = 1.0 / 0.0", "E0217", "1.0 / 0.0"},
    {"n that is no constant", kWhole, R"s(program p(k: int) -> int {
  "x"
  gen a: string with n = k
  return 1
})s",
     "E0217", "k"},
    {"format of a list", kFn, R"s(let a = "{l:>5}")s", "E0218", ">5"},
    {"format of another kind", kFn, R"s(let a = "{s:d}")s", "E0218", "d"},
    {"int too large", kFn, "let a = 9223372036854775808", "E0219", "9223372036854775808"},
    {"list of what", kFile, "fn f(a: list) -> int = 1", "E0220", "list"},
    {"gen in fn", kFile, R"s(fn f() -> string {
  gen a: string
  return a
})s",
     "E0301", "gen a: string"},
    {"text in fn", kFile, R"s(fn f() -> int {
  "text"
  return 1
})s",
     "E0301", R"s("text")s"},
    {"prompt in fn", kFile, R"s(prompt q() -> int { "x"; return 1 }
fn f() -> int = q())s",
     "E0301", "q"},
    {"role in a role", kProgram, R"s(user { system "x" })s", "E0302", "system"},
    {"yield outside", kProgram, "yield 1", "E0303", "yield 1"},
    {"return in a fork", kProgram, "let a = parallel for i in items { return 1 }", "E0304", "return 1"},
    {"break outside", kProgram, "break", "E0305", "break"},
    {"break out of a fork", kProgram, "for k in items { let a = parallel for i in items { break; yield 1 } }", "E0305",
     "break"},
    {"captured variable", kProgram, R"s(var n = 0
  let a = parallel for i in items { n = 1; yield 1 })s",
     "E0306", "n"},
    {"captured item", kProgram, R"s(var n = [0]
  let a = parallel for i in items { n[0] = 1; yield 1 })s",
     "E0306", "n[0]"},
    {"fork without yield", kProgram, "let a = parallel for i in items { gen b: string }", "E0307", "{ gen b: string }"},
    {"fork with a path without yield", kProgram, R"s(let a = parallel for i in items { if i == "" { yield 1 } })s",
     "E0307", R"s({ if i == "" { yield 1 } })s"},
    {"yields of two types", kProgram, R"s(let a = parallel for i in items { if i == "" { yield 1 }; yield "x" })s",
     "E0201", R"s("x")s"},
    {"gen in user", kProgram, "user { gen a: string }", "E0308", "gen a: string"},
    {"select in system", kProgram, "system { select a from items }", "E0308", "select a from items"},
    {"gen as the text of user", kProgram, "user gen: string", "E0308", "gen: string"},
    {"gen in the text of system", kProgram, R"s(system "{(gen: int)}")s", "E0308", "(gen: int)"},
    {"gen as the text of assistant", kProgram, "assistant gen: int", "E0308", "gen: int"},
    {"select as the text of user", kProgram, "user select from items", "E0308", "select from items"},
    {"gen in a retry in the text of user", kProgram, "user retry 2 { gen a: string; yield a }", "E0308",
     "gen a: string"},
    {"role in the text of a role", kProgram, R"s(user retry 2 { system "x"; yield "y" })s", "E0302", "system"},
    {"forks in the text of a role", kProgram, R"s(user (parallel for i in items { yield i }).join(""))s", "E0302",
     "(parallel for i in items { yield i })"},
    {"prompt with a role in the text of a role", kFile, R"s(prompt q() -> string { user "x"; return "y" }
program r() -> int { user "{q()}"; return 1 })s",
     "E0302", "q"},
    {"prompt with a role in a role", kFile, R"s(prompt q() { user "x" }
program r() -> int { assistant { if true { q() } }; return 1 })s",
     "E0302", "q"},
    {"prompt that forks in a role", kFile, R"s(prompt q() -> list<int> { return parallel for i in [1, 2] { yield i } }
program r() -> int { user { let a = q() }; return 1 })s",
     "E0302", "q"},
    {"break from a comprehension", kProgram,
     R"s(for j in items { let a = [retry 2 { if n == j { break }; yield n } for n in items] })s",
     "E0305", "break"},
    {"prompt that generates, by way of another, in user", kFile, R"s(program r() -> int { user { between() }; return 1 }
prompt between() { let a = q() }
prompt q() -> string { gen a: string; return a })s",
     "E0308", "between"},
    {"prompt that generates in the text of assistant", kFile, R"s(prompt q() -> string { gen a: string; return a }
program r() -> int { assistant "{q()}"; return 1 })s",
     "E0308", "q"},
    {"no text satisfies", kWhole, R"s(program p() -> int {
  "x"
  gen a: string(min_chars: 5, max_chars: 3)
  return 1
})s",
     "E0401", "string(min_chars: 5, max_chars: 3)"},
    {"bad regex", kFile, "type T = regex(/[z-a]/)", "E0402", "[z-a]"},
    {"duplicate choice", kProgram, R"s(select a from ["x", "y", "x"])s", "E0404", R"s("x")s"},
    {"impossible stop", kProgram, R"s(gen a: int with stop = "x")s", "E0405", R"s("x")s"},
    {"one impossible stop of two", kProgram, R"s(gen a: int with stop = ["1", "x"])s", "E0405", R"s(["1", "x"])s"},
    {"temperature below zero", kProgram, "gen a: string with temperature = -1", "E0406", "-1"},
    {"top_p above one", kProgram, "gen a: string with top_p = 1.5", "E0406", "1.5"},
    {"no tokens", kProgram, "gen a: string with max_tokens = 0", "E0406", "0"},
    {"n of zero", kProgram, "gen a: string with n = 0", "E0406", "0"},
    {"recursion without end", kFile, "fn f(i: int) -> int = f(i - 1)", "E0501", "f"},
    {"default of a wrong type", kFile, R"s(fn f(a: int = "x") -> int = a)s", "E0201", R"s("x")s"},
    {"default that is no constant", kFile, R"s(fn g() -> int = 1
fn f(a: int = g()) -> int = a)s",
     "E0217", "g()"},
    {"a tool in a function", kFile, "tool outer(a: int) -> int\nfn caller() -> int = outer(1)", "E0301", "outer"},
    {"an argument of a tool", kFile, "tool outer(a: int) -> int\nprogram caller() -> int { return outer(\"x\") }",
     "E0201", "\"x\""},
    {"a try in a function", kFile, "fn caller() -> int {\n  try { return 1 } catch { return 2 }\n}", "E0301", "try"},
    {"an assertion that is no bool", kProgram, "assert 1", "E0205", "1"},
};

struct Found {
  std::string code, range, message;
};

std::vector<Found> errors_of(const std::string& source) {
  const auto compilation = compile_text("case.sgl", source, Stage::kCheck);
  std::vector<Found> out;
  for (const Diagnostic& d : compilation->diagnostics.sorted()) {
    if (!d.is_error()) continue;
    const std::string_view text = compilation->sources.file(d.range.file).text();
    out.push_back({std::string(diag_info(d.kind).code),
                   std::string(text.substr(d.range.begin, d.range.end - d.range.begin)), d.message});
  }
  return out;
}

TEST_CASE("each mistake is found where it is") {
  for (const Case& c : kCases) {
    const std::string source = source_at(c.place, c.text);
    CAPTURE(c.name);
    CAPTURE(source);
    const auto found = errors_of(source);
    CHECK(found.size() == 1);
    if (found.empty()) continue;
    CHECK_MESSAGE(found[0].code == c.code, found[0].message);
    CHECK(found[0].range == c.range);
    CHECK_FALSE(found[0].message.empty());
    CHECK_FALSE(found[0].message.ends_with('.'));
  }
}

TEST_CASE("an option of a wrong type is not out of range besides") {
  const auto found = errors_of(source_at(kProgram, R"(gen a: string with max_tokens = "x")"));
  REQUIRE_FALSE(found.empty());
  CHECK(found[0].code == "E0201");
  CHECK(found.size() == 1);
}

TEST_CASE("mutual recursion without end is told of each function") {
  const auto found = errors_of(source_at(kFile, "fn f(i: int) -> int = g(i)\nfn g(i: int) -> int = f(i)"));
  REQUIRE(found.size() == 2);
  CHECK(found[0].code == "E0501");
  CHECK(found[1].code == "E0501");
}

// Types NAME0, NAME1, … of so many levels, each with four alternatives, over `last`.
std::string levels_of(const std::string& name, int levels, const std::string& tag, const std::string& last) {
  std::string out;
  for (int i = 0; i < levels; ++i) {
    out += "type " + name + std::to_string(i) + " =";
    for (int k = 1; k <= 4; ++k) {
      out += " | { n: " + name + std::to_string(i + 1) + ", k: " + tag + std::to_string(k) + (tag.empty() ? "" : ")") +
             " }";
    }
    out += "\n";
  }
  return out + "type " + name + std::to_string(levels) + " = { n: " + last + " }\n";
}

TEST_CASE("types of many levels are compared in time") {
  for (const std::string tag : {"", "int(0.."}) {
    const std::string types = levels_of("A", 40, tag, "int") + levels_of("B", 40, tag, "string");
    const auto found = errors_of(source_at(kFile, types + "fn f(a: A0) -> B0 = a"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "E0201");
    const auto never = errors_of(source_at(kFile, types + "fn f(a: A0, b: B0) -> bool = a == b"));
    REQUIRE(never.size() == 1);
    CHECK(never[0].code == "E0210");
  }
}

TEST_CASE("several mistakes are all found, in order") {
  const auto found = errors_of(source_at(kFn, "let a: int = s\n  let c = zz\n  if i { i = 2 }"));
  REQUIRE(found.size() == 4);
  CHECK(found[0].code == "E0201");
  CHECK(found[1].code == "E0101");
  CHECK(found[2].code == "E0205");
  CHECK(found[3].code == "E0208");
}

}  // namespace
}  // namespace sgl::compiler::test
