#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "compiler/ast/dump.h"
#include "compiler/diag/diag.h"
#include "compiler/parse/parse.h"
#include "compiler/source/source.h"
#include "tests/unit/compiler/texts.h"

using namespace sgl::compiler;

namespace {

struct Outcome {
  std::string tree;                // without the line that names the module
  std::vector<std::string> errors; // "E0001 2:7"
  std::string report;              // as users see it
};

Outcome outcome_of(const std::string& text) {
  SourceSet sources;
  const FileId file = sources.add("test.sgl", text);
  Diagnostics diagnostics;
  const ParseResult result = parse(sources, file, diagnostics);
  REQUIRE(result.module != nullptr);
  Outcome out;
  const std::string dumped = ast::dump(*result.module);
  out.tree = dumped.substr(dumped.find('\n') + 1);
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    const LineColumn at = sources.file(file).position(diagnostic.range.begin);
    out.errors.push_back(std::string(diag_info(diagnostic.kind).code) + " " + std::to_string(at.line) + ":" +
                         std::to_string(at.column));
    CHECK(diagnostic.range.begin <= diagnostic.range.end);
    CHECK(diagnostic.range.end <= text.size());
  }
  out.report = render_text(sources, diagnostics.sorted(), false);
  return out;
}

// The tree of a text without mistakes.
std::string tree_of(const std::string& text) {
  const Outcome out = outcome_of(text);
  CHECK_MESSAGE(out.errors.empty(), out.report);
  return out.tree;
}

// The tree of an expression.
std::string expr_of(const std::string& text) {
  const std::string tree = tree_of("const X = " + text + "\n");
  const std::string head = "  const X = ";
  REQUIRE(tree.starts_with(head));
  return tree.substr(head.size(), tree.size() - head.size() - 1);
}

std::string type_of(const std::string& text) {
  const std::string tree = tree_of("type X = " + text + "\n");
  const std::string head = "  type X = ";
  REQUIRE(tree.starts_with(head));
  return tree.substr(head.size(), tree.size() - head.size() - 1);
}

std::vector<std::string> errors_of(const std::string& text) { return outcome_of(text).errors; }

using Codes = std::vector<std::string>;

bool mentions(const std::string& text, const std::string& what) {
  const Outcome out = outcome_of(text);
  const bool found = out.report.find(what) != std::string::npos;
  if (!found) MESSAGE(out.report);
  return found;
}

}  // namespace

TEST_CASE("operators bind as people expect") {
  CHECK(expr_of("1 + 2 * 3 == 7 and not a.b(c)[0]") == "(and (== (+ 1 (* 2 3)) 7) (not (index (call (member a b) c) 0)))");
  CHECK(expr_of("a - b - c") == "(- (- a b) c)");
  CHECK(expr_of("-a.b") == "(- (member a b))");
  CHECK(expr_of("-9223372036854775808") == "-9223372036854775808");
  CHECK(expr_of("a or b and c") == "(or a (and b c))");
  CHECK(expr_of("x not in xs") == "(not in x xs)");
  CHECK(expr_of("a ?? b + 1") == "(?? a (+ b 1))");
  CHECK(expr_of("a if b else c if d else e") == "(if b a (if d c e))");
  CHECK(expr_of("xs[1:]") == "(slice xs 1 _)");
  CHECK(expr_of("xs[:-1]") == "(slice xs _ -1)");
  CHECK(expr_of("[x * 2 for i, x in xs if x > 1]") == "[(* x 2) for i, x in xs if (> x 1)]");
  CHECK(expr_of("{ ...base, a: 1, \"b c\": 2 }") == "{...base, \"a\": 1, \"b c\": 2}");
  CHECK(expr_of("0xFF + 1_000 + 1.5e3") == "(+ (+ 255 1000) 1500.0)");
  CHECK(expr_of("1.5h") == "5400000ms");
}

TEST_CASE("types") {
  CHECK(type_of("\"A\" | \"B\" | -3") == "(\"A\" | \"B\" | -3)");
  CHECK(type_of("list<map<string, int?>>(1..3)") == "list<map<string, int?>>(1..3)");
  CHECK(type_of("string(max_chars: 5, pattern: /a\\/[/]b/)") == "string(max_chars: 5, pattern: /a\\/[/]b/)");
  CHECK(type_of("regex(/[A-Z]{3}-\\d+/)") == "regex /[A-Z]{3}-\\d+/");
  CHECK(type_of("int(1..)") == "int(1..)");
  CHECK(type_of("{ a: int, b?: text.Line = 3 }") == "{\n    \"a\": int\n    \"b\"?: text.Line = 3\n  }");
}

TEST_CASE("line ends separate statements where nothing continues") {
  CHECK(tree_of("fn f(a: int) -> int {\n  let x = a\n    + 1\n  return x\n}\n") ==
        "  fn f(a: int) -> int {\n    let x = (+ a 1)\n    return x\n  }\n");
  CHECK(tree_of("fn f() { g(); h()\n  // a comment\n\n  k(1\n 2)\n}\n") ==
        "  fn f() {\n    do (call g)\n    do (call h)\n    do (call k 1 2)\n  }\n");
  CHECK(tree_of("fn f() {\n  if a { b() }\n  else if c { d() }\n  else { e() }\n}\n") ==
        "  fn f() {\n    if a {\n      do (call b)\n    } else {\n      if c {\n        do (call d)\n      } else {\n"
        "        do (call e)\n      }\n    }\n  }\n");
  // A block comment over lines is a line end; one within a line is not.
  CHECK(tree_of("const A = 1 /* x\n */ const B = 2 /* y */ + 3\n") == "  const A = 1\n  const B = (+ 2 3)\n");
  // `>` ends a line, words after a point are names, `gen` may stand alone.
  CHECK(tree_of("fn f() {\n  var x: list<int> = a.from\n  x = b.if\n  let y = gen\n  x = c\n}\n") ==
        "  fn f() {\n    var x: list<int> = (member a from)\n    x = (member b if)\n    let y = (gen y)\n    x = c\n  }\n");
  CHECK(tree_of("program p()\nlimits { tokens: 5 }\n{\n  \"hi\"\n}\n") == "  program p() limits tokens = 5 {\n    text \"hi\"\n  }\n");
}

TEST_CASE("documentation belongs to what follows directly") {
  CHECK(tree_of("/// First.\n///  Second.\nconst A = 1 /// not this\n\n/// lost\n\nconst B = 2\n") ==
        "  doc \"First.\\n Second.\"\n  const A = 1\n  const B = 2\n");
  CHECK(tree_of("type T = {\n  /// a field\n  a: int\n  b: int\n}\n") ==
        "  type T = {\n    doc \"a field\"\n    \"a\": int\n    \"b\": int\n  }\n");
}

TEST_CASE("strings: escapes, interpolation, formats") {
  CHECK(expr_of("\"a\\n\\\"\\{\\x41\\u{e9}\"") == "\"a\\n\\\"{A\xC3\xA9\"");
  CHECK(expr_of("\"a{x:.2f}b{ {k: \"{y}\"} }\"") == "(text \"a\" (format x \".2f\") \"b\" {\"k\": (text y)})");
  CHECK(expr_of("r\"a\\n{x}\"") == "\"a\\\\n{x}\"");
  CHECK(expr_of("\"\"") == "\"\"");
  CHECK(expr_of("\"{x: >8}\"") == "(text (format x \" >8\"))");
}

TEST_CASE("triple strings lose their indentation") {
  CHECK(expr_of("\"\"\"\n    one\n      two {x}\n\n    \"three\"\n    \"\"\"") == "(text \"one\\n  two \" x \"\\n\\n\\\"three\\\"\")");
  CHECK(expr_of("\"\"\"a\n   b\"\"\"") == "\"a\\nb\"");
  CHECK(expr_of("\"\"\"\"\"\"") == "\"\"");
  CHECK(expr_of("\"\"\"\n  \"\"\"") == "\"\"");
  CHECK(expr_of("r\"\"\"\r\n  \\d\r\n  \"\"\"") == "\"\\\\d\"");
}

TEST_CASE("model statements") {
  CHECK(tree_of("prompt p(q: string) {\n  user \"{q}\"\n  assistant {\n    gen a: int(0..9) with temperature = 0, stop = \"x\"\n"
                "    select s from [\"y\", \"n\"] by greedy_token_selection\n  }\n"
                "  with temperature = 1 { gen b }\n  let v = branch { a: { yield 1 }, b: { yield 2 } }\n"
                "  let w = parallel for i, x in xs up to 4 { yield x }\n}\n") ==
        "  prompt p(q: string) {\n    user (text q)\n    assistant {\n      gen a: int(0..9) with temperature = 0, stop = \"x\"\n"
        "      select s from [\"y\", \"n\"] by greedy_token_selection\n    }\n    with temperature = 1 {\n      gen b\n    }\n"
        "    let v = branch {\n      a: {\n        yield 1\n      }\n      b: {\n        yield 2\n      }\n    }\n"
        "    let w = parallel for i, x in xs up to 4 {\n      yield x\n    }\n  }\n");
  CHECK(tree_of("tool t(a: int) -> int\ngrammar g = \"x\"\nfn f() {\n  try { a() } catch e { b() }\n  assert a\n}\n") ==
        "  tool t(a: int) -> int\n  grammar g = \"x\"\n  fn f() {\n    try {\n      do (call a)\n    } catch e {\n      do (call b)\n    }\n    assert a\n  }\n");
}

TEST_CASE("the programs that come with the language parse") {
  CHECK(errors_of(sgl::test::kJudge).empty());
  for (const auto& path : sgl::test::program_paths()) {
    const Outcome out = outcome_of(sgl::test::read_text(path));
    CHECK_MESSAGE(out.errors.empty(), path.string() << "\n" << out.report);
  }
}

TEST_CASE("several independent errors come from one file") {
  const Outcome out = outcome_of(
      "fn a() -> int {\n  let x =\n  return 1\n}\n"
      "fn b(x: int -> int = x\n"
      "fn c() = 1 +\n"
      "fn d() = 2\n"
      "prompt e() {\n  user \"x\n  let y = 0xg\n  ok()\n}\n");
  CHECK(out.errors == Codes{"E0001 3:3", "E0001 5:5", "E0001 7:1", "E0002 9:8", "E0004 10:11"});
  CHECK_MESSAGE(out.tree.find("fn d() = 2") != std::string::npos, out.tree);
  CHECK_MESSAGE(out.tree.find("do (call ok)") != std::string::npos, out.tree);
}

TEST_CASE("an unclosed brace ends at the next declaration of the file") {
  const Outcome out = outcome_of("fn a() {\n  if x {\n    b()\n}\nfn c() = 1\nfn d() = (\nfn e() = 3\n");
  CHECK(out.errors == Codes{"E0001 1:8", "E0001 6:10"});
  CHECK_MESSAGE(out.tree.find("fn c() = 1") != std::string::npos, out.report);
  CHECK_MESSAGE(out.tree.find("fn e() = 3") != std::string::npos, out.report);
}

TEST_CASE("unterminated things are reported once, where they begin") {
  CHECK(errors_of("const A = \"x\nconst B = 1\n") == Codes{"E0002 1:11"});
  CHECK(errors_of("const A = \"x{f(y\nconst B = 1\n") == Codes{"E0002 1:11"});
  CHECK(errors_of("const A = \"x{ {a: [1") == Codes{"E0002 1:11"});
  CHECK(errors_of("const A = \"\"\"x\nconst B = {\n") == Codes{"E0002 1:11"});
  CHECK(errors_of("const A = r\"x\nconst B = 1\n") == Codes{"E0002 1:11"});
  CHECK(errors_of("const A = 1 /* x\nfn {{{\n") == Codes{"E0005 1:13"});
  CHECK(errors_of("type A = regex(/x)\nconst B = 1\n") == Codes{"E0008 1:16"});
  CHECK(errors_of("const A = 1\xFF\n") == Codes{"E0009 1:12"});
}

TEST_CASE("what the builder refuses") {
  CHECK(errors_of("const A = \"\\q\"\n") == Codes{"E0003 1:12"});
  CHECK(errors_of("const A = \"\\u{110000}\"\n") == Codes{"E0003 1:12"});
  CHECK(errors_of("const A = 12abc\n") == Codes{"E0004 1:11"});
  CHECK(errors_of("const A = 9223372036854775808\n") == Codes{"E0219 1:11"});
  CHECK(errors_of("const A = 'x'\n") == Codes{"E0006 1:11"});
  CHECK(errors_of("const A = a < b < c\n") == Codes{"E0010 1:17"});
  CHECK(errors_of("const A = (a < b) == c\n").empty());
  CHECK(errors_of("type A = \"x{y}\"\n") == Codes{"E0011 1:13"});
  CHECK(errors_of("fn f() {\n  limits { tokens: 1 }\n}\n") == Codes{"E0013 2:3"});
  CHECK(errors_of("program f() limits { tokens: 1 } {\n  limits { tokens: 1 }\n}\n") == Codes{"E0013 2:3"});
  CHECK(errors_of("fn f() {\n  a() = 1\n}\n") == Codes{"E0014 2:3"});
}

TEST_CASE("messages are for people") {
  CHECK(mentions("fn f() {\n  let x =\n}\n", "expected an expression after '=', found '}'"));
  CHECK(mentions("const A = f(1\nconst B = 2\n", "this '(' is never closed"));
  CHECK(mentions("fn f() {\n  g(1 }\n}\n", "opened here"));
  CHECK(mentions("const A = a && b\n", "write 'and'"));
  CHECK(mentions("const A = !a\n", "write 'not'"));
  CHECK(mentions("fn f() => 1\n", "'=>' is not an operator of SGL"));
  CHECK(mentions("const A = a === b\n", "write '=='"));
  CHECK(mentions("const A = a ** b\n", "there are no powers"));
  CHECK(mentions("const A = a?.b\n", "'?.' is not an operator of SGL"));
  CHECK(mentions("const A = a ? b : c\n", "'a if condition else b'"));
  CHECK(mentions("def f(x):\n", "expected a declaration"));
  CHECK(mentions("fn f() {\n  let mut x = 1\n}\n", "write 'var'"));
  CHECK(mentions("fn f() {\n  if a { b() }\n  elif c { d() }\n}\n", "else if"));
  CHECK(mentions("fn f() {\n  if x: y()\n}\n", "a block stands in braces"));
  CHECK(mentions("fn f() {\n  let gen = 1\n}\n", "is a word of the language"));
  CHECK(mentions("const A = \xE2\x80\x9Cx\xE2\x80\x9D\n", "plain double quotes"));
}

TEST_CASE("deep and long texts are refused, not run out of stack on") {
  const auto repeated = [](const std::string& unit, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += unit;
    return out;
  };
  for (const char* unit : {"(", "[", "{ a: ", "not ", "- ", "f(", "x[", "\"{", "a if b else ", "select from ",
                           "gen with a = 1, b = ", "parallel for i, x in "}) {
    const Codes errors = errors_of("const A = " + repeated(unit, 100000));
    REQUIRE_MESSAGE(!errors.empty(), unit);
    CHECK_MESSAGE(std::find_if(errors.begin(), errors.end(),
                               [](const std::string& e) { return e.starts_with("E0012"); }) != errors.end(),
                  unit);
  }
  CHECK(errors_of("const A = 1" + repeated(" + 1", 100000)).front().starts_with("E0012"));
  CHECK(errors_of("const A = 1" + repeated(" + 1", 900) + "\n").empty());
  CHECK(errors_of("const A = [" + repeated("1 + 1, ", 20000) + "]\n").empty());
  CHECK(errors_of("type A = " + repeated("list<", 100000)).front().starts_with("E0012"));
  CHECK(errors_of("fn f() { if a {} " + repeated("else if a {} ", 100000) + "}\n").front().starts_with("E0012"));
  CHECK(errors_of("const A = \"" + repeated("{x} ", 20000) + "\"\n").empty());
  CHECK(errors_of(repeated("} ) ] ", 1000)).size() >= 1);
}

TEST_CASE("damaged programs never crash the parser") {
  std::mt19937 random(7);
  for (int i = 0; i < 2500; ++i) {
    outcome_of(sgl::test::mutate_bytes(sgl::test::kJudge, random));
    outcome_of(sgl::test::mutate_tokens(sgl::test::kJudge, random));
  }
}
