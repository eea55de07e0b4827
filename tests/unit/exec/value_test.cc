// Values: counts, sharing, memory accounting, equality.
#include "runtime/exec/value.h"

#include <span>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "runtime/exec/ops.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

// [[…], […]] both the same list, `levels` times: 2^levels leaves in `levels` objects.
Value doubled(int levels) {
  Value value = Value::integer(1);
  for (int i = 0; i < levels; ++i) {
    const Value items[] = {value, value};
    value = Value::list(items);
  }
  return value;
}

TEST_CASE("memory is charged and credited") {
  Machinery m;
  {
    const Value text = Value::string(std::string(1000, 'x'));
    CHECK(m.machine.heap.used >= 1000);
    const Value same = text;
    CHECK(m.machine.heap.used < 2000);
    CHECK(same.as_string().size() == 1000);
    CHECK_FALSE(same.unshared());
    Value list = Value::list({});
    for (int i = 0; i < 100; ++i) REQUIRE(list.push(text));
    const Value point[] = {Value::integer(1), list};
    const Value record = Value::record(plan::TypeId(6), point);
    CHECK(record.record_type() == plan::TypeId(6));
    CHECK(record.items()[1].items().size() == 100);
  }
  CHECK(m.machine.heap.used == 0);
}

TEST_CASE("a heap refuses what exceeds its limit, and says so") {
  Machinery m;
  m.machine.heap.limit = 1000;
  CHECK(Value::string(std::string(900, 'x')).is(Tag::kString));
  CHECK_FALSE(m.machine.heap.exceeded);
  const Value refused = Value::string(std::string(2000, 'x'));
  CHECK(refused.is_null());
  CHECK(m.machine.heap.exceeded);
  CHECK_FALSE(made(m.machine, refused));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
  CHECK_FALSE(m.machine.heap.exceeded);  // the next allocation starts afresh
  Value list = Value::list({});
  bool pushed = true;
  for (int i = 0; i < 1000 && pushed; ++i) pushed = list.push(Value::integer(i));
  CHECK_FALSE(pushed);
  CHECK(list.items().size() > 10);
  CHECK(m.machine.heap.used <= 1000);
  CHECK(doubled(200).is_null());
}

TEST_CASE("copies and clones") {
  Machinery m;
  Value a = value_of(Json::parse("[1, [2, 3]]"));
  CHECK(a.unshared());
  const Value b = a;
  CHECK_FALSE(a.unshared());
  Value c = a.clone();
  CHECK(c.unshared());
  c.mutable_item(0) = Value::integer(9);
  CHECK(m.text(b) == "[1,[2,3]]");
  CHECK(m.text(c) == "[9,[2,3]]");
  a = Value();
  CHECK(b.unshared());
  Value moved = std::move(c);
  CHECK(c.is_null());  // NOLINT: a moved-from value is null by contract
  moved.swap(a);
  CHECK(m.text(a) == "[9,[2,3]]");
}

TEST_CASE("immortal values are neither counted nor freed") {
  static Value constant = value_of(Json::parse(R"(["a", ["b"]])"));  // never freed, so kept reachable
  constant.make_immortal();
  Machinery m;
  {
    const Value copy = constant;
    const Value part = copy.items()[1];
    CHECK_FALSE(copy.unshared());
    CHECK(m.text(part) == R"(["b"])");
  }
  CHECK(m.machine.heap.used == 0);
  CHECK(m.text(constant) == R"(["a",["b"]])");
}

TEST_CASE("a million nested lists are freed without recursion") {
  Machinery m;
  {
    Value chain;
    for (int i = 0; i < 1'000'000; ++i) {
      const Value items[] = {std::move(chain)};
      chain = Value::list(items);
    }
    CHECK(chain.is(Tag::kList));
  }
  CHECK(m.machine.heap.used == 0);
}

TEST_CASE("equality") {
  Machinery m;
  const auto same = [&](const char* a, const char* b) {
    bool out = false;
    REQUIRE(equal_values(m.machine, value_of(Json::parse(a)), value_of(Json::parse(b)), out));
    return out;
  };
  CHECK(same("1", "1.0"));
  CHECK(same("1.0", "1"));
  CHECK(same("[1, [2.0, \"x\"]]", "[1.0, [2, \"x\"]]"));
  CHECK(same("[]", "[]"));
  CHECK(same("null", "null"));
  CHECK_FALSE(same("1", "true"));
  CHECK_FALSE(same("1", "\"1\""));
  CHECK_FALSE(same("[1]", "[1, 1]"));
  CHECK_FALSE(same("null", "false"));
  CHECK_FALSE(same("\"a\"", "\"A\""));
  CHECK_FALSE(same("9007199254740993", "9007199254740994"));  // as ints, though not as doubles
}

TEST_CASE("equality of values that share parts exponentially ends, by fuel") {
  Machinery m;
  const Value a = doubled(60), b = doubled(60);
  bool out = true;
  CHECK_FALSE(equal_values(m.machine, a, b, out));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
  m.forget();
  m.machine.fuel = 1'000'000;
  const Value list = Value::list(std::span(&a, 1));
  const Value* const args[] = {&list, &b};
  Value found;
  CHECK_FALSE(call_builtin(m.machine, plan::Builtin::kIndexOf, args, found));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
}

TEST_CASE("text of values that share parts exponentially ends, by memory") {
  Machinery m;
  m.machine.heap.limit = 1 << 20;
  const Value a = doubled(60);
  Value out;
  CHECK_FALSE(format_value(m.machine, a, "", out));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
  m.forget();
  const Value* const args[] = {&a};
  CHECK_FALSE(call_builtin(m.machine, plan::Builtin::kToJson, args, out));
  CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
  std::string text;
  CHECK_FALSE(append_json(m.plan, a, 1000, text));
  CHECK(text.size() < 10'000);
}

}  // namespace
}  // namespace sgl::exec::test
