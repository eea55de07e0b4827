// Constraints that values are checked against: compiled once, within bounds, from many threads.
#include "runtime/exec/type_checks.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "runtime/exec/convert.h"
#include "tests/unit/exec/support.h"

namespace sgl::exec::test {
namespace {

// Plans of one type each.
plan::Plan plan_of(plan::TypeKind kind, const std::string& pattern) {
  plan::Plan plan;
  plan::Type& type = plan.types.emplace_back();
  type.kind = kind;
  type.pattern = pattern;
  return plan;
}

bool fits(TypeChecks& checks, const plan::Plan& plan, std::string_view text) {
  const auto made = plan.types[0].kind == plan::TypeKind::kJson ? checks.json_fits(plan.types[0], text)
                                                                : checks.text_fits(plan, plan::TypeId(0), text);
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().message));
  return *made;
}

// `a` and `b`, so many.
std::string letters(std::uint64_t& random, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    out += (random >> 60 & 1) != 0 ? 'a' : 'b';
  }
  return out;
}

TEST_CASE("a type is compiled once for many values, whichever plan has it") {
  TypeChecks checks;
  const plan::Plan pattern = plan_of(plan::TypeKind::kRegex, "[a-c]+"),
                   same = plan_of(plan::TypeKind::kRegex, "[a-c]+");
  for (int i = 0; i < 50; ++i) {
    CHECK(fits(checks, i % 2 == 0 ? pattern : same, "abc" + std::string(static_cast<std::size_t>(i), 'b')));
    CHECK_FALSE(fits(checks, pattern, "abd"));
  }
  CHECK(checks.stats().compiled == 1);
  CHECK(checks.stats().found == 99);
  // The same pattern means something else in a string, which it may stand in, and with a length.
  plan::Plan text = plan_of(plan::TypeKind::kString, "[a-c]+");
  CHECK(fits(checks, text, "xaz"));
  text.types[0].max_size = 2;
  CHECK_FALSE(fits(checks, text, "xaz"));
  CHECK_FALSE(fits(checks, plan_of(plan::TypeKind::kJson, R"({"type":"integer"})"), "\"3\""));
  CHECK(fits(checks, plan_of(plan::TypeKind::kJson, R"({"type":"integer"})"), "3"));
  CHECK(checks.stats().compiled == 4);
  CHECK(checks.stats().entries == 4);
  CHECK_FALSE(checks.json_fits(plan_of(plan::TypeKind::kJson, R"({"type":3})").types[0], "3").ok());
  CHECK(checks.stats().entries == 4);
}

TEST_CASE("values of a plan's types use the checks of the process") {
  Machinery m;
  const auto read = [&](std::uint32_t type, const std::string& json) {
    return value_from_json(m.plan, plan::TypeId(type), Json::parse(json), "arg").ok();
  };
  CHECK(read(10, "\"ab\""));
  CHECK(read(17, R"({"a":1})"));
  const std::uint64_t before = TypeChecks::shared().stats().compiled;
  for (int i = 0; i < 20; ++i) {
    CHECK(read(10, "\"cab\""));
    CHECK_FALSE(read(10, "\"x\""));
    CHECK(read(17, R"({"a":9})"));
    CHECK_FALSE(read(17, R"({"a":10})"));
    CHECK(value_from_text(m.plan, plan::TypeId(10), "abc").ok());
  }
  CHECK(TypeChecks::shared().stats().compiled == before);
}

TEST_CASE("the least recently used constraints go when there are too many or they are too large") {
  TypeChecks few({.entries = 2, .bytes = 64 << 20});
  const plan::Plan a = plan_of(plan::TypeKind::kRegex, "a+"), b = plan_of(plan::TypeKind::kRegex, "b+"),
                   c = plan_of(plan::TypeKind::kRegex, "c+");
  CHECK(fits(few, a, "a"));
  CHECK(fits(few, b, "b"));
  CHECK(fits(few, a, "aa"));
  CHECK(fits(few, c, "c"));  // in place of b
  CHECK(few.stats().entries == 2);
  CHECK(fits(few, a, "a"));
  CHECK(few.stats().compiled == 3);
  CHECK(fits(few, b, "b"));
  CHECK(few.stats().compiled == 4);

  TypeChecks small({.entries = 100, .bytes = 1});
  for (int i = 0; i < 3; ++i) CHECK(fits(small, a, "a"));
  CHECK(small.stats().compiled == 3);
  CHECK(small.stats().bytes == 0);

  // One that grows with use is measured again.
  TypeChecks grows({.entries = 100, .bytes = 200'000});
  const plan::Plan many_states = plan_of(plan::TypeKind::kRegex, "(a|b)*a(a|b){12}");
  std::uint64_t random = 1;
  for (int i = 0; i < 40; ++i) {
    fits(grows, many_states, letters(random, 60));
    CHECK(grows.stats().bytes <= 200'000);
  }
  CHECK(grows.stats().compiled > 1);
}

TEST_CASE("a constraint that has made all its states refuses nothing that fits") {
  TypeChecks checks({.entries = 4, .bytes = std::size_t{1} << 40});
  // Its states are the last 18 letters.
  const plan::Plan plan = plan_of(plan::TypeKind::kRegex, "(a|b)*a(a|b){17}");
  std::uint64_t random = 1;
  for (int i = 0; i < 3; ++i) {
    CHECK(fits(checks, plan, letters(random, 80'000) + 'a' + std::string(17, 'b')));
  }
  CHECK(checks.stats().compiled == 1);
}

TEST_CASE("many threads share the checks") {
  TypeChecks checks({.entries = 3, .bytes = 64 << 20});
  std::vector<plan::Plan> plans;
  for (const char* pattern : {"a+", "b+", "c+", "d+", "e+"}) plans.push_back(plan_of(plan::TypeKind::kRegex, pattern));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 400; ++i) {
        const std::size_t at = (i * (t + 1)) % plans.size();
        const std::string text(1 + i % 7, static_cast<char>('a' + at));
        const auto good = checks.text_fits(plans[at], plan::TypeId(0), text);
        const auto bad = checks.text_fits(plans[at], plan::TypeId(0), text + "z");
        if (!good.ok() || !*good || !bad.ok() || *bad) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(checks.stats().entries == 3);
}

}  // namespace
}  // namespace sgl::exec::test
