// Programs to test with, and ways to damage them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "compiler/parse/parse.h"

namespace sgl::test {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The programs of examples/ and stdlib/, in a fixed order.
inline std::vector<std::filesystem::path> program_paths() {
  std::vector<std::filesystem::path> out;
  for (const char* folder : {"examples", "stdlib"}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".sgl") out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// A program that uses most of the language.
inline const std::string kJudge = R"SGL(// judge.sgl: grade an essay along several dimensions, in parallel
import std.text

type Report = {
  summary: string(max_chars: 200)
  grade: "A" | "B" | "C" | "D"
  score: int(0..100)
  tags: list<string>(1..3)
  author_email?: string(format: "email")
}

fn bullets(items: list<string>) -> string = text.join(["- {x}" for x in items], "\n")

prompt ask(question: string) -> string {          // extends the caller's context
  user "{question}"
  assistant { gen answer: string with max_tokens = 48, stop = "\n" }
  return answer
}

program judge(essay: string, dimensions: list<string> = ["clarity", "evidence"]) -> Report {
  system "You are a careful judge of essays."
  user "Essay:\n{essay}\n\nIs this an essay?"
  assistant { select verdict from ["yes", "no"] }
  if verdict == "no" { fail "not an essay" }

  let notes = parallel for d in dimensions {       // one fork per item: shared prefix, decoded in one batch
    yield ask("Judge its {d} in one sentence.")
  }

  user "Notes:\n{bullets(notes)}\nWrite the report."
  assistant { gen report: Report with temperature = 0.2 }
  return report
}
)SGL";

// One to three random edits of bytes; favours the characters that mean something.
inline std::string mutate_bytes(std::string text, std::mt19937& random) {
  static const std::string kBytes = "{}()[]<>\"'`/\\*=:;,.?|&!-+#@ \n\r\tabz019_\x80\xC3\xFF";
  for (std::size_t edits = 1 + random() % 3; edits > 0 && !text.empty(); --edits) {
    const std::size_t at = random() % text.size();
    const char byte = kBytes[random() % kBytes.size()];
    switch (random() % 3) {
      case 0: text[at] = byte; break;
      case 1: text.insert(at, 1, byte); break;
      default: text.erase(at, 1); break;
    }
  }
  return text;
}

// Removes, doubles or swaps whole tokens.
inline std::string mutate_tokens(const std::string& text, std::mt19937& random) {
  const std::vector<compiler::LexedToken> tokens = compiler::lex(text);
  if (tokens.size() < 2) return text;
  const std::size_t at = random() % (tokens.size() - 1);
  const compiler::LexedToken& first = tokens[at];
  const compiler::LexedToken& second = tokens[at + 1];
  const std::string one = text.substr(first.begin, first.end - first.begin);
  const std::string two = text.substr(second.begin, second.end - second.begin);
  std::string middle;
  switch (random() % 3) {
    case 0: middle = two; break;
    case 1: middle = one + " " + one + " " + two; break;
    default: middle = two + " " + one; break;
  }
  return text.substr(0, first.begin) + middle + text.substr(second.end);
}

}  // namespace sgl::test
