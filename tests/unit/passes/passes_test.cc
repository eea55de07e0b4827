// What each pass does to plans made from source text.
#include "compiler/passes/passes.h"

#include "runtime/plan/verify.h"
#include "tests/unit/passes/support.h"

namespace sgl::compiler::test {
namespace {

using plan::Op;

constexpr const char* kProgram = "program p() -> int { return 1 }\n";

plan::Plan of_functions(const std::string& functions, const std::string& calls) {
  return compiled(functions + "\nprogram p(i: int) -> string { return \"" + calls + "\" }\n");
}

// The constant that a function without parameters returns.
const plan::Constant& returned(const plan::Plan& plan, const plan::Function& function) {
  const plan::Inst& last = function.code.back();
  REQUIRE(last.op == Op::kReturn);
  REQUIRE(function.code.size() >= 2);
  const plan::Inst& load = function.code[function.code.size() - 2];
  REQUIRE(load.op == Op::kConst);
  REQUIRE(load.dst == last.a);
  return plan.constants[load.a];
}

TEST_CASE("very many independent calls stand side by side in groups that a plan may have") {
  std::string source = "program one(a: int) -> int { return a }\nprogram main() -> int {\n";
  for (int i = 0; i < 600; ++i) source += "  let a" + std::to_string(i) + " = one(" + std::to_string(i) + ")\n";
  const plan::Plan plan = compiled(source + "  return a5\n}\n");
  CHECK(count(function_named(plan, "main"), Op::kParallel) == 3);
  CHECK(plan::verify(plan).ok());
}

TEST_CASE("operations on constants become constants") {
  const plan::Plan plan = of_functions(
      "fn f() -> int = (3 + 4) * 5 - 1\nfn g() -> string = \"a\" + \"b\" + \"{\"c\"}d\"\n"
      "fn h() -> bool = 1 + 1 < 3\nfn e() -> float = 1.0 / 4.0 + 2.5\nfn d() -> int = -7 / 2 + -7 % 4",
      "{f()}{g()}{h()}{e()}{d()}");
  CHECK(returned(plan, function_named(plan, "f")).number == 34);
  CHECK(returned(plan, function_named(plan, "g")).text == "abcd");
  CHECK(returned(plan, function_named(plan, "h")).number == 1);
  CHECK(returned(plan, function_named(plan, "d")).number == -6);  // -3 + -3: truncation, sign of the dividend
  CHECK(returned(plan, function_named(plan, "e")).real == 2.75);
  for (const char* const name : {"f", "g", "h", "e", "d"}) {
    const plan::Function& f = function_named(plan, name);
    for (const plan::Inst& inst : f.code) CHECK_MESSAGE((inst.op == Op::kConst || inst.op == Op::kReturn), name);
  }
}

TEST_CASE("what would fail is left to fail at run time, where it stands") {
  const plan::Plan plan = of_functions(
      "fn z() -> int = 1 / 0\nfn o() -> int = 9223372036854775807 + 1\nfn m() -> int = 5 % 0\n"
      "fn q() -> float = 1.0 / 0.0\nfn s() -> float = 1.0 / -0.0\n"
      "fn u(x: float) -> float {\n  let unused = 1.0 / x\n  return x\n}",
      "{z()}{o()}{m()}{q()}{s()}{u(1.0)}");
  CHECK(count(function_named(plan, "z"), Op::kDivI) == 1);
  CHECK(count(function_named(plan, "o"), Op::kAddI) == 1);
  CHECK(count(function_named(plan, "m"), Op::kModI) == 1);
  for (const char* const name : {"q", "s", "u"}) CHECK_MESSAGE(count(function_named(plan, name), Op::kDivF) == 1, name);
}

TEST_CASE("branches on constants go, with what they leave unreachable") {
  const plan::Plan plan = of_functions(
      "fn h(i: int) -> int {\n  if 1 + 1 == 2 { return i } else { return i * 100 }\n}\n"
      "fn k(i: int) -> int {\n  let unused = 3 * 4\n  return i\n}\n"
      "fn w(i: int) -> int {\n  while false { return i * 3 }\n  return i\n}",
      "{h(i)}{k(i)}{w(i)}");
  for (const char* const name : {"h", "k", "w"}) {
    const plan::Function& f = function_named(plan, name);
    CHECK_MESSAGE(count(f, Op::kBranch) == 0, name);
    CHECK_MESSAGE(count(f, Op::kMulI) == 0, name);
    CHECK_MESSAGE(f.code.size() == 1, name);
  }
}

TEST_CASE("a loop that changes a variable is not folded") {
  const plan::Plan plan = of_functions(
      "fn l() -> int {\n  var n = 0\n  while n < 10 { n += 1 }\n  return n\n}", "{l()}");
  CHECK(count(function_named(plan, "l"), Op::kAddI) == 1);
  CHECK(count(function_named(plan, "l"), Op::kBranch) == 1);
}

TEST_CASE("neighbouring literals of one message are merged") {
  const plan::Plan plan = compiled(
      "program p(q: string) -> string {\n  \"one \"\n  \"two \"\n  \"three\"\n"
      "  user { \"a\"; \"b\"; \"{q}\"; \"c\"; \"d\" }\n"
      "  if q == \"\" { \"x\" }\n  \"y\"\n  assistant { gen r: string }\n  return r\n}\n");
  const plan::Function& p = function_named(plan, "p");
  const auto all = texts(plan, p);
  const auto has = [&](const char* text) { return std::count(all.begin(), all.end(), text) == 1; };
  CHECK(has("one two three"));
  CHECK(has("ab"));
  CHECK(has("cd"));
  CHECK(has("x"));  // not merged with what stands behind the condition
  CHECK(has("y"));
  CHECK(count(p, Op::kText) == 6);
}

TEST_CASE("variables whose texts are merged keep their values") {
  const plan::Plan plan = compiled(
      "program f() -> string {\n  let s = \"A\"\n  \"{s}\"\n  \"B\"\n  return s\n}\n"
      "program g() -> string {\n  \"A\"\n  let s = \"B\"\n  \"{s}\"\n  return s\n}\n"
      "program h(b: bool) -> string {\n  var s = \"A\"\n  \"{s}\"\n  \"B\"\n  if b { return \"\" }\n  return s\n}\n");
  for (const char* const name : {"f", "g", "h"}) {
    const plan::Function& f = function_named(plan, name);
    CHECK(count(f, Op::kText) == 1);
    const plan::Inst& last = f.code.back();
    REQUIRE(last.op == Op::kReturn);
    std::string value;  // what the returned register was given last
    for (const plan::Inst& inst : f.code) {
      if (inst.op == Op::kConst && inst.dst == last.a) value = plan.constants[inst.a].text;
      if (inst.op == Op::kText) CHECK(plan.constants[f.code[&inst - f.code.data() - 1].a].text == "AB");
    }
    CHECK_MESSAGE(value == (name[0] == 'g' ? "B" : "A"), name);
  }
}

TEST_CASE("literals that become constant by folding are merged too") {
  const plan::Plan plan = compiled(
      "program p() -> string {\n  \"one \"\n  \"two{\"!\"}\"\n  gen r: string\n  return r\n}\n");
  CHECK(count(function_named(plan, "p"), Op::kText) == 1);
}

TEST_CASE("static prefixes") {
  const plan::Plan plan = compiled(
      "program s(q: string) -> string {\n  system \"Be kind.\"\n  user \"Read: {q}\"\n  assistant { gen r: string }\n  return r\n}\n"
      "program t() -> string {\n  \"Once \"\n  \"upon\"\n  gen r: string\n  \"more\"\n  return r\n}\n"
      "program u(q: string) -> string {\n  let n = len(q)\n  user { \"Fixed\"; if n > 3 { \"long\" } }\n  assistant { gen r: string }\n  return r\n}\n"
      "program v(q: string) -> string {\n  user q\n  assistant { gen r: string }\n  return r\n}\n"
      "program w(q: string) -> string {\n  \"Tell of {q}\"\n  gen r: string\n  return r\n}\n");
  using plan::PrefixPart;
  using plan::Role;
  const auto prefix = [&](const char* name) { return plan.find_program(name)->prefix; };
  const auto s = prefix("s");
  REQUIRE(s.size() == 2);
  CHECK(s[0] == PrefixPart{Role::kSystem, "Be kind.", false});
  CHECK(s[1].role == Role::kUser);
  CHECK(s[1].open);
  CHECK(s[1].text == "Read: ");
  REQUIRE(prefix("t").size() == 1);
  CHECK(prefix("t")[0] == PrefixPart{std::nullopt, "Once upon", false});
  REQUIRE(prefix("u").size() == 1);
  CHECK(prefix("u")[0] == PrefixPart{Role::kUser, "Fixed", true});
  REQUIRE(prefix("v").size() == 1);
  CHECK(prefix("v")[0] == PrefixPart{Role::kUser, "", true});
  REQUIRE(prefix("w").size() == 1);
  CHECK(prefix("w")[0].text == "Tell of ");
}

constexpr const char* kTwo =
    "program s(q: string) -> string {\n  \"S {q}\"\n  gen r: string\n  return r\n}\n"
    "program a(q: string) -> string {\n  \"A {q}\"\n  gen r: string\n  return r\n}\n";

TEST_CASE("program calls that do not need each other run side by side") {
  const plan::Plan plan = compiled(std::string(kTwo) +
      "program t(q: string) -> list<string> {\n  let x = s(q)\n  let y = a(q)\n  let z = s(y)\n  let w = a(x)\n"
      "  return [x, y, z, w]\n}\n");
  const plan::Function& t = function_named(plan, "t");
  CHECK(count(t, Op::kParallel) == 2);
  CHECK(count(t, Op::kCall) == 0);
  for (const plan::ParallelSpec& spec : plan.parallels) CHECK(spec.entries.size() == 2);
}

TEST_CASE("calls with literal arguments run side by side, and variables keep their values") {
  const plan::Plan plan = compiled(std::string(kTwo) +
      "tool w(city: string, days: int = 1) -> string\n"
      "program l() -> list<string> {\n  let x = w(\"Graz\")\n  let y = w(\"Oslo\", days: 2)\n  let z = w(\"Rome\")\n"
      "  return [x, y, z]\n}\n"
      "program v(q: string) -> list<string> {\n  var k = q\n  let x = s(k)\n  k = \"other\"\n  let y = a(k)\n"
      "  return [x, y, k]\n}\n");
  const plan::Function& l = function_named(plan, "l");
  CHECK(count(l, Op::kParallel) == 1);
  CHECK(count(l, Op::kCall) == 0);
  CHECK(count(l, Op::kMove) == 0);  // nothing reads the temporaries again
  for (const plan::Inst& inst : l.code) {
    if (inst.op != Op::kParallel) continue;
    std::vector<std::string> cities;
    for (const std::uint32_t at : {0U, 2U, 4U}) {
      for (const plan::Inst& load : l.code) {
        if (load.op == Op::kConst && load.dst == l.args[inst.b + at]) cities.push_back(plan.constants[load.a].text);
      }
    }
    CHECK(cities == std::vector<std::string>{"Graz", "Oslo", "Rome"});
  }
  const plan::Function& v = function_named(plan, "v");
  CHECK(count(v, Op::kParallel) == 1);
  CHECK(count(v, Op::kMove) >= 1);  // k is read again
}

TEST_CASE("program calls that need each other stay in order") {
  const plan::Plan plan = compiled(std::string(kTwo) +
      "program n(q: string) -> list<string> {\n  let x = s(q)\n  let y = a(x)\n  return [x, y]\n}\n"
      "program f(q: string) -> list<string> {\n  let x = s(q)\n  if x == \"\" { fail \"none\" }\n  let y = a(q)\n  return [x, y]\n}\n"
      "program v(q: string) -> list<string> {\n  var k = q\n  let x = s(k)\n  k = \"other\"\n  let y = a(k)\n  return [x, y]\n}\n");
  CHECK(count(function_named(plan, "n"), Op::kParallel) == 0);
  CHECK(count(function_named(plan, "f"), Op::kParallel) == 0);
  CHECK(count(function_named(plan, "n"), Op::kCall) == 2);
  CHECK(count(function_named(plan, "f"), Op::kCall) == 2);
}

TEST_CASE("without optimisation nothing is moved") {
  const plan::Plan plan = compiled(std::string(kTwo) +
      "program t(q: string) -> list<string> {\n  let x = s(q)\n  let y = a(q)\n  return [x, y]\n}\n", false);
  CHECK(plan.parallels.empty());
  CHECK(count(function_named(plan, "t"), Op::kCall) == 2);
}

TEST_CASE("passes leave an empty plan alone") {
  plan::Plan plan = compiled(kProgram);
  plan.functions.clear();
  plan.programs.clear();
  optimize(plan);
  analyze(plan);
  CHECK(plan.functions.empty());
}

}  // namespace
}  // namespace sgl::compiler::test
