// Long chains of declarations: an error, not the end of the native stack.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "compiler/driver/driver.h"

namespace sgl::compiler::test {
namespace {

// Codes of the errors of `count` declarations that each refer to the next one, or to the one before when `backward`.
std::string codes(int count, const char* each, const char* last, bool backward = false) {
  std::string source = "program p() -> int { return 1 }\n";
  if (backward) source += fmt::format(fmt::runtime(last), 0) + "\n";
  for (int i = 1; i <= count; ++i) source += fmt::format(fmt::runtime(each), i, backward ? i - 1 : i + 1) + "\n";
  if (!backward) source += fmt::format(fmt::runtime(last), count + 1) + "\n";
  const auto compilation = compile_text("test.sgl", source, Stage::kCheck, {});
  std::string out;
  for (const Diagnostic& d : compilation->diagnostics.sorted()) {
    const std::string code(diag_info(d.kind).code);
    if (out.find(code) == std::string::npos) out += code;
  }
  return out;
}

TEST_CASE("chains of declarations") {
  CHECK(codes(400, "const A{} = A{}", "const A{} = 1").empty());
  CHECK(codes(400, "type A{} = list<A{}>", "type A{} = int").empty());
  CHECK(codes(20000, "const A{} = A{}", "const A{} = 1") == "E0012");
  CHECK(codes(20000, "const A{} = [[[[A{}]]]]", "const A{} = 1") == "E0012");
  CHECK(codes(5000, "type A{} = list<A{}>", "type A{} = int") == "E0012");
  CHECK(codes(5000, "type A{} = {{ a?: list<A{}?> }}", "type A{} = int") == "E0012");
  CHECK(codes(400, "type A{} = list<A{}>", "type A{} = int", true).empty());
  CHECK(codes(5000, "type A{} = list<A{}>", "type A{} = int", true) == "E0012");
  CHECK(codes(2000, "const A{} = A{}", "const A{} = 1", true).empty());  // each is known when the next is asked for
  // Each used twice by the next: evaluated once, and only so large.
  CHECK(codes(60, "const A{0} = A{1} + A{1}", "const A{} = 1").empty());
  CHECK(codes(60, "const A{0} = A{1} + A{1}", "const A{} = \"abcdefgh\"") == "E0217");
  CHECK(codes(60, "const A{0} = [A{1}, A{1}]", "const A{} = [1]") == "E0217");
}

}  // namespace
}  // namespace sgl::compiler::test
