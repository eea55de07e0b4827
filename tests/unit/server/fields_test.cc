// Reading JSON members, and bodies.
#include "server/api/fields.h"

#include <doctest/doctest.h>

#include "runtime/constraint/json_schema.h"

using namespace sgl::server;

TEST_CASE("types, ranges, pointers, unknown members") {
  const auto pointer = [](const Json& object, auto&& read) {
    Fields fields(object, "/x");
    read(fields);
    fields.finish();
    return fields.error() ? fields.error()->pointer : std::string();
  };
  CHECK(pointer({{"a", 1}}, [](Fields& f) { CHECK(f.integer("a") == 1); }) == "");
  CHECK(pointer({{"a", 1.0}}, [](Fields& f) { CHECK(f.integer("a") == 1); }) == "");
  CHECK(pointer({{"a", 1.5}}, [](Fields& f) { f.integer("a"); }) == "/x/a");
  CHECK(pointer({{"a", 11}}, [](Fields& f) { f.integer("a", 0, 10); }) == "/x/a");
  CHECK(pointer({{"a", "1"}}, [](Fields& f) { f.number("a"); }) == "/x/a");
  CHECK(pointer({{"a", nullptr}}, [](Fields& f) { CHECK_FALSE(f.text("a")); }) == "");
  CHECK(pointer({{"temprature", 1}}, [](Fields& f) { f.number("temperature"); }) == "/x/temprature");
  CHECK(pointer({{"a", {"x", 1}}}, [](Fields& f) { f.texts("a"); }) == "/x/a");
  const Json slip = {{"temprature", 1}};
  Fields hint(slip);
  hint.number("temperature");
  hint.finish();
  CHECK(hint.error()->message.find("did you mean 'temperature'") != std::string::npos);
}

TEST_CASE("bodies: depth, duplicates, the place of a mistake") {
  Json out;
  CHECK_FALSE(parse_body(R"({"a":[1,{"b":2}]})", out));
  for (const char* bad : {"", "[]", "{", "{\"a\":1,}", "{\"a\":1}x", "\xff", "{\"a\":\"\xff\"}", R"({"a":1,"a":2})",
                          R"({"x":{"a":1,"a":2}})"}) {
    CAPTURE(bad);
    const auto error = parse_body(bad, out);
    REQUIRE(error);
    CHECK(error->status == 400);
  }
  CHECK(parse_body("{\"a\" 1}", out)->message.find("near byte") != std::string::npos);
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) deep += '[';
  CHECK(parse_body(deep, out));
  CHECK_FALSE(parse_body(R"({"a":{"k":1},"b":{"k":2}})", out));
  CHECK(parse_body(R"({"a":[[]]})", out, 3) == std::nullopt);
  CHECK(parse_body(R"({"a":[[[]]]})", out, 3)->message.find("more than 3 levels") != std::string::npos);
}

TEST_CASE("what is read is what the library reads") {
  for (const char* text : {"null", "-7", "18446744073709551615", "1.5e3", "\"\\u00e9 \\ud83d\\ude00\"", "[]", "{}",
                           "[1,[2,{\"a\":[3]}],{}]", R"({"b":1,"a":{"c":[true,false,null]},"":{"b":"x"}})"}) {
    CAPTURE(text);
    Json out;
    CHECK_FALSE(parse_json(text, out));
    CHECK(out.dump() == Json::parse(text).dump());
  }
  const Json odd = {{"type", 1}, {"name", "x"}};
  CHECK(text_member(odd, "type", "y").empty());
  CHECK(text_member(odd, "name") == "x");
  CHECK(text_member(odd, "other", "y") == "y");
}

TEST_CASE("schemas in bodies keep their numbers") {
  const std::string text = R"({"response_format": {"type": "json_schema", "json_schema": {"name": "schema",
    "schema": {"const": 123456789012345678901234567890}}}, "sampling_params": [{}, {"json_schema": {"const": 0.10}}]})";
  Json body;
  REQUIRE_FALSE(parse_body(text, body));
  const Fields fields(body, "", text);
  const std::string schema = sgl::base::json_compact(fields.source({"response_format", "json_schema", "schema"}));
  CHECK(schema == R"({"const":123456789012345678901234567890})");
  const auto made = sgl::constraint::compile_json_schema(schema);
  REQUIRE(made.ok());
  CHECK(sgl::constraint::accepts(*made.constraint, "123456789012345678901234567890"));
  CHECK_FALSE(sgl::constraint::accepts(*made.constraint, "123456789012345680000000000000"));
  const auto items = sgl::base::json_items(fields.source({"sampling_params"}));
  REQUIRE(items.size() == 2);
  const Fields inner(body["sampling_params"][1], "/sampling_params/1", items[1]);
  CHECK(inner.source({"json_schema"}) == R"({"const": 0.10})");
  CHECK(inner.source({"regex"}).empty());
}

TEST_CASE("one shape of errors for each dialect") {
  const ApiError error{400, "no", "/messages/0/content"};
  CHECK(error_json(error, Dialect::kOpenAi)["error"]["param"] == "messages[0].content");
  CHECK(error_json(error, Dialect::kOpenAi)["error"]["type"] == "invalid_request_error");
  CHECK(error_json(error, Dialect::kNative)["error"]["code"] == 400);
  CHECK(error_json(error, Dialect::kPlain)["error"]["pointer"] == "/messages/0/content");
}
