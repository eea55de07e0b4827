// Large schemas within the limit of bytes: time about linear in their size, and no recursion along what they can make
// long.
#include <fmt/format.h>

#include <ctime>
#include <thread>

#include "runtime/constraint/compiled.h"
#include "runtime/constraint/json_schema.h"
#include "tests/unit/constraint/support.h"

namespace {

// Processor time, so that a busy machine makes no difference; far above what it takes, far below what a step for every
// pair of names would.
constexpr double kMostSeconds = 20;

std::string joined(int n, const char* pattern) {
  std::string out;
  for (int i = 0; i < n; ++i) out += (i > 0 ? "," : "") + fmt::format(fmt::runtime(pattern), i, i + 1);
  return out;
}

SchemaStatus timed(const std::string& schema) {
  const std::clock_t begin = std::clock();
  const SchemaResult made = compile_json_schema(schema);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  CHECK_MESSAGE(seconds < kMostSeconds, schema.substr(0, 80));
  CHECK((made.ok() || !made.message.empty()));
  return made.status;
}

}  // namespace

TEST_CASE("objects of very many names are read in linear time") {
  CHECK(timed("{\"properties\":{" + joined(100'000, "\"p{0}\":true") + "}}") == SchemaStatus::kOk);
  CHECK(timed("{\"$defs\":{" + joined(20'000, "\"d{0}\":{{\"minLength\":{0}}}") + "},\"properties\":{" +
              joined(20'000, "\"p{0}\":{{\"$ref\":\"#/$defs/d{0}\"}}") + "}}") == SchemaStatus::kOk);
  CHECK(timed("{" + joined(100'000, "\"k{0}\":0") + "}") == SchemaStatus::kOk);
}

TEST_CASE("long chains of references and of implied names take no stack") {
  constexpr const char* kLink =
      "\"a{0}\":{{\"type\":\"object\",\"required\":[\"x\"],\"properties\":{{\"x\":{{\"$ref\":"
      "\"#/$defs/a{1}\"}}}}}}";
  const std::string end =
      "\"a40000\":{\"type\":\"array\",\"uniqueItems\":true,\"minItems\":2,\"items\":{\"type\":"
      "\"integer\"}}";
  SchemaStatus chain{}, implied{};
  // Beside the main thread, whose stack is the largest.
  std::thread([&] {
    chain = timed("{\"$ref\":\"#/$defs/a0\",\"$defs\":{" + joined(40'000, kLink) + "," + end + "}}");
    implied = timed("{\"required\":[\"n0\"],\"dependentRequired\":{" + joined(60'000, "\"n{0}\":[\"n{1}\"]") + "}}");
  }).join();
  CHECK(chain == SchemaStatus::kOk);
  CHECK(implied == SchemaStatus::kOk);
}

TEST_CASE("a key that comes twice has its last value") {
  const auto made = compile_json_schema(R"({"properties": {"a": {"type": "null"}}, "type": "array", "type": "object",
                                           "required": ["a"], "additionalProperties": false})");
  REQUIRE(made.ok());
  CHECK(accepts(*made.constraint, R"({"a":null})"));
  CHECK_FALSE(accepts(*made.constraint, "[]"));
}

TEST_CASE("only the time that goals take counts, not the age of a constraint") {
  // Nothing below the root is looked at before it is walked, since the constraint was loaded.
  const auto made = compile_json_schema(R"({"properties": {"a": {"properties": {"b": {"enum": ["x", "y"]}}}}})");
  REQUIRE(made.ok());
  const auto digest = sgl::base::sha256("");
  const auto bytes = save(*made.constraint, digest);
  REQUIRE(bytes.ok());
  LoadLimits limits;
  limits.schema.time = std::chrono::milliseconds(200);
  const auto loaded = load(*bytes, digest, limits);
  REQUIRE(loaded.ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(accepts(**loaded, R"({"a":{"b":"x"}})"));
  CHECK_FALSE(accepts(**loaded, R"({"a":{"b":"z"}})"));
}
