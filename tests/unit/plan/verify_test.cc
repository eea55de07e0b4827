// One fault at a time against the sample plan, with the sentence that names it.
#include "runtime/plan/verify.h"

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "sample_plan.h"

using namespace sgl::plan;

namespace {

struct Fault {
  std::function<void(Plan&)> make;
  std::string sentence;
};

std::string verify_error(const Plan& plan, const PlanLimits& limits = {}) {
  const auto status = verify(plan, limits);
  return status.ok() ? "accepted" : status.error().message;
}

void check_all(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    Plan plan = sample_plan();
    fault.make(plan);
    CHECK(verify_error(plan) == fault.sentence);
  }
}

Inst& inst_of(Plan& plan, Op op) {
  return plan.functions[kMain].code[index_of(plan, op)];
}

// The place of main's first instruction with this operation, as sentences begin.
std::string at(Op op) {
  return "function 4 'main', instruction " + std::to_string(index_of(sample_plan(), op)) + " (" +
         std::string(kOps[static_cast<std::size_t>(op)].name) + "): ";
}

// A fault in one instruction.
Fault in(Op op, const std::function<void(Inst&)>& change, const std::string& sentence) {
  return {[=](Plan& plan) { change(inst_of(plan, op)); }, at(op) + sentence};
}

// A fault in an argument of one instruction.
Fault in_arg(Op op, std::size_t arg, std::uint32_t reg, const std::string& sentence) {
  return {[=](Plan& plan) { plan.functions[kMain].args[inst_of(plan, op).b + arg] = reg; }, at(op) + sentence};
}

}  // namespace

TEST_CASE("verify rejects faulty operands") {
  check_all({
      in(
          Op::kAddI, [](Inst& i) { i.b = 99; }, "operand b is register 99 of 11"),
      in(
          Op::kAddI, [](Inst& i) { i.a = kNone; }, "operand a is missing"),
      in(
          Op::kAddI, [](Inst& i) { i.a = 6; }, "operand a is float register 6, not int"),
      in(
          Op::kAddF, [](Inst& i) { i.dst = 0; }, "operand dst is boxed register 0, not float"),
      in(
          Op::kNot, [](Inst& i) { i.a = 1; }, "operand a is int register 1, not bool"),
      in(
          Op::kLen, [](Inst& i) { i.a = 8; }, "operand a is bool register 8, not boxed"),
      in(
          Op::kAddI, [](Inst& i) { i.c = 0; }, "operand c is 0, but the operation has none"),
      in(
          Op::kRoleEnd, [](Inst& i) { i.dst = 1; }, "operand dst is 1, but the operation has none"),
      in(
          Op::kConst, [](Inst& i) { i.a = 16; }, "operand a is constant 16 of 16"),
      in(
          Op::kConst, [](Inst& i) { i.dst = 4; }, "constant 4 does not fit int register 4"),
      in(
          Op::kMove, [](Inst& i) { i.a = 6; }, "moves float to int"),
      in(
          Op::kBox, [](Inst& i) { i.a = 2; }, "operand a is boxed already"),
      in(
          Op::kUnbox, [](Inst& i) { i.dst = 2; }, "operand dst is boxed"),
      in(
          Op::kJump, [](Inst& i) { i.a = 1000; }, "operand a is a jump to instruction 1000 of 64"),
      in(
          Op::kBranch, [](Inst& i) { i.c = kNone; }, "operand c is missing"),
      in(
          Op::kReturn, [](Inst& i) { i.a = 1; }, "returns int, but the function's result is boxed"),
      in(
          Op::kFormat, [](Inst& i) { i.b = 6; }, "operand b is float register 6, not boxed"),
      in(
          Op::kField, [](Inst& i) { i.b = kNone; }, "operand b is missing"),
      in(
          Op::kSetIndex, [](Inst& i) { i.c = 11; }, "operand c is register 11 of 11"),
      in(
          Op::kRecordNew, [](Inst& i) { i.a = 22; }, "operand a is type 22 of 22"),
      in(
          Op::kRecordNew, [](Inst& i) { i.a = 4; }, "type 4 is not a record"),
      in(
          Op::kRecordNew, [](Inst& i) { i.c = 1; }, "1 arguments for 2 fields"),
      in(
          Op::kBuiltin, [](Inst& i) { i.a = 38; }, "operand a is built-in 38 of 38"),
      in(
          Op::kBuiltin, [](Inst& i) { i.c = 2; }, "replace takes 3 to 3 arguments, not 2"),
      in(
          Op::kRoleBegin, [](Inst& i) { i.a = 3; }, "operand a is role 3 of 3"),
      in(
          Op::kGen, [](Inst& i) { i.a = 2; }, "operand a is gen 2 of 2"),
      in(
          Op::kSelect, [](Inst& i) { i.a = 9; }, "operand a is select 9 of 2"),
      in(
          Op::kParallel, [](Inst& i) { i.a = 1; }, "operand a is parallel 1 of 1"),
      in(
          Op::kConcat, [](Inst& i) { i.b = 100; }, "its arguments are entries 100 to 103 of 26"),
      in(
          Op::kConcat, [](Inst& i) { i.c = kNone; }, "its arguments are entries 0 to 4294967295 of 26"),
      in_arg(Op::kConcat, 1, 50, "argument 1 is register 50 of 11"),
      in_arg(Op::kConcat, 2, 6, "argument 2 is float, not boxed"),
  });
}

TEST_CASE("verify rejects instructions that do not fit what they refer to") {
  check_all({
      in(
          Op::kCall, [](Inst& i) { i.a = 6; }, "operand a is function 6 of 6"),
      in(
          Op::kCall, [](Inst& i) { i.a = kEach; }, "calls fork 'each'"),
      in(
          Op::kCall, [](Inst& i) { i.c = 0; }, "passes 0 arguments to 'helper', which takes 1"),
      in(
          Op::kCall, [](Inst& i) { i.dst = 6; }, "the result of 'helper' is int, but operand dst is float"),
      in_arg(Op::kCall, 0, 2, "argument 0 is boxed, not int"),
      in(
          Op::kGen, [](Inst& i) { i.c = 1; }, "1 arguments for gen 0, which takes 2"),
      in(
          Op::kGen, [](Inst& i) { i.dst = 6; }, "the result of gen 0 does not fit float register 6"),
      in_arg(Op::kGen, 1, 6, "argument 1 is float, not boxed"),
      in(
          Op::kSelect, [](Inst& i) { i.c = 1; }, "1 arguments for select 0, which takes 2"),
      in_arg(Op::kSelect, 0, 4, "argument 0 is int, not boxed"),
      in(
          Op::kTool, [](Inst& i) { i.a = 1; }, "operand a is tool 1 of 1"),
      in(
          Op::kTool, [](Inst& i) { i.c = 1; }, "1 arguments for tool 'look_up', which takes 2"),
      in(
          Op::kTool, [](Inst& i) { i.dst = 2; }, "the answer of tool 'look_up' does not fit boxed register 2"),
      in_arg(Op::kTool, 1, 2, "argument 1 is boxed, not int"),
      in(
          Op::kTry, [](Inst& i) { i.a = 900; }, "operand a is a jump to instruction 900 of 64"),
      in(
          Op::kTry, [](Inst& i) { i.b = 10; }, "type 10 is not the record of an error"),
      in(
          Op::kParallelFor, [](Inst& i) { i.a = kAsk; }, "the body 'ask' is a prompt, not a fork"),
      in(
          Op::kParallelFor, [](Inst& i) { i.c = 1; }, "needs a list and a bound"),
      in(
          Op::kParallelFor, [](Inst& i) { i.c = 2; }, "passes 0 arguments to 'each', which takes 1"),
      in(
          Op::kParallelFor, [](Inst& i) { i.a = kBranch; }, "the body 'branch' does not take item and index"),
      in_arg(Op::kParallelFor, 0, 4, "argument 0 is int, not boxed"),
      in_arg(Op::kParallelFor, 1, 2, "argument 1 is boxed, not int"),
      in_arg(Op::kParallelFor, 2, 6, "argument 2 is float, not boxed"),
      in(
          Op::kParallel, [](Inst& i) { i.c = 0; }, "too few arguments for entry 'a'"),
      in_arg(Op::kParallel, 0, 6, "argument 0 is float, not boxed"),
      {[](Plan& p) { p.functions[kEach].regs[1] = Rep::kFloat; },
       at(Op::kParallelFor) + "the index of the body 'each' is not int"},
      {[](Plan& p) { p.parallels[0].entries[0].arg_count = 0; },
       at(Op::kParallel) + "passes 0 arguments to 'branch', which takes 1"},
      {[](Plan& p) {
         p.functions[kMain].args.push_back(2);
         inst_of(p, Op::kParallel).c = 2;
       },
       at(Op::kParallel) + "2 arguments, but the entries take 1"},
  });
}

TEST_CASE("verify rejects faulty functions") {
  check_all({
      {[](Plan& p) { p.functions[kHelper].code.clear(); }, "function 0 'helper': has no code"},
      {[](Plan& p) { p.functions[kHelper].positions.clear(); }, "function 0 'helper': 0 positions for 1 instructions"},
      {[](Plan& p) { p.functions[kHelper].positions[0].file = 1; },
       "function 0 'helper', instruction 0 (return): its position is in file 1 of 1"},
      {[](Plan& p) { p.functions[kHelper].param_count = 2; }, "function 0 'helper': 2 parameters in 1 registers"},
      {[](Plan& p) { p.functions[kHelper].kind = static_cast<FunctionKind>(4); }, "function 0 'helper': unknown kind"},
      {[](Plan& p) { p.functions[kHelper].regs[0] = static_cast<Rep>(4); },
       "function 0 'helper': register 0 has no known representation"},
      {[](Plan& p) { p.functions[kHelper].result = static_cast<Rep>(4); },
       "function 0 'helper': the result has no known representation"},
      {[](Plan& p) { p.functions[kHelper].result_type = TypeId(30); },
       "function 0 'helper': the result is type 30 of 22"},
      {[](Plan& p) { p.functions[kHelper].code[0].op = static_cast<Op>(60); },
       "function 0 'helper', instruction 0 (?): unknown operation 60"},
      {[](Plan& p) {
         p.functions[kHelper].code[0] = {Op::kNegI, 0, 0, kNone, kNone};
       },
       "function 0 'helper', instruction 0 (neg.i): the code runs off its end"},
      {[](Plan& p) { p.functions[kAsk].kind = FunctionKind::kFn; },
       "function 1 'ask', instruction 0 (text): a fn cannot talk to the model"},
      {[](Plan& p) {
         Function& helper = p.functions[kHelper];
         helper.regs.push_back(Rep::kBoxed);
         helper.code.insert(helper.code.begin(), {Op::kCall, 1, kSub, 0, 0});
         helper.positions.push_back({});
       },
       "function 0 'helper', instruction 0 (call): a fn cannot call program 'sub'"},
  });
}

TEST_CASE("verify rejects faulty types") {
  auto type = [](std::size_t index, const std::function<void(Type&)>& change, const std::string& what) {
    return Fault{[=](Plan& p) { change(p.types[index]); }, "type " + std::to_string(index) + ": " + what};
  };
  check_all({
      type(
          5, [](Type& t) { t.args[0] = TypeId(99); }, "refers to type 99 of 22"),
      type(
          5, [](Type& t) { t.args.clear(); }, "a list of 0 types"),
      type(
          9, [](Type& t) { t.args.pop_back(); }, "a union of 1 types"),
      type(
          9, [](Type& t) { t.args[0] = TypeId(9); }, "member 9 of the union is a union"),
      type(
          4, [](Type& t) { t.args = {TypeId(0)}; }, "this kind of type has no members"),
      type(
          4,
          [](Type& t) {
            t.fields = {{"a", TypeId(0), false, ""}};
          },
          "only records have fields"),
      type(
          4, [](Type& t) { t.kind = static_cast<TypeKind>(99); }, "unknown kind"),
      type(
          13, [](Type& t) { t.max_size = 0; }, "sizes from 1 to 0"),
      type(
          13, [](Type& t) { t.min_size = -1; }, "sizes from -1 to 80"),
      type(
          12, [](Type& t) { t.min_int = 5, t.max_int = 4; }, "integers from 5 to 4"),
      type(
          18, [](Type& t) { t.min_float = 3.0; }, "the range of floats is empty"),
      type(
          18, [](Type& t) { t.min_float = std::numeric_limits<double>::quiet_NaN(); }, "the range of floats is empty"),
      type(
          8, [](Type& t) { t.literal.number = 2; }, "the bool is 2"),
      type(
          10, [](Type& t) { t.fields[1].name = "x"; }, "two fields are named 'x'"),
      type(
          10, [](Type& t) { t.fields[1].name = ""; }, "field 1 has no name"),
      type(
          10, [](Type& t) { t.fields[1].type = TypeId(22); }, "field 1 is of type 22 of 22"),
      type(
          9, [](Type& t) { t.args.assign(3000, TypeId(0)); }, "3000 members, over the limit of 2000"),
      {[](Plan& p) { p.types[3].doc = "\xFF"; }, "type 3: a text is not UTF-8"},
      type(
          4, [](Type& t) { t.kind = TypeKind::kJson, t.pattern = "{"; }, "its JSON Schema is not JSON"),
      type(
          4, [](Type& t) { t.kind = TypeKind::kJson, t.pattern = std::string(300, '['); },
          "its JSON Schema is nested too deeply"),
      type(
          10, [](Type& t) { t.fields[0].type = TypeId(10), t.fields[0].optional = false; },
          "no finite value has this type"),
      type(
          5, [](Type& t) { t.args[0] = TypeId(5), t.min_size = 1, t.max_size = 1; }, "no finite value has this type"),
  });
}

TEST_CASE("verify rejects faulty constants") {
  check_all({
      {[](Plan& p) { p.constants[5].items[0] = ConstId(5); }, "constant 5: refers to constant 5, not an earlier one"},
      {[](Plan& p) { p.constants[1].number = 7; }, "constant 1: the bool is 7"},
      {[](Plan& p) { p.constants[2].items = {ConstId(0)}; }, "constant 2: this kind of constant has no items"},
      {[](Plan& p) { p.constants[2].kind = static_cast<Constant::Kind>(7); }, "constant 2: unknown kind"},
      {[](Plan& p) { p.constants[6].type = TypeId(22); }, "constant 6: of type 22 of 22"},
      {[](Plan& p) { p.constants[6].type = TypeId(4); }, "constant 6: type 4 is not a record"},
      {[](Plan& p) { p.constants[6].items.pop_back(); }, "constant 6: 1 values for 2 fields"},
      {[](Plan& p) { p.constants[6].items[0] = ConstId(3); }, "constant 6: constant 3 does not fit field 'x'"},
      {[](Plan& p) {
         for (std::uint32_t i = 0; i < 70; ++i) {
           p.constants.emplace_back();
           p.constants.back().kind = Constant::Kind::kList;
           p.constants.back().items = {ConstId(15 + i)};
         }
       },
       "constant 80: nested deeper than 64"},
      {[](Plan& p) {
         for (std::uint32_t i = 0; i < 40; ++i) {
           p.constants.emplace_back();
           p.constants.back().kind = Constant::Kind::kList;
           p.constants.back().items = {ConstId(15 + i), ConstId(15 + i)};
         }
       },
       "constant 37: written out it exceeds 67108864 bytes"},
  });
}

TEST_CASE("verify rejects faulty specs and programs") {
  check_all({
      {[](Plan& p) { p.gens[0].type = TypeId(22); }, "gen 0 'answer': of type 22 of 22"},
      {[](Plan& p) {
         p.gens[0].options = {GenOption::kTopP, GenOption::kTemperature};
       },
       "gen 0 'answer': the options are not in ascending order"},
      {[](Plan& p) { p.gens[0].options[0] = static_cast<GenOption>(14); }, "gen 0 'answer': unknown option"},
      {[](Plan& p) { p.gens[0].max_tokens = -1; }, "gen 0 'answer': max_tokens is negative"},
      {[](Plan& p) { p.gens[1].many = false; }, "gen 1 'many': 'many' and the option n do not agree"},
      {[](Plan& p) { p.selects[1].method = static_cast<SelectMethod>(3); }, "select 1: unknown method"},
      {[](Plan& p) { p.tools[0].name.clear(); }, "tool 0 '': it has no name"},
      {[](Plan& p) { p.tools.push_back(p.tools[0]); }, "tool 1 'look_up': another one has the same name"},
      {[](Plan& p) { p.tools[0].params[1].name = "what"; }, "tool 0 'look_up': a parameter without a name of its own"},
      {[](Plan& p) { p.tools[0].params[0].type = TypeId(90); }, "tool 0 'look_up': parameter 'what' is of no type of the plan"},
      {[](Plan& p) { p.tools[0].result = TypeId(90); }, "tool 0 'look_up': its result is of no type of the plan"},
      {[](Plan& p) { p.parallels[0].type = TypeId(4); }, "parallel 0: type 4 is not a record"},
      {[](Plan& p) { p.parallels[0].type = TypeId(40); }, "parallel 0: of type 40 of 22"},
      {[](Plan& p) { p.parallels[0].entries.pop_back(); }, "parallel 0: 1 entries for 2 fields"},
      {[](Plan& p) { p.parallels[0].entries[0].name = "z"; }, "parallel 0: entry 0 is named 'z', its field 'a'"},
      {[](Plan& p) { p.parallels[0].entries[0].function = FunctionId(8); }, "parallel 0: entry 0 is function 8 of 6"},
      {[](Plan& p) { p.parallels[0].entries[0].function = FunctionId(kAsk); },
       "parallel 0: entry 0 is a prompt, neither fork nor program"},
      {[](Plan& p) { p.programs[1].name = "main"; }, "two programs are named 'main'"},
      {[](Plan& p) { p.programs[1].name = ""; }, "program 1 '': has no name"},
      {[](Plan& p) { p.programs[0].function = FunctionId(6); }, "program 0 'main': is function 6 of 6"},
      {[](Plan& p) { p.programs[0].function = FunctionId(kEach); }, "program 0 'main': its function is a fork"},
      {[](Plan& p) { p.programs[0].result = TypeId(22); }, "program 0 'main': the result is type 22 of 22"},
      {[](Plan& p) { p.programs[0].result = TypeId(2); }, "program 0 'main': the result is boxed in its function"},
      {[](Plan& p) { p.programs[0].params.pop_back(); }, "program 0 'main': 1 parameters, its function has 2"},
      {[](Plan& p) { p.programs[0].params[1].name = "name"; }, "program 0 'main': two parameters are named 'name'"},
      {[](Plan& p) { p.programs[0].params[1].name = ""; }, "program 0 'main': parameter 1 has no name"},
      {[](Plan& p) { p.programs[0].params[0].type = TypeId(2); },
       "program 0 'main': parameter 0 is boxed in its function"},
      {[](Plan& p) { p.programs[0].params[0].type = TypeId(22); }, "program 0 'main': parameter 0 is of type 22 of 22"},
      {[](Plan& p) { p.programs[0].params[1].default_value = ConstId(16); },
       "program 0 'main': the default of parameter 1 is constant 16 of 16"},
      {[](Plan& p) { p.programs[0].params[1].default_value = ConstId(3); },
       "program 0 'main': the default of parameter 1 does not fit its type"},
      {[](Plan& p) { p.programs[0].limits.fuel = -1; }, "program 0 'main': a limit is negative"},
      {[](Plan& p) { p.programs[0].bounds.generations = -1; }, "program 0 'main': a bound is negative"},
      {[](Plan& p) { p.programs[0].prefix[0].role = static_cast<Role>(3); },
       "program 0 'main': unknown role in the prefix"},
  });
}

TEST_CASE("verify keeps to the limits it is given") {
  const Plan plan = sample_plan();
  auto with = [&](std::size_t PlanLimits::*member, std::size_t value) {
    PlanLimits limits;
    limits.*member = value;
    return verify_error(plan, limits);
  };
  CHECK(with(&PlanLimits::types, 21) == "the plan has 22 types, over the limit of 21");
  CHECK(with(&PlanLimits::constants, 15) == "the plan has 16 constants, over the limit of 15");
  CHECK(with(&PlanLimits::functions, 5) == "the plan has 6 functions, over the limit of 5");
  CHECK(with(&PlanLimits::programs, 1) == "the plan has 2 programs, over the limit of 1");
  CHECK(with(&PlanLimits::code, 69) == "the plan has 70 instructions, over the limit of 69");
  CHECK(with(&PlanLimits::args, 25) == "the plan has 26 arguments, over the limit of 25");
  CHECK(with(&PlanLimits::regs, 10) == "function 4 'main': 11 registers, over the limit of 10");
  CHECK(with(&PlanLimits::text_bytes, 10) == "the texts of the plan exceed the limit of 10 bytes");
}

TEST_CASE("a long name is shortened in a sentence") {
  Plan plan = sample_plan();
  plan.functions[kHelper].name = std::string(59, 'x') + "\u00e9" + std::string(1000, 'y');
  plan.functions[kHelper].code.clear();
  CHECK(verify_error(plan) == "function 0 '" + std::string(59, 'x') + "\u00e9\u2026': has no code");
}

TEST_CASE("verify bounds compiled constraints") {
  check_all({
      {[](Plan& p) { p.constraints[1].type = TypeId(22); }, "constraint 1: is of type 22 of 22"},
      {[](Plan& p) { p.constraints[1].type = TypeId(4); }, "constraint 1: the types are not in ascending order"},
      {[](Plan& p) { p.constraints[0].type = TypeId(13); }, "constraint 1: the types are not in ascending order"},
  });
  PlanLimits limits;
  limits.constraint_bytes = 12;
  CHECK(verify_error(sample_plan(), limits) == "accepted");
  limits.constraint_bytes = 11;
  CHECK(verify_error(sample_plan(), limits) == "the compiled constraints of the plan exceed the limit of 11 bytes");
}
