// Chats as requests bring them.
#include "server/api/chat.h"

#include <doctest/doctest.h>

#include "runtime/constraint/json_schema.h"

using namespace sgl::server;

TEST_CASE("schemas of tools reach the constraint as they are written") {
  const auto schema_of = [](const std::string& tools) {
    const std::string text = R"({"messages": [{"role": "user", "content": "\"tools\":[]"}], "tools": )" + tools + "}";
    Json body;
    REQUIRE_FALSE(parse_body(text, body));
    Fields fields(body, "", text);
    const Chat chat = read_chat(fields);
    REQUIRE_MESSAGE(fields.ok(), fields.error()->message);
    return tool_call_schema(chat);
  };
  const std::string exact = schema_of(R"([{"type": "function", "function": {"name": "f", "p\u0061rameters":
    {"properties": {"n": {"const": 123456789012345678901234567890}}, "required": ["n"]}}}])");
  CHECK(exact == R"({"type":"object","properties":{"name":{"const":"f"},"arguments":{"properties":{"n":)"
                 R"({"const":123456789012345678901234567890}},"required":["n"],"type":"object"}},)"
                 R"("required":["name","arguments"],"additionalProperties":false})");
  const auto made = sgl::constraint::compile_json_schema(exact);
  REQUIRE_MESSAGE(made.ok(), made.message);
  CHECK(accepts(*made.constraint, R"({"name":"f","arguments":{"n":123456789012345678901234567890}})"));
  CHECK_FALSE(accepts(*made.constraint, R"({"name":"f","arguments":{"n":123456789012345680000000000000}})"));
  // Without parameters, with none, with a type of their own.
  const std::string three = schema_of(R"([{"type":"function","function":{"name":"a"}}, {"function":{"parameters":{ },
    "name":"b"},"type":"function"}, {"type":"function","function":{"name":"c","parameters":{"type": "object"}}}])");
  const Json read = Json::parse(three);
  REQUIRE(read["anyOf"].size() == 3);
  for (const Json& one : read["anyOf"]) CHECK(one["properties"]["arguments"] == Json{{"type", "object"}});
}
