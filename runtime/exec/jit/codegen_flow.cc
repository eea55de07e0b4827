// Ways out of a function and back in: returns, calls, effects and jumps, and the fuel that they cost. The order of
// checks and charges is interp.cc's.
#include <cstddef>

#include "runtime/exec/jit/codegen.h"

namespace sgl::exec {

using plan::Inst;
using plan::Op;
using plan::Rep;

// Machine and Frame hold std::string and pointers only, yet are not all of them "standard layout" by the letter;
// GCC gives their offsets all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr std::uint64_t kFuelOffset = offsetof(Machine, fuel);
constexpr std::uint64_t kStackOffset = offsetof(Machine, stack_left);
constexpr std::uint64_t kPcOffset = offsetof(Frame, pc);
#pragma GCC diagnostic pop
static_assert(kFuelOffset == 0 && kStackOffset == 8, "state.h promises these");

void FunctionCodegen::emit_return(const Inst& inst) {
  const Rep r = rep(inst.a);
  if (!pure_) {
    if (r == Rep::kBoxed) {
      builder_.CreateCall(parts_.return_value, {machine_, slot(inst.a)});
    } else {
      builder_.CreateCall(parts_.return_scalar, {machine_, tag_constant(scalar_tag(r)), to_bits(r, get(inst.a))});
    }
    builder_.CreateRet(builder_.getInt32(static_cast<std::uint32_t>(Step::kReturn)));
    return;
  }
  if (r != Rep::kBoxed) {
    builder_.CreateStore(to_bits(r, get(inst.a)), result_);
  } else {
    // Swapped, so that the clean-up releases what the caller's register held.
    for (const std::uint64_t offset : {0, 8}) {
      Ir* const mine = at(slot(inst.a), offset);
      Ir* const callers = at(ret_, offset);
      Ir* const value = builder_.CreateLoad(builder_.getInt64Ty(), mine);
      Ir* const old = builder_.CreateLoad(builder_.getInt64Ty(), callers);
      builder_.CreateStore(value, callers);
      builder_.CreateStore(old, mine);
    }
    builder_.CreateStore(builder_.getInt64(0), result_);
  }
  builder_.CreateStore(builder_.getInt32(0), status_);
  builder_.CreateBr(exit_);
}

// A call of a pure function: enter_call(), the call, leave_call().
void FunctionCodegen::emit_call(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  const plan::Function& callee = parts_.plan.functions[inst.a];
  charge_fuel(index, call_fuel(callee));
  Block* const too_deep = block("too_deep");
  {
    llvm::IRBuilderBase::InsertPointGuard guard(builder_);
    builder_.SetInsertPoint(too_deep);
      builder_.CreateCall(parts_.fail_stack, {machine_, builder_.getInt32(index_), builder_.getInt32(index),
                                            builder_.getInt32(inst.a)});
    builder_.CreateBr(error_);
  }
  Ir* const units = builder_.getInt64(static_cast<std::uint64_t>(kCallUnits) + callee.regs.size());
  Ir* const stack = load_at(builder_.getInt64Ty(), machine_, kStackOffset);
  check(builder_.CreateICmpSGE(stack, units), too_deep);
  builder_.CreateStore(builder_.CreateSub(stack, units), at(machine_, kStackOffset));

  std::vector<Ir*> args = {machine_};
  for (std::uint32_t i = 0; i < inst.c; ++i) {
    const plan::Reg reg = function_.args[inst.b + i];
    args.push_back(rep(reg) == Rep::kBoxed ? slot(reg) : get(reg));
  }
  const bool boxed = rep(inst.dst) == Rep::kBoxed;
  args.push_back(boxed ? slot(inst.dst) : llvm::ConstantPointerNull::get(builder_.getPtrTy()));
  Ir* const result = builder_.CreateCall(parts_.functions[inst.a], args);
  // Every callee gives back what it took, so the units before the call are the units after it.
  builder_.CreateStore(stack, at(machine_, kStackOffset));
  check(builder_.CreateICmpEQ(builder_.CreateExtractValue(result, 1), builder_.getInt32(0)), error_);
  if (!boxed) set(inst.dst, from_bits(rep(inst.dst), builder_.CreateExtractValue(result, 0)));
}

// Leaves the instruction to the driver, with all registers in the frame.
void FunctionCodegen::emit_effect(std::uint32_t index) {
  for (plan::Reg reg = 0; reg < scalars_.size(); ++reg) {
    if (scalars_[reg] != nullptr) spill(reg);
  }
  builder_.CreateStore(builder_.getInt32(index), at(frame_, kPcOffset));
  builder_.CreateRet(builder_.getInt32(static_cast<std::uint32_t>(Step::kEffect)));
}

void FunctionCodegen::charge_fuel(std::uint32_t index, std::int64_t units) {
  Ir* const place = at(machine_, kFuelOffset);
  Ir* const left = builder_.CreateSub(builder_.CreateLoad(builder_.getInt64Ty(), place),
                                      builder_.getInt64(static_cast<std::uint64_t>(units)));
  builder_.CreateStore(left, place);
  Block* const low = block("refuel");
  check(builder_.CreateICmpSGE(left, builder_.getInt64(0)), low);
  Block* const on = builder_.GetInsertBlock();
  llvm::IRBuilderBase::InsertPointGuard guard(builder_);
  builder_.SetInsertPoint(low);
  Ir* const failed = builder_.CreateCall(parts_.refuel, {machine_, builder_.getInt32(index_), builder_.getInt32(index)});
  builder_.CreateCondBr(builder_.CreateICmpEQ(failed, builder_.getInt32(0)), on, error_);
}

// Where a jump from `index` to `target` leads: backward jumps cost fuel.
FunctionCodegen::Block* FunctionCodegen::edge(std::uint32_t index, std::uint32_t target) {
  if (target > index) return blocks_[target];
  Block* const charged = block("backward");
  llvm::IRBuilderBase::InsertPointGuard guard(builder_);
  builder_.SetInsertPoint(charged);
  charge_fuel(index);
  builder_.CreateBr(blocks_[target]);
  return charged;
}

}  // namespace sgl::exec
