// Constraints that a plan carries: what is put in, what is taken from it, and what is compiled instead.
#include "runtime/constraint/plan_constraints.h"

#include <algorithm>
#include <utility>

#include "runtime/constraint/compiled.h"
#include "runtime/constraint/plan_types.h"
#include "runtime/plan/codec.h"
#include "runtime/plan/text.h"
#include "runtime/plan/verify.h"
#include "tests/unit/constraint/support.h"

namespace plan = sgl::plan;
using plan::TypeId;
using plan::TypeKind;

namespace {

struct TypeSample {
  TypeId type;
  std::vector<std::string> good, bad;
};

// Types of every kind, and a generation of each of them that stands in `gens`.
struct PlanSample {
  PlanSample() {
    const TypeId text = add(TypeKind::kString), number = add(TypeKind::kInt), literal = add(TypeKind::kLiteral);
    type(literal).literal.text = "yes";
    generate({text, {"", "any"}, {}});
    generate({number, {"12"}, {"x"}});
    generate({literal, {"yes"}, {"no"}});
    const TypeId pattern = add(TypeKind::kRegex);
    type(pattern).pattern = "[a-c]+\\d?";
    generate({pattern, {"abc", "b7"}, {"", "7", "abd"}});
    const TypeId date = add(TypeKind::kString);
    type(date).format = "date";
    generate({date, {"2024-02-29"}, {"2023-02-29"}});
    const TypeId record = add(TypeKind::kRecord);
    type(record).name = "Person";
    type(record).fields = {
        {"name", pattern, false, ""}, {"born", date, true, ""}, {"friend", record, true, ""}};  // contains itself
    generate({record, {R"({"name":"ab"})", R"({"name":"a","friend":{"name":"b"}})"}, {R"({"name":"d"})", "{}"}});
    const TypeId list = add(TypeKind::kList);
    type(list).args = {record};
    type(list).max_size = 2;
    generate({list, {"[]", R"([{"name":"a"}])"}, {"[1]"}});
    const TypeId grammar = add(TypeKind::kGrammar);
    type(grammar).pattern = "start: \"(\" start \")\" | /[0-9]+/";
    generate({grammar, {"12", "((3))"}, {"(3"}});
    const TypeId json = add(TypeKind::kJson);
    type(json).pattern = R"({"type":"object","properties":{"n":{"type":"integer","maximum":9}},"required":["n"]})";
    generate({json, {R"({"n":3})"}, {R"({"n":10})", "3"}});
    const TypeId either = add(TypeKind::kUnion);
    type(either).args = {grammar, record, literal};
    generate({either, {"((3))", R"({"name":"ab"})", "yes"}, {"no", "{}"}});
  }

  TypeId add(TypeKind kind) {
    plan.types.emplace_back().kind = kind;
    return TypeId(static_cast<std::uint32_t>(plan.types.size() - 1));
  }
  plan::Type& type(TypeId id) { return plan.types[id.value]; }
  void generate(TypeSample sample) {
    plan.gens.emplace_back().type = sample.type;
    samples.push_back(std::move(sample));
  }

  plan::Plan plan;
  std::vector<TypeSample> samples;
};

CarryReport carry(plan::Plan& plan, const CarryLimits& limits = {}) {
  auto made = carry_constraints(plan, limits);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  return *made;
}

PlanConstraint constraint(const plan::Plan& plan, TypeId type) {
  auto made = constraint_of(plan, type);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  return *made;
}

void check_language(const PlanConstraint& made, const TypeSample& sample) {
  for (const std::string& text : sample.good) CHECK_MESSAGE(accepts(*made.constraint, text), text);
  for (const std::string& text : sample.bad) CHECK_FALSE_MESSAGE(accepts(*made.constraint, text), text);
}

std::string& bytes_of(plan::Plan& plan, TypeId type) {
  for (plan::CompiledConstraint& c : plan.constraints) {
    if (c.type == type) return c.bytes;
  }
  FAIL("it is not carried");
  return plan.constraints.front().bytes;
}

}  // namespace

TEST_CASE("a plan carries the constraints of what it generates, and they are loaded") {
  PlanSample made;
  const CarryReport report = carry(made.plan);
  CHECK(report.count == 7);  // neither bare text nor numbers nor literals
  CHECK(report.count == made.plan.constraints.size());
  CHECK(report.left_out.empty());
  REQUIRE(plan::verify(made.plan).ok());
  const auto binary = plan::decode(plan::encode(made.plan));
  const auto text = plan::parse(plan::print(made.plan));
  REQUIRE((binary.ok() && text.ok()));
  for (const plan::Plan* plan : {&std::as_const(made.plan), &*binary, &*text}) {
    std::size_t loaded = 0;
    for (const TypeSample& sample : made.samples) {
      const PlanConstraint got = constraint(*plan, sample.type);
      CHECK(got.refused == "");
      loaded += got.loaded ? 1 : 0;
      check_language(got, sample);
    }
    CHECK(loaded == report.count);
  }
}

TEST_CASE("equal plans carry equal bytes, whatever they carried before") {
  PlanSample one, two;
  carry(one.plan);
  two.plan.constraints = {{TypeId(0), "old"}, {TypeId(9), "older"}};
  carry(two.plan);
  CHECK(plan::encode(one.plan) == plan::encode(two.plan));
  carry(two.plan);
  CHECK(plan::encode(one.plan) == plan::encode(two.plan));
}

TEST_CASE("what is stale, foreign or damaged is compiled, with the reason") {
  struct Case {
    const char* reason;
    std::function<void(std::string&)> spoil;
  };
  const Case cases[] = {
      {"another version of the constraint engine made it",
       [](std::string& b) { b[12] = static_cast<char>(b[12] ^ 1); }},
      {"it was made of another specification", [](std::string& b) { b[44] = static_cast<char>(b[44] ^ 1); }},
      {"it is damaged: its checksum does not match",
       [](std::string& b) { b.back() = static_cast<char>(b.back() ^ 1); }},
      {"it is damaged: its checksum does not match", [](std::string& b) { b.pop_back(); }},
      {"it is not a compiled constraint", [](std::string& b) { b.resize(20); }},
      {"it is not a compiled constraint", [](std::string& b) { b.clear(); }},
  };
  PlanSample made;
  carry(made.plan);
  for (const Case& c : cases) {
    plan::Plan plan = made.plan;
    for (plan::CompiledConstraint& one : plan.constraints) c.spoil(one.bytes);
    REQUIRE(plan::verify(plan).ok());
    for (const TypeSample& sample : made.samples) {
      const bool carried = std::any_of(plan.constraints.begin(), plan.constraints.end(),
                                       [&](const auto& one) { return one.type == sample.type; });
      const PlanConstraint got = constraint(plan, sample.type);
      CHECK_FALSE(got.loaded);
      CHECK(got.refused == (carried ? c.reason : ""));
      check_language(got, sample);
    }
  }
}

TEST_CASE("the constraint of another type is not taken, nor one of a type that has changed") {
  PlanSample made;
  carry(made.plan);
  const TypeSample& pattern = made.samples[3];
  const TypeSample& grammar = made.samples[7];
  std::swap(bytes_of(made.plan, pattern.type), bytes_of(made.plan, grammar.type));
  for (const TypeSample* sample : {&pattern, &grammar}) {
    const PlanConstraint got = constraint(made.plan, sample->type);
    CHECK_FALSE(got.loaded);
    CHECK(got.refused == "it was made of another specification");
    check_language(got, *sample);
  }
  carry(made.plan);
  made.type(pattern.type).pattern = "[x-z]+";
  const PlanConstraint got = constraint(made.plan, pattern.type);
  CHECK_FALSE(got.loaded);
  CHECK(accepts(*got.constraint, "xyz"));
  CHECK_FALSE(constraint(made.plan, made.samples[5].type).loaded);  // the record has it inside
}

TEST_CASE("what is too large is left out and named") {
  PlanSample made;
  const CarryReport all = carry(made.plan);
  std::vector<std::size_t> sizes;
  for (const plan::CompiledConstraint& c : made.plan.constraints) sizes.push_back(c.bytes.size());
  const std::size_t largest = *std::max_element(sizes.begin(), sizes.end());
  const CarryReport most = carry(made.plan, {.max_bytes = largest - 1, .max_total = 1 << 20});
  CHECK(most.count + most.left_out.size() == all.count);
  CHECK(most.left_out.size() >= 1);
  CHECK(most.left_out[0].why.find("bytes, more than " + std::to_string(largest - 1)) != std::string::npos);
  CHECK_FALSE(constraint(made.plan, most.left_out[0].type).loaded);
  const CarryReport some = carry(made.plan, {.max_bytes = 1 << 20, .max_total = all.bytes - 1});
  CHECK(some.count + 1 == all.count);
  CHECK(some.bytes < all.bytes);
  CHECK(some.left_out.size() == 1);
}

TEST_CASE("a type that no text satisfies is an error with its name") {
  plan::Plan plan;
  plan::Type& type = plan.types.emplace_back();
  type.kind = TypeKind::kJson;
  type.name = "Never";
  type.pattern = "false";
  plan.gens.emplace_back().type = TypeId(0);
  const auto made = carry_constraints(plan);
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().message.starts_with("type 0 'Never': "));
}

TEST_CASE("types nested deeper than the stack become a specification, and an error that says so") {
  constexpr std::uint32_t kDeep = 200'000;
  std::vector<plan::Type> types(kDeep + 1);
  for (std::uint32_t i = 0; i < kDeep; ++i) {
    types[i].kind = plan::TypeKind::kList;
    types[i].args = {plan::TypeId(i + 1)};
  }
  types[kDeep].kind = plan::TypeKind::kBool;
  const TypeSpec spec = spec_of(types, plan::TypeId(0), true);
  REQUIRE(spec.nodes.size() == kDeep + 1);
  CHECK(spec.nodes[5].children == std::vector<std::uint32_t>{6});
  CHECK(spec.nodes[kDeep].kind == SpecKind::kBool);
  CHECK_FALSE(compile_type(spec).ok());
}
