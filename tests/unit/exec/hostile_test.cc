// Values that a program can build and no person would: text, comparison and release of very deep ones.
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/exec/convert.h"
#include "runtime/exec/ops.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

constexpr int kDeep = 1'000'000;  // deeper than a thread's stack has frames for

// { next: { next: … } }
Value chain() {
  Value value;
  for (int i = 0; i < kDeep; ++i) {
    const Value fields[] = {std::move(value)};
    value = Value::record(plan::TypeId(12), fields);
  }
  return value;
}

TEST_CASE("deep values are compared to a depth that the stack has") {
  Machinery m;
  m.machine.fuel = 1'000'000'000;
  const Value a = chain(), b = chain();
  bool same = true;
  CHECK(equal_values(m.machine, a, b, same));
  CHECK_FALSE(same);
}

TEST_CASE("deep values have no text, but do not overflow the stack") {
  Machinery m;
  const Value deep = chain();
  Value out;
  const bool shown = format_value(m.machine, deep, "", out);
  // Either is sound: a text of the right length, or a failure that the program can report.
  CHECK((shown ? out.as_string().size() > std::size_t{kDeep} : m.machine.error_kind != base::ErrorKind::kInternal));
  const auto result = to_json_text(m.plan, deep);
  CHECK((result.ok() ? result->size() > std::size_t{kDeep} : result.error().kind == base::ErrorKind::kLimit));
}

}  // namespace
}  // namespace sgl::exec::test
