// Short sources that stand for much: an error where it is too much, and never time or memory without end.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "compiler/driver/driver.h"

namespace sgl::compiler::test {
namespace {

std::string times(int count, const char* each) {
  std::string out;
  for (int i = 0; i < count; ++i) out += fmt::format(fmt::runtime(each), i);
  return out;
}

std::unique_ptr<Compilation> compiled(const std::string& source) {
  return compile_text("test.sgl", source, Stage::kPlan, {});
}

// The codes of the errors, each once.
std::string codes(const Compilation& compilation) {
  std::string out;
  for (const Diagnostic& d : compilation.diagnostics.sorted()) {
    const std::string code(diag_info(d.kind).code);
    if (code[0] == 'E' && out.find(code) == std::string::npos) out += code;
  }
  return out;
}
std::string codes(const std::string& source) {
  return codes(*compiled(source));
}

constexpr const char* kProgram = "program p() -> int { return 1 }\n";

TEST_CASE("unions") {
  CHECK(codes(kProgram + ("type T = int" + times(999, " | {{ a{}: int }}")) + "\n").empty());
  CHECK(codes(kProgram + ("type T = int" + times(1000, " | {{ a{}: int }}")) + "\n") == "E0015");
  CHECK(codes(kProgram + ("type T = int" + times(20000, " | \"a{}\"")) + "\n").empty());
  const std::string large = "type T = \"\"" + times(1000, " | \"a{}\"") + "\n";
  CHECK(codes(kProgram + large + times(400, "type U{0} = T | \"b{0}\"\n")).empty());
  CHECK(codes(kProgram + large + times(1100, "type U{0} = T | \"b{0}\"\n")) == "E0015");
}

TEST_CASE("comparisons of types") {
  const auto compared = [](int count) {
    return "type T = bool" + times(900, " | {{ a{}: int }}") + " | int\ntype U = null" +
           times(900, " | {{ b{}: int }}") + " | int\nprogram p(t: T, u: U) -> int {\n" +
           times(count, "  if t == u {{ return {} }}\n") + "  return 1\n}\n";
  };
  CHECK(codes(compared(1)).empty());
  CHECK(codes(compared(200)) == "E0015");
}

TEST_CASE("records that are filled up") {
  const std::string type = "type T = {{ b: int" + times(2000, ", a{}: int") + " }}\n";
  const auto spread = [&](int count) {
    return fmt::format(fmt::runtime(type)) + "program p(t: T) -> int {\n  var r = t\n" +
           times(count, "  r = {{ ...r, a{}: 1 }}\n") + "  return r.b\n}\n";
  };
  CHECK(codes(spread(100)).empty());
  CHECK(codes(spread(600)) == "E0015");
}

TEST_CASE("a plan over its limits") {
  const auto lists = [](int count) {
    return "program p(n: int) -> int {\n  var r = [n]\n" + times(count, "  r = [n, {}]\n") + "  return r[0]\n}\n";
  };
  CHECK(codes(lists(1000)).empty());
  CHECK(codes("program p(n: int) -> int {\n" + times(21000, "  let a{} = n + 1\n") + "  return a5\n}\n") == "E0015");
}

TEST_CASE("constants that insert or lay out others") {
  std::string source = "const A0 = \"" + std::string(1000, 'x') + "\"\n";
  for (int i = 1; i <= 13; ++i) source += fmt::format("const A{} = \"{{A{}}}{{A{}}}\"\n", i, i - 1, i - 1);
  CHECK(codes(source + kProgram).empty());
  std::string inserted;
  for (int i = 0; i < 400; ++i) inserted += "{A13}";
  CHECK(codes(source + "const Z = \"" + inserted + "\"\n" + kProgram) == "E0217");
  std::string wide =
      "type Wide = { a: int" + times(9999, ", f{}?: int") + " }\nconst L0: list<{ a: int }> = [{ a: 1 }]\n";
  for (int i = 1; i <= 12; ++i) wide += fmt::format("const L{}: list<{{ a: int }}> = L{} + L{}\n", i, i - 1, i - 1);
  CHECK(codes(wide + "const Z: list<Wide> = L12\n" + kProgram) == "E0201E0217");
}

TEST_CASE("large constants in many places") {
  std::string source = "const A0 = \"" + std::string(8192, 'x') + "\"\n";
  for (int i = 1; i <= 10; ++i) source += fmt::format("const A{} = A{} + A{}\n", i, i - 1, i - 1);
  source += "const T = [" + times(20000, "{},") + "]\n";
  // What need not be read again costs nothing: these took 45 ms each.
  CHECK(codes(source + "program p() -> int {\n" + times(3000, "  let a{0}: int(0..20000) = T[{0}]\n") +
              "  return len(A10)\n}\n")
            .empty());
  CHECK(codes(source + times(20, "const B{0} = A10 + \"{0}\"\n") + kProgram).empty());
  CHECK(codes(source + times(1000, "const B{0} = A10 + \"{0}\"\n") + kProgram) == "E0015E0217");
  CHECK(codes(source + times(1000, "type T{} = int(0..len(A10))\n") + kProgram) == "E0216E0015");
}

TEST_CASE("small constants beside as many large ones as are kept") {
  std::string source = "const A0 = \"" + std::string(8192, 'x') + "\"\n";
  for (int i = 1; i <= 11; ++i) source += fmt::format("const A{} = A{} + A{}\n", i, i - 1, i - 1);
  // 64 MB, which are kept because they are used.
  source += times(4, "const C{0} = A11\nconst N{0} = len(C{0})\n") + "const D0 = \"x\"\n";
  // Each of two uses both of the level below.
  for (int i = 1; i <= 40; ++i) {
    source += fmt::format("const L{0} = D{1}\nconst R{0} = D{1}\nconst D{0} = (L{0} + R{0})[0:1]\n", i, i - 1);
  }
  CHECK(codes(source + kProgram).empty());
  // What a parameter is when it is not given is lowered once: every call took 24 ms.
  const std::string calls = "program p() -> int {\n" + times(2000, "  let a{} = f()\n") + "  return a7\n}\n";
  CHECK(codes(source + "fn f(a: string = A11) -> int { return 1 }\n" + calls).empty());
}

TEST_CASE("constants that grow when they are folded") {
  const auto doubled =
      compiled("program p() -> string {\n  var x = \"abcdefgh\"\n" + times(60, "  x = x + x\n") + "  return x\n}\n");
  REQUIRE(doubled->plan);
  std::size_t bytes = 0;
  for (const plan::Constant& constant : doubled->plan->constants) bytes += constant.text.size();
  CHECK(bytes < (std::size_t{16} << 20));
}

TEST_CASE("a static prefix ends where it is long enough") {
  const std::string text(100'000, 'x');
  const auto made = compiled("const A = \"" + text + "\"\nprogram p() -> string {\n  user {\n" +
                             times(500, "    \"{{A}} {}\"\n") + "  }\n  assistant { gen a: string }\n  return a\n}\n");
  REQUIRE(made->plan);
  std::size_t bytes = 0;
  for (const plan::PrefixPart& part : made->plan->programs[0].prefix) bytes += part.text.size();
  CHECK(bytes == std::size_t{1} << 20);
}

TEST_CASE("long chains of calls") {
  const auto chain = [](int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      out += fmt::format("program p{}(a: int) -> int {{ return p{}(a) }}\n", i, i + 1);
    }
    return out +
           fmt::format("program p{}(a: int) -> int {{ assistant {{ gen g: int with max_tokens = 7 }}; return g }}\n",
                       count);
  };
  const auto made = compiled(chain(9000));
  REQUIRE(made->plan);
  CHECK(made->plan->find_program("p0")->bounds.generated_tokens == 7);
  CHECK(codes(chain(15000)) == "E0015");
}

TEST_CASE("every function on a cycle of calls is named") {
  const auto made =
      compiled(std::string(kProgram) +
               "fn a(n: int) -> int = b(n)\nfn b(n: int) -> int = c(n) + d(n)\nfn c(n: int) -> int = a(n)\n"
               "fn d(n: int) -> int = n\nfn e(n: int) -> int = e(n)\nfn f(n: int) -> int = a(n)\n");
  std::string names;
  for (const Diagnostic& d : made->diagnostics.sorted()) {
    CHECK(d.kind == DiagKind::kUnboundedRecursion);
    names += d.message.substr(0, 4);
  }
  CHECK(names == "'a' 'b' 'c' 'e' ");
}

TEST_CASE("columns of long lines") {
  std::string line = "const A = [";
  for (int i = 0; i < 5000; ++i) line += "\"é\", ";
  const auto made = compiled(line + "x]\n" + kProgram);
  const auto found = made->diagnostics.sorted();
  REQUIRE(found.size() == 1);
  const LineColumn at = made->sources.file(found[0].range.file).position(found[0].range.begin);
  CHECK(at.line == 1);
  CHECK(at.column == 11 + 5000 * 5 + 1);
}

}  // namespace
}  // namespace sgl::compiler::test
