// Any text as the JSON argument of a program. An accepted value is written as JSON that is accepted again and written
// the same.
#include "runtime/base/check.h"
#include "runtime/exec/convert.h"
#include "runtime/exec/value.h"
#include "runtime/plan/verify.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace sgl;
using Json = nlohmann::ordered_json;

plan::TypeId add(plan::Plan& plan, plan::Type type) {
  plan.types.push_back(std::move(type));
  return plan::TypeId(static_cast<std::uint32_t>(plan.types.size() - 1));
}

plan::Type simple(plan::TypeKind kind) {
  plan::Type type;
  type.kind = kind;
  return type;
}

plan::Type of(plan::TypeKind kind, std::vector<plan::TypeId> args) {
  plan::Type type = simple(kind);
  type.args = std::move(args);
  return type;
}

plan::Type literal(const char* text) {
  plan::Type type = simple(plan::TypeKind::kLiteral);
  type.literal.text = text;
  return type;
}

struct Subject {
  plan::Plan plan;
  plan::TypeId root;
};

// A record with every kind of type, and a list of itself: values may nest.
Subject make_subject() {
  using Kind = plan::TypeKind;
  Subject out;
  plan::Plan& plan = out.plan;
  plan::Type bounded = simple(Kind::kInt);
  bounded.min_int = -5;
  bounded.max_int = 100;
  plan::Type fraction = simple(Kind::kFloat);
  fraction.min_float = 0.0;
  fraction.max_float = 1.0;
  plan::Type name = simple(Kind::kString);
  name.min_size = 1;
  name.max_size = 12;
  plan::Type code = simple(Kind::kRegex);
  code.pattern = "[A-Z]{2}-\\d+";
  const plan::TypeId null = add(plan, simple(Kind::kNull));
  const plan::TypeId flag = add(plan, simple(Kind::kBool));
  const plan::TypeId number = add(plan, bounded);
  const plan::TypeId share = add(plan, fraction);
  const plan::TypeId text = add(plan, name);
  const plan::TypeId pattern = add(plan, code);
  const plan::TypeId yes = add(plan, literal("yes"));
  const plan::TypeId no = add(plan, literal("no"));
  const plan::TypeId choice = add(plan, of(Kind::kUnion, {yes, no, null, number}));
  plan::Type several = of(Kind::kList, {text});
  several.min_size = 1;
  several.max_size = 4;
  const plan::TypeId names = add(plan, several);
  out.root = add(plan, simple(Kind::kRecord));
  const plan::TypeId children = add(plan, of(Kind::kList, {out.root}));
  const auto field = [&](const char* label, plan::TypeId type, bool optional) {
    plan::Field made;
    made.name = label;
    made.type = type;
    made.optional = optional;
    plan.types[out.root.value].fields.push_back(made);
  };
  field("name", text, false);
  field("names", names, true);
  field("count", number, true);
  field("share", share, true);
  field("flag", flag, true);
  field("code", pattern, true);
  field("choice", choice, true);
  field("children", children, true);
  SGL_ASSERT(plan::verify(plan).ok());
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Subject subject = make_subject();
  const Json json = Json::parse(fuzz::as_text(data, size), nullptr, false);
  if (json.is_discarded()) return 0;
  const auto value = exec::value_from_json(subject.plan, subject.root, json, "fuzz");
  if (!value.ok()) return 0;
  const auto text = exec::to_json_text(subject.plan, *value);
  if (!text.ok()) return 0;
  const auto again = exec::value_from_json(subject.plan, subject.root, Json::parse(*text), "fuzz");
  SGL_ASSERT(again.ok());
  const auto written = exec::to_json_text(subject.plan, *again);
  SGL_ASSERT(written.ok() && *written == *text);
  return 0;
}
