#include <doctest/doctest.h>

#include <string>

#include "compiler/format/format.h"
#include "tests/unit/compiler/texts.h"

using sgl::compiler::format;

namespace {

// Formats, and checks that formatting again changes nothing.
std::string twice(const std::string& text) {
  const std::string once = format(text);
  CHECK(format(once) == once);
  return once;
}

}  // namespace

TEST_CASE("spaces stand where people expect them") {
  CHECK(twice("const  A=1+2*-3") == "const A = 1 + 2 * -3\n");
  CHECK(twice("const A = f ( x ,y:2 ) [ 1 : -1 ]\n") == "const A = f(x, y: 2)[1:-1]\n");
  CHECK(twice("const A={a:1,...b}\nconst B={ }\n") == "const A = { a: 1, ...b }\nconst B = {}\n");
  CHECK(twice("type T=list < map<string,int ? > >( 1 .. 3 )|\"a\"\n") == "type T = list<map<string, int?>>(1..3) | \"a\"\n");
  CHECK(twice("const A = list<3 and map>2\n") == "const A = list < 3 and map > 2\n");
  CHECK(twice("fn f(a:int)->int=-a . b ( )\n") == "fn f(a: int) -> int = -a.b()\n");
  CHECK(twice("type T = { a ? :int, b: regex(/x y/ , max_chars:3) }\n") == "type T = { a?: int, b: regex(/x y/, max_chars: 3) }\n");
  CHECK(twice("const A = \"{ x }  {y :.2f}\"\n") == "const A = \"{ x }  {y :.2f}\"\n");
  CHECK(twice("const A = x if(a)else[b]\n") == "const A = x if (a) else [b]\n");
}

TEST_CASE("lines keep their breaks and get their indentation") {
  CHECK(twice("\n\nfn f() {\n\n\n\nlet x=a\n+b\nif x {y()}   // why\nelse {\nz({\na:1\n})\n}\n}\n\n\n") ==
        "fn f() {\n\n  let x = a\n    + b\n  if x { y() } // why\n  else {\n    z({\n      a: 1\n    })\n  }\n}\n");
  CHECK(twice("const A = [\n1,\n  2 // two  \n]\r\nconst B = 3") == "const A = [\n  1,\n  2 // two\n]\nconst B = 3\n");
  CHECK(twice("type T =\n| \"a\"\n| \"b\"\n") == "type T =\n  | \"a\"\n  | \"b\"\n");
  CHECK(twice("const A = \"\"\"\n   x\n     \"\"\"\n") == "const A = \"\"\"\n   x\n     \"\"\"\n");
  CHECK(twice("") == "");
  CHECK(twice("\n \n") == "");
}

TEST_CASE("text that does not tokenise stays as it is") {
  CHECK(twice("const  A = \"x\n") == "const  A = \"x\n");
  CHECK(twice("const  A = 1 /* x\n") == "const  A = 1 /* x\n");
  CHECK(twice("const  A = \xFF\n") == "const  A = \xFF\n");
}

TEST_CASE("formatting is idempotent on the programs that come with the language") {
  twice(sgl::test::kJudge);
  for (const auto& path : sgl::test::program_paths()) {
    const std::string text = sgl::test::read_text(path);
    CHECK_MESSAGE(format(format(text)) == format(text), path.string());
  }
}

TEST_CASE("formatting is idempotent on damaged programs") {
  std::mt19937 random(11);
  for (int i = 0; i < 1500; ++i) {
    const std::string bytes = sgl::test::mutate_bytes(sgl::test::kJudge, random);
    CHECK_MESSAGE(format(format(bytes)) == format(bytes), bytes);
    const std::string tokens = sgl::test::mutate_tokens(sgl::test::kJudge, random);
    CHECK_MESSAGE(format(format(tokens)) == format(tokens), tokens);
  }
}
