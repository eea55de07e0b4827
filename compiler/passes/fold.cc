// Constant folding within straight lines of code, and removal of what became dead.
#include <algorithm>
#include <limits>
#include <unordered_map>

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

// Folds one function; `known` holds the constants of registers in the current straight line.
class Folder {
 public:
  Folder(plan::Plan& plan, Function& function) : plan_(plan), function_(function), targets_(jump_targets(function)) {}

  void run() {
    for (std::size_t i = 0; i < function_.code.size(); ++i) {
      if (targets_[i]) known_.clear();
      fold(function_.code[i]);
    }
    remove_unreachable();
    while (remove_unread()) {
    }
  }

 private:
  const Constant* value(Reg reg) const {
    const auto it = known_.find(reg);
    return it == known_.end() ? nullptr : &plan_.constants[it->second.value];
  }

  void become_constant(Inst& inst, const Constant& constant) {
    const ConstId id = find_or_add(plan_, constant);
    inst = {Op::kConst, inst.dst, id.value, kNone, kNone};
    known_[inst.dst] = id;
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
    if (inst.op == Op::kMove && a != nullptr) {
      folded = *a;
    } else if (inst.op == Op::kFormat && a != nullptr && a->kind == Kind::kString && inst.b == kNone) {
      folded = *a;
    } else if (inst.op == Op::kNot && a != nullptr) {
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
    if (folded && folded->kind != Kind::kList && folded->kind != Kind::kRecord) {
      become_constant(inst, Constant(*folded));
      return;
    }
    for (const Reg reg : writes(plan_, function_, inst)) known_.erase(reg);
    if (inst.op == Op::kConst) known_[inst.dst] = ConstId(inst.a);
  }

  std::optional<Constant> fold_concat(const Inst& inst) {
    Constant text = make(Kind::kString, 0);
    for (std::uint32_t i = 0; i < inst.c; ++i) {
      const Constant* const part = value(function_.args[inst.b + i]);
      if (part == nullptr || part->kind != Kind::kString) return std::nullopt;
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

  bool remove_unread() {
    targets_ = jump_targets(function_);
    std::vector<bool> read(function_.regs.size(), false);
    for (const Inst& inst : function_.code) {
      for (const Reg reg : reads(function_, inst)) read[reg] = true;
    }
    std::vector<bool> keep(function_.code.size(), true);
    bool changed = false;
    for (std::size_t i = 0; i < function_.code.size(); ++i) {
      const Inst& inst = function_.code[i];
      const bool self = inst.op == Op::kMove && inst.dst == inst.a;
      if (is_removable(inst.op) && (!read[inst.dst] || self || overwritten(i))) {
        keep[i] = false;
        changed = true;
      }
    }
    if (changed) compact(function_, keep);
    return changed;
  }

  // Does the straight line after `at` write the same register again, or end the function, before anything reads it?
  bool overwritten(std::size_t at) const {
    const Reg reg = function_.code[at].dst;
    for (std::size_t i = at + 1; i < function_.code.size() && !targets_[i]; ++i) {
      const Inst& inst = function_.code[i];
      if (inst.op == Op::kJump || inst.op == Op::kBranch) return false;
      const auto used = reads(function_, inst);
      if (std::find(used.begin(), used.end(), reg) != used.end()) return false;
      if (inst.dst == reg || inst.op == Op::kReturn || inst.op == Op::kFail) return true;
    }
    return false;
  }

  plan::Plan& plan_;
  Function& function_;
  std::vector<bool> targets_;
  std::unordered_map<Reg, ConstId> known_;
};

}  // namespace

void fold_constants(plan::Plan& plan) {
  for (Function& function : plan.functions) {
    if (!function.code.empty() && !catches(function)) Folder(plan, function).run();
  }
}

}  // namespace sgl::compiler
