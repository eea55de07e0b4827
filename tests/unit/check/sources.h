// Small sources for the tests of the checker. Each is put where it can stand.
#pragma once

#include <string>
#include <string_view>

namespace sgl::compiler::test {

enum Place {
  kFn,       // statements of a function with parameters i: int, s: string, x: float, b: bool, l: list<int>, o: int?
  kProgram,  // statements of a program with parameters q: string, items: list<string>, after some text
  kFile,     // declarations beside a program
  kWhole,    // a whole file
};

inline std::string source_at(Place place, std::string_view text) {
  const std::string body(text);
  switch (place) {
    case kFn:
      return "fn f(i: int, s: string, x: float, b: bool, l: list<int>, o: int?) -> int {\n  " + body +
             "\n  return 1\n}\nprogram p() -> int { return 1 }\n";
    case kProgram:
      return "program p(q: string, items: list<string>) -> int {\n  \"{q}\"\n  " + body + "\n  return 1\n}\n";
    case kFile: return body + "\nprogram p() -> int { return 1 }\n";
    case kWhole: break;
  }
  return body + "\n";
}

}  // namespace sgl::compiler::test
