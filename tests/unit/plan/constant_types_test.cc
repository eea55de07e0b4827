// Which constants fit which types: as each alternative by itself says, and without comparing texts again and again.
#include "runtime/plan/constant_types.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/plan/verify.h"
#include "sample_plan.h"

using namespace sgl::plan;

namespace {

using Kind = Constant::Kind;

Type of_kind(TypeKind kind) {
  Type out;
  out.kind = kind;
  return out;
}

Type literal(Literal::Kind kind, std::string text, std::int64_t number = 0) {
  Type out = of_kind(TypeKind::kLiteral);
  out.literal = {kind, std::move(text), number};
  return out;
}

Constant constant(Kind kind, std::int64_t number = 0, std::string text = "", TypeId type = {}) {
  Constant out;
  out.kind = kind;
  out.number = number;
  out.text = std::move(text);
  out.type = type;
  return out;
}

// What the type's own definition says, one alternative after the other.
bool fits_plainly(const Plan& plan, const Constant& value, TypeId id) {
  const Type& type = plan.type(id);
  switch (type.kind) {
    case TypeKind::kNull:
      return value.kind == Kind::kNull;
    case TypeKind::kBool:
      return value.kind == Kind::kBool;
    case TypeKind::kInt:
      return value.kind == Kind::kInt;
    case TypeKind::kFloat:
      return value.kind == Kind::kFloat;
    case TypeKind::kString:
    case TypeKind::kRegex:
    case TypeKind::kGrammar:
      return value.kind == Kind::kString;
    case TypeKind::kJson:
      return type.pattern.empty() && value.kind != Kind::kRecord;
    case TypeKind::kLiteral:
      if (type.literal.kind == Literal::Kind::kString)
        return value.kind == Kind::kString && value.text == type.literal.text;
      return value.kind == (type.literal.kind == Literal::Kind::kInt ? Kind::kInt : Kind::kBool) &&
             value.number == type.literal.number;
    case TypeKind::kList:
      return value.kind == Kind::kList;
    case TypeKind::kRecord:
      return value.kind == Kind::kRecord && value.type == id;
    case TypeKind::kUnion:
      return std::any_of(type.args.begin(), type.args.end(),
                         [&](TypeId arg) { return fits_plainly(plan, value, arg); });
  }
  return false;
}

}  // namespace

TEST_CASE("constants fit what their types' definitions say") {
  Plan plan;
  for (const TypeKind kind :
       {TypeKind::kNull, TypeKind::kBool, TypeKind::kInt, TypeKind::kFloat, TypeKind::kString, TypeKind::kRegex,
        TypeKind::kGrammar, TypeKind::kRecord, TypeKind::kRecord, TypeKind::kJson}) {
    plan.types.push_back(of_kind(kind));
  }
  plan.types.push_back(of_kind(TypeKind::kJson));
  plan.types.back().pattern = "{}";
  plan.types.push_back(of_kind(TypeKind::kList));
  plan.types.back().args = {TypeId(0)};
  for (const char* text : {"", "a", "b", "a"}) plan.types.push_back(literal(Literal::Kind::kString, text));
  for (const int number : {-1, 0, 1}) plan.types.push_back(literal(Literal::Kind::kInt, "", number));
  for (const int number : {0, 1}) plan.types.push_back(literal(Literal::Kind::kBool, "", number));
  const auto alternatives = static_cast<std::uint32_t>(plan.types.size());
  for (std::uint32_t a = 0; a < alternatives; ++a) {
    for (std::uint32_t b = 0; b < alternatives; ++b) {
      plan.types.push_back(of_kind(TypeKind::kUnion));
      plan.types.back().args = {TypeId(a), TypeId(b), TypeId((a + b) % alternatives)};
    }
  }
  plan.constants.push_back(constant(Kind::kNull));
  for (const int number : {-1, 0, 1, 2}) plan.constants.push_back(constant(Kind::kInt, number));
  for (const int number : {0, 1}) plan.constants.push_back(constant(Kind::kBool, number));
  for (const char* text : {"", "a", "b", "c"}) plan.constants.push_back(constant(Kind::kString, 0, text));
  plan.constants.push_back(constant(Kind::kFloat));
  plan.constants.push_back(constant(Kind::kList));
  for (const std::uint32_t type : {7U, 8U}) plan.constants.push_back(constant(Kind::kRecord, 0, "", TypeId(type)));

  const ConstantTypes types(plan);
  for (std::uint32_t c = 0; c < plan.constants.size(); ++c) {
    for (std::uint32_t t = 0; t < plan.types.size(); ++t) {
      CAPTURE(c);
      CAPTURE(t);
      CHECK(types.fits(ConstId(c), TypeId(t)) == fits_plainly(plan, plan.constants[c], TypeId(t)));
    }
  }
}

// Comparing each field of each record with every alternative would look at two terabytes.
TEST_CASE("a long text is not compared with every alternative of every field") {
  constexpr std::size_t kRecords = 20, kFields = 600, kAlternatives = 2'000, kLength = 100'000;
  Plan plan = sample_plan();
  const auto add_type = [&](Type type) {
    plan.types.push_back(std::move(type));
    return TypeId(static_cast<std::uint32_t>(plan.types.size() - 1));
  };
  const std::string common(kLength, 'x');
  Type either = of_kind(TypeKind::kUnion), record = of_kind(TypeKind::kRecord);
  either.args.assign(kAlternatives - 1, add_type(literal(Literal::Kind::kString, common + "a")));
  either.args.push_back(add_type(literal(Literal::Kind::kString, common + "b")));
  const TypeId either_id = add_type(either);
  for (std::size_t i = 0; i < kFields; ++i) record.fields.push_back({"f" + std::to_string(i), either_id, false, ""});
  const TypeId record_id = add_type(record);
  const std::size_t text = plan.constants.size();
  plan.constants.push_back(constant(Kind::kString, 0, common + "b"));
  Constant whole = constant(Kind::kRecord, 0, "", record_id);
  whole.items.assign(kFields, ConstId(static_cast<std::uint32_t>(text)));
  for (std::size_t i = 0; i < kRecords; ++i) plan.constants.push_back(whole);
  const auto accepted = verify(plan);
  CHECK_MESSAGE(accepted.ok(), (accepted.ok() ? "" : accepted.error().message));

  plan.constants[text].text.back() = 'c';
  const auto refused = verify(plan);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message ==
        "constant " + std::to_string(text + 1) + ": constant " + std::to_string(text) + " does not fit field 'f0'");
}
