#include "tests/unit/exec/support.h"

#include <stdexcept>
#include <utility>

#include "runtime/exec/ops.h"
#include "runtime/plan/text.h"

namespace sgl::exec::test {
namespace {

constexpr std::string_view kPrograms = R"(plan 2
compiler "test"
file 0 = "test.sgl"
type 0 = {"args":[1],"kind":"list"}
type 1 = {"kind":"string"}
type 2 = {"kind":"int"}
const 0 = "All:"
const 1 = "bad"
const 2 = 0
const 3 = 1
const 4 = "Hi"
const 5 = 3
const 6 = "Pick: "
gen 0 = {"name":"answer","type":1}
gen 1 = {"many":true,"name":"many","options":["n"],"type":1}
select 0 = {"method":"token_length_normalized","name":"it"}
program 0 = {"function":0,"name":"each","params":[{"name":"items","type":0},{"name":"bound","type":2}],"result":0}
program 1 = {"function":1,"name":"spin","params":[{"name":"n","type":2}],"result":2}
program 2 = {"function":2,"name":"grow","params":[{"name":"n","type":2}],"result":2}
program 3 = {"function":3,"name":"several","result":0}
program 4 = {"function":4,"name":"choose","params":[{"name":"options","type":0}],"result":1}
program 5 = {"function":6,"name":"ask","result":1}
function 0 = {"kind":"program","name":"each","params":2,"regs":"bibb","result":"b","result_type":0}
    0  const        r2, k0                          @0:2:3
    1  text         r2                              @0:2:3
    2  parallel_for r3, f5, [r0, r1]                @0:3:13
    3  return       r3                              @0:9:3
function 1 = {"kind":"program","name":"spin","params":1,"regs":"iiil","result":"i","result_type":2}
    0  const        r1, k2                          @0:12:11
    1  lt.i         r3, r1, r0                      @0:13:9
    2  branch       r3, ->3, ->6                    @0:13:3
    3  const        r2, k3                          @0:13:22
    4  add.i        r1, r1, r2                      @0:13:17
    5  jump         ->1                             @0:13:17
    6  return       r1                              @0:14:3
function 2 = {"kind":"program","name":"grow","params":1,"regs":"ibil","result":"i","result_type":2}
    0  list         r1, []                          @0:17:24
    1  len          r2, r1                          @0:18:9
    2  lt.i         r3, r2, r0                      @0:18:9
    3  branch       r3, ->4, ->7                    @0:18:3
    4  const        r2, k3                          @0:18:41
    5  push         r1, r1, r2                      @0:18:24
    6  jump         ->1                             @0:18:24
    7  len          r2, r1                          @0:19:10
    8  return       r2                              @0:19:3
function 3 = {"kind":"program","name":"several","regs":"bi","result":"b","result_type":0}
    0  const        r0, k4                          @0:22:3
    1  text         r0                              @0:22:3
    2  const        r1, k5                          @0:23:29
    3  gen          r0, g1, [r1]                    @0:23:3
    4  return       r0                              @0:24:3
function 4 = {"kind":"program","name":"choose","params":1,"regs":"bb","result":"b","result_type":1}
    0  const        r1, k6                          @0:27:3
    1  text         r1                              @0:27:3
    2  select       r1, s0, [r0]                    @0:28:3
    3  return       r1                              @0:29:3
function 5 = {"kind":"fork","name":"each.parallel","params":2,"regs":"bibbl","result":"b","result_type":1}
    0  text         r0                              @0:4:5
    1  gen          r2, g0, []                      @0:5:5
    2  const        r3, k1                          @0:6:18
    3  eq           r4, r2, r3                      @0:6:8
    4  branch       r4, ->5, ->6                    @0:6:5
    5  fail         r0                              @0:6:26
    6  return       r2                              @0:7:5
function 6 = {"kind":"program","name":"ask","regs":"b","result":"b","result_type":1}
    0  const        r0, k4                          @0:32:3
    1  text         r0                              @0:32:3
    2  gen          r0, g0, []                      @0:33:3
    3  return       r0                              @0:34:3
)";

plan::Plan types_only() {
  using plan::TypeId;
  using plan::TypeKind;
  plan::Plan plan;
  const auto add = [&](TypeKind kind) -> plan::Type& {
    plan.types.emplace_back();
    plan.types.back().kind = kind;
    return plan.types.back();
  };
  for (const TypeKind kind : {TypeKind::kString, TypeKind::kInt, TypeKind::kFloat, TypeKind::kBool, TypeKind::kNull})
    add(kind);
  plan::Type& ints = add(TypeKind::kList);  // 5
  ints.args = {TypeId(1)};
  ints.min_size = 1;
  ints.max_size = 3;
  plan::Type& point = add(TypeKind::kRecord);  // 6
  point.name = "Point";
  point.fields = {{"x", TypeId(13), false, ""}, {"y", TypeId(0), true, ""}};
  add(TypeKind::kUnion).args = {TypeId(14), TypeId(15), TypeId(4)};  // 7
  add(TypeKind::kList).args = {TypeId(6)};                           // 8
  add(TypeKind::kString).max_size = 2;                               // 9
  add(TypeKind::kRegex).pattern = "[a-c]+";                          // 10
  add(TypeKind::kList).args = {TypeId(0)};                           // 11
  plan::Type& chain = add(TypeKind::kRecord);                        // 12
  chain.name = "Chain";
  chain.fields = {{"next", TypeId(12), true, ""}};
  plan::Type& digit = add(TypeKind::kInt);  // 13
  digit.min_int = 0;
  digit.max_int = 9;
  add(TypeKind::kLiteral).literal = {plan::Literal::Kind::kString, "A", 0};  // 14
  add(TypeKind::kLiteral).literal = {plan::Literal::Kind::kInt, "", 3};      // 15
  add(TypeKind::kJson);                                                      // 16
  add(TypeKind::kJson).pattern =
      R"({"type":"object","properties":{"a":{"type":"integer","maximum":9}},"required":["a"]})";  // 17
  plan.types.back().format = "a.json";
  add(TypeKind::kUnion).args = {TypeId(19), TypeId(20), TypeId(21)};  // 18
  for (const std::uint32_t op : {22U, 23U}) {                         // 19, 20
    add(TypeKind::kRecord).fields = {
        {"left", TypeId(18), false, ""}, {"right", TypeId(18), false, ""}, {"op", TypeId(op), false, ""}};
  }
  add(TypeKind::kRecord).fields = {{"value", TypeId(1), false, ""}};           // 21
  add(TypeKind::kLiteral).literal = {plan::Literal::Kind::kString, "add", 0};  // 22
  add(TypeKind::kLiteral).literal = {plan::Literal::Kind::kString, "mul", 0};  // 23
  add(TypeKind::kUnion).args = {TypeId(25), TypeId(26), TypeId(21)};           // 24
  for (const std::uint32_t op : {10U, 27U}) {                                  // 25, 26
    add(TypeKind::kRecord).fields = {
        {"left", TypeId(24), false, ""}, {"right", TypeId(24), false, ""}, {"op", TypeId(op), false, ""}};
  }
  add(TypeKind::kString).min_size = 3;                              // 27
  add(TypeKind::kUnion).args = {TypeId(4), TypeId(1), TypeId(29)};  // 28
  add(TypeKind::kList).args = {TypeId(28)};                         // 29
  plan::Type& share = add(TypeKind::kFloat);                        // 30
  share.min_float = 0.5;
  share.max_float = 0.9;
  return plan;
}

}  // namespace

std::shared_ptr<const LoadedPlan> sample_programs() {
  static const std::shared_ptr<const LoadedPlan> loaded = [] {
    auto parsed = plan::parse(kPrograms);
    if (!parsed.ok()) throw std::runtime_error(parsed.error().message);
    return std::make_shared<const LoadedPlan>(std::move(*parsed));
  }();
  return loaded;
}

Machinery::Machinery() : plan(types_only()), image(plan) {
  machine.fuel = 1'000'000;
  machine.stack_left = kStackUnits;
  machine.image = &image;
  current_heap() = &machine.heap;
}

std::string Machinery::text(const Value& value) const {
  std::string out;
  return append_json(plan, value, std::size_t{1} << 30, out) ? out : "too long";
}

void Machinery::forget() {
  machine.error_kind = base::ErrorKind::kInternal;
  machine.error_message.clear();
}

Value value_of(const Json& json) {
  if (json.is_boolean()) return Value::boolean(json.get<bool>());
  if (json.is_number_integer()) return Value::integer(json.get<std::int64_t>());
  if (json.is_number_float()) return Value::real(json.get<double>());
  if (json.is_string()) return Value::string(json.get<std::string>());
  if (json.is_null()) return Value();
  std::vector<Value> items;
  for (const Json& item : json) items.push_back(value_of(item));
  return Value::list(items);
}

RunResult run_program(const std::shared_ptr<const LoadedPlan>& plan, ModelPort& port, const std::string& program,
                      const Json& args, const RunOptions& options) {
  Executor executor(plan, port);
  RunResult out;
  RunEvents events;
  events.on_finished = [&](RunResult result) { out = std::move(result); };
  const auto started = executor.start(program, args, options, std::move(events));
  if (!started.ok()) {
    out.value = started.error();
    return out;
  }
  executor.run();
  return out;
}

std::string outcome(const RunResult& result) {
  if (result.value.ok()) return *result.value;
  return std::string(base::error_kind_name(result.value.error().kind)) + ": " + result.value.error().message;
}

}  // namespace sgl::exec::test
