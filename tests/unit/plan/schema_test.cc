#include "runtime/plan/schema.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runtime/plan/verify.h"
#include "sample_plan.h"

using namespace sgl::plan;

namespace {

std::string schema_of(std::uint32_t type) {
  return type_schema(sample_plan(), TypeId(type)).dump();
}

}  // namespace

TEST_CASE("schemas of all kinds of types") {
  CHECK(schema_of(0) == R"({"type":"null"})");
  CHECK(schema_of(1) == R"({"type":"boolean"})");
  CHECK(schema_of(2) == R"({"type":"integer"})");
  CHECK(schema_of(3) == R"({"type":"number"})");
  CHECK(schema_of(4) == R"({"type":"string"})");
  CHECK(schema_of(5) == R"({"type":"array","items":{"type":"string"}})");
  CHECK(schema_of(6) == R"({"const":"yes"})");
  CHECK(schema_of(7) == R"({"const":3})");
  CHECK(schema_of(8) == R"({"const":true})");
  CHECK(schema_of(9) == R"({"anyOf":[{"type":"string"},{"type":"null"}]})");
  CHECK(schema_of(11) == R"({"type":"string","pattern":"^(?:[a-z]+\\d)$"})");
  CHECK(schema_of(12) == R"({"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807})");
  CHECK(schema_of(13) == R"({"type":"string","minLength":1,"maxLength":80,"pattern":"@","format":"email"})");
  CHECK(schema_of(15) ==
        R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"],)"
        R"("additionalProperties":false})");
  CHECK(schema_of(18) == R"({"type":"number","maximum":0.1})");
  CHECK(schema_of(19) == R"({"enum":["yes",3,true,null]})");
}

TEST_CASE("named records are definitions and may refer to themselves") {
  CHECK(schema_of(10) ==
        R"({"$ref":"#/$defs/Point","$defs":{"Point":{"type":"object","properties":{"x":{"type":"integer"},)"
        R"("y":{"type":"number","description":"upwards"}},"required":["x"],"additionalProperties":false,)"
        R"("description":"A point \"in\" the plane"}}})");
  CHECK(schema_of(16) ==
        R"({"$ref":"#/$defs/Node","$defs":{"Node":{"type":"object","properties":{"kids":{"type":"array",)"
        R"("items":{"$ref":"#/$defs/Node"},"maxItems":3},"up":{"$ref":"#/$defs/Node"}},"required":["kids"],)"
        R"("additionalProperties":false}}})");
}

TEST_CASE("schema of a program") {
  const Plan plan = sample_plan();
  CHECK(program_schema(plan, plan.programs[0]).dump() ==
        R"({"program":"main","description":"Does it all.","parameters":{"type":"object","properties":{)"
        R"("name":{"type":"string","description":"who"},"n":{"type":"integer","minimum":-9223372036854775808,)"
        R"("maximum":9223372036854775807,"default":42}},"required":["name"],"additionalProperties":false},)"
        R"("result":{"type":"string"}})");
  CHECK(params_schema(plan, plan.programs[1]).dump() ==
        R"({"type":"object","properties":{},"required":[],"additionalProperties":false})");
}

TEST_CASE("constants as JSON") {
  const Plan plan = sample_plan();
  CHECK(constant_json(plan, ConstId(0)).dump() == "null");
  CHECK(constant_json(plan, ConstId(1)).dump() == "true");
  CHECK(constant_json(plan, ConstId(5)).size() == 2);
  CHECK(constant_json(plan, ConstId(6)).dump() == R"({"x":42,"y":1.5})");
  CHECK(constant_json(plan, ConstId(7)).dump() == R"({"x":42})");
  CHECK(constant_json(plan, ConstId(8)).dump() == "null");
  CHECK(constant_json(plan, ConstId(9)).dump() == "-9223372036854775808");
}

TEST_CASE("schemas of hostile types stay finite and small") {
  Plan plan;
  Type null, list, record;
  list.kind = TypeKind::kList;
  record.kind = TypeKind::kRecord;
  plan.types = {null};
  // Anonymous types that share parts double with each level when written in place.
  for (std::uint32_t i = 0; i < 500; ++i) {
    record.fields = {{"a", TypeId(i), false, ""}, {"b", TypeId(i), false, ""}};
    plan.types.push_back(record);
  }
  // A list of itself, and a long chain of lists.
  const std::uint32_t cycle = 501;
  list.args = {TypeId(cycle)};
  plan.types.push_back(list);
  for (std::uint32_t i = cycle; i < 19'000; ++i) {
    list.args = {TypeId(i)};
    plan.types.push_back(list);
  }
  // Two types of one name, and a name that is not plain.
  record.name = "Same";
  record.fields.clear();
  for (int i = 0; i < 2; ++i) plan.types.push_back(record);
  record.name = "a/b";
  plan.types.push_back(record);
  const auto last = static_cast<std::uint32_t>(plan.types.size() - 1);
  Type both;
  both.kind = TypeKind::kRecord;
  both.fields = {
      {"p", TypeId(last - 2), false, ""}, {"q", TypeId(last - 1), false, ""}, {"r", TypeId(last), false, ""}};
  plan.types.push_back(both);
  REQUIRE(verify(plan).ok());
  CHECK(type_schema(plan, TypeId(500)).dump().size() < 1'000'000);
  CHECK(type_schema(plan, TypeId(cycle)).dump() ==
        R"({"$ref":"#/$defs/type.501","$defs":{"type.501":{"type":"array","items":{"$ref":"#/$defs/type.501"}}}})");
  CHECK(type_schema(plan, TypeId(19'000)).dump().size() < 4'000'000);
  const auto names = type_schema(plan, TypeId(last + 1))["$defs"];
  CHECK(names.contains("Same"));
  CHECK(names.contains("Same." + std::to_string(last - 1)));
  CHECK(names.contains("type." + std::to_string(last)));
}
