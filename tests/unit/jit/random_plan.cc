#include "tests/unit/jit/random_plan.h"

#include <limits>
#include <vector>

#include "tests/unit/jit/support.h"

namespace sgl::exec::test {
namespace {

using plan::FunctionKind;
using plan::Op;
using plan::Reg;
using plan::Rep;

class Generator {
 public:
  Generator(plan::Plan& plan, std::uint64_t seed) : plan_(plan), code_(plan), state_(seed * 2 + 1) {}

  void function(FunctionKind kind, bool with_params) {
    const Rep result = pick({Rep::kInt, Rep::kFloat, Rep::kBool, Rep::kBoxed});
    const std::vector<Rep> params = {Rep::kInt, Rep::kFloat, Rep::kBool, Rep::kBoxed};
    code_.begin(kind, with_params ? params : std::vector<Rep>(), result);
    for (auto& group : regs_) group.clear();
    if (with_params) {
      for (Reg i = 0; i < params.size(); ++i) of(params[i]).push_back(i);
    }
    for (const Rep rep : params) {
      for (int i = 0; i < 3; ++i) of(rep).push_back(code_.reg(rep));
    }
    for (int i = 0; i < 6; ++i) constant(pick({Rep::kInt, Rep::kFloat, Rep::kBool, Rep::kBoxed}));
    block(0);
    code_.emit(Op::kReturn, plan::kNone, any(result));
  }

 private:
  // xorshift: the standard's distributions differ between libraries.
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::uint64_t below(std::uint64_t n) { return (next() >> 16) % n; }
  template <typename T>
  T pick(std::initializer_list<T> items) { return items.begin()[below(items.size())]; }
  std::vector<Reg>& of(Rep rep) { return regs_[static_cast<std::size_t>(rep)]; }
  Reg any(Rep rep) { return of(rep)[below(of(rep).size())]; }
  Reg integer() { return any(Rep::kInt); }
  Reg real() { return any(Rep::kFloat); }
  Reg boolean() { return any(Rep::kBool); }
  Reg boxed() { return any(Rep::kBoxed); }
  Rep scalar() { return pick({Rep::kInt, Rep::kFloat, Rep::kBool}); }
  Rep any_rep() { return pick({Rep::kInt, Rep::kFloat, Rep::kBool, Rep::kBoxed}); }

  // Items are scalars save in straight-line code of the program, which is executed once: a loop that puts a list into
  // itself would make a value whose text doubles every time.
  Rep item_rep() {
    const bool once = nesting_ == 1 && code_.function().kind == FunctionKind::kProgram;
    return once ? any_rep() : scalar();
  }

  void constant(Rep rep) {
    std::uint32_t id = 0;
    const std::int64_t small = static_cast<std::int64_t>(below(9)) - 3;
    const std::int64_t number = below(12) == 0 ? std::numeric_limits<std::int64_t>::min() : small;
    switch (rep) {
      case Rep::kInt: id = code_.const_int(number); break;
      case Rep::kFloat: id = code_.const_real(static_cast<double>(small) / 2); break;
      case Rep::kBool: id = code_.const_bool(below(2) == 0); break;
      case Rep::kBoxed:
        id = below(2) == 0 ? code_.const_text("añb") : below(3) == 0 ? code_.const_null() : code_.const_int(number);
        break;
    }
    code_.emit(Op::kConst, any(rep), id);
  }

  void block(int depth) {
    ++nesting_;
    const std::uint64_t count = 2 + below(6);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t kind = depth < 3 ? below(10) : 9;
      if (kind == 0) {
        loop(depth);
      } else if (kind <= 2) {
        condition(depth);
      } else {
        statement();
      }
    }
    --nesting_;
  }

  // while (i <= end) { …; i += 1 }; what the body does to `i` may make it long: fuel ends it.
  void loop(int depth) {
    const Reg i = integer(), end = integer(), go = boolean();
    const std::uint32_t head = code_.emit(Op::kLeI, go, i, end);
    const std::uint32_t branch = code_.emit(Op::kBranch, plan::kNone, go, head + 2, 0);
    block(depth + 1);
    const Reg one = code_.integer(1);
    code_.emit(Op::kAddI, i, i, one);
    code_.emit(Op::kJump, plan::kNone, head);
    code_.inst(branch).c = code_.here();
  }

  void condition(int depth) {
    const std::uint32_t branch = code_.emit(Op::kBranch, plan::kNone, boolean(), code_.here() + 1, 0);
    block(depth + 1);
    const std::uint32_t over = code_.emit(Op::kJump, plan::kNone, 0);
    code_.inst(branch).c = code_.here();
    if (below(2) == 0) block(depth + 1);
    code_.inst(over).a = code_.here();
  }

  void statement() {
    switch (below(8)) {
      case 0:
      case 1: return arithmetic();
      case 2: return comparison();
      case 3: return constant(any_rep());
      case 4: {
        const Rep r = any_rep();
        code_.emit(Op::kMove, any(r), any(r));
        return;
      }
      case 5:
      case 6: return values();
      default: return rare();
    }
  }

  void arithmetic() {
    if (below(3) == 0) {
      const Op op = pick({Op::kAddF, Op::kSubF, Op::kMulF, Op::kDivF});
      const Reg dst = real(), left = real(), right = real();
      // Registers begin as 0, by which most divisions would fail.
      code_.emit(op, dst, left, op == Op::kDivF && below(4) != 0 ? code_.real(2.5) : right);
    } else if (below(6) == 0) {
      code_.emit(Op::kNegI, integer(), integer());
    } else if (below(6) == 0) {
      code_.emit(Op::kIntToFloat, real(), integer());
    } else {
      code_.emit(pick({Op::kAddI, Op::kSubI, Op::kAddI, Op::kSubI, Op::kMulI, Op::kDivI, Op::kModI}), integer(),
                 integer(), integer());
    }
  }

  void comparison() {
    switch (below(5)) {
      case 0: code_.emit(pick({Op::kEqF, Op::kLtF, Op::kLeF}), boolean(), real(), real()); return;
      case 1: code_.emit(Op::kEqL, boolean(), boolean(), boolean()); return;
      case 2: code_.emit(Op::kNot, boolean(), boolean()); return;
      case 3: code_.emit(Op::kEq, boolean(), boxed(), boxed()); return;
      default: code_.emit(pick({Op::kEqI, Op::kLtI, Op::kLeI}), boolean(), integer(), integer()); return;
    }
  }

  // A list is made first more often than not, so that what follows finds one.
  void values() {
    const Reg list = boxed();
    if (below(4) != 0) code_.emit_args(Op::kListNew, list, plan::kNone, {integer(), any(item_rep()), integer()});
    switch (below(6)) {
      case 0: code_.emit(Op::kListPush, pick({list, boxed()}), list, any(item_rep())); return;
      case 1: code_.emit(Op::kIndex, any(pick({Rep::kInt, Rep::kBoxed})), list, integer()); return;
      case 2: code_.emit(Op::kSetIndex, pick({list, boxed()}), list, integer(), any(item_rep())); return;
      case 3: code_.emit(Op::kLen, integer(), list); return;
      case 4: code_.emit(Op::kSlice, boxed(), list, integer(), integer()); return;
      default: code_.emit(Op::kBox, boxed(), any(scalar())); return;
    }
  }

  void rare() {
    switch (below(8)) {
      case 0: {
        const Rep r = scalar();
        const Reg box = boxed();
        code_.emit(Op::kBox, box, any(r));
        code_.emit(Op::kUnbox, any(below(8) == 0 ? scalar() : r), box);
        return;
      }
      case 1: code_.emit(Op::kFormat, boxed(), any(any_rep()), plan::kNone); return;
      case 2: code_.emit_args(Op::kConcat, boxed(), plan::kNone, {boxed(), boxed()}); return;
      case 3: {
        const auto abs = static_cast<std::uint32_t>(plan::Builtin::kAbs);
        const Rep r = pick({Rep::kInt, Rep::kFloat});
        code_.emit_args(Op::kBuiltin, any(r), abs, {any(r)});
        return;
      }
      default: return call();
    }
  }

  // Pure functions call earlier pure ones or themselves; the others anything that came before.
  void call() {
    const auto self = static_cast<std::uint32_t>(plan_.functions.size() - 1);
    const bool recursive = code_.function().kind == FunctionKind::kFn;
    const std::uint64_t choices = recursive ? self + 1 : self;
    const auto callee = static_cast<std::uint32_t>(below(choices));
    const Rep result = plan_.functions[callee].result;
    code_.emit_args(Op::kCall, any(result), callee, {integer(), real(), boolean(), boxed()});
  }

  plan::Plan& plan_;
  Builder code_;
  std::uint64_t state_;
  int nesting_ = 0;           // of block()
  std::vector<Reg> regs_[4];  // by Rep
};

}  // namespace

plan::Plan random_plan(std::uint64_t seed) {
  plan::Plan plan;
  Generator generator(plan, seed);
  generator.function(FunctionKind::kFn, true);
  generator.function(FunctionKind::kFn, true);
  generator.function(FunctionKind::kPrompt, true);
  generator.function(FunctionKind::kProgram, false);
  return plan;
}

}  // namespace sgl::exec::test
