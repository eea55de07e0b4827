// JSON Schema, keyword by keyword.
#include <algorithm>
#include <chrono>

#include "runtime/constraint/json_schema.h"
#include "tests/unit/constraint/support.h"

namespace {

SchemaResult compile(std::string_view schema, const SchemaOptions& options = {}) {
  return compile_json_schema(schema, options);
}

struct Case {
  std::string schema;
  std::vector<std::string> good, bad;
};

void check_cases(const std::vector<Case>& cases, const SchemaOptions& options = {}) {
  for (const Case& c : cases) {
    const SchemaResult made = compile(c.schema, options);
    CHECK_MESSAGE(made.ok(), c.schema << ": " << made.pointer << ": " << made.message);
    if (!made.ok()) continue;
    for (const std::string& text : c.good) {
      CHECK_MESSAGE(accepts(*made.constraint, text), c.schema << " should accept " << text);
    }
    for (const std::string& text : c.bad) {
      CHECK_MESSAGE(!accepts(*made.constraint, text), c.schema << " should not accept " << text);
    }
  }
}

}  // namespace

TEST_CASE("schemas: types and values") {
  check_cases({
      {"true",
       {"null", "true", "1e5", "\"\\u00e9\\/\"", "[[],{}]", "{\"a\":{\"b\":[1]}}"},
       {"", "nul", "01", "[1,]", "{a:1}"}},
      {"{}", {"0", "[]"}, {"'a'"}},
      {R"({"type":"null"})", {"null"}, {"0", "\"null\""}},
      {R"({"type":"boolean"})", {"true", "false"}, {"True", "1"}},
      {R"({"type":["string","null"]})", {"\"\"", "null"}, {"0"}},
      {R"({"type":"integer"})", {"0", "-7", "1.0"}, {"1.5", "1e2", "01"}},
      {R"({"type":"number"})", {"0", "-7.25", "1e-2"}, {".5", "1.", "\"1\""}},
      {R"({"const":{"a":[1,"x"]}})", {"{\"a\":[1,\"x\"]}", "{\"a\":[1.0,\"x\"]}"}, {"{\"a\":[1]}", "{}"}},
      {R"({"enum":[1,"a",null,[2]]})", {"1", "\"a\"", "null", "[2]"}, {"2", "\"b\"", "[]", "true"}},
      {R"({"enum":["a","ab"]})", {"\"a\"", "\"ab\""}, {"\"abc\"", "\"\""}},
      {R"({"const":false})", {"false"}, {"0", "true"}},
  });
}

TEST_CASE("schemas: numbers") {
  check_cases({
      {R"({"type":"integer","minimum":-3,"maximum":12})", {"-3", "0", "12", "9.0"}, {"-4", "13", "2.5"}},
      {R"({"minimum":1,"exclusiveMaximum":2})", {"1", "1.999", "\"x\"", "null"}, {"2", "0.9", "2.0"}},
      {R"({"type":"number","minimum":0,"exclusiveMinimum":true})", {"0.01"}, {"0", "-1"}},
      {R"({"type":"number","multipleOf":0.01})", {"0.07", "12.340", "5"}, {"0.075"}},
      {R"({"type":"integer","multipleOf":7,"minimum":1,"maximum":20})", {"7", "14"}, {"0", "21", "8"}},
      {R"({"type":"integer","not":{"multipleOf":2}})", {"1", "-3"}, {"0", "2"}},
      {R"({"enum":[0.1,100,1e3]})", {"0.1", "0.10", "100", "1000"}, {"0.11", "10"}},
      {R"({"type":"integer","not":{"enum":[1,2]}})", {"0", "3", "12"}, {"1", "2", "2.0"}},
  });
}

TEST_CASE("schemas: strings") {
  check_cases({
      {R"({"type":"string","minLength":2,"maxLength":3})", {"\"ab\"", "\"\u00e9\u00e9\u00e9\""}, {"\"a\"", "\"abcd\""}},
      {R"({"type":"string","pattern":"^a+$"})", {"\"a\"", "\"aa\""}, {"\"\"", "\"b\"", "1"}},
      {R"({"type":"string","pattern":"b"})", {"\"abc\""}, {"\"ac\""}},
      {R"({"type":"string","pattern":"^[^\"]+$","maxLength":2})", {"\"a\"", "\"\\n\""}, {"\"\\\"\"", "\"abc\""}},
      {R"({"type":"string","format":"date"})", {"\"2024-02-29\""}, {"\"2023-02-29\"", "\"x\""}},
      {R"({"type":"string","allOf":[{"pattern":"a"},{"pattern":"b"},{"not":{"pattern":"c"}}]})",
       {"\"ab\"", "\"bxa\""},
       {"\"a\"", "\"abc\""}},
      {R"({"type":"string","format":"ipv4","maxLength":8})", {"\"10.0.0.1\""}, {"\"10.0.0.12\""}},
      {R"({"pattern":"^(?!a)."})", {"\"b\"", "1"}, {"\"ab\""}},
  });
}

TEST_CASE("schemas: objects") {
  SchemaOptions any;
  any.order = PropertyOrder::kAny;
  check_cases({
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]})",
       {R"({"b":""})", R"({"a":1,"b":"x"})", R"({"b":"x","c":[]})"},
       {"{}", R"({"a":1})", R"({"a":"1","b":"x"})", R"({"b":"x","b":"y"})", R"({"b":"x","a":1})", "[]"}},
      {R"({"type":"object","properties":{"a":{}},"additionalProperties":false})",
       {"{}", R"({"a":null})"},
       {R"({"b":1})", R"({"a":1,"a":1})"}},
      {R"({"type":"object","additionalProperties":{"type":"null"},"minProperties":1,"maxProperties":2})",
       {R"({"x":null})", R"({"x":null,"y":null})"},
       {"{}", R"({"x":1})", R"({"x":null,"y":null,"z":null})", R"({"x":null,"x":null})"}},
      {R"({"type":"object","propertyNames":{"pattern":"^[a-z]$"}})",
       {"{}", R"({"a":1})"},
       {R"({"A":1})", R"({"aa":1})"}},
  });
  check_cases(
      {{R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]})",
        {R"({"b":"x","a":1})", R"({"c":0,"b":"x","a":1})"},
        {R"({"a":1,"c":"x"})"}},
       {R"({"type":"object","patternProperties":{"^a":{"type":"integer"},"b$":{"minimum":3}}})",
        {R"({"ab":3})", R"({"a":1,"b":4,"x":""})"},
        {R"({"ab":2})", R"({"b":1})", R"({"ax":"y"})"}},
       {R"({"type":"object","dependentRequired":{"a":["b"]}})",
        {"{}", R"({"a":1,"b":2})", R"({"b":2})"},
        {R"({"a":1})"}},
       {R"({"type":"object","dependentSchemas":{"a":{"required":["b"]}}})", {R"({"b":1,"a":1})"}, {R"({"a":1})"}},
       {R"({"type":"object","dependencies":{"a":["b"],"c":{"properties":{"d":false}}}})",
        {R"({"c":1})", R"({"a":0,"b":0})"},
        {R"({"a":0})", R"({"c":0,"d":0})"}},
       {R"({"required":["__proto__","\u00e9"]})", {R"({"__proto__":1,"é":2})", "3"}, {R"({"é":2})"}},
       {R"({"type":"object","properties":{"a":{}},"unevaluatedProperties":false})", {R"({"a":1})"}, {R"({"b":1})"}}},
      any);
}

TEST_CASE("schemas: arrays") {
  check_cases({
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
       {"[1]", "[1,2,3]"},
       {"[]", "[1,2,3,4]", "[\"a\"]"}},
      {R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false})",
       {"[]", "[1]", "[1,\"a\"]"},
       {"[\"a\"]", "[1,\"a\",2]"}},
      {R"({"$schema":"http://json-schema.org/draft-07/schema#","items":[{"const":1}],"additionalItems":{"const":2}})",
       {"[1,2,2]", "[]", "{}"},
       {"[2]", "[1,1]"}},
      {R"({"type":"array","contains":{"const":1}})", {"[1]", "[0,1,2]"}, {"[]", "[0,2]"}},
      {R"({"type":"array","contains":{"const":1},"minContains":2,"maxContains":2})", {"[1,0,1]"}, {"[1]", "[1,1,1]"}},
      {R"({"type":"array","items":{"enum":["a","b",1]},"uniqueItems":true})",
       {"[]", "[\"b\",1,\"a\"]"},
       {"[\"a\",\"a\"]", "[1,1.0]"}},
      {R"({"type":"array","items":{"type":"string"},"uniqueItems":true,"minItems":2})",
       {"[\"x\",\"y\"]"},
       {"[\"x\",\"x\"]", "[\"x\"]"}},
  });
}

TEST_CASE("schemas: combinations") {
  SchemaOptions any;
  any.order = PropertyOrder::kAny;
  check_cases(
      {
          {R"({"anyOf":[{"type":"integer"},{"minLength":2}]})", {"1", "\"ab\"", "1.5"}, {"\"a\""}},
          {R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", {"1", "2.5", "\"x\""}, {"3", "1.5"}},
          {R"({"allOf":[{"minimum":1},{"maximum":3}],"type":"integer"})", {"1", "3"}, {"0", "4"}},
          {R"({"not":{"type":"string"}})", {"1", "{}"}, {"\"\""}},
          {R"({"type":"object","not":{"required":["a"]}})", {"{}", R"({"b":1})"}, {R"({"a":1})"}},
          {R"({"if":{"properties":{"t":{"const":1}},"required":["t"]},"then":{"required":["x"]},"else":{"required":["y"]},"type":"object"})",
           {R"({"t":1,"x":0})", R"({"t":2,"y":0})", R"({"y":0})"},
           {R"({"t":1})", R"({"t":1,"y":0})", R"({"t":2,"x":0})", "{}"}},
          {R"({"allOf":[{"properties":{"a":{"type":"integer"}}},{"properties":{"a":{"minimum":2}},"required":["a"]}],"type":"object"})",
           {R"({"a":2})"},
           {R"({"a":1})", R"({"a":2.5})", "{}"}},
          {R"({"oneOf":[{"properties":{"k":{"const":"a"}},"required":["k"]},{"properties":{"k":{"const":"b"}},"required":["k"]}],"type":"object"})",
           {R"({"k":"a"})", R"({"k":"b","x":1})"},
           {R"({"k":"c"})", "{}"}},
      },
      any);
}

TEST_CASE("schemas: references") {
  check_cases({
      {R"({"$defs":{"n":{"type":"integer"}},"$ref":"#/$defs/n","minimum":2})", {"2"}, {"1", "\"a\""}},
      {R"({"definitions":{"a/b":{"const":1},"c%d":{"const":2}},"anyOf":[{"$ref":"#/definitions/a~1b"},{"$ref":"#/definitions/c%25d"}]})",
       {"1", "2"},
       {"3"}},
      {R"({"$defs":{"x":{"$anchor":"here","const":5}},"$ref":"#here"})", {"5"}, {"4"}},
      {R"({"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false})",
       {"{}", R"({"next":{"next":{"next":{}}}})"},
       {R"({"next":1})", R"({"next":{"x":1}})"}},
      {R"({"$defs":{"t":{"type":"array","items":{"$ref":"#/$defs/t"}}},"$ref":"#/$defs/t"})",
       {"[]", "[[],[[]]]"},
       {"[1]"}},
  });
}

TEST_CASE("schemas: white space and order") {
  const char* schema =
      R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}},"b":{}},"required":["a"]})";
  const std::string loose = "{ \"b\" : 1 ,\n\t\"a\" : [ 1 , 2 ]\r\n}", ordered = "{\"a\": [1, 2], \"b\": 1}";
  SchemaOptions options;
  CHECK_FALSE(accepts(*compile(schema, options).constraint, ordered));
  CHECK(accepts(*compile(schema, options).constraint, "{\"a\":[1,2],\"b\":1}"));
  CHECK_FALSE(accepts(*compile(schema, options).constraint, "{\"b\":1,\"a\":[1,2]}"));
  options.whitespace = Whitespace::kAny;
  CHECK(accepts(*compile(schema, options).constraint, ordered));
  CHECK_FALSE(accepts(*compile(schema, options).constraint, loose));
  options.order = PropertyOrder::kAny;
  CHECK(accepts(*compile(schema, options).constraint, loose));
  const auto spaced = [](std::size_t spaces) { return "{" + std::string(spaces, ' ') + "\"a\":[]}"; };
  CHECK(generates(compile(schema, options).constraint, spaced(40)));
  CHECK_FALSE(generates(compile(schema, options).constraint, spaced(41)));
  CHECK(accepts(*compile(schema, options).constraint, spaced(41)));  // a longer token may have made it
  options.whitespace = Whitespace::kCompact;
  CHECK(accepts(*compile(schema, options).constraint, "{\"b\":1,\"a\":[1,2]}"));
  // Names that a pattern lists have no order.
  const char* letters = R"({"type":"object","propertyNames":{"pattern":"^[a-z]$"}})";
  for (const char* text : {"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}"})
    CHECK(accepts(*compile(letters).constraint, text));
  CHECK_FALSE(accepts(*compile(letters).constraint, "{\"a\":1,\"a\":2}"));
}

TEST_CASE("schemas: what is refused says where and why") {
  struct Refusal {
    const char* schema;
    SchemaStatus status;
    const char* pointer;
  };
  for (const Refusal& r : std::vector<Refusal>{
           {"", SchemaStatus::kInvalid, ""},
           {"[", SchemaStatus::kInvalid, ""},
           {"3", SchemaStatus::kInvalid, ""},
           {R"({"type":"strin"})", SchemaStatus::kInvalid, "/type"},
           {R"({"properties":{"a b/c":{"minimum":"1"}}})", SchemaStatus::kInvalid, "/properties/a b~1c/minimum"},
           {R"({"items":{"minLength":-1}})", SchemaStatus::kInvalid, "/items/minLength"},
           {R"({"pattern":"(?<=a$)b"})", SchemaStatus::kUnsupported, "/pattern"},
           {R"({"pattern":"(a)\\1"})", SchemaStatus::kUnsupported, "/pattern"},
           {R"({"$ref":"other.json"})", SchemaStatus::kUnsupported, "/$ref"},
           {R"({"anyOf":[{"$dynamicRef":"#a"}]})", SchemaStatus::kUnsupported, "/anyOf/0/$dynamicRef"},
           {R"({"$schema":"https://example.com/mine"})", SchemaStatus::kUnsupported, "/$schema"},
           {R"({"type":"array","minItems":1000000000})", SchemaStatus::kLimit, ""},
           {R"({"properties":{"a/b":{"enum":[1,[],1e400]}}})", SchemaStatus::kUnsupported, "/properties/a~1b/enum/2"},
           {R"({"const":[[2],{"x":[3,-1e400]}]})", SchemaStatus::kUnsupported, "/const/1/x/1"},
           {"1e400", SchemaStatus::kUnsupported, ""},
           {R"({"minimum":1e-500})", SchemaStatus::kUnsupported, "/minimum"},
           {R"({"multipleOf":1e-500})", SchemaStatus::kUnsupported, "/multipleOf"},
           {R"({"enum":[1,1e-500]})", SchemaStatus::kUnsupported, "/enum"},
           {R"({"type":1.00000000000000000001})", SchemaStatus::kInvalid, "/type"},
           {"false", SchemaStatus::kUnsatisfiable, ""},
           {R"({"type":"integer","minimum":3,"maximum":2})", SchemaStatus::kUnsatisfiable, ""},
           {R"({"type":"string","pattern":"^a$","minLength":2})", SchemaStatus::kUnsatisfiable, ""},
           {R"({"allOf":[{"type":"string"},{"type":"null"}]})", SchemaStatus::kUnsatisfiable, ""},
           {R"({"type":"object","required":["a"],"properties":{"a":{"$ref":"#"}}})", SchemaStatus::kUnsatisfiable, ""},
           {R"({"type":"array","items":{"enum":[1,2]},"uniqueItems":true,"minItems":3})", SchemaStatus::kUnsatisfiable,
            ""},
           {R"({"type":"string","pattern":"^(a|b)*a(a|b){25}$"})", SchemaStatus::kLimit, "/pattern"},
       }) {
    const SchemaResult made = compile(r.schema);
    CHECK_MESSAGE(made.status == r.status, r.schema << ": " << static_cast<int>(made.status) << " " << made.message);
    CHECK_MESSAGE(made.pointer == r.pointer, r.schema << ": " << made.pointer << ", " << made.message);
    CHECK_MESSAGE(!made.message.empty(), r.schema);
    CHECK(made.constraint == nullptr);
  }
  SchemaOptions lenient;
  lenient.unsupported = Unsupported::kIgnore;
  const SchemaResult made = compile(R"({"type":"string","pattern":"(a)\\1","format":"colour"})", lenient);
  REQUIRE(made.ok());
  CHECK(made.ignored == std::vector<std::string>{"/pattern", "/format"});
}

TEST_CASE("schemas: hostile ones end soon, with an error or an answer") {
  const auto begin = std::chrono::steady_clock::now();
  const auto status = [](const std::string& schema) { return compile(schema).status; };
  std::string deep;
  for (int i = 0; i < 60'000; ++i) deep += "{\"items\":";
  CHECK(status(deep + "{}" + std::string(60'000, '}')) == SchemaStatus::kLimit);
  CHECK(status(std::string(60'000, '[')) != SchemaStatus::kOk);
  std::string large = "{\"enum\":[";
  for (int i = 0; i < 1'000'000; ++i) large += "\"value" + std::to_string(i) + "\",";
  CHECK(status(large + "1]}") == SchemaStatus::kLimit);
  std::string chain = "{\"$defs\":{";
  for (int i = 0; i < 5000; ++i) {
    chain += "\"d" + std::to_string(i) + "\":{\"$ref\":\"#/$defs/d" + std::to_string(i + 1) + "\"},";
  }
  const SchemaResult chained = compile(chain + "\"d5000\":{\"const\":1}},\"$ref\":\"#/$defs/d0\"}");
  if (chained.ok()) CHECK(accepts(*chained.constraint, "1"));
  CHECK(status(R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"})") !=
        SchemaStatus::kTimeout);
  CHECK(status(R"({"type":"string","pattern":"(a+)+$"})") == SchemaStatus::kOk);
  CHECK(status(R"({"type":"string","pattern":"(x{1000}){1000}"})") == SchemaStatus::kLimit);
  CHECK(status(R"({"type":"string","minLength":1000000000})") != SchemaStatus::kTimeout);
  std::string alternatives = "{\"allOf\":[";
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    alternatives +=
        (i > 0 ? "," : "") + ("{\"anyOf\":[{\"required\":[\"a" + n + "\"]},{\"required\":[\"b" + n + "\"]}]}");
  }
  CHECK(status(alternatives + "]}") != SchemaStatus::kTimeout);
  // Each pattern is within its limits, all of them are not.
  std::string patterns = "{\"properties\":{";
  for (int i = 0; i < 20'000; ++i) {
    const std::string n = std::to_string(i);
    patterns += (i > 0 ? ",\"p" : "\"p") + n + R"(":{"pattern":"(a|b)*a(a|b){13})" + n + "$\"}";
  }
  SchemaOptions hurried;
  hurried.limits.time = std::chrono::milliseconds(200);
  CHECK(compile_json_schema(patterns + "}}", hurried).status == SchemaStatus::kTimeout);
  SchemaOptions small;
  small.limits.automata_bytes = 1 << 20;
  CHECK(compile_json_schema(patterns + "}}", small).status == SchemaStatus::kLimit);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  CHECK_MESSAGE(took.count() < 30, "took " << took.count() << " s");
}

namespace {

std::vector<TokenId> tokens_of(const TokenMask& mask) {
  std::vector<TokenId> out;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask.test(static_cast<TokenId>(i))) out.push_back(static_cast<TokenId>(i));
  }
  return out;
}
std::vector<TokenId> tried(const Matcher& matcher, std::size_t vocabulary) {
  std::vector<TokenId> out;
  for (std::size_t i = 0; i < vocabulary; ++i) {
    Matcher probe = matcher;
    if (probe.accept(static_cast<TokenId>(i))) out.push_back(static_cast<TokenId>(i));
  }
  return out;
}

const char* const kWalked[] = {
    R"({"type":"array","items":{"enum":["ab","abc","abcd",12,123,true]},"uniqueItems":true,"maxItems":4})",
    R"({"type":"object","propertyNames":{"pattern":"^[ab]$"},"additionalProperties":{"type":"null"}})",
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":4},"age":{"type":"integer","minimum":-1,"maximum":200}},"required":["name"]})",
    R"({"type":"object","patternProperties":{"^a":{"type":"integer"}},"additionalProperties":{"type":"null"},"maxProperties":3})",
    R"({"oneOf":[{"type":"integer","multipleOf":3},{"type":"string","pattern":"^[a-c]*$"},{"type":"array","contains":{"const":1},"maxItems":3}]})",
    R"({"type":"string","pattern":"^(ab|\u00e9|\n)+$","minLength":3,"maxLength":9})",
    R"({"type":"object","properties":{"a":{"const":1},"b":{"const":2}},"anyOf":[{"required":["a"]},{"required":["b"]}],"additionalProperties":false})",
};

}  // namespace

TEST_CASE("schemas: masks are what trying every token says; rollback; budgets") {
  const auto vocabulary = small_vocabulary();
  std::mt19937 rng(31);
  for (const char* schema : kWalked) {
    for (int policy = 0; policy < 4; ++policy) {
      SchemaOptions options;
      options.order = policy % 2 == 0 ? PropertyOrder::kSchema : PropertyOrder::kAny;
      options.whitespace = policy < 2 ? Whitespace::kCompact : Whitespace::kAny;
      const SchemaResult made = compile(schema, options);
      REQUIRE_MESSAGE(made.ok(), schema << ": " << made.message);
      for (const int budget : {1, 2, 3, 5, 8, 12, 20, 40, 80}) {
        Matcher matcher(made.constraint, vocabulary);
        std::string text;
        bool ended = false, started = false;
        for (int left = budget; left > 0 && !ended; --left) {
          const auto mask = matcher.mask();
          REQUIRE(mask.ok());
          const auto all = tokens_of(**mask);
          CHECK_MESSAGE(all == tried(matcher, vocabulary->size()), std::string(schema) << " after " << text);
          const auto within = matcher.mask_within(left - 1);
          REQUIRE(within.ok());
          const auto ids = tokens_of(**within);
          if (ids.empty()) {
            CHECK_MESSAGE(!started, schema << ": a budget that held is lost after " << text);
            break;
          }
          started = true;
          CHECK(std::includes(all.begin(), all.end(), ids.begin(), ids.end()));
          const TokenId id = ids[rng() % ids.size()];
          Matcher twice = matcher;
          REQUIRE(twice.accept(id));
          twice.rollback(1);
          CHECK(tokens_of(**twice.mask()) == all);
          const std::string forced = matcher.forced_bytes();
          REQUIRE(matcher.accept(id));
          const std::string_view bytes = vocabulary->bytes(id);
          ended = bytes.empty();
          const std::size_t both = std::min(forced.size(), bytes.size());
          CHECK(forced.substr(0, both) == bytes.substr(0, both));
          text += bytes;
        }
        if (started) CHECK_MESSAGE(accepts(*made.constraint, text), schema << ": " << text);
      }
    }
  }
}
