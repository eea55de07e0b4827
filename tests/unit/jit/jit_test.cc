// Compiled code against the interpreter, one feature at a time.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/unit/jit/support.h"

namespace sgl::exec::test {
namespace {

using plan::FunctionKind;
using plan::Op;
using plan::Plan;
using plan::Reg;
using plan::Rep;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// A program that returns `op` of two integers, computed in a pure function so that both native forms take part.
Outcome int_op(Op op, std::int64_t a, std::int64_t b, Rep result = Rep::kInt) {
  Plan plan;
  Builder code(plan);
  const std::uint32_t pure = code.begin(FunctionKind::kFn, {Rep::kInt, Rep::kInt}, result);
  Reg out = code.reg(result);
  code.emit(op, out, 0, op == Op::kNegI ? plan::kNone : 1);
  code.emit(Op::kReturn, plan::kNone, out);
  const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, result);
  const Reg x = code.integer(a), y = code.integer(b);
  out = code.reg(result);
  code.emit_args(Op::kCall, out, pure, {x, y});
  code.emit(Op::kReturn, plan::kNone, out);
  return run_both(plan, main);
}

Outcome float_op(Op op, double a, double b, Rep result) {
  Plan plan;
  Builder code(plan);
  const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, result);
  const Reg x = code.real(a), y = code.real(b), out = code.reg(result);
  code.emit(op, out, x, y);
  code.emit(Op::kReturn, plan::kNone, out);
  return run_both(plan, main);
}

TEST_CASE("integer arithmetic at its edges") {
  const std::int64_t edges[] = {kLeast, kLeast + 1, -3, -1, 0, 1, 2, 7, kMost - 1, kMost};
  for (const Op op : {Op::kAddI, Op::kSubI, Op::kMulI, Op::kDivI, Op::kModI}) {
    for (const std::int64_t a : edges) {
      for (const std::int64_t b : {kLeast, std::int64_t{-1}, std::int64_t{0}, std::int64_t{2}, kMost}) int_op(op, a, b);
    }
  }
  CHECK(int_op(Op::kDivI, kLeast, -1).message == "integer overflow");
  CHECK(int_op(Op::kModI, kLeast, -1).value == "int 0");
  CHECK(int_op(Op::kDivI, 1, 0).message == "division by zero");
  CHECK(int_op(Op::kNegI, kLeast, 0).message == "integer overflow");
  CHECK(int_op(Op::kModI, -7, 3).value == "int -1");
}

TEST_CASE("failures point at the innermost instruction") {
  const Outcome out = int_op(Op::kAddI, kMost, 1);
  CHECK(out.kind == base::ErrorKind::kFailed);
  CHECK(out.line == 1);
  CHECK(out.column == 1);
}

TEST_CASE("comparisons, not-a-number included") {
  for (const Op op : {Op::kEqI, Op::kLtI, Op::kLeI}) {
    for (const std::int64_t a : {kLeast, std::int64_t{0}, kMost}) int_op(op, a, 0, Rep::kBool);
  }
  const double nan = std::nan("");
  for (const Op op : {Op::kEqF, Op::kLtF, Op::kLeF}) {
    CHECK(float_op(op, nan, nan, Rep::kBool).value == "bool false");
    float_op(op, 1.0, nan, Rep::kBool);
    float_op(op, -0.0, 0.0, Rep::kBool);
    float_op(op, 1.5, 2.5, Rep::kBool);
  }
  CHECK(float_op(Op::kMulF, 1.5, 2.0, Rep::kFloat).value == "float 3.0");
}

TEST_CASE("float division fails by zero of either sign and by nothing else") {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  for (const double a : {0.0, 1.0, -2.5, infinite, nan}) {
    for (const double b : {0.0, -0.0}) {
      const Outcome out = float_op(Op::kDivF, a, b, Rep::kFloat);
      CHECK(out.kind == base::ErrorKind::kFailed);
      CHECK(out.message == "division by zero");
    }
    for (const double b : {4.0, -1e-320, infinite, nan}) CHECK(float_op(Op::kDivF, a, b, Rep::kFloat).ok);
  }
  CHECK(float_op(Op::kDivF, 1.0, 4.0, Rep::kFloat).value == "float 0.25");
  CHECK(float_op(Op::kMulF, 1e300, 1e300, Rep::kFloat).ok);  // what is too large is infinite
}

TEST_CASE("a pure function that divides floats by zero fails") {
  for (const double divisor : {0.0, 2.0}) {
    Plan plan;
    Builder code(plan);
    const std::uint32_t pure = code.begin(FunctionKind::kFn, {Rep::kFloat}, Rep::kFloat);
    const Reg one = code.real(1.0), quotient = code.reg(Rep::kFloat);
    code.emit(Op::kDivF, quotient, one, 0);  // which nothing reads
    code.emit(Op::kReturn, plan::kNone, 0);
    const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, Rep::kFloat);
    const Reg x = code.real(divisor), out = code.reg(Rep::kFloat);
    code.emit_args(Op::kCall, out, pure, {x});
    code.emit(Op::kReturn, plan::kNone, out);
    CHECK(run_both(plan, main).ok == (divisor != 0));
  }
}

// fib(n) by recursion; `main` returns fib(count).
std::uint32_t build_fib(Plan& plan, std::int64_t count) {
  Builder code(plan);
  const std::uint32_t fib = code.begin(FunctionKind::kFn, {Rep::kInt}, Rep::kInt);
  const Reg two = code.integer(2), one = code.integer(1), small = code.reg(Rep::kBool);
  const Reg x = code.reg(Rep::kInt), y = code.reg(Rep::kInt);
  code.emit(Op::kLtI, small, 0, two);
  const std::uint32_t branch = code.emit(Op::kBranch, plan::kNone, small, 0, 0);
  code.inst(branch).b = code.emit(Op::kReturn, plan::kNone, 0);
  code.inst(branch).c = code.emit(Op::kSubI, x, 0, one);
  code.emit_args(Op::kCall, x, fib, {x});
  code.emit(Op::kSubI, y, 0, two);
  code.emit_args(Op::kCall, y, fib, {y});
  code.emit(Op::kAddI, x, x, y);
  code.emit(Op::kReturn, plan::kNone, x);
  const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, Rep::kInt);
  const Reg n = code.integer(count), out = code.reg(Rep::kInt);
  code.emit_args(Op::kCall, out, fib, {n});
  code.emit(Op::kReturn, plan::kNone, out);
  return main;
}

TEST_CASE("recursion pays the same fuel at every limit") {
  Plan plan;
  const std::uint32_t main = build_fib(plan, 10);
  for (int level = 0; level <= 2; ++level) CHECK(run_both(plan, main, 100'000, level).value == "int 55");
  for (std::int64_t fuel = 0; fuel < 200; fuel += 7) run_both(plan, main, fuel);
  CHECK(run_both(plan, main, 50).kind == base::ErrorKind::kLimit);
}

TEST_CASE("calls that nest too deeply fail alike") {
  Plan plan;
  Builder code(plan);
  const std::uint32_t down = code.begin(FunctionKind::kFn, {Rep::kInt, Rep::kBoxed}, Rep::kInt);
  const Reg out = code.reg(Rep::kInt);
  code.emit_args(Op::kCall, out, down, {0, 1});
  code.emit(Op::kReturn, plan::kNone, out);
  const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, Rep::kInt);
  const Reg n = code.integer(1), list = code.reg(Rep::kBoxed), result = code.reg(Rep::kInt);
  code.emit_args(Op::kListNew, list, plan::kNone, {n, n});
  code.emit_args(Op::kCall, result, down, {n, list});
  code.emit(Op::kReturn, plan::kNone, result);
  const Outcome got = run_both(plan, main);
  CHECK(got.message == "calls nest too deeply in 'f0'");
  CHECK(got.stack_left == kStackUnits);
}

TEST_CASE("loops stop at the same fuel and place") {
  for (const FunctionKind kind : {FunctionKind::kProgram, FunctionKind::kFn}) {
    Plan plan;
    Builder code(plan);
    const std::uint32_t loop = code.begin(kind, {}, Rep::kInt);
    const Reg i = code.integer(0), end = code.integer(100), one = code.integer(1), more = code.reg(Rep::kBool);
    const std::uint32_t head = code.emit(Op::kAddI, i, i, one);
    code.emit(Op::kLtI, more, i, end);
    const std::uint32_t branch = code.emit(Op::kBranch, plan::kNone, more, head, 0);
    code.inst(branch).c = code.emit(Op::kReturn, plan::kNone, i);
    const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, Rep::kInt);
    const Reg out = code.reg(Rep::kInt);
    code.emit_args(Op::kCall, out, loop, {});
    code.emit(Op::kReturn, plan::kNone, out);
    for (const std::int64_t fuel : {0, 1, 2, 50, 98, 99, 100, 101}) run_both(plan, main, fuel);
    CHECK(run_both(plan, main, 100).value == "int 100");
    CHECK(run_both(plan, main, 50).line == branch + 1);
  }
}

TEST_CASE("items of lists: in range, from the end, outside, of another kind") {
  for (const Rep rep : {Rep::kInt, Rep::kBoxed, Rep::kFloat}) {
    for (const std::int64_t index : {std::int64_t{0}, std::int64_t{2}, std::int64_t{-1}, std::int64_t{-3},
                                     std::int64_t{3}, std::int64_t{-4}, kLeast, kMost}) {
      Plan plan;
      Builder code(plan);
      const std::uint32_t pure = code.begin(FunctionKind::kFn, {Rep::kBoxed, Rep::kInt}, rep);
      Reg out = code.reg(rep);
      code.emit(Op::kIndex, out, 0, 1);
      code.emit(Op::kReturn, plan::kNone, out);
      const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, rep);
      const Reg a = code.integer(10), b = code.integer(20), i = code.integer(index), list = code.reg(Rep::kBoxed);
      out = code.reg(rep);
      code.emit_args(Op::kListNew, list, plan::kNone, {a, b, a});
      code.emit_args(Op::kCall, out, pure, {list, i});
      code.emit(Op::kReturn, plan::kNone, out);
      run_both(plan, main);
    }
  }
}

TEST_CASE("strings and lists in pure functions") {
  Plan plan;
  Builder code(plan);
  const std::uint32_t pure = code.begin(FunctionKind::kFn, {Rep::kBoxed, Rep::kInt}, Rep::kBoxed);
  const Reg text = code.reg(Rep::kBoxed), list = code.reg(Rep::kBoxed), size = code.reg(Rep::kInt);
  code.emit(Op::kConst, text, code.const_text("née"));
  code.emit_args(Op::kConcat, text, plan::kNone, {text, 0});
  code.emit(Op::kLen, size, text);
  code.emit_args(Op::kListNew, list, plan::kNone, {text, size, 1});
  code.emit(Op::kMove, text, list);
  code.emit(Op::kListPush, list, list, text);
  code.emit(Op::kReturn, plan::kNone, list);
  const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, Rep::kBoxed);
  const Reg word = code.reg(Rep::kBoxed), n = code.integer(4);
  code.emit(Op::kConst, word, code.const_text("x"));
  code.emit_args(Op::kCall, word, pure, {word, n});
  code.emit(Op::kReturn, plan::kNone, word);
  for (int level = 0; level <= 2; ++level) {
    CHECK(run_both(plan, main, 1000, level).value == "list [\"néex\",4,4,[\"néex\",4,4]]");
  }
}

TEST_CASE("registers survive the calls that the driver performs") {
  Plan plan;
  Builder code(plan);
  const std::uint32_t inner = code.begin(FunctionKind::kPrompt, {Rep::kInt}, Rep::kInt);
  code.emit(Op::kReturn, plan::kNone, 0);
  const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, Rep::kFloat);
  const Reg i = code.integer(0), end = code.integer(5), one = code.integer(1), sum = code.real(0.5);
  const Reg more = code.reg(Rep::kBool), got = code.reg(Rep::kInt), term = code.reg(Rep::kFloat);
  const std::uint32_t head = code.emit_args(Op::kCall, got, inner, {i});
  code.emit(Op::kIntToFloat, term, got);
  code.emit(Op::kAddF, sum, sum, term);
  code.emit(Op::kAddI, i, i, one);
  code.emit(Op::kLtI, more, i, end);
  const std::uint32_t branch = code.emit(Op::kBranch, plan::kNone, more, head, 0);
  code.inst(branch).c = code.emit(Op::kReturn, plan::kNone, sum);
  CHECK(run_both(plan, main).value == "float 10.5");
  for (std::int64_t fuel = 0; fuel < 10; ++fuel) run_both(plan, main, fuel);
}

TEST_CASE("the program's own failure") {
  Plan plan;
  Builder code(plan);
  const std::uint32_t main = code.begin(FunctionKind::kProgram, {}, Rep::kInt);
  const Reg message = code.reg(Rep::kBoxed);
  code.emit(Op::kConst, message, code.const_text("no luck"));
  code.emit(Op::kFail, plan::kNone, message);
  const Outcome out = run_both(plan, main);
  CHECK(out.message == "no luck");
  CHECK(out.line == 2);
}

TEST_CASE("plans that would take long to compile are refused") {
  const auto compiled = [](int instructions) {
    Plan plan;
    Builder code(plan);
    code.begin(FunctionKind::kProgram, {}, Rep::kInt);
    const Reg x = code.integer(1);
    while (code.here() + 1 < static_cast<std::uint32_t>(instructions)) code.emit(Op::kAddI, x, x, x);
    code.emit(Op::kReturn, plan::kNone, x);
    const Image image(plan);
    return JitImage::compile(image, {});
  };
  CHECK(compiled(1'000).ok());
  const auto refused = compiled(10'001);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == base::ErrorKind::kLimit);
  CHECK(refused.error().message == "the plan is too large to compile: 10001 instructions, over 10000");
}

TEST_CASE("the IR of a plan is text, the same every time") {
  Plan plan;
  build_fib(plan, 3);
  const auto first = llvm_ir(plan), second = llvm_ir(plan);
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(first.value() == second.value());
  CHECK(first.value().find("@fn0") != std::string::npos);
}

}  // namespace
}  // namespace sgl::exec::test
