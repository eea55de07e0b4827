// Operations on values, as tables: built-in functions, formats, indices.
#include "runtime/exec/ops.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

using plan::Builtin;

struct Call {
  Builtin builtin;
  const char* args;    // JSON list
  const char* result;  // JSON, or "!" and a part of the message
};

const Call kCalls[] = {
    {Builtin::kUpper, R"(["aé z"])", R"("Aé Z")"},
    {Builtin::kLower, R"(["ÀBc"])", R"("Àbc")"},
    {Builtin::kUpper, "[3]", "!upper expects a string, found int"},
    {Builtin::kTrim, R"([" \t x y\n"])", R"("x y")"},
    {Builtin::kTrim, R"(["  "])", R"("")"},
    {Builtin::kSplit, R"(["a,b,,c", ","])", R"(["a","b","","c"])"},
    {Builtin::kSplit, R"(["", ","])", R"([""])"},
    {Builtin::kSplit, R"(["abab", "ab"])", R"(["","",""])"},
    {Builtin::kSplit, R"(["x", ""])", "!separator"},
    {Builtin::kJoin, R"([["a", "b"], "-"])", R"("a-b")"},
    {Builtin::kJoin, R"([[], "-"])", R"("")"},
    {Builtin::kJoin, R"([["a", 1], "-"])", "!join expects a string, found int"},
    {Builtin::kReplace, R"(["aaa", "aa", "b"])", R"("ba")"},
    {Builtin::kReplace, R"(["abc", "x", "y"])", R"("abc")"},
    {Builtin::kReplace, R"(["abc", "", "y"])", "!not empty"},
    {Builtin::kContains, R"(["house", "us"])", "true"},
    {Builtin::kContains, R"(["house", ""])", "true"},
    {Builtin::kContains, R"(["house", "x"])", "false"},
    {Builtin::kStartsWith, R"(["house", "ho"])", "true"},
    {Builtin::kStartsWith, R"(["ho", "house"])", "false"},
    {Builtin::kEndsWith, R"(["house", "se"])", "true"},
    {Builtin::kFind, R"(["häuser", "u"])", "2"},
    {Builtin::kFind, R"(["abc", "d"])", "-1"},
    {Builtin::kFind, R"(["abc", ""])", "0"},
    {Builtin::kRepeat, R"(["ab", 3])", R"("ababab")"},
    {Builtin::kRepeat, R"(["ab", -1])", R"("")"},
    {Builtin::kRepeat, R"(["ab", 1000000000000])", "!memory"},
    {Builtin::kLines, R"(["a\r\nb\n\nc"])", R"(["a","b","","c"])"},
    {Builtin::kLines, R"([""])", "[]"},
    {Builtin::kLines, R"(["a\n"])", R"(["a"])"},
    {Builtin::kChars, R"(["aé€😀"])", R"(["a","é","€","😀"])"},
    {Builtin::kParseInt, R"([" 12 "])", "12"},
    {Builtin::kParseInt, R"(["+12"])", "12"},
    {Builtin::kParseInt, R"(["-12"])", "-12"},
    {Builtin::kParseInt, R"(["+-12"])", "null"},
    {Builtin::kParseInt, R"(["12x"])", "null"},
    {Builtin::kParseInt, R"(["1.0"])", "null"},
    {Builtin::kParseInt, R"([""])", "null"},
    {Builtin::kParseInt, R"(["9223372036854775807"])", "9223372036854775807"},
    {Builtin::kParseInt, R"(["9223372036854775808"])", "null"},
    {Builtin::kParseFloat, R"(["1e3"])", "1000.0"},
    {Builtin::kParseFloat, R"([" -0.25 "])", "-0.25"},
    {Builtin::kParseFloat, R"(["7"])", "7.0"},
    {Builtin::kParseFloat, R"(["seven"])", "null"},
    {Builtin::kParseFloat, R"(["1e999"])", "null"},
    {Builtin::kRound, "[2.5]", "3"},
    {Builtin::kRound, "[-2.5]", "-3"},
    {Builtin::kRound, "[2.4]", "2"},
    {Builtin::kRound, "[1e300]", "!does not fit"},
    {Builtin::kRoundTo, "[1.005, 2]", "1.0"},
    {Builtin::kRoundTo, "[2.675, 1]", "2.7"},
    {Builtin::kRoundTo, "[2.5, 16]", "!0 to 15"},
    {Builtin::kFloor, "[-1.5]", "-2"},
    {Builtin::kCeil, "[-1.5]", "-1"},
    {Builtin::kCeil, "[1.2]", "2"},
    {Builtin::kTruncate, "[-1.5]", "-1"},
    {Builtin::kAbs, "[-3]", "3"},
    {Builtin::kAbs, "[-2.5]", "2.5"},
    {Builtin::kMin, "[3, 1, 2]", "1"},
    {Builtin::kMin, "[[3, 1, 2]]", "1"},
    {Builtin::kMin, "[[]]", "!empty"},
    {Builtin::kMax, R"(["a", "b"])", R"("b")"},
    {Builtin::kMax, R"([["é", "z"]])", R"("é")"},
    {Builtin::kMax, R"([1, "b"])", "!cannot order"},
    {Builtin::kSum, "[[]]", "0"},
    {Builtin::kSum, "[[1, 2, -5]]", "-2"},
    {Builtin::kSum, "[[0.5, 0.25]]", "0.75"},
    {Builtin::kSum, "[[9223372036854775807, 1]]", "!overflow"},
    {Builtin::kRange, "[3]", "[0,1,2]"},
    {Builtin::kRange, "[2, 5]", "[2,3,4]"},
    {Builtin::kRange, "[5, 2]", "[]"},
    {Builtin::kRange, "[-9223372036854775807, 9223372036854775807]", "!memory"},
    {Builtin::kSorted, R"([["b", "a", "c"]])", R"(["a","b","c"])"},
    {Builtin::kSorted, "[[2, 1, 2]]", "[1,2,2]"},
    {Builtin::kSorted, R"([[2, "a"]])", "!cannot order"},
    {Builtin::kReversed, "[[1, 2, 3]]", "[3,2,1]"},
    {Builtin::kIndexOf, "[[1, 2, 2], 2]", "1"},
    {Builtin::kIndexOf, "[[[1], [2]], [2]]", "1"},
    {Builtin::kIndexOf, "[[], 2]", "-1"},
    {Builtin::kListContains, "[[1, 2], 2]", "true"},
    {Builtin::kListContains, "[[1, 2], 3]", "false"},
    {Builtin::kListConcat, "[[1], [2, 3]]", "[1,2,3]"},
    {Builtin::kListConcat, R"([[1], "x"])", "!expects a list"},
    {Builtin::kToJson, R"(["a\"b\n"])", R"("\"a\\\"b\\n\"")"},
    {Builtin::kToJson, "[[1, 2.0, null, true]]", R"("[1,2.0,null,true]")"},
    {Builtin::kFirst, "[[7, 8]]", "7"},
    {Builtin::kLast, "[[7, 8]]", "8"},
    {Builtin::kFirst, "[[]]", "null"},
    {Builtin::kLast, "[[]]", "null"},
    {Builtin::kSqrt, "[2.25]", "1.5"},
    {Builtin::kPow, "[2.0, 10.0]", "1024.0"},
    {Builtin::kJsonGet, "[[5, 6], 1]", "6"},
    {Builtin::kJsonGet, "[7, \"a\"]", "null"},
    {Builtin::kJsonGet, "[[5], 1.5]", "!expects a"},
    {Builtin::kJsonItems, "[[5, \"a\"]]", "[5,\"a\"]"},
    {Builtin::kJsonItems, "[3]", "[]"},
    {Builtin::kJsonKeys, "[[3]]", "[]"},
};

TEST_CASE("built-in functions") {
  std::vector<bool> seen(plan::kBuiltins.size(), false);
  for (const Call& call : kCalls) {
    Machinery m;
    const std::string name(plan::kBuiltins[static_cast<std::size_t>(call.builtin)].name);
    CAPTURE(name);
    const std::string given = call.args;
    CAPTURE(given);
    seen[static_cast<std::size_t>(call.builtin)] = true;
    const Value list = value_of(Json::parse(call.args));
    std::vector<const Value*> args;
    for (const Value& item : list.items()) args.push_back(&item);
    Value out;
    const bool ok = call_builtin(m.machine, call.builtin, args, out);
    const std::string wanted = call.result;
    if (wanted.starts_with('!')) {
      CHECK_FALSE(ok);
      CHECK_MESSAGE(m.machine.error_message.find(wanted.substr(1)) != std::string::npos, m.machine.error_message);
    } else {
      CHECK_MESSAGE(ok, m.machine.error_message);
      CHECK(m.text(out) == wanted);
    }
  }
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK_MESSAGE(seen[i], std::string(plan::kBuiltins[i].name));
}

TEST_CASE("no text is an infinite float") {
  for (const char* const text : {"inf", "-inf", "+INF", "infinity", "nan", "NaN(1)", "-nan"}) {
    CAPTURE(text);
    Machinery m;
    const Value given = Value::string(text);
    const Value* const args[] = {&given};
    Value out;
    REQUIRE(call_builtin(m.machine, Builtin::kParseFloat, args, out));
    CHECK(out.is_null());  // JSON of an infinite float is null, too
  }
}

TEST_CASE("the least int has no absolute value") {
  Machinery m;
  const Value least = Value::integer(std::numeric_limits<std::int64_t>::min());
  const Value* const args[] = {&least};
  Value out;
  CHECK_FALSE(call_builtin(m.machine, Builtin::kAbs, args, out));
  CHECK(m.machine.error_message.find("overflow") != std::string::npos);
}

TEST_CASE("built-in functions cost fuel for large arguments") {
  Machinery m;
  const Value text = Value::string(std::string(64'000, 'a'));
  const Value* const args[] = {&text};
  Value out;
  const std::int64_t before = m.machine.fuel;
  REQUIRE(call_builtin(m.machine, Builtin::kUpper, args, out));
  CHECK(before - m.machine.fuel >= 64'000 / kBytesPerFuel);
  m.machine.fuel = 10;
  CHECK_FALSE(call_builtin(m.machine, Builtin::kUpper, args, out));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
}

TEST_CASE("searching is linear and paid for; so is comparing long texts") {
  Machinery m;
  constexpr std::size_t kLong = 4'000'000;
  // A search that tries every place and compares half of the text there would take minutes.
  const Value text = Value::string(std::string(kLong, 'a')), part = Value::string(std::string(kLong / 2, 'a') + "b");
  const Value same = Value::string(std::string(kLong, 'a')), none = Value::string("");
  const auto costs = [&](const auto& body) {
    set_fuel(m.machine, 1'000'000);
    REQUIRE(body());
    return 1'000'000 - fuel_left(m.machine);
  };
  const auto built_in = [&](Builtin builtin, const Value& a, const Value& b) {
    return [&m, builtin, &a, &b, &none] {
      const Value* const args[] = {&a, &b, &none};
      Value out;
      return call_builtin(m.machine, builtin, args, out);
    };
  };
  constexpr std::int64_t kCost = kLong / kBytesPerFuel;
  for (const Builtin builtin : {Builtin::kContains, Builtin::kFind, Builtin::kSplit, Builtin::kReplace}) {
    CHECK(costs(built_in(builtin, text, part)) >= kCost);
  }
  CHECK(costs(built_in(Builtin::kStartsWith, text, same)) >= kCost);
  bool equal = false;
  CHECK(costs([&] { return equal_values(m.machine, text, same, equal); }) >= kCost);
  CHECK(equal);
  set_fuel(m.machine, kCost / 2);
  CHECK_FALSE(equal_values(m.machine, text, same, equal));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
  set_fuel(m.machine, 10);
  CHECK_FALSE(built_in(Builtin::kContains, text, part)());
}

struct Format {
  const char* value;
  const char* spec;
  const char* text;  // "!": refused
};

const Format kFormats[] = {
    {"3.14159", ".2f", "3.14"},
    {"2", ".2f", "2.00"},
    {"42", "05d", "00042"},
    {"42", ">5", "   42"},
    {"42", "<5", "42   "},
    {"42", "^6", "  42  "},
    {"42", "*>5", "***42"},
    {"42", "+d", "+42"},
    {"-42", "06d", "-00042"},
    {"\"ab\"", "<5", "ab   "},
    {"\"ab\"", ">5", "   ab"},
    {"\"ab\"", "^6", "  ab  "},
    {"\"é\"", ">3", "  é"},
    {"\"abc\"", ".2", "ab"},
    {"\"ab\"", "s", "ab"},
    {"0.256", ".1%", "25.6%"},
    {"1", ".0%", "100%"},
    {"255", "x", "ff"},
    {"5", "b", "101"},
    {"8", "o", "10"},
    {"12345.678", ".1e", "1.2e+04"},
    {"0.5", "g", "0.5"},
    {"1234567", ",", "!"},
    {"1.5", "+.1f", "+1.5"},
    {"true", ">6", "  true"},
    {"false", "", "false"},
    {"42", "", "42"},
    {"2.0", "", "2.0"},
    {"1e21", "", "1e+21"},
    {"\"plain\"", "", "plain"},
    {"null", "", "null"},
    {"[1, \"a\"]", "", "[1,\"a\"]"},
    {"\"x\"", "d", "!"},
    {"1.5", "d", "!"},
    {"1", "z", "!"},
    {"[1]", ">5", "!"},
    {"1", "{}", "!"},
    {"1", ">5}{0", "!"},
    {"3.0", ">6", "   3.0"},
    {"3.0", "6", "   3.0"},
    {"0.5", "8.1%", "   50.0%"},
    {"0.5", "<8.1%", "50.0%   "},
    {"0.5", "08.1%", "00050.0%"},
    {"10.0", ".2", "1e+01"},
    {"12.0", ".3", "12.0"},
    {"1234.5", ".2", "1.2e+03"},
    {"1e16", ">8", "   1e+16"},
    {"100000.0", ">10", "  100000.0"},
    {"255", "#08x", "0x0000ff"},
    {"-5", "=6", "-    5"},
    {"-5", "*=6", "-****5"},
    {"42", "<05", "42000"},
    {"233", "c", "é"},
    {"233", ">3c", "  é"},
    {"-1.5", "08.2f", "-0001.50"},
    {"5", "+04", "+005"},
    {R"("日本")", ">5", "   日本"},
    {R"("日本")", "^5", " 日本  "},
    {R"("ab")", "05", "ab000"},
    {R"("ab")", "é>4", "ééab"},
    {R"("日本語")", ".2", "日本"},
    {"55296", "c", "!"},
    {"-1", "c", "!"},
    {"1", ".2d", "!"},
    {R"("x")", "=5", "!"},
    {R"("x")", "+5", "!"},
    // A width like this would fill memory.
    {"1", ">99999999999999999999", "!"},
};

TEST_CASE("formats") {
  for (const Format& row : kFormats) {
    Machinery m;
    const std::string given = std::string(row.value) + " as " + row.spec;
    CAPTURE(given);
    const Value value = value_of(Json::parse(row.value));
    Value out;
    const bool ok = format_value(m.machine, value, row.spec, out);
    if (std::string_view(row.text) == "!") {
      CHECK_FALSE(ok);
      CHECK(m.machine.error_kind == base::ErrorKind::kFailed);
    } else {
      CHECK_MESSAGE(ok, m.machine.error_message);
      if (ok) CHECK(out.as_string() == row.text);
    }
  }
}

TEST_CASE("a format's width stays within the heap") {
  Machinery m;
  m.machine.heap.limit = 1000;
  Value out;
  CHECK_FALSE(format_value(m.machine, Value::integer(1), ">100000", out));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
}

TEST_CASE("JSON of values") {
  Machinery m;
  CHECK(m.text(Value::real(std::numeric_limits<double>::infinity())) == "null");
  CHECK(m.text(Value::real(0.1)) == "0.1");
  CHECK(m.text(Value::real(-0.0)) == "-0.0");
  CHECK(m.text(Value::real(1e100)) == "1e+100");
  CHECK(m.text(Value::string(std::string("\x01\t\\é", 5))) == R"("\u0001\t\\é")");
  const Value full[] = {Value::integer(1), Value::string("n")};
  CHECK(m.text(Value::record(plan::TypeId(6), full)) == R"({"x":1,"y":"n"})");
  const Value partial[] = {Value::integer(1), Value()};
  CHECK(m.text(Value::record(plan::TypeId(6), partial)) == R"({"x":1})");
}

TEST_CASE("indices, slices and lengths count characters") {
  Machinery m;
  const Value text = Value::string("aé€😀");
  const Value list = value_of(Json::parse("[10, 20, 30]"));
  std::int64_t length = 0;
  REQUIRE(length_of(m.machine, text, length));
  CHECK(length == 4);
  Value out;
  REQUIRE(index_value(m.machine, text, -1, out));
  CHECK(out.as_string() == "😀");
  REQUIRE(index_value(m.machine, text, 1, out));
  CHECK(out.as_string() == "é");
  REQUIRE(index_value(m.machine, list, -3, out));
  CHECK(out.as_int() == 10);
  for (const std::int64_t outside : {std::int64_t{3}, std::int64_t{-4}, std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max()}) {
    m.forget();
    CHECK_FALSE(index_value(m.machine, list, outside, out));
    CHECK(m.machine.error_message.find("outside a list of 3") != std::string::npos);
  }
  REQUIRE(slice_value(m.machine, text, 1, 3, out));
  CHECK(out.as_string() == "é€");
  REQUIRE(slice_value(m.machine, list, -2, 100, out));
  CHECK(m.text(out) == "[20,30]");
  REQUIRE(slice_value(m.machine, list, 2, 1, out));
  CHECK(m.text(out) == "[]");
  REQUIRE(slice_value(m.machine, text, std::numeric_limits<std::int64_t>::min(),
                      std::numeric_limits<std::int64_t>::max(), out));
  CHECK(out.as_string() == "aé€😀");
  m.forget();
  CHECK_FALSE(length_of(m.machine, Value::integer(3), length));
  CHECK(m.machine.error_message.find("has no length") != std::string::npos);
}

TEST_CASE("concatenation takes strings only") {
  Machinery m;
  const Value a = Value::string("x"), b = Value::string(""), c = Value::integer(1);
  const Value* const good[] = {&a, &b, &a};
  Value out;
  REQUIRE(concat_strings(m.machine, good, out));
  CHECK(out.as_string() == "xx");
  const Value* const bad[] = {&a, &c};
  CHECK_FALSE(concat_strings(m.machine, bad, out));
}

}  // namespace
}  // namespace sgl::exec::test
