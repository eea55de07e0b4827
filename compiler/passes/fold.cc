// Constant folding within straight lines of code, and removal of what became dead.
#include <algorithm>
#include <limits>
#include <vector>

#include "compiler/passes/constant_pool.h"
#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"

namespace sgl::compiler {

using plan::Constant;
using plan::ConstId;
using plan::Function;
using plan::Inst;
using plan::kNone;
using plan::Op;
using plan::Reg;

namespace {

using Kind = Constant::Kind;

Constant make(Kind kind, std::int64_t number, double real = 0) {
  Constant c;
  c.kind = kind;
  c.number = number;
  c.real = real;
  return c;
}

std::optional<Constant> fold_int(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAddI:
      overflow = __builtin_add_overflow(a, b, &out);
      break;
    case Op::kSubI:
      overflow = __builtin_sub_overflow(a, b, &out);
      break;
    case Op::kMulI:
      overflow = __builtin_mul_overflow(a, b, &out);
      break;
    case Op::kNegI:
      overflow = __builtin_sub_overflow(std::int64_t{0}, a, &out);
      break;
    case Op::kDivI:
    case Op::kModI:
      if (b == 0 || b == -1) return std::nullopt;  // fails, or is the one quotient that overflows: left to the runtime
      out = op == Op::kDivI ? a / b : a % b;
      break;
    case Op::kEqI:
      return make(Kind::kBool, a == b);
    case Op::kLtI:
      return make(Kind::kBool, a < b);
    case Op::kLeI:
      return make(Kind::kBool, a <= b);
    case Op::kIntToFloat:
      return make(Kind::kFloat, 0, static_cast<double>(a));
    default:
      return std::nullopt;
  }
  if (overflow) return std::nullopt;
  return make(Kind::kInt, out);
}

std::optional<Constant> fold_float(Op op, double a, double b) {
  switch (op) {
    case Op::kAddF:
      return make(Kind::kFloat, 0, a + b);
    case Op::kSubF:
      return make(Kind::kFloat, 0, a - b);
    case Op::kMulF:
      return make(Kind::kFloat, 0, a * b);
    case Op::kDivF:
      if (b == 0) return std::nullopt;  // fails, which is left to the runtime
      return make(Kind::kFloat, 0, a / b);
    case Op::kNegF:
      return make(Kind::kFloat, 0, -a);
    case Op::kEqF:
      return make(Kind::kBool, a == b);
    case Op::kLtF:
      return make(Kind::kBool, a < b);
    case Op::kLeF:
      return make(Kind::kBool, a <= b);
    default:
      return std::nullopt;
  }
}

// Folds one function by what is known of registers in the current straight line.
class Folder {
 public:
  Folder(plan::Plan& plan, ConstantPool& pool, Function& function)
      : plan_(plan), pool_(pool), function_(function), known_(function.regs.size()) {}

  void run() {
    const std::vector<bool> targets = jump_targets(function_);
    for (std::size_t i = 0; i < function_.code.size(); ++i) {
      if (targets[i]) ++line_;
      fold(function_.code[i]);
    }
    remove_unreachable();
  }

 private:
  const Constant* value(Reg reg) const {
    // Of operations that are not folded an operand may be no register.
    return reg < known_.size() && known_[reg].line == line_ ? &plan_.constants[known_[reg].id.value] : nullptr;
  }

  // Is what the instruction makes of this constant the constant itself?
  static bool is_copy(const Inst& inst, const Constant& constant) {
    if (inst.op == Op::kFormat) return inst.b == kNone && constant.kind == Kind::kString;
    return inst.op == Op::kMove && constant.kind != Kind::kList && constant.kind != Kind::kRecord;
  }

  void become_constant(Inst& inst, ConstId id) {
    inst = {Op::kConst, inst.dst, id.value, kNone, kNone};
    known_[inst.dst] = {line_, id};
  }

  void fold(Inst& inst) {
    if (inst.op == Op::kBranch) {
      if (const Constant* condition = value(inst.a))
        inst = {Op::kJump, kNone, condition->number != 0 ? inst.b : inst.c, kNone, kNone};
      return;
    }
    std::optional<Constant> folded;
    const Constant* const a =
        inst.a != kNone && !plan::kOps[static_cast<std::size_t>(inst.op)].has_args ? value(inst.a) : nullptr;
    if (a != nullptr && is_copy(inst, *a)) {
      become_constant(inst, known_[inst.a].id);
      return;
    }
    if (inst.op == Op::kNot && a != nullptr) {
      folded = make(Kind::kBool, a->number == 0);
    } else if (inst.op == Op::kConcat) {
      folded = fold_concat(inst);
    } else if (a != nullptr && (a->kind == Kind::kInt || a->kind == Kind::kFloat)) {
      const Constant* const b = inst.b == kNone ? a : value(inst.b);
      if (b != nullptr && b->kind == a->kind) {
        folded =
            a->kind == Kind::kInt ? fold_int(inst.op, a->number, b->number) : fold_float(inst.op, a->real, b->real);
      }
    }
    if (folded) {
      become_constant(inst, pool_.find_or_add(*folded));
      return;
    }
    for (const Reg reg : writes(plan_, function_, inst)) known_[reg].line = 0;
    if (inst.op == Op::kConst) known_[inst.dst] = {line_, ConstId(inst.a)};
  }

  std::optional<Constant> fold_concat(const Inst& inst) {
    Constant text = make(Kind::kString, 0);
    for (std::uint32_t i = 0; i < inst.c; ++i) {
      const Constant* const part = value(function_.args[inst.b + i]);
      if (part == nullptr || part->kind != Kind::kString) return std::nullopt;
      if (!pool_.has_room(text.text.size() + part->text.size())) return std::nullopt;
      text.text += part->text;
    }
    return text;
  }

  void remove_unreachable() {
    std::vector<bool> reached(function_.code.size(), false);
    std::vector<std::size_t> work{0};
    while (!work.empty()) {
      const std::size_t at = work.back();
      work.pop_back();
      if (at >= reached.size() || reached[at]) continue;
      reached[at] = true;
      const Inst& inst = function_.code[at];
      if (inst.op == Op::kJump) {
        work.push_back(inst.a);
      } else if (inst.op == Op::kBranch) {
        work.push_back(inst.b);
        work.push_back(inst.c);
      } else if (inst.op != Op::kReturn && inst.op != Op::kFail) {
        work.push_back(at + 1);
      }
    }
    // A jump to the instruction that follows anyway is nothing.
    for (std::size_t i = 0; i < reached.size(); ++i) {
      if (function_.code[i].op == Op::kJump && reached[i]) {
        std::size_t next = i + 1;
        while (next < reached.size() && !reached[next]) ++next;
        if (function_.code[i].a == next) reached[i] = false;
      }
    }
    compact(function_, reached);
  }

  plan::Plan& plan_;
  ConstantPool& pool_;
  Function& function_;
  std::uint32_t line_ = 1;  // number of the straight line
  struct Known {
    std::uint32_t line = 0;  // in which it holds
    ConstId id;
  };
  std::vector<Known> known_;  // by register
};

// Registers, all of them added or removed at once.
class RegisterSet {
 public:
  explicit RegisterSet(std::size_t registers) : marks_(registers, 0) {}
  bool has(Reg reg) const { return (marks_[reg] == epoch_) != all_; }
  void set(Reg reg, bool in) { marks_[reg] = in != all_ ? epoch_ : 0; }
  void set_all(bool in) {
    all_ = in;
    ++epoch_;
  }

 private:
  std::vector<std::uint32_t> marks_;  // of this epoch: in, or with all_ out
  std::uint32_t epoch_ = 1;
  bool all_ = false;
};

// Removes what writes a register that nothing reads, or that the same straight line writes again, or that goes with the
// end of the function. Linear in the operands of the code.
class Sweeper {
 public:
  explicit Sweeper(Function& function)
      : function_(function),
        targets_(jump_targets(function)),
        keep_(function.code.size(), true),
        reads_(function.regs.size(), 0),
        definitions_(function.regs.size()) {
    for (std::size_t i = 0; i < function.code.size(); ++i) {
      const Inst& inst = function.code[i];
      for (const Reg reg : reads(function, inst)) ++reads_[reg];
      if (is_removable(inst.op)) definitions_[inst.dst].push_back(i);
    }
  }

  void run() {
    // From the end, so that what only a removed instruction read goes at once.
    RegisterSet overwritten(function_.regs.size());
    for (std::size_t i = function_.code.size(); i-- > 0;) {
      const Inst& inst = function_.code[i];
      if (targets_[i + 1] || inst.op == Op::kJump || inst.op == Op::kBranch) overwritten.set_all(false);
      if (inst.op == Op::kReturn || inst.op == Op::kFail) overwritten.set_all(true);
      const bool self = inst.op == Op::kMove && inst.dst == inst.a;
      if (is_removable(inst.op) && (reads_[inst.dst] == 0 || self || overwritten.has(inst.dst))) {
        remove(i);
        continue;
      }
      if (inst.dst != kNone) overwritten.set(inst.dst, true);
      for (const Reg reg : reads(function_, inst)) overwritten.set(reg, false);
    }
    while (!unread_.empty()) {
      const Reg reg = unread_.back();
      unread_.pop_back();
      for (const std::size_t at : definitions_[reg]) remove(at);
    }
    if (changed_) compact(function_, keep_);
  }

 private:
  void remove(std::size_t at) {
    if (!keep_[at]) return;
    keep_[at] = false;
    changed_ = true;
    for (const Reg reg : reads(function_, function_.code[at])) {
      if (--reads_[reg] == 0) unread_.push_back(reg);
    }
  }

  Function& function_;
  std::vector<bool> targets_, keep_;
  std::vector<std::uint32_t> reads_;                   // by register, as far as not removed
  std::vector<std::vector<std::size_t>> definitions_;  // by register: what can be removed when nothing reads it
  std::vector<Reg> unread_;
  bool changed_ = false;
};

}  // namespace

void fold_constants(plan::Plan& plan) {
  ConstantPool pool(plan);
  for (Function& function : plan.functions) {
    if (function.code.empty() || catches(function)) continue;
    Folder(plan, pool, function).run();
    Sweeper(function).run();
  }
}

}  // namespace sgl::compiler
