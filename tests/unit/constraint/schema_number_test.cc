// JSON Schema: numbers as they are written.
#include "runtime/constraint/json_schema.h"
#include "tests/unit/constraint/support.h"

namespace {

struct Case {
  std::string schema;
  std::vector<std::string> good, bad;
};

}  // namespace

TEST_CASE("schemas: numbers that neither 64 bits nor a double hold are what they are written as") {
  const std::vector<Case> cases = {
      {R"({"const":123456789012345678901234567890})",
       {"123456789012345678901234567890", "123456789012345678901234567890.0"},
       {"123456789012345680000000000000", "123456789012345678901234567891"}},
      {R"({"enum":[0.1000000000000000055,[18446744073709551617]]})",
       {"0.1000000000000000055", "[18446744073709551617]"},
       {"0.1", "[18446744073709551616]", "[18446744073709552000]"}},
      {R"({"const":{"a":[-123456789012345678901]}})",
       {R"({"a":[-123456789012345678901]})"},
       {R"({"a":[-123456789012345680000]})"}},
      {R"({"type":"integer","minimum":9223372036854775808.5,"maximum":18446744073709551617})",
       {"9223372036854775809", "18446744073709551617"},
       {"9223372036854775808", "18446744073709551618"}},
      {R"({"type":"integer","minimum":1e30,"exclusiveMaximum":1000000000000000000000000000003})",
       {"1000000000000000000000000000000", "1000000000000000000000000000002"},
       {"999999999999999999999999999999", "1000000000000000000000000000003"}},
      {R"({"type":"number","minimum":1e-400,"maximum":1})", {"0.5", "1"}, {"0", "0.0"}},
  };
  for (const Case& c : cases) {
    const SchemaResult made = compile_json_schema(c.schema);
    CHECK_MESSAGE(made.ok(), c.schema << ": " << made.pointer << ": " << made.message);
    if (!made.ok()) continue;
    for (const std::string& text : c.good) CHECK_MESSAGE(accepts(*made.constraint, text), c.schema << " " << text);
    for (const std::string& text : c.bad) CHECK_MESSAGE(!accepts(*made.constraint, text), c.schema << " " << text);
  }
}

TEST_CASE("schemas: lengths and long numbers") {
  // A length is a whole number or none, and more than can be counted is not another count.
  CHECK(compile_json_schema(R"({"type":"string","maxLength":1e30})").ok());
  const SchemaResult length = compile_json_schema(R"({"minLength":1.00000000000000000001})");
  CHECK(length.status == SchemaStatus::kInvalid);
  CHECK(length.pointer == "/minLength");
  SchemaOptions lenient;
  lenient.unsupported = Unsupported::kIgnore;
  const SchemaResult made = compile_json_schema(R"({"type":"integer","minimum":1e-500})", lenient);
  REQUIRE_MESSAGE(made.ok(), made.message);
  CHECK(made.ignored == std::vector<std::string>{"/minimum"});
}
