// JSON values in programs: what they hold, and how they are looked into.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runtime/exec/builtins.h"
#include "runtime/exec/convert.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

Value json(Machinery& m, std::string_view text) {
  auto value = value_from_json(m.plan, plan::TypeId(16), Json::parse(text), "x");
  REQUIRE(value.ok());
  return *value;
}

std::string call(Machinery& m, plan::Builtin builtin, const std::vector<Value>& args) {
  std::vector<const Value*> view;
  for (const Value& arg : args) view.push_back(&arg);
  Value out;
  if (!call_builtin(m.machine, builtin, view, out)) return "!" + m.machine.error_message;
  return m.text(out);
}

TEST_CASE("members, items and names, of what has them") {
  using plan::Builtin;
  Machinery m;
  const Value object = json(m, R"({"b": [1, "two"], "a": {"c": null}})");
  const Value list = json(m, R"([1, [2], "x"])");
  const auto record = value_from_json(m.plan, plan::TypeId(6), Json::parse(R"({"x": 4})"), "x");
  REQUIRE(record.ok());
  CHECK(call(m, Builtin::kJsonGet, {object, Value::string("b")}) == R"([1,"two"])");
  CHECK(call(m, Builtin::kJsonGet, {object, Value::string("z")}) == "null");
  CHECK(call(m, Builtin::kJsonGet, {object, Value::integer(0)}) == "null");
  CHECK(call(m, Builtin::kJsonGet, {list, Value::integer(-1)}) == "\"x\"");
  CHECK(call(m, Builtin::kJsonGet, {list, Value::integer(3)}) == "null");
  CHECK(call(m, Builtin::kJsonGet, {list, Value::integer(INT64_MIN)}) == "null");
  CHECK(call(m, Builtin::kJsonGet, {list, Value::string("b")}) == "null");
  CHECK(call(m, Builtin::kJsonGet, {*record, Value::string("x")}) == "4");
  CHECK(call(m, Builtin::kJsonGet, {*record, Value::string("q")}) == "null");
  CHECK(call(m, Builtin::kJsonGet, {Value(), Value::string("b")}) == "null");
  CHECK(call(m, Builtin::kJsonGet, {object, Value()}).starts_with("!json_get expects"));
  CHECK(call(m, Builtin::kJsonItems, {list}) == R"([1,[2],"x"])");
  CHECK(call(m, Builtin::kJsonItems, {object}) == "[]");
  CHECK(call(m, Builtin::kJsonKeys, {object}) == R"(["b","a"])");
  CHECK(call(m, Builtin::kJsonKeys, {*record}) == R"(["x"])");
  CHECK(call(m, Builtin::kJsonKeys, {Value::integer(3)}) == "[]");
}

TEST_CASE("objects are equal in any order of their names") {
  Machinery m;
  const auto same = [&](std::string_view a, std::string_view b) {
    std::int64_t nodes = 1000;
    return equal(m.plan, json(m, a), json(m, b), nodes);
  };
  CHECK(same(R"({"a": 1, "b": [2], "c": {}})", R"({"c": {}, "b": [2.0], "a": 1})"));
  CHECK_FALSE(same(R"({"a": 1, "b": 2})", R"({"a": 1, "b": 3})"));
  CHECK_FALSE(same(R"({"a": 1, "b": 2})", R"({"a": 1, "c": 2})"));
  CHECK_FALSE(same(R"({"a": 1})", R"({"a": 1, "b": 2})"));
  CHECK_FALSE(same("{}", "[]"));
  CHECK(same("{}", "{}"));
}

TEST_CASE("objects are counted, copied and freed") {
  Machinery m;
  const std::int64_t before = m.machine.heap.used;
  {
    const Value object = json(m, R"({"a": {"b": ["long enough to be on the heap"]}})");
    const Value copy = object.clone();
    CHECK(copy.is(Tag::kMap));
    CHECK(m.text(copy) == m.text(object));
    CHECK(m.machine.heap.used > before);
  }
  CHECK(m.machine.heap.used == before);
}

}  // namespace
}  // namespace sgl::exec::test
