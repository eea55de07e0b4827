#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/unit/constraint/support.h"

using nlohmann::json;

namespace {
bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("integer ranges, exhaustively") {
  Spec s;
  for (const auto& [min, max] :
       {std::pair(-12, 7), {0, 0}, {1, 9}, {95, 1005}, {-1005, -95}, {-3, -3}, {0, 1200}, {-1, 0}, {10, 10}}) {
    const ConstraintPtr c = s.compile(s.integer(min, max));
    for (int i = -1300; i <= 1300; ++i)
      CHECK_MESSAGE(accepts(*c, std::to_string(i)) == (i >= min && i <= max), i << " in " << min << " " << max);
    for (const char* bad : {"", "-", "-0", "00", "01", "+1", "1.0", "1e1", " 1", "-01"}) CHECK_FALSE(accepts(*c, bad));
  }
  const ConstraintPtr all = s.compile(s.integer());
  for (const char* good : {"9223372036854775807", "-9223372036854775808", "0", "1000000000000000000"})
    CHECK(accepts(*all, good));
  for (const char* bad : {"9223372036854775808", "-9223372036854775809", "10000000000000000000"})
    CHECK_FALSE(accepts(*all, bad));
  CHECK(max_length(*all) == 20);
  CHECK(has(s.error(s.integer(3, 2)), "no integer is at least 3 and at most 2"));
}

TEST_CASE("random integer ranges of all sizes") {
  Spec s;
  std::mt19937_64 rng(9);
  for (int round = 0; round < 200; ++round) {
    const auto any = [&] { return static_cast<std::int64_t>(rng()) >> (rng() % 63); };
    std::int64_t a = any(), b = any();
    if (a > b) std::swap(a, b);
    const ConstraintPtr c = s.compile(s.integer(a, b));
    for (int i = 0; i < 20; ++i) {
      const std::int64_t x = rng() % 3 == 0 ? a : rng() % 2 == 0 ? b : any();
      CHECK(accepts(*c, std::to_string(x)) == (x >= a && x <= b));
    }
  }
}

TEST_CASE("floats") {
  Spec s;
  const ConstraintPtr any = s.compile(s.real());
  for (const char* good : {"0", "-0", "1.5", "-12.25e+10", "1E5", "0.0"}) CHECK(accepts(*any, good));
  for (const char* bad : {"", ".5", "1.", "01", "1e", "+1", "NaN", "--1"}) CHECK_FALSE(accepts(*any, bad));
  std::mt19937_64 rng(2);
  const auto random_text = [&] {
    std::string out = rng() % 2 == 0 ? "-" : "";
    out += std::to_string(rng() % 2 == 0 ? rng() % 10 : rng() % 2000);
    if (rng() % 2 == 0) out += "." + std::to_string(rng() % 2000);
    if (out.find('.') != std::string::npos && rng() % 3 == 0) out += "000";
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    std::optional<double> low, high;
    if (rng() % 4 != 0) low = std::stod(random_text()) / (rng() % 2 == 0 ? 1 : 1000);
    if (rng() % 4 != 0 || !low) high = std::stod(random_text());
    if (low && high && *low > *high) std::swap(low, high);
    const ConstraintPtr c = s.compile(s.real(low, high));
    for (int i = 0; i < 30; ++i) {
      const std::string text = random_text();
      const double x = std::stod(text);
      const bool inside = (!low || x >= *low) && (!high || x <= *high);
      CHECK_MESSAGE(accepts(*c, text) == inside,
                    text << " in " << low.value_or(-INFINITY) << " " << high.value_or(INFINITY));
    }
  }
  CHECK(has(s.error(s.real(2.0, 1.0)), "no number is at least 2 and at most 1"));
  CHECK(has(s.error(s.real(INFINITY)), "finite"));
}

TEST_CASE("strings, bare and quoted") {
  Spec s;
  const auto bounded = s.string(2, 3);
  CHECK(accepts(*s.compile(bounded), "\u4eca\"\n"));
  CHECK_FALSE(accepts(*s.compile(bounded), "a"));
  CHECK_FALSE(accepts(*s.compile(bounded), "abcd"));
  const ConstraintPtr quoted = s.compile(bounded, true);
  for (const char* good :
       {"\"ab\"", "\"\\n\\u00e9\\\"\"", "\"\\ud83d\\ude00x\"", "\"\u4eca\u5929\U0001F600\"", "\"\\/\\\\\""}) {
    CHECK_MESSAGE(accepts(*quoted, good), good);
  }
  for (const char* bad :
       {"ab", "\"a\"", "\"abcd\"", "\"a\nb\"", "\"\\ud83dxx\"", "\"\\ude00x\"", "\"a\\x\"", "\"\\u00g0a\""}) {
    CHECK_MESSAGE(!accepts(*quoted, bad), bad);
  }
  CHECK(max_length(*s.compile(bounded)) == 12);
  CHECK_FALSE(max_length(*s.compile(s.string())));

  const auto searched = s.string(0, 5, "b+$");
  CHECK(accepts(*s.compile(searched), "aabb"));
  CHECK_FALSE(accepts(*s.compile(searched), "aaaabb"));
  CHECK_FALSE(accepts(*s.compile(searched), "aba"));
  CHECK(accepts(*s.compile(searched, true), "\"\\\"b\""));
  CHECK(accepts(*s.compile(s.string(0, -1, "^[\"\\\\\\n]+$"), true), "\"\\\"\\\\\\n\""));
  CHECK(has(s.error(s.string(4, 9, "^abc$")), "no string satisfies"));
  CHECK(has(s.error(s.string(3, 2)), "at least 3 and at most 2"));
  CHECK(has(s.error(s.string(0, -1, "(")), "column"));
  CHECK(has(s.error(s.string(0, -1, "", "nope")), "format 'nope'"));
  CHECK(s.compile(s.string(0, 10'000), true) != nullptr);
}

TEST_CASE("formats") {
  Spec s;
  const auto check = [&](const char* format, std::initializer_list<const char*> good,
                         std::initializer_list<const char*> bad) {
    const ConstraintPtr c = s.compile(s.string(0, -1, "", format));
    for (const char* text : good) CHECK_MESSAGE(accepts(*c, text), format << " " << text);
    for (const char* text : bad) CHECK_MESSAGE(!accepts(*c, text), format << " " << text);
  };
  check("date", {"2024-02-29", "2023-12-31", "2000-02-29"},
        {"2023-02-29", "1900-02-29", "2023-13-01", "2023-04-31", "23-01-01"});
  check("time", {"23:59:59Z", "00:00:00.5+02:00"}, {"24:00:00Z", "12:00:00"});
  check("date-time", {"2024-01-01T00:00:00Z"}, {"2024-01-01 00:00:00Z"});
  check("email", {"a.b+c@example.org"}, {"a@b", "@example.org", "a b@c.de"});
  check("uuid", {"123e4567-e89b-12d3-a456-426614174000"}, {"123e4567e89b12d3a456426614174000"});
  check("ipv4", {"255.255.255.255", "0.0.0.0"}, {"256.0.0.1", "1.2.3", "01.2.3.4"});
  check("hostname", {"example.org", "localhost"}, {"-a.org", "a..b"});
  check("uri", {"https://example.org/a?b=c&d=%20#frag", "mailto:a@b.c"}, {"no scheme", "1http://x"});
}

TEST_CASE("records, lists, maps, unions, literals") {
  Spec s;
  const auto r =
      s.record({{"a", s.integer(), true}, {"b", s.kind(SpecKind::kBool), false}, {"c\"", s.string(0, 3), true}});
  const ConstraintPtr c = s.compile(r);
  for (const char* good :
       {R"({"a":1,"b":true,"c\"":"x"})", R"({"b":false})", R"({"a":-5,"b":true})", R"({"b":true,"c\"":""})"}) {
    CHECK_MESSAGE(accepts(*c, good), good);
  }
  for (const char* bad :
       {"{}", R"({"a":1})", R"({"b":true,"a":1})", R"({,"b":true})", R"({"b":true,})", R"({"b": true})"}) {
    CHECK_MESSAGE(!accepts(*c, bad), bad);
  }
  CHECK(accepts(*s.compile(s.record({})), "{}"));
  const auto optional = s.record({{"a", s.kind(SpecKind::kNull), true}, {"b", s.kind(SpecKind::kNull), true}});
  for (const char* good : {"{}", R"({"a":null})", R"({"b":null})", R"({"a":null,"b":null})"})
    CHECK(accepts(*s.compile(optional), good));

  for (const auto& [min, max] : {std::pair(0, 0), {0, 2}, {2, 2}, {1, -1}, {0, -1}, {3, -1}}) {
    const ConstraintPtr l = s.compile(s.list(s.integer(0, 9), min, max));
    const ConstraintPtr m = s.compile(s.map(s.integer(0, 9), min, max));
    std::string items, entries;
    for (int n = 0; n < 6; ++n) {
      const bool inside = n >= min && (max < 0 || n <= max);
      CHECK(accepts(*l, "[" + items + "]") == inside);
      CHECK(accepts(*m, "{" + entries + "}") == inside);
      items += n == 0 ? "1" : ",2";
      entries += (n == 0 ? "\"" : ",\"") + std::string(static_cast<std::size_t>(n), 'k') + "\":2";
    }
  }
  CHECK_FALSE(accepts(*s.compile(s.map(s.integer(0, 9))), R"({"a":1,"a":2})"));
  const auto u =
      s.one_of({s.literal("\"yes\""), s.literal("\"no\""), s.literal("3"), s.integer(10, 12), s.string(6, 6)});
  for (const char* good : {"yes", "no", "3", "11", "hello!"}) CHECK(accepts(*s.compile(u), good));
  for (const char* bad : {"\"yes\"", "13", "hell"}) CHECK_FALSE(accepts(*s.compile(u), bad));
  for (const char* good : {"\"yes\"", "3", "11", "\"hello!\""}) CHECK(accepts(*s.compile(u, true), good));
  CHECK_FALSE(accepts(*s.compile(u, true), "yes"));
  CHECK(accepts(*s.compile(s.literal(R"({"a": [1, "\u00e9"]})"), true), "{\"a\":[1,\"\u00e9\"]}"));
}

TEST_CASE("any JSON, and what a schema allows of it") {
  Spec s;
  const auto any = s.kind(SpecKind::kJson);
  const ConstraintPtr c = s.compile(any);
  std::string deep;
  for (int depth = 1; depth <= 100; ++depth) {
    deep = depth % 2 == 0 ? "{\"k\":" + deep + "}" : "[" + (deep.empty() ? "" : deep) + "]";
    CHECK_MESSAGE(accepts(*c, deep), depth);
  }
  for (const char* good : {"null", "-1.5e3", "\"x\\n\"", "[]", "{}", "[1,{\"a\":[]}]"})
    CHECK_MESSAGE(accepts(*c, good), good);
  for (const char* bad : {"", "nul", "[1,]", "{\"a\"}", "x"}) CHECK_MESSAGE(!accepts(*c, bad), bad);

  const auto pair = s.kind(SpecKind::kJson);
  s.spec.nodes[pair].pattern = R"({"$ref":"#/$defs/p","$defs":{"p":{"prefixItems":[{"enum":["a"]},{"$ref":"#/$defs/q"}],
      "type":"array","items":false,"minItems":2},"q":{"type":"object","properties":{"p":{"$ref":"#/$defs/p"}},
      "additionalProperties":false}}})";
  for (const auto& [type, around] :
       {std::pair(pair, "%"), {s.list(pair), "[%,%]"}, {s.record({{"x", pair, false}}), "{\"x\":%}"}}) {
    const auto put = [&](std::string_view value) {
      std::string out;
      for (const char* at = around; *at != '\0'; ++at) *at == '%' ? out += value : out += *at;
      return out;
    };
    const ConstraintPtr made = s.compile(type);
    for (const char* good : {R"(["a",{}])", R"(["a",{"p":["a",{}]}])"}) CHECK_MESSAGE(accepts(*made, put(good)), good);
    for (const char* bad : {R"(["b",{}])", R"(["a"])", R"(["a",{"p":[]}])", "{}"})
      CHECK_MESSAGE(!accepts(*made, put(bad)), bad);
  }
  // Beside bare text.
  const ConstraintPtr mixed = s.compile(s.one_of({s.string(0, 3), pair, s.integer(100, 200), s.literal("\"[none]\"")}));
  for (const char* good : {"", "abc", R"(["a",{}])", "150", "[none]"}) CHECK_MESSAGE(accepts(*mixed, good), good);
  for (const char* bad : {"abcd", R"(["b",{}])", "99.5", "1500"}) CHECK_MESSAGE(!accepts(*mixed, bad), bad);

  const auto wrong = s.kind(SpecKind::kJson);
  s.spec.nodes[wrong].pattern = R"({"properties":{"a":{"$dynamicRef":"#b"}}})";
  CHECK(has(s.error(wrong), "JSON Schema at /properties/a/$dynamicRef"));
  const auto nothing = s.kind(SpecKind::kJson);
  s.spec.nodes[nothing].pattern = R"({"type":"string","enum":[1]})";
  CHECK(has(s.error(nothing), "value: "));
}

TEST_CASE("types that contain themselves") {
  Spec s;
  const auto tree = s.kind(SpecKind::kNull);
  const auto children = s.list(tree, 0, 2);
  const auto value = s.integer(0, 9);
  s.spec.nodes[tree].kind = SpecKind::kRecord;
  s.spec.nodes[tree].fields = {{"v", value, false}, {"c", children, false}};
  const auto check = [&](std::uint32_t type, std::vector<std::string> good, std::vector<std::string> bad) {
    const ConstraintPtr c = s.compile(type);
    for (const std::string& text : good) CHECK_MESSAGE(accepts(*c, text), text);
    for (const std::string& text : bad) CHECK_MESSAGE(!accepts(*c, text), text);
    CHECK_FALSE(max_length(*c).has_value());
  };
  const std::string leaf = R"({"v":1,"c":[]})";
  const std::string two = R"({"v":2,"c":[)" + leaf + "," + leaf + "]}";
  check(tree, {leaf, two, R"({"v":3,"c":[)" + two + "]}"},
        {"{}", R"({"v":1})", R"({"v":10,"c":[]})", R"({"v":1,"c":[{}]})",
         R"({"v":2,"c":[)" + leaf + "," + leaf + "," + leaf + "]}"});
  check(s.one_of({tree, s.kind(SpecKind::kNull)}), {"null", two}, {"", "nul"});
  check(s.one_of({tree, s.literal("\"leaf\""), s.integer(1, 5)}), {"leaf", "3", two}, {"\"leaf\"", "6"});
  CHECK(min_length(*s.compile(tree)) == leaf.size());

  // A union that is in its own lists.
  const auto data = s.kind(SpecKind::kNull);
  const auto inner = s.list(data);
  s.spec.nodes[data].kind = SpecKind::kUnion;
  s.spec.nodes[data].children = {s.kind(SpecKind::kBool), inner};
  check(data, {"true", "[]", "[true,[false,[]]]"}, {"[1]", "[true,]"});

  // Without end, and with something wrong inside.
  const auto endless = s.kind(SpecKind::kNull);
  s.spec.nodes[endless].kind = SpecKind::kRecord;
  s.spec.nodes[endless].fields = {{"next", endless, false}};
  CHECK(has(s.error(endless), "no value satisfies"));
  s.spec.nodes[endless].fields = {{"next", endless, true}, {"n", s.integer(2, 1), true}};
  CHECK(has(s.error(endless), "field 'n': no integer"));
}

TEST_CASE("types that cannot be compiled say why") {
  Spec s;
  CHECK(has(s.error(s.one_of({})), "a union without members"));
  CHECK(has(s.error(s.literal("nope")), "not JSON"));
  CHECK(has(s.error(s.list(s.integer(), 3, 2)), "at least more"));
  CHECK(has(s.error(s.record({{"x", s.integer(2, 1), false}})), "field 'x': no integer"));
  CHECK(has(s.error(s.record({{"x", s.integer(), false}, {"x", s.integer(), false}})), "two fields are called 'x'"));
  CHECK(has(s.error(77), "not there"));
  Spec deep;
  auto at = deep.integer();
  for (int i = 0; i < 500; ++i) at = deep.list(at);
  CHECK(has(deep.error(at), "nested"));
  CHECK(has(s.error(s.literal(std::string(100'000, '['))), "nested"));
  Spec large;
  CHECK(has(large.error(large.list(large.integer(), 1'000'000'000, -1)), "automaton states"));
  CHECK(large.compile(large.string(0, 1'000'000'000)) != nullptr);
  std::vector<std::uint32_t> members;
  for (int i = 0; i < 100'000; ++i) members.push_back(large.literal("\"member number " + std::to_string(i) + "\""));
  Limits limits;
  CHECK(large.compile(large.one_of(members)) != nullptr);
  limits.max_states = 50'000;
  CHECK(has(large.error(large.one_of(members), false, limits), "automaton states"));
  CHECK_FALSE(compile_choice({}).ok());
  CHECK(accepts(**compile_choice({"a", "ab", ""}), "ab"));
  CHECK(accepts(**compile_choice({"a", "ab", ""}), ""));
  CHECK_FALSE(accepts(**compile_choice({"a", "ab"}), "abc"));
}
