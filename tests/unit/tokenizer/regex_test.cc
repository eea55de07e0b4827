#include "runtime/tokenizer/regex.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <random>
#include <regex>
#include <string>

using sgl::tokenizer::Regex;

namespace {

std::string matches(std::string_view pattern, std::string_view text) {
  auto regex = Regex::compile(pattern);
  REQUIRE_MESSAGE(regex.ok(), pattern << ": " << regex.error().message);
  std::string out;
  for (const Regex::Match& m : regex->find_all(text))
    out += "[" + std::string(text.substr(m.begin, m.end - m.begin)) + "]";
  return out;
}

}  // namespace

TEST_CASE("constructs of pre-tokenizer patterns") {
  CHECK(matches(R"((?i:'s|'t|'ll))", "It'S we'LL 't 'x") == "['S]['LL]['t]");
  CHECK(matches(R"(\s+(?!\S)|\s+)", "a   b ") == "[  ][ ][ ]");
  CHECK(matches(R"(\p{N}{1,3})", "1234567") == "[123][456][7]");
  CHECK(matches(R"([^\r\n\p{L}\p{N}]?\p{L}+)", "-ab \u00e9\u00e8 x1") == "[-ab][ \u00e9\u00e8][ x]");
  CHECK(matches(R"([\p{L}--x])", "-x") == "[-][x]");
  CHECK(matches(R"([\p{L}&&[^a-m]]+)", "amnz") == "[nz]");
  CHECK(matches(R"(a+?b??)", "aab") == "[a][a]");
  CHECK(matches(R"(a++a|b)", "aab") == "[b]");
  CHECK(matches(R"((?>a|ab)c|x)", "abc x") == "[x]");
  CHECK(matches(R"((?<=a)b|(?<!a)c)", "abc ac") == "[b][c]");
  CHECK(matches(R"((?:ab){2,3})", "ababababab") == "[ababab][abab]");
  CHECK(matches(R"(\bx\b)", "x xx x") == "[x][x]");
  CHECK(matches(R"(^a|b$)", "ab\nab") == "[a][b][a][b]");
  CHECK(matches(R"(\x41|\u0042|\x{43})", "ABC") == "[A][B][C]");
  CHECK(matches(R"((?i)straSSe)", "STRA\u017f\u017fE") == "[STRA\u017f\u017fE]");
  CHECK(matches("x{,2}y", "xxy") == "[xxy]");
  CHECK(matches("x{a", "x{a") == "[x{a]");
}

TEST_CASE("errors name the column") {
  for (const char* bad :
       {"(", ")", "[a", "*", "\\", "a{3,1}", "(?P<n>a)", "\\p{Nope}", "\\1", "(?<=ab)c", "\\q", "\\xZ", "[z-a]"}) {
    const auto regex = Regex::compile(bad);
    REQUIRE_MESSAGE(!regex.ok(), bad);
    CHECK_MESSAGE(regex.error().message.find("column") != std::string::npos, regex.error().message);
  }
  CHECK_FALSE(Regex::compile(std::string(50'000, '(')).ok());
  CHECK_FALSE(Regex::compile(std::string(50'000, '[')).ok());
  CHECK_FALSE(Regex::compile("((((a{1000}){1000}){1000}){1000})").ok());
}

// Groups never match the empty text here: engines differ in what an empty round of a loop does.
TEST_CASE("agrees with std::regex on random patterns of the common subset") {
  std::mt19937 rng(5);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(rng() % n); };
  const std::function<std::string(int)> make = [&](int depth) -> std::string {
    const char* atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\s"};
    const char* marks[] = {"*", "+", "?", "{1,2}", "*?", "+?", "??"};
    std::string out;
    for (unsigned n = 1 + pick(3); n > 0; --n) {
      out += depth > 0 && pick(3) == 0 ? "(?:a(?:" + make(depth - 1) + "))" : atoms[pick(8)];
      if (pick(3) == 0) out += marks[pick(7)];
    }
    if (depth > 0 && pick(3) == 0) out += "|" + make(depth - 1);
    return out;
  };
  for (int round = 0; round < 3000; ++round) {
    const std::string pattern = make(2);
    std::string text;
    for (unsigned n = pick(10); n > 0; --n) text += "abc1 "[pick(5)];
    const std::regex reference(pattern);
    std::smatch expected;
    const bool found = std::regex_search(text, expected, reference);
    auto regex = Regex::compile(pattern);
    REQUIRE(regex.ok());
    const auto got = regex->find(text, 0);
    CHECK_MESSAGE(got.has_value() == found, pattern << " on '" << text << "'");
    if (!got || !found) continue;
    CHECK_MESSAGE(got->begin == static_cast<std::size_t>(expected.position(0)), pattern << " on '" << text << "'");
    CHECK_MESSAGE(got->end - got->begin == static_cast<std::size_t>(expected.length(0)),
                  pattern << " on '" << text << "'");
  }
}

TEST_CASE("exponential patterns end soon") {
  const auto start = std::chrono::steady_clock::now();
  const std::string text = std::string(3000, 'a') + "!";
  auto regex = Regex::compile("(?:a+)+$|(?:a|aa)+$|(?:a*)*b");
  REQUIRE(regex.ok());
  CHECK_FALSE(regex->find(text.substr(0, 400) + "!", 0).has_value());
  CHECK(Regex::compile("(?:a*)*")->find(text, 0)->end == 3000);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}
