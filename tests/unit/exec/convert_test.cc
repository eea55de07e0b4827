// Values from JSON and from generated text, and what is refused with which path.
#include "runtime/exec/convert.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

struct Row {
  std::uint32_t type;
  std::string input;
  std::string result;  // JSON, or "!" and the message's beginning
};

void check_json(const Row& row) {
  Machinery m;
  CAPTURE(row.type);
  CAPTURE(row.input);
  const auto value = value_from_json(m.plan, plan::TypeId(row.type), Json::parse(row.input), "arg");
  if (row.result.starts_with('!')) {
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == base::ErrorKind::kInvalid);
    CHECK_MESSAGE(value.error().message.starts_with(row.result.substr(1)), value.error().message);
  } else {
    REQUIRE_MESSAGE(value.ok(), (value.ok() ? "" : value.error().message));
    CHECK(m.text(*value) == row.result);
  }
}

TEST_CASE("JSON to values, with the path of what is wrong") {
  const Row rows[] = {
      {0, R"("a\u00e9")", R"("aé")"},
      {0, "3", "!arg: expected a string, found an int"},
      {1, "3", "3"},
      {1, "3.0", "!arg: expected an int, found a float"},
      {1, "9223372036854775808", "!arg: the number does not fit"},
      {1, "-9223372036854775808", "-9223372036854775808"},
      {1, "true", "!arg: expected an int, found a bool"},
      {2, "3", "3.0"},
      {2, "2.5", "2.5"},
      {2, "\"2.5\"", "!arg: expected a number, found a string"},
      {3, "true", "true"},
      {3, "1", "!arg: expected a bool"},
      {4, "null", "null"},
      {4, "0", "!arg: expected null"},
      {5, "[1, 2]", "[1,2]"},
      {5, "[]", "!arg: the list has 0 items"},
      {5, "[1, 2, 3, 4]", "!arg: the list has 4 items"},
      {5, "[1, \"x\"]", "!arg[1]: expected an int, found a string"},
      {5, "{}", "!arg: expected a list, found an object"},
      {6, R"({"x": 1})", R"({"x":1})"},
      {6, R"({"y": "n", "x": 1})", R"({"x":1,"y":"n"})"},
      {6, R"({"x": 10})", "!arg.x: 10 is outside 0..9"},
      {6, R"({"y": "n"})", "!arg.x: the field is missing"},
      {6, R"({"x": 1, "z": 2})", "!arg.z: there is no such field"},
      {6, R"({"x": 1, "y": null})", "!arg.y: expected a string, found null"},
      {6, "[]", "!arg: expected an object, found a list"},
      {7, "\"A\"", "\"A\""},
      {7, "3", "3"},
      {7, "null", "null"},
      {7, "\"B\"", "!arg: \"B\" fits none"},
      {7, "3.0", "!arg: 3.0 fits none"},
      {8, R"([{"x": 1}, {"x": 2, "y": 5}])", "!arg[1].y: expected a string, found an int"},
      {9, "\"é😀\"", "\"é😀\""},
      {9, "\"abc\"", "!arg: the string has 3 characters"},
      {10, "\"abc\"", "\"abc\""},
      {10, "\"abd\"", "!arg: the string does not have the form"},
      {10, "\"\"", "!arg: the string does not have the form"},
      {12, R"({"next": {"next": {}}})", R"({"next":{"next":{}}})"},
      {12, R"({"next": {"next": 3}})", "!arg.next.next: expected an object, found an int"},
      {16, R"({"b": [1, 2.0, "x"], "a": {"c": null, "d": true}})", R"({"b":[1,2.0,"x"],"a":{"c":null,"d":true}})"},
      {16, "18446744073709551615", "18446744073709551616.0"},
      {17, R"({"z": [], "a": 9})", R"({"z":[],"a":9})"},
      {17, R"({"a": 10})", "!arg: the JSON Schema of \"a.json\" does not allow"},
      {17, "[]", "!arg: the JSON Schema"},
  };
  for (const Row& row : rows) check_json(row);
}

TEST_CASE("data nested deeper than people write is refused, not followed") {
  std::string text = "{}";
  for (int i = 0; i < 1000; ++i) text = R"({"next":)" + text + "}";
  Machinery m;
  CHECK(value_from_json(m.plan, plan::TypeId(12), Json::parse(text), "arg").ok());
  text = R"({"next":)" + text + "}";
  for (const std::uint32_t type : {12U, 16U, 17U}) {
    const auto value = value_from_json(m.plan, plan::TypeId(type), Json::parse(text), "arg");
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == base::ErrorKind::kLimit);
    CHECK(value.error().message.find("nested more than 1000 deep") != std::string::npos);
  }
}

// `levels` operations inside each other, on the left.
std::string expression(int levels, const std::string& op) {
  std::string text = R"({"value":1})";
  for (int i = 0; i < levels; ++i) text = R"({"left":)" + text + R"(,"right":{"value":2},"op":")" + op + "\"}";
  return text;
}

TEST_CASE("alternatives are told apart before their parts are read") {
  Machinery m;
  const std::string text = expression(900, "mul");
  const auto value = value_from_json(m.plan, plan::TypeId(18), Json::parse(text), "arg");
  REQUIRE(value.ok());
  CHECK(m.text(*value) == text);
  const auto generated = value_from_text(m.plan, plan::TypeId(18), text);
  REQUIRE(generated.ok());
  CHECK(m.text(*generated) == text);
  const Row rows[] = {
      {18, R"({"op": "add", "right": {"value": 1}, "left": {"value": 2}})",
       R"({"left":{"value":2},"right":{"value":1},"op":"add"})"},
      {18, expression(3, "sub"), "!arg: an object fits none"},
      {18, R"({"left": {"value": 1}, "right": {"value": "x"}, "op": "mul"})", "!arg.right: an object fits none"},
      {18, R"({"value": 1, "op": "mul"})", "!arg: an object fits none"},
      {18, R"({"value": 1.0})", "!arg: an object fits none"},
      {18, "[]", "!arg: a list fits none"},
      {28, "[1, [], [null, [2]]]", "[1,[],[null,[2]]]"},
      {28, "[1, [\"x\"]]", "!arg[1]: a list fits none"},
  };
  for (const Row& row : rows) check_json(row);
}

// A record of the optional ints f0, f1, … beside the literal `kind`, as type `id` of a plan.
plan::TypeId add_wide_record(plan::Plan& plan, int fields, const std::string& kind) {
  plan::Type literal, record;
  literal.kind = plan::TypeKind::kLiteral;
  literal.literal.text = kind;
  plan.types.push_back(literal);
  const plan::TypeId literal_id(static_cast<std::uint32_t>(plan.types.size() - 1));
  record.kind = plan::TypeKind::kRecord;
  for (int i = 0; i < fields; ++i) record.fields.push_back({"f" + std::to_string(i), plan::TypeId(1), true, ""});
  record.fields.push_back({"kind", literal_id, false, ""});
  plan.types.push_back(record);
  return plan::TypeId(static_cast<std::uint32_t>(plan.types.size() - 1));
}

TEST_CASE("records of many fields are read in any order of their names") {
  constexpr int kFields = 3000;
  Machinery m;
  const plan::TypeId left = add_wide_record(m.plan, kFields, "left"), right = add_wide_record(m.plan, kFields, "right");
  plan::Type either;
  either.kind = plan::TypeKind::kUnion;
  either.args = {left, right};
  m.plan.types.push_back(either);
  const plan::TypeId both(static_cast<std::uint32_t>(m.plan.types.size() - 1));
  for (const int step : {1, -1, 7, 2}) {  // the last leaves every other field out
    CAPTURE(step);
    std::vector<int> values(kFields, -1);
    Json object = Json::object();
    auto& members = object.get_ref<Json::object_t&>();
    if (step > 0) members.emplace_back("kind", "right");
    const int count = step == 2 ? kFields / 2 : kFields;
    for (int i = 0, at = step < 0 ? kFields - 1 : 0; i < count; ++i, at = (at + step + kFields) % kFields) {
      members.emplace_back("f" + std::to_string(at), i);
      values[static_cast<std::size_t>(at)] = i;
    }
    if (step < 0) members.emplace_back("kind", "right");
    std::string wanted = "{";
    for (int i = 0; i < kFields; ++i) {
      const int value = values[static_cast<std::size_t>(i)];
      if (value >= 0) wanted += "\"f" + std::to_string(i) + "\":" + std::to_string(value) + ",";
    }
    wanted += "\"kind\":\"right\"}";
    for (const plan::TypeId type : {right, both}) {
      const auto value = value_from_json(m.plan, type, object, "arg");
      REQUIRE_MESSAGE(value.ok(), (value.ok() ? "" : value.error().message));
      CHECK(m.text(*value) == wanted);
    }
    members.emplace_back("f" + std::to_string(kFields), 1);
    const auto unknown = value_from_json(m.plan, right, object, "arg");
    REQUIRE_FALSE(unknown.ok());
    CHECK(unknown.error().message == "arg.f3000: there is no such field");
    members.pop_back();
    object["kind"] = "neither";
    CHECK_FALSE(value_from_json(m.plan, both, object, "arg").ok());
    object.erase("kind");
    const auto missing = value_from_json(m.plan, right, object, "arg");
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().message == "arg.kind: the field is missing");
  }
}

TEST_CASE("objects of very many names, and names that a text repeats") {
  Machinery m;
  std::string text = "{", wanted = "{";
  for (int i = 0; i < 100'000; ++i) {
    const std::string member = (i == 0 ? "\"" : ",\"") + std::to_string(i * 7919 % 100'003) + "\":";
    text += member + "0";
    wanted += member + (i == 1 ? "[1]" : "0");
  }
  text += ",\"7919\":2,\"7919\":[1]}";
  const auto value = value_from_text(m.plan, plan::TypeId(16), text);
  REQUIRE(value.ok());
  CHECK(m.text(*value) == wanted + "}");  // the last value counts, in the place of the first
}

TEST_CASE("alternatives that look alike are tried, within limits") {
  Machinery m;
  for (const char* op : {"b", "xyz"}) {
    const auto value = value_from_json(m.plan, plan::TypeId(24), Json::parse(expression(5, op)), "arg");
    REQUIRE(value.ok());
    CHECK(m.text(*value) == expression(5, op));
  }
  const auto value = value_from_json(m.plan, plan::TypeId(24), Json::parse(expression(40, "xyz")), "arg");
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().kind == base::ErrorKind::kLimit);
  CHECK(value.error().message.find("too much alike") != std::string::npos);
}

TEST_CASE("unions do not count as nesting, and a limit inside them is one") {
  Machinery m;
  const auto nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
  };
  CHECK(value_from_json(m.plan, plan::TypeId(28), Json::parse(nested(1000)), "arg").ok());
  for (const bool generated : {false, true}) {
    const auto value = generated ? value_from_text(m.plan, plan::TypeId(28), nested(1100))
                                 : value_from_json(m.plan, plan::TypeId(28), Json::parse(nested(1100)), "arg");
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().kind == base::ErrorKind::kLimit);
  }
}

TEST_CASE("generated text to values") {
  const Row rows[] = {
      {0, "any \"text\"", R"("any \"text\"")"},
      {1, "-12", "-12"},
      {1, "", "!"},
      {1, "12 ", "!"},
      {2, "1e3", "1000.0"},
      {2, "1e999", "!"},
      {13, "9", "9"},
      {13, "10", "!"},
      {13, "-1", "!"},
      {30, "0.5", "0.5"},
      {30, "0", "!"},
      {30, "0.91", "!"},
      {3, "true", "true"},
      {3, "True", "!"},
      {4, "null", "null"},
      {5, "[1,2]", "[1,2]"},
      {5, "[1,", "!"},
      {6, R"({"x":4,"y":"n"})", R"({"x":4,"y":"n"})"},
      {6, R"({"x":4)", "!"},
      {7, "A", "\"A\""},
      {7, "3", "3"},
      {7, "null", "null"},
      {7, "B", "!"},
      {9, "ab", "\"ab\""},
      {9, "abc", "!"},
      {10, "cab", "\"cab\""},
      {10, "xyz", "!"},
      {16, "{\"a\":[1]}", "{\"a\":[1]}"},
      {16, "{\"a\":[1]", "!"},
      {17, "{\"a\":1}", "{\"a\":1}"},
      {17, "1", "!"},
  };
  for (const Row& row : rows) {
    Machinery m;
    CAPTURE(row.type);
    CAPTURE(row.input);
    const auto value = value_from_text(m.plan, plan::TypeId(row.type), row.input);
    if (row.result == "!") {
      REQUIRE_FALSE(value.ok());
      CHECK(value.error().kind == base::ErrorKind::kFailed);
    } else {
      REQUIRE_MESSAGE(value.ok(), (value.ok() ? "" : value.error().message));
      CHECK(m.text(*value) == row.result);
    }
  }
}

TEST_CASE("a long text in a message is cut between characters") {
  Machinery m;
  std::string text = "x";
  for (int i = 0; i < 100; ++i) text += "é";
  const auto value = value_from_text(m.plan, plan::TypeId(1), text);
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().message.find("\xC3…") == std::string::npos);
  CHECK(value.error().message.size() < 200);
}

TEST_CASE("free text") {
  Machinery m;
  CHECK(is_free_text(m.plan.types[0]));
  CHECK_FALSE(is_free_text(m.plan.types[9]));
  CHECK_FALSE(is_free_text(m.plan.types[10]));
  CHECK_FALSE(is_free_text(m.plan.types[1]));
}

}  // namespace
}  // namespace sgl::exec::test
