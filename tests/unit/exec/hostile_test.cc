// Values that a program can build and no person would: text, comparison and release of very deep ones.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

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

TEST_CASE("a context of very many messages goes away without recursion, and its texts count as memory") {
  Machinery m;
  current_heap() = &m.machine.heap;
  m.machine.heap.limit = std::int64_t{1} << 30;
  {
    Context context;
    for (int i = 0; i < kDeep; ++i) {
      REQUIRE(context.begin_role(m.machine, plan::Role::kUser));
      REQUIRE(context.append_text(m.machine, "x"));
      REQUIRE(context.end_role(m.machine));
    }
    CHECK(m.machine.heap.used > kDeep);
  }
  CHECK(m.machine.heap.used == 0);
  m.machine.heap.limit = 1'000'000;
  const std::string text(100'000, 't');
  {
    Context context;
    int appended = 0;
    while (context.append_text(m.machine, text)) ++appended;
    CHECK(appended == 9);
    CHECK(m.machine.error_kind == base::ErrorKind::kLimit);
    // Forks share what is there.
    std::vector<Context> forks(100, context);
    for (Context& fork : forks) CHECK(fork.append_text(m.machine, "and"));
    CHECK(m.machine.heap.used < 1'000'000);
    CHECK(forks[5].transcript().size() == 9 * text.size() + 4);
    CHECK(forks[5].transcript() != context.transcript());
  }
  CHECK(m.machine.heap.used == 0);
  current_heap() = nullptr;
}

TEST_CASE("long messages in pieces read as they were written") {
  Machinery m;
  Context context;
  const auto write = [&](std::string_view text) { REQUIRE(context.append_text(m.machine, text)); };
  const std::string a(5000, 'a'), b(3000, 'b');
  write(a), write(b), write(b);
  REQUIRE(context.begin_role(m.machine, plan::Role::kUser));
  write(b), write(b), write(a);
  REQUIRE(context.end_role(m.machine));
  REQUIRE(context.begin_role(m.machine, plan::Role::kAssistant));
  write(a);
  CHECK(context.in_role());
  const std::string user(plan::role_name(plan::Role::kUser)), assistant(plan::role_name(plan::Role::kAssistant));
  CHECK(context.transcript() == a + b + b + "\n[" + user + "]" + b + b + a + "\n[" + assistant + "]" + a + "\n");
}

}  // namespace
}  // namespace sgl::exec::test
