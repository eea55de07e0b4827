#include "sample_plan.h"

#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace sgl::plan {
namespace {

Type type_of(TypeKind kind, std::vector<TypeId> args = {}) {
  Type type;
  type.kind = kind;
  type.args = std::move(args);
  return type;
}

Type literal(Literal value) {
  Type type = type_of(TypeKind::kLiteral);
  type.literal = std::move(value);
  return type;
}

Type record(std::string name, std::vector<Field> fields) {
  Type type = type_of(TypeKind::kRecord);
  type.name = std::move(name);
  type.fields = std::move(fields);
  return type;
}

std::vector<Type> sample_types() {
  const TypeId boolean(1), integer(2), real(3), string(4);
  std::vector<Type> types;
  types.push_back(type_of(TypeKind::kNull));
  types.push_back(type_of(TypeKind::kBool));
  types.push_back(type_of(TypeKind::kInt));
  types.push_back(type_of(TypeKind::kFloat));
  types.push_back(type_of(TypeKind::kString));
  types.push_back(type_of(TypeKind::kList, {string}));                                          // 5
  types.push_back(literal({Literal::Kind::kString, "yes", 0}));                                 // 6
  types.push_back(literal({Literal::Kind::kInt, "", 3}));                                       // 7
  types.push_back(literal({Literal::Kind::kBool, "", 1}));                                      // 8
  types.push_back(type_of(TypeKind::kUnion, {string, TypeId(0)}));                              // 9
  types.push_back(record("Point", {{"x", integer, false, ""}, {"y", real, true, "upwards"}}));  // 10
  types.back().doc = "A point \"in\" the plane";
  types.push_back(type_of(TypeKind::kRegex));  // 11
  types.back().pattern = "[a-z]+\\d";
  types.push_back(type_of(TypeKind::kInt));  // 12
  types.back().min_int = std::numeric_limits<std::int64_t>::min();
  types.back().max_int = std::numeric_limits<std::int64_t>::max();
  types.push_back(type_of(TypeKind::kString));  // 13
  types.back().min_size = 1;
  types.back().max_size = 80;
  types.back().format = "email";
  types.back().pattern = "@";
  types.push_back(type_of(TypeKind::kList, {integer}));                                              // 14
  types.push_back(record("", {{"a", string, false, ""}, {"b", string, false, ""}}));                 // 15
  types.push_back(record("Node", {{"kids", TypeId(17), false, ""}, {"up", TypeId(16), true, ""}}));  // 16
  types.push_back(type_of(TypeKind::kList, {TypeId(16)}));                                           // 17
  types.back().max_size = 3;
  types.push_back(type_of(TypeKind::kFloat));  // 18
  types.back().min_float = -std::numeric_limits<double>::infinity();
  types.back().max_float = 0.1;
  types.push_back(type_of(TypeKind::kUnion, {TypeId(6), TypeId(7), TypeId(8), TypeId(0)}));  // 19
  types.push_back(type_of(TypeKind::kUnion, {boolean, TypeId(10)}));                         // 20
  types.push_back(record("", {{"kind", string, false, ""}, {"message", string, false, ""}, {"line", integer, false, ""}}));  // 21
  return types;
}

Constant scalar(Constant::Kind kind, std::int64_t number, double real = 0, std::string text = "") {
  Constant constant;
  constant.kind = kind;
  constant.number = number;
  constant.real = real;
  constant.text = std::move(text);
  return constant;
}

Constant compound(Constant::Kind kind, std::vector<ConstId> items, TypeId type = {}) {
  Constant constant;
  constant.kind = kind;
  constant.items = std::move(items);
  constant.type = type;
  return constant;
}

std::vector<Constant> sample_constants() {
  using Kind = Constant::Kind;
  return {scalar(Kind::kNull, 0),
          scalar(Kind::kBool, 1),
          scalar(Kind::kInt, 42),
          scalar(Kind::kFloat, 0, 1.5),
          scalar(Kind::kString, 0, 0, "hi\n\"there\" \u00e9 \U0001F600"),
          compound(Kind::kList, {ConstId(4), ConstId(4)}),                // 5
          compound(Kind::kRecord, {ConstId(2), ConstId(3)}, TypeId(10)),  // 6
          compound(Kind::kRecord, {ConstId(2), ConstId(0)}, TypeId(10)),  // 7
          scalar(Kind::kFloat, 0, std::numeric_limits<double>::infinity()),
          scalar(Kind::kInt, std::numeric_limits<std::int64_t>::min()),
          scalar(Kind::kInt, std::numeric_limits<std::int64_t>::max()),  // 10
          scalar(Kind::kFloat, 0, -0.0),
          scalar(Kind::kFloat, 0, 5e-324),
          scalar(Kind::kFloat, 0, std::numeric_limits<double>::quiet_NaN()),
          scalar(Kind::kFloat, 0, 3),
          compound(Kind::kList, {})};  // 15
}

class Code {
 public:
  Code(std::string name, FunctionKind kind, std::uint32_t params, std::string_view regs) {
    function_.name = std::move(name);
    function_.kind = kind;
    function_.param_count = params;
    for (const char c : regs) {
      function_.regs.push_back(c == 'i' ? Rep::kInt : c == 'f' ? Rep::kFloat : c == 'l' ? Rep::kBool : Rep::kBoxed);
    }
    function_.result_type = TypeId(4);
  }
  Code& emit(Op op, std::uint32_t dst = kNone, std::uint32_t a = kNone, std::uint32_t b = kNone,
             std::uint32_t c = kNone) {
    function_.code.push_back({op, dst, a, b, c});
    function_.positions.push_back({0, static_cast<std::uint32_t>(function_.code.size()), 7});
    return *this;
  }
  Code& with_args(Op op, std::uint32_t dst, std::uint32_t a, std::initializer_list<std::uint32_t> args) {
    const auto begin = static_cast<std::uint32_t>(function_.args.size());
    function_.args.insert(function_.args.end(), args);
    return emit(op, dst, a, begin, static_cast<std::uint32_t>(args.size()));
  }
  Code& result(Rep rep, TypeId type) {
    function_.result = rep;
    function_.result_type = type;
    return *this;
  }
  Function take() { return std::move(function_); }

 private:
  Function function_;
};

void emit_values(Code& code) {
  // Registers of main: 0 name, 1 n, boxed 2 3 10, int 4 5, float 6 7, bool 8 9.
  code.emit(Op::kConst, 2, 4)
      .emit(Op::kConst, 4, 2)
      .emit(Op::kConst, 6, 3)
      .emit(Op::kConst, 8, 1)
      .emit(Op::kConst, 3, 6);
  code.emit(Op::kMove, 4, 1).emit(Op::kBox, 3, 4).emit(Op::kUnbox, 5, 3);
  for (const Op op : {Op::kAddI, Op::kSubI, Op::kMulI, Op::kDivI, Op::kModI}) code.emit(op, 5, 4, 1);
  code.emit(Op::kNegI, 5, 4);
  for (const Op op : {Op::kAddF, Op::kSubF, Op::kMulF, Op::kDivF}) code.emit(op, 7, 6, 6);
  code.emit(Op::kNegF, 7, 6).emit(Op::kIntToFloat, 7, 4);
  for (const Op op : {Op::kEqI, Op::kLtI, Op::kLeI}) code.emit(op, 8, 4, 5);
  for (const Op op : {Op::kEqF, Op::kLtF, Op::kLeF}) code.emit(op, 8, 6, 7);
  code.emit(Op::kEqL, 8, 8, 9).emit(Op::kNot, 9, 8);
  for (const Op op : {Op::kEq, Op::kLtS, Op::kLeS}) code.emit(op, 8, 2, 3);
  code.with_args(Op::kConcat, 2, kNone, {0, 2, 3});
  code.emit(Op::kFormat, 2, 6, 3).emit(Op::kFormat, 2, 4).emit(Op::kLen, 4, 2);
  code.with_args(Op::kListNew, 3, kNone, {4, 6, 8, 2}).with_args(Op::kListNew, 3, kNone, {});
  code.emit(Op::kListPush, 3, 3, 4)
      .emit(Op::kIndex, 2, 3, 4)
      .emit(Op::kSetIndex, 3, 3, 4, 6)
      .emit(Op::kSlice, 3, 3, 4, 5);
  code.with_args(Op::kRecordNew, 10, 10, {4, 6});
  code.emit(Op::kField, 4, 10, 0).emit(Op::kSetField, 10, 10, 1, 6);
}

Function sample_main() {
  Code code("main", FunctionKind::kProgram, 2, "bibbiiffllb");
  emit_values(code);
  code.with_args(Op::kCall, 4, kHelper, {4}).with_args(Op::kCall, 2, kAsk, {2}).with_args(Op::kCall, 2, kSub, {});
  code.with_args(Op::kBuiltin, 2, static_cast<std::uint32_t>(Builtin::kReplace), {2, 2, 2});
  code.emit(Op::kRoleBegin, kNone, 1).emit(Op::kText, kNone, 2).emit(Op::kRoleEnd);
  code.with_args(Op::kGen, 4, 0, {6, 10}).with_args(Op::kGen, 2, 1, {1}).with_args(Op::kSelect, 2, 0, {3, 10});
  code.with_args(Op::kSelect, 2, 1, {3}).with_args(Op::kParallelFor, 3, kEach, {3, 4, 2});
  code.with_args(Op::kParallel, 10, 0, {2});
  code.emit(Op::kTry, 10, 0, 21).with_args(Op::kTool, 4, 0, {2, 4}).emit(Op::kTryEnd);
  const std::uint32_t loop = 3;
  code.emit(Op::kBranch, kNone, 8, loop, loop + 1).emit(Op::kJump, kNone, loop);
  code.emit(Op::kReturn, kNone, 2).emit(Op::kFail, kNone, 2);
  return code.take();
}

std::vector<Function> sample_functions() {
  std::vector<Function> functions;
  functions.push_back(
      Code("helper", FunctionKind::kFn, 1, "i").result(Rep::kInt, TypeId(2)).emit(Op::kReturn, kNone, 0).take());
  functions.push_back(
      Code("ask", FunctionKind::kPrompt, 1, "b").emit(Op::kText, kNone, 0).emit(Op::kReturn, kNone, 0).take());
  functions.push_back(Code("each", FunctionKind::kFork, 3, "bib").emit(Op::kReturn, kNone, 2).take());
  functions.push_back(Code("branch", FunctionKind::kFork, 1, "b").emit(Op::kReturn, kNone, 0).take());
  functions.push_back(sample_main());
  functions.push_back(Code("sub", FunctionKind::kProgram, 0, "b").emit(Op::kReturn, kNone, 0).take());
  return functions;
}

Program sample_program() {
  Program program;
  program.name = "main";
  program.doc = "Does it all.";
  program.function = FunctionId(kMain);
  program.params = {{"name", TypeId(4), std::nullopt, "who"}, {"n", TypeId(12), ConstId(2), ""}};
  program.result = TypeId(4);
  program.limits.tokens = 1000;
  program.limits.memory = std::int64_t{1} << 40;
  program.prefix = {{Role::kSystem, "You are terse.", false}, {std::nullopt, "raw", false}, {Role::kUser, "", true}};
  program.bounds.forks = 8;
  return program;
}

}  // namespace

Plan sample_plan() {
  Plan plan;
  plan.compiler = "sglc 0.1";
  plan.files = {"main.sgl"};
  plan.types = sample_types();
  plan.constants = sample_constants();
  plan.functions = sample_functions();
  plan.gens = {{"answer", TypeId(12), {GenOption::kTemperature}, 16, false, true},
               {"many", TypeId(4), {GenOption::kN}, 0, true, false}};
  plan.selects = {{"pick", SelectMethod::kGreedyTokenSelection, true},
                  {"best", SelectMethod::kUnconditionalLikelihoodNormalized, false}};
  plan.parallels = {{TypeId(15), {{"a", FunctionId(kBranch), 1}, {"b", FunctionId(kSub), 0}}}};
  plan.tools = {{"look_up", "Finds it.", {{"what", TypeId(4), std::nullopt, "a text"}, {"most", TypeId(2), std::nullopt, ""}}, TypeId(2)}};
  plan.constraints = {{TypeId(4), std::string("\0any \xFF bytes", 12)}, {TypeId(12), ""}};
  plan.programs = {sample_program()};
  plan.programs.push_back({"sub", "", FunctionId(kSub), {}, TypeId(4), {}, {}, {}});
  return plan;
}

std::size_t index_of(const Plan& plan, Op op) {
  const auto& code = plan.functions[kMain].code;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i].op == op) return i;
  }
  return code.size();
}

}  // namespace sgl::plan
