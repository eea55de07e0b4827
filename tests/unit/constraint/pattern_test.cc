#include <chrono>
#include <functional>
#include <regex>

#include "tests/unit/constraint/support.h"

namespace {
bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("regular expressions agree with std::regex on random patterns and texts") {
  std::mt19937 rng(4);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(rng() % n); };
  const std::function<std::string(int)> make = [&](int depth) -> std::string {
    const char* atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\w", "[b-c1]"};
    const char* marks[] = {"*", "+", "?", "{2}", "{1,2}", "{1,}", "*?"};
    std::string out;
    for (unsigned n = pick(4); n > 0; --n) {
      out += depth > 0 && pick(3) == 0 ? "(" + make(depth - 1) + ")" : atoms[pick(9)];
      if (pick(3) == 0) out += marks[pick(7)];
    }
    if (depth > 0 && pick(3) == 0) out += "|" + make(depth - 1);
    return out;
  };
  for (int round = 0; round < 1500; ++round) {
    const std::string pattern = make(2);
    const ConstraintPtr constraint = regex(pattern);
    const std::regex reference(pattern);
    for (int i = 0; i < 20; ++i) {
      std::string text;
      for (unsigned n = pick(8); n > 0; --n) text += "abc1"[pick(4)];
      const bool expected = std::regex_match(text, reference);
      CHECK_MESSAGE(accepts(*constraint, text) == expected, pattern << " on '" << text << "'");
      if (!expected) continue;
      for (std::size_t cut = 0; cut <= text.size(); ++cut) CHECK(accepts_prefix(*constraint, text.substr(0, cut)));
      CHECK(min_length(*constraint) <= text.size());
      if (max_length(*constraint)) CHECK(*max_length(*constraint) >= text.size());
    }
  }
}

TEST_CASE("constructs") {
  const auto matches = [](std::string_view pattern, std::string_view text) { return accepts(*regex(pattern), text); };
  CHECK(matches("", ""));
  CHECK_FALSE(matches("", "a"));
  CHECK(matches("^ab$", "ab"));
  CHECK(matches("a^b|c", "c"));
  CHECK_FALSE(matches("a^b|c", "ab"));
  CHECK(matches("(^a|b)c", "ac"));
  CHECK(matches("\\p{Lu}\\p{Greek}+", "\u00c9\u03b1\u03b2"));
  CHECK_FALSE(matches("\\p{Lu}", "\u00e9"));
  CHECK(matches("[^a]", "\U0001F600"));
  CHECK(matches(".{3}", "\u4eca\u5929a"));
  CHECK(matches("\\u00e9\\u{1F600}\\x41\\uD83D\\uDE00", "\u00e9\U0001F600A\U0001F600"));
  CHECK(matches("[\\d\\-x-]+", "1-x"));
  CHECK(matches("a{,2}{", "a{,2}{"));
  CHECK(matches("(?<year>[0-9]{4})", "1984"));
  CHECK(matches("\\s\\cJ", "\xEF\xBB\xBF\n"));
  CHECK_FALSE(matches("[^\\s\\S]|b", "a"));
  // Half a character is a prefix, a wrong byte is not.
  CHECK(accepts_prefix(*regex("\u4eca"), "\xE4\xBB"));
  CHECK_FALSE(accepts_prefix(*regex("."), "\xC0"));
  CHECK_FALSE(accepts_prefix(*regex("."), "\xED\xA0"));
  CHECK(min_length(*regex("a{3,5}|bb")) == 2);
  CHECK(max_length(*regex("a{3,5}|bb")) == 5);
  CHECK(max_length(*regex("\u00e9{2}")) == 4);
  CHECK_FALSE(max_length(*regex("a*")));
}

TEST_CASE("malformed and unsupported patterns are named with their column") {
  for (const char* bad :
       {"(",        ")",   "[a",    "*a",    "a**",   "a{3,1}",  "\\",    "\\p{Nope}", "\\1",   "(?=a)*", "(?<=(?!a))b",
        "(?<=\\b)", "\\q", "\\xg1", "\\u12", "[z-a]", "\\uD800", "(?i)a", "^*",        "a|{1}", "(?<>a)", "\xff"}) {
    const auto made = compile_regex(bad);
    REQUIRE_MESSAGE(!made.ok(), bad);
    CHECK_MESSAGE(made.error().kind == sgl::base::ErrorKind::kInvalid, bad);
    CHECK_MESSAGE(has(made.error().message, "column"), made.error().message);
  }
  CHECK(has(compile_regex("a[^\\s\\S]").error().message, "no string satisfies"));
  CHECK(has(compile_regex("a^b").error().message, "no string satisfies"));
}

TEST_CASE("hostile patterns end soon, with an error or an answer") {
  const auto start = std::chrono::steady_clock::now();
  using sgl::base::ErrorKind;
  CHECK(compile_regex(std::string(60'000, '(')).error().kind == ErrorKind::kLimit);
  CHECK(compile_regex(std::string(60'000, '(') + std::string(60'000, ')')).error().kind == ErrorKind::kLimit);
  CHECK(compile_regex(std::string(60'000, '[')).error().kind == ErrorKind::kInvalid);
  CHECK(compile_regex("a{1000000}").error().kind == ErrorKind::kLimit);
  CHECK(compile_regex("((((((a{99}){99}){99}){99}){99}){99})").error().kind == ErrorKind::kLimit);
  CHECK(compile_regex("((((((){999999}){999999}){999999}){999999}){9999999999999})").error().kind == ErrorKind::kLimit);
  CHECK(compile_regex(std::string(70'000, 'a')).error().kind == ErrorKind::kLimit);
  CHECK_FALSE(accepts(*regex("(a+)+$"), std::string(100'000, 'a') + "!"));
  CHECK(accepts(*regex("(a+)+$"), std::string(100'000, 'a')));
  CHECK_FALSE(accepts(*regex("(a|aa)+b"), std::string(50'000, 'a')));
  // Exponentially many states: the text is still judged, masks give a limit error.
  Limits limits;
  limits.max_states = 2000;
  const ConstraintPtr wide = regex("(a|b)*a(a|b){16}", limits);
  std::string text;
  std::mt19937 rng(1);
  for (int i = 0; i < 20'000; ++i) text += rng() % 2 == 0 ? 'a' : 'b';
  CHECK(accepts(*wide, text + "a" + std::string(16, 'b')));
  CHECK_FALSE(accepts(*wide, text + "b" + std::string(16, 'b')));
  std::string unions = "a0";
  for (int i = 1; unions.size() < 60'000; ++i) unions += "|a" + std::to_string(i);
  CHECK(accepts(*regex(unions), "a777"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}
