// The interpreter: the reference for what plans mean. The JIT must agree with it, errors and fuel included.
#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <new>

#include "runtime/base/check.h"
#include "runtime/exec/context.h"
#include "runtime/exec/ops.h"
#include "runtime/exec/state.h"

namespace sgl::exec {

using plan::Inst;
using plan::Op;
using plan::Rep;

namespace {

bool type_error(Machine& machine, const char* wanted, const Value& got) {
  return machine.fail(base::ErrorKind::kFailed, fmt::format("expected {}, found {}", wanted, tag_name(got.tag())));
}

Tag tag_of(Rep rep) {
  return rep == Rep::kInt ? Tag::kInt : rep == Rep::kFloat ? Tag::kFloat : Tag::kBool;
}

const char* rep_name(Rep rep) {
  return rep == Rep::kInt ? "int" : rep == Rep::kFloat ? "float" : "bool";
}

// Stores a value into a register of `rep`, unboxing it.
bool store(Machine& machine, Value& dst, Rep rep, Value value) {
  if (rep != Rep::kBoxed && value.tag() != tag_of(rep)) return type_error(machine, rep_name(rep), value);
  dst = std::move(value);
  return true;
}

bool int_arithmetic(Machine& machine, Op op, std::int64_t a, std::int64_t b, std::int64_t& out) {
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
    default:
      if (b == 0) return machine.fail(base::ErrorKind::kFailed, "division by zero");
      // The one quotient that does not fit; its remainder is 0 but the machine instruction traps.
      if (b == -1) {
        overflow = op == Op::kDivI && a == std::numeric_limits<std::int64_t>::min();
        out = op == Op::kDivI && !overflow ? -a : 0;
      } else {
        out = op == Op::kDivI ? a / b : a % b;
      }
  }
  return !overflow || machine.fail(base::ErrorKind::kFailed, "integer overflow");
}

// What `source` holds, to be changed in place and then put into `dst`: taken out of it when nobody else holds it, else
// a copy. False: the registers are as they were.
bool take_for_change(Machine& machine, Value& dst, const Value& source, Value& out) {
  if (&dst == &source && dst.unshared()) {
    out = std::move(dst);
    return true;
  }
  if (!charge_fuel(machine, static_cast<std::int64_t>(source.items().size()) / 4)) return false;
  out = source.clone();
  return made(machine, out);
}

bool set_item(Machine& machine, Value& dst, const Value& source, std::int64_t index, const Value& item) {
  const auto size = static_cast<std::int64_t>(source.items().size());
  if (index < 0 && source.is(Tag::kList)) index += size;
  if (index < 0 || index >= size) {
    return machine.fail(base::ErrorKind::kFailed, fmt::format("index {} is outside a list of {}", index, size));
  }
  Value kept = item, updated;  // `item` may be the list or record itself
  if (!take_for_change(machine, dst, source, updated)) return false;
  updated.mutable_item(static_cast<std::size_t>(index)) = std::move(kept);
  dst = std::move(updated);
  return true;
}

// Operand list of an instruction as pointers to registers.
struct Operands {
  std::array<const Value*, 16> small;
  std::vector<const Value*> large;
  std::span<const Value* const> view;
  Operands(const plan::Function& function, const Inst& inst, Value* regs) {
    const std::span args(function.args.data() + inst.b, inst.c);
    const Value** out = small.data();
    if (args.size() > small.size()) {
      large.resize(args.size());
      out = large.data();
    }
    for (std::size_t i = 0; i < args.size(); ++i) out[i] = &regs[args[i]];
    view = {out, args.size()};
  }
};

std::vector<Value> copies(std::span<const Value* const> operands) {
  std::vector<Value> out;
  out.reserve(operands.size());
  for (const Value* v : operands) out.push_back(*v);
  return out;
}

bool construct(Machine& machine, const plan::Function& function, const Inst& inst, Value* regs) {
  Operands operands(function, inst, regs);
  Value& dst = regs[inst.dst];
  if (inst.op == Op::kConcat) return concat_strings(machine, operands.view, dst);
  Value out;  // apart from `dst`, which keeps its value when this fails
  if (inst.op == Op::kListNew) out = Value::list(copies(operands.view));
  if (inst.op == Op::kRecordNew) out = Value::record(plan::TypeId(inst.a), copies(operands.view));
  if (inst.op != Op::kBuiltin) return made(machine, out) && store(machine, dst, Rep::kBoxed, std::move(out));
  if (!call_builtin(machine, static_cast<plan::Builtin>(inst.a), operands.view, out)) return false;
  // The sum of no floats: the list does not show its item type, the register does.
  const bool empty_sum = static_cast<plan::Builtin>(inst.a) == plan::Builtin::kSum && out.is(Tag::kInt);
  if (empty_sum && function.regs[inst.dst] == Rep::kFloat) out = Value::real(static_cast<double>(out.as_int()));
  return store(machine, dst, function.regs[inst.dst], std::move(out));
}

bool push_item(Machine& machine, Value& dst, Value& list, const Value& item) {
  if (!list.is(Tag::kList)) return type_error(machine, "list", list);
  Value kept = item, grown;  // `item` may be the list itself
  if (!take_for_change(machine, dst, list, grown)) return false;
  const bool pushed = grown.push(std::move(kept));
  if (pushed || &dst == &list) dst = std::move(grown);  // a list that could not grow is what it was
  return pushed || made(machine, Value());
}

bool read_field(Machine& machine, const plan::Function& function, const Inst& inst, Value* regs) {
  const Value& record = regs[inst.a];
  if (!record.is(Tag::kRecord)) return type_error(machine, "record", record);
  if (inst.b >= record.items().size()) return machine.fail(base::ErrorKind::kFailed, "the record has no such field");
  return store(machine, regs[inst.dst], function.regs[inst.dst], Value(record.items()[inst.b]));
}

bool compare_strings(Machine& machine, const Inst& inst, Value* regs) {
  const Value &a = regs[inst.a], &b = regs[inst.b];
  if (!a.is(Tag::kString)) return type_error(machine, "string", a);
  if (!b.is(Tag::kString)) return type_error(machine, "string", b);
  const std::size_t bytes = std::min(a.as_string().size(), b.as_string().size());
  if (!charge_fuel(machine, static_cast<std::int64_t>(bytes) / kBytesPerFuel)) return false;
  const int order = a.as_string().compare(b.as_string());  // byte order of UTF-8 is code point order
  regs[inst.dst].set_scalar(Tag::kBool, inst.op == Op::kLtS ? order < 0 : order <= 0);
  return true;
}

bool execute_list_inst(Machine& machine, const plan::Function& function, const Inst& inst, Value* regs) {
  switch (inst.op) {
    case Op::kLen: {
      std::int64_t size = 0;
      if (!length_of(machine, regs[inst.a], size)) return false;
      regs[inst.dst].set_scalar(Tag::kInt, static_cast<std::uint64_t>(size));
      return true;
    }
    case Op::kListPush:
      return push_item(machine, regs[inst.dst], regs[inst.a], regs[inst.b]);
    case Op::kIndex: {
      Value out;
      if (!index_value(machine, regs[inst.a], regs[inst.b].as_int(), out)) return false;
      return store(machine, regs[inst.dst], function.regs[inst.dst], std::move(out));
    }
    case Op::kSetIndex:
      if (!regs[inst.a].is(Tag::kList)) return type_error(machine, "list", regs[inst.a]);
      return set_item(machine, regs[inst.dst], regs[inst.a], regs[inst.b].as_int(), regs[inst.c]);
    case Op::kSlice: {
      Value out;
      if (!slice_value(machine, regs[inst.a], regs[inst.b].as_int(), regs[inst.c].as_int(), out)) return false;
      regs[inst.dst] = std::move(out);
      return true;
    }
    case Op::kField:
      return read_field(machine, function, inst, regs);
    default:  // kSetField
      if (!regs[inst.a].is(Tag::kRecord)) return type_error(machine, "record", regs[inst.a]);
      return set_item(machine, regs[inst.dst], regs[inst.a], inst.b, regs[inst.c]);
  }
}

bool execute_context_inst(Machine& machine, const Inst& inst, Value* regs) {
  if (inst.op == Op::kRoleBegin) return machine.context->begin_role(machine, static_cast<plan::Role>(inst.a));
  if (inst.op == Op::kRoleEnd) return machine.context->end_role(machine);
  if (!regs[inst.a].is(Tag::kString)) return type_error(machine, "string", regs[inst.a]);
  return charge_fuel(machine, static_cast<std::int64_t>(regs[inst.a].as_string().size()) / kBytesPerFuel) &&
         machine.context->append_text(machine, regs[inst.a].as_string());
}

}  // namespace

bool execute_value_inst(Machine& machine, const plan::Function& function, const Inst& inst, Value* regs) {
  switch (inst.op) {
    case Op::kConst:
      regs[inst.dst] = machine.image->constants[inst.a];
      return true;
    case Op::kMove:
    case Op::kBox:
      regs[inst.dst] = regs[inst.a];
      return true;
    case Op::kUnbox:
      return store(machine, regs[inst.dst], function.regs[inst.dst], regs[inst.a]);
    case Op::kEq: {
      bool same = false;
      if (!equal_values(machine, regs[inst.a], regs[inst.b], same)) return false;
      regs[inst.dst].set_scalar(Tag::kBool, same);
      return true;
    }
    case Op::kLtS:
    case Op::kLeS:
      return compare_strings(machine, inst, regs);
    case Op::kFormat: {
      Value out;
      if (inst.b != plan::kNone && !regs[inst.b].is(Tag::kString)) return type_error(machine, "string", regs[inst.b]);
      const std::string_view spec = inst.b == plan::kNone ? std::string_view() : regs[inst.b].as_string();
      if (!format_value(machine, regs[inst.a], spec, out)) return false;
      regs[inst.dst] = std::move(out);
      return true;
    }
    case Op::kConcat:
    case Op::kListNew:
    case Op::kRecordNew:
    case Op::kBuiltin:
      return construct(machine, function, inst, regs);
    case Op::kLen:
    case Op::kListPush:
    case Op::kIndex:
    case Op::kSetIndex:
    case Op::kSlice:
    case Op::kField:
    case Op::kSetField:
      return execute_list_inst(machine, function, inst, regs);
    case Op::kRoleBegin:
    case Op::kRoleEnd:
    case Op::kText:
      return execute_context_inst(machine, inst, regs);
    default:
      break;
  }
  SGL_ASSERT(false && "not a value instruction");
  return false;
}

namespace {

// Arithmetic and comparison of unboxed registers; false: failed.
bool execute_scalar_inst(Machine& machine, const Inst& inst, Value* regs) {
  const auto ia = [&] { return regs[inst.a].as_int(); };
  const auto ib = [&] { return regs[inst.b].as_int(); };
  const auto fa = [&] { return regs[inst.a].as_float(); };
  const auto fb = [&] { return regs[inst.b].as_float(); };
  const auto set_bool = [&](bool b) { regs[inst.dst].set_scalar(Tag::kBool, b ? 1 : 0); };
  const auto set_float = [&](double d) { regs[inst.dst].set_scalar(Tag::kFloat, std::bit_cast<std::uint64_t>(d)); };
  switch (inst.op) {
    case Op::kAddF:
      set_float(fa() + fb());
      return true;
    case Op::kSubF:
      set_float(fa() - fb());
      return true;
    case Op::kMulF:
      set_float(fa() * fb());
      return true;
    case Op::kDivF:
      if (fb() == 0) return machine.fail(base::ErrorKind::kFailed, "division by zero");
      set_float(fa() / fb());
      return true;
    case Op::kNegF:
      set_float(-fa());
      return true;
    case Op::kIntToFloat:
      set_float(static_cast<double>(ia()));
      return true;
    case Op::kEqI:
      set_bool(ia() == ib());
      return true;
    case Op::kLtI:
      set_bool(ia() < ib());
      return true;
    case Op::kLeI:
      set_bool(ia() <= ib());
      return true;
    case Op::kEqF:
      set_bool(fa() == fb());
      return true;
    case Op::kLtF:
      set_bool(fa() < fb());
      return true;
    case Op::kLeF:
      set_bool(fa() <= fb());
      return true;
    case Op::kEqL:
      set_bool(regs[inst.a].as_bool() == regs[inst.b].as_bool());
      return true;
    case Op::kNot:
      set_bool(!regs[inst.a].as_bool());
      return true;
    default:
      break;
  }
  std::int64_t out = 0;
  if (!int_arithmetic(machine, inst.op, ia(), inst.op == Op::kNegI ? 0 : ib(), out)) return false;
  regs[inst.dst].set_scalar(Tag::kInt, static_cast<std::uint64_t>(out));
  return true;
}

// Where a jump from `pc` to `target` leads; backward jumps cost fuel.
bool jump(Machine& machine, Frame& frame, std::uint32_t target) {
  const bool backward = target <= frame.pc;
  if (backward && !charge_fuel(machine)) return false;
  frame.pc = target;
  return true;
}

Step fail_at(Machine& machine, const Frame& frame) {
  note_position(machine, *frame.function, frame.pc);
  return Step::kError;
}

}  // namespace

Step interpret(Machine& machine, Frame& frame) {
  const plan::Function& function = *frame.function;
  Value* const regs = frame.regs();
  const Inst* const code = function.code.data();
  for (;;) {
    const Inst& inst = code[frame.pc];
    switch (inst.op) {
      case Op::kJump:
        if (!jump(machine, frame, inst.a)) return fail_at(machine, frame);
        continue;
      case Op::kBranch:
        if (!jump(machine, frame, regs[inst.a].as_bool() ? inst.b : inst.c)) return fail_at(machine, frame);
        continue;
      case Op::kReturn:
        machine.result = regs[inst.a];
        return Step::kReturn;
      case Op::kFail:
        machine.fail(base::ErrorKind::kFailed,
                     regs[inst.a].is(Tag::kString) ? std::string(regs[inst.a].as_string()) : std::string("failed"));
        return fail_at(machine, frame);
      case Op::kCall:
      case Op::kGen:
      case Op::kSelect:
      case Op::kParallelFor:
      case Op::kParallel:
      case Op::kTool:
      case Op::kTry:
      case Op::kTryEnd:
        return Step::kEffect;
      case Op::kConst:
      case Op::kMove:
      case Op::kBox:
        regs[inst.dst] = inst.op == Op::kConst ? machine.image->constants[inst.a] : regs[inst.a];
        break;
      case Op::kAddI:
      case Op::kSubI:
      case Op::kMulI:
      case Op::kDivI:
      case Op::kModI:
      case Op::kNegI:
      case Op::kAddF:
      case Op::kSubF:
      case Op::kMulF:
      case Op::kDivF:
      case Op::kNegF:
      case Op::kIntToFloat:
      case Op::kEqI:
      case Op::kLtI:
      case Op::kLeI:
      case Op::kEqF:
      case Op::kLtF:
      case Op::kLeF:
      case Op::kEqL:
      case Op::kNot:
        if (!execute_scalar_inst(machine, inst, regs)) return fail_at(machine, frame);
        break;
      default:
        if (!execute_value_inst(machine, function, inst, regs)) return fail_at(machine, frame);
    }
    ++frame.pc;
  }
}

}  // namespace sgl::exec
