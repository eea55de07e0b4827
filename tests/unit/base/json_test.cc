// JSON is read as the library's own parser reads it, but for the time.
#include "runtime/base/json.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using sgl::base::json_compact;
using sgl::base::json_items;
using sgl::base::json_slice;
using sgl::base::JsonRules;
using sgl::base::parse_json;
using Json = nlohmann::ordered_json;

// An object of `count` members; every `period`-th has the name of an earlier one.
std::string object_of(int count, int period) {
  std::string out = "{";
  for (int i = 0; i < count; ++i) {
    const int name = period > 0 && i % period == period - 1 ? i / 2 : i;
    // Names in no order, so that their order is not the members'.
    out += (i == 0 ? "\"" : ",\"") + std::to_string(name * 7919 % 10007) + "\":[" + std::to_string(i) + "]";
  }
  return out + "}";
}

}  // namespace

TEST_CASE("what is read is what the library reads, repeated keys included") {
  const std::string texts[] = {"null",
                               "-7",
                               "18446744073709551615",
                               "18446744073709551616",
                               "1.5e3",
                               " \"\\u00e9 \\ud83d\\ude00\" ",
                               "[]",
                               "{}",
                               "[1,[2,{\"a\":[3]}],{}]",
                               R"({"b":1,"a":{"c":[true,false,null]},"":{"b":"x"}})",
                               R"({"a":1,"b":2,"a":3})",
                               R"({"a":{"x":1},"b":2,"a":{"y":1},"a":{"y":[2],"y":3}})",
                               object_of(16, 0),
                               object_of(17, 17),
                               object_of(18, 3),
                               object_of(3000, 0),
                               object_of(3000, 4),
                               "[" + object_of(40, 5) + "," + object_of(40, 7) + ",{\"in\":" + object_of(40, 3) + "}]"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    Json out;
    CHECK_FALSE(parse_json(text, out));
    CHECK(out.dump() == Json::parse(text).dump());
  }
}

TEST_CASE("large values in front of others, and deep objects, are as they were") {
  std::string large = "[0";
  for (int i = 0; i < 1000; ++i) large += ",0";
  large += "]";
  for (int i = 0; i < 50; ++i) {
    large = "{\"a\":" + large;
    for (int k = 0; k < 20; ++k) large += ",\"k" + std::to_string(k) + "\":0";
    large += "}";
  }
  Json read;
  REQUIRE_FALSE(parse_json(large, read));
  CHECK(read.dump() == large);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  deep += "1";
  for (int i = 0; i < 100'000; ++i) deep += ",\"b\":1}";
  REQUIRE_FALSE(parse_json(deep, read));
  CHECK(read.size() == 2);
  REQUIRE(parse_json(deep.substr(0, deep.size() / 2), read));
}

TEST_CASE("what the library does not read is not read") {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":1}x", "\xff", "\"\xff\"", "1e999",
                           "nul", "'a'", "{\"a\":1 /* no */}", "[1"}) {
    CAPTURE(text);
    Json out;
    const auto mistake = parse_json(text, out);
    REQUIRE(mistake);
    CHECK(mistake->why.empty());
    CHECK(Json::parse(text, nullptr, false).is_discarded());
  }
  Json out;
  CHECK(parse_json("{\"a\" 1}", out)->position > 0);
}

TEST_CASE("rules: depth, and keys that are repeated") {
  JsonRules rules;
  rules.max_depth = 3;
  Json out;
  CHECK_FALSE(parse_json("[[[1]],{\"a\":[2]}]", out, rules));
  CHECK(parse_json("[[{\"a\":[]}]]", out, rules)->why == "the JSON is nested more than 3 levels deep");
  // Without a rule as deep as the text is long: neither reading nor releasing takes stack.
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  CHECK_FALSE(parse_json(deep, out));
  CHECK(out.is_array());
  rules.refuse_repeated_keys = true;
  CHECK_FALSE(parse_json(R"({"a":{"k":1},"b":{"k":2}})", out, rules));
  CHECK(parse_json(R"({"a":1,"a":2})", out, rules)->why == "the key 'a' occurs twice in one object");
  CHECK_FALSE(parse_json(object_of(3000, 0), out, rules));
  CHECK(out.size() == 3000);
  CHECK(parse_json(object_of(3000, 1000), out, rules)->why.find("occurs twice") != std::string::npos);
}

TEST_CASE("slices: what keys lead to, as it is written") {
  const std::string text =
      "\xEF\xBB\xBF { \"s\" : \"a\\\\\" , \"x\\\"}\" : [ {\"k\":\"]\\\"\"}, 2 ] ,\n\t\"o\":{\"s\" :{ \"n\": "
      "12345678901234567890123 } },"
      "\"\\u00e9\\ud83d\\ude00\":-1.50e+2 , \"\": null,\"l\":{\"o\":{\"s\":true}}}";
  Json read;
  REQUIRE_FALSE(parse_json(text, read));
  CHECK(json_slice(text, {"s"}) == R"("a\\")");  // not the keys and values "s" that are deeper or in strings
  CHECK(json_slice(text, {"x\"}"}) == R"([ {"k":"]\""}, 2 ])");
  CHECK(json_slice(text, {"o", "s"}) == "{ \"n\": 12345678901234567890123 }");
  CHECK(json_slice(text, {"o", "s", "n"}) == "12345678901234567890123");
  CHECK(json_slice(text, {"é😀"}) == "-1.50e+2");
  CHECK(json_slice(text, {""}) == "null");
  CHECK(json_slice(text, {"l", "o", "s"}) == "true");
  CHECK(json_slice(text, {"n"}).empty());
  CHECK(json_slice(text, {"s", "a"}).empty());
  CHECK(json_slice(text, {"x\"}", "k"}).empty());
  CHECK(json_slice(" [1] ", {}) == "[1]");
  CHECK(json_slice(R"({"é":1})", {"é"}) == "1");
  for (const auto& [key, value] : read.items()) CHECK(Json::parse(json_slice(text, {key})) == value);
  const std::string many = object_of(3000, 0);
  CHECK(json_slice(many, {std::to_string(2999 * 7919 % 10007)}) == "[2999]");
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  CHECK(json_slice("{\"a\":" + deep + ",\"b\":1}", {"b"}) == "1");
}

TEST_CASE("slices: items of lists, compact texts") {
  using Items = std::vector<std::string_view>;
  CHECK(json_items(R"( [ 1 ,"a,]" ,[2,[3]], { "b":[4] },null])") ==
        Items{"1", R"("a,]")", "[2,[3]]", R"({ "b":[4] })", "null"});
  CHECK(json_items("[ ]").empty());
  CHECK(json_items("{\"a\":[1]}").empty());
  CHECK(json_items("").empty());
  CHECK(json_compact(" { \"a b\" : [ 1.0 , \"\\u00e9 \\\" \\/\" ] ,\r\n\t\"c\":\"é  \" } ") ==
        R"({"a b":[1.0,"é \" /"],"c":"é  "})");
  CHECK(json_compact("[123456789012345678901234567890, 0.10]") == "[123456789012345678901234567890,0.10]");
  for (const std::string& text : {object_of(40, 0), std::string(R"({"a":[{},[],"",-1,true,null,"\n\u0001\\"]})")}) {
    CHECK(json_compact(Json::parse(text).dump(3)) == Json::parse(text).dump());
  }
}

TEST_CASE("without reasons: the value, or discarded") {
  CHECK(sgl::base::json_or_discarded(R"({"a":[1]})") == Json({{"a", {1}}}));
  for (const char* text : {"", "{", "1 2", "{\"a\":1e400}", "\"\xff\""})
    CHECK(sgl::base::json_or_discarded(text).is_discarded());
}
