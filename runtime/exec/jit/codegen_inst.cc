// Instructions on values: arithmetic and reads of boxed values inline, the rest by the runtime's generic helper.
#include <bit>
#include <cstddef>
#include <limits>

#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>

#include "runtime/exec/jit/codegen.h"

namespace sgl::exec {

using plan::Inst;
using plan::Op;
using plan::Rep;

namespace {

// Where compiled code finds the members of objects. ListObject derives from Object, for which offsetof is allowed
// but warned about.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr std::uint64_t kRefsOffset = offsetof(Object, refs);
constexpr std::uint64_t kSizeOffset = offsetof(Object, size);
constexpr std::uint64_t kCapacityOffset = offsetof(ListObject, capacity);
constexpr std::uint64_t kListItemsOffset = offsetof(ListObject, items);
#pragma GCC diagnostic pop
constexpr std::uint64_t kRecordFieldsOffset = sizeof(RecordObject);
static_assert(kRefsOffset == 0 && kSizeOffset == 8 && kCapacityOffset == 16 && kListItemsOffset == 24 &&
                  kRecordFieldsOffset == 16,
              "value.h changed: check what this file reads");
static_assert(static_cast<int>(Tag::kString) == 4, "tags from kString on are counted");

}  // namespace

// ---- registers -----------------------------------------------------------------------------------------------------

llvm::Type* FunctionCodegen::type_of(Rep r) {
  switch (r) {
    case Rep::kInt: return builder_.getInt64Ty();
    case Rep::kFloat: return builder_.getDoubleTy();
    case Rep::kBool: return builder_.getInt1Ty();
    case Rep::kBoxed: break;
  }
  return builder_.getPtrTy();
}

FunctionCodegen::Ir* FunctionCodegen::get(plan::Reg reg) {
  return builder_.CreateLoad(type_of(rep(reg)), scalars_[reg]);
}

void FunctionCodegen::set(plan::Reg reg, Ir* value) { builder_.CreateStore(value, scalars_[reg]); }

FunctionCodegen::Ir* FunctionCodegen::to_bits(Rep r, Ir* value) {
  if (r == Rep::kFloat) return builder_.CreateBitCast(value, builder_.getInt64Ty());
  if (r == Rep::kBool) return builder_.CreateZExt(value, builder_.getInt64Ty());
  return value;
}

FunctionCodegen::Ir* FunctionCodegen::from_bits(Rep r, Ir* bits) {
  if (r == Rep::kFloat) return builder_.CreateBitCast(bits, builder_.getDoubleTy());
  if (r == Rep::kBool) return builder_.CreateICmpNE(bits, builder_.getInt64(0));
  return bits;
}

void FunctionCodegen::spill(plan::Reg reg) {
  builder_.CreateStore(tag_constant(scalar_tag(rep(reg))), at(slot(reg), 0));
  builder_.CreateStore(to_bits(rep(reg), get(reg)), at(slot(reg), 8));
}

void FunctionCodegen::reload(plan::Reg reg) {
  set(reg, from_bits(rep(reg), load_at(builder_.getInt64Ty(), slot(reg), 8)));
}

void FunctionCodegen::retain(Ir* tag, Ir* bits) {
  Block* const counted = block("counted");
  Block* const mortal = block("mortal");
  Block* const done = block("retained");
  builder_.CreateCondBr(builder_.CreateICmpUGE(tag, tag_constant(Tag::kString)), counted, done);
  builder_.SetInsertPoint(counted);
  Ir* const refs_at = at(builder_.CreateIntToPtr(bits, builder_.getPtrTy()), kRefsOffset);
  Ir* const refs = builder_.CreateLoad(builder_.getInt32Ty(), refs_at);
  // Immortal objects are shared by threads: not even the same count may be written to them.
  builder_.CreateCondBr(builder_.CreateICmpNE(refs, builder_.getInt32(Object::kImmortal)), mortal, done);
  builder_.SetInsertPoint(mortal);
  builder_.CreateStore(builder_.CreateAdd(refs, builder_.getInt32(1)), refs_at);
  builder_.CreateBr(done);
  builder_.SetInsertPoint(done);
}

void FunctionCodegen::release_if_counted(Ir* place, Ir* tag) {
  Block* const counted = block("release");
  Block* const done = block("released");
  builder_.CreateCondBr(builder_.CreateICmpULT(tag, tag_constant(Tag::kString)), done, counted);
  builder_.SetInsertPoint(counted);
  builder_.CreateCall(parts_.release, {place, builder_.getInt32(1)});
  builder_.CreateBr(done);
  builder_.SetInsertPoint(done);
}

void FunctionCodegen::assign(Ir* place, Ir* tag, Ir* bits) {
  release_if_counted(place, load_at(builder_.getInt64Ty(), place, 0));
  builder_.CreateStore(tag, at(place, 0));
  builder_.CreateStore(bits, at(place, 8));
}

// ---- failures and the generic path ---------------------------------------------------------------------------------

void FunctionCodegen::check(Ir* ok, Block* otherwise) {
  Block* const next = block("ok");
  builder_.CreateCondBr(ok, next, otherwise, likely_);
  builder_.SetInsertPoint(next);
}

FunctionCodegen::Block* FunctionCodegen::fail_block(std::uint32_t index, FailCode code) {
  Block* const failed = block("fail");
  llvm::IRBuilderBase::InsertPointGuard guard(builder_);
  builder_.SetInsertPoint(failed);
  builder_.CreateCall(parts_.fail, {machine_, builder_.getInt32(index_), builder_.getInt32(index),
                                    builder_.getInt32(static_cast<std::uint32_t>(code))});
  builder_.CreateBr(error_);
  return failed;
}

void FunctionCodegen::emit_generic(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  for_each_source(function_, inst, [this](plan::Reg reg) {
    if (rep(reg) != Rep::kBoxed) spill(reg);
  });
  Ir* const status =
      builder_.CreateCall(parts_.execute, {machine_, builder_.getInt32(index_), builder_.getInt32(index), slots_});
  check(builder_.CreateICmpEQ(status, builder_.getInt32(0)), error_);
  if (plan::kOps[static_cast<std::size_t>(inst.op)].operands[0] != '-' && rep(inst.dst) != Rep::kBoxed) {
    reload(inst.dst);
  }
}

void FunctionCodegen::finish(std::uint32_t index, Block* slow, Block* done) {
  builder_.CreateBr(done);
  builder_.SetInsertPoint(slow);
  emit_generic(index);
  builder_.CreateBr(done);
  builder_.SetInsertPoint(done);
}

// ---- scalars -------------------------------------------------------------------------------------------------------

// False: not an operation on unboxed registers.
bool FunctionCodegen::emit_scalar(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  const auto a = [&] { return get(inst.a); };
  const auto b = [&] { return get(inst.b); };
  const auto put = [&](Ir* value) {
    set(inst.dst, value);
    return true;
  };
  switch (inst.op) {
    case Op::kAddI: emit_overflow(index, llvm::Intrinsic::sadd_with_overflow, a(), b()); return true;
    case Op::kSubI: emit_overflow(index, llvm::Intrinsic::ssub_with_overflow, a(), b()); return true;
    case Op::kMulI: emit_overflow(index, llvm::Intrinsic::smul_with_overflow, a(), b()); return true;
    case Op::kNegI:
      emit_overflow(index, llvm::Intrinsic::ssub_with_overflow, builder_.getInt64(0), a());
      return true;
    case Op::kDivI:
    case Op::kModI: emit_division(index); return true;
    case Op::kAddF: return put(builder_.CreateFAdd(a(), b()));
    case Op::kSubF: return put(builder_.CreateFSub(a(), b()));
    case Op::kMulF: return put(builder_.CreateFMul(a(), b()));
    case Op::kDivF: {
      Ir* const divisor = b();
      // True of a NaN, too: only zeros, of either sign, fail.
      Ir* const ok = builder_.CreateFCmpUNE(divisor, llvm::ConstantFP::get(builder_.getDoubleTy(), 0.0));
      check(ok, fail_block(index, FailCode::kDivisionByZero));
      return put(builder_.CreateFDiv(a(), divisor));
    }
    case Op::kNegF: return put(builder_.CreateFNeg(a()));
    case Op::kIntToFloat: return put(builder_.CreateSIToFP(a(), builder_.getDoubleTy()));
    case Op::kEqI:
    case Op::kEqL: return put(builder_.CreateICmpEQ(a(), b()));
    case Op::kLtI: return put(builder_.CreateICmpSLT(a(), b()));
    case Op::kLeI: return put(builder_.CreateICmpSLE(a(), b()));
    case Op::kEqF: return put(builder_.CreateFCmpOEQ(a(), b()));
    case Op::kLtF: return put(builder_.CreateFCmpOLT(a(), b()));
    case Op::kLeF: return put(builder_.CreateFCmpOLE(a(), b()));
    case Op::kNot: return put(builder_.CreateNot(a()));
    default: return false;
  }
}

void FunctionCodegen::emit_overflow(std::uint32_t index, llvm::Intrinsic::ID intrinsic, Ir* a, Ir* b) {
  Ir* const pair = builder_.CreateBinaryIntrinsic(intrinsic, a, b);
  check(builder_.CreateNot(builder_.CreateExtractValue(pair, 1)), fail_block(index, FailCode::kOverflow));
  set(function_.code[index].dst, builder_.CreateExtractValue(pair, 0));
}

void FunctionCodegen::emit_division(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  Ir* const a = get(inst.a);
  Ir* const b = get(inst.b);
  check(builder_.CreateICmpNE(b, builder_.getInt64(0)), fail_block(index, FailCode::kDivisionByZero));
  Ir* const minus_one = builder_.CreateICmpEQ(b, llvm::ConstantInt::getSigned(builder_.getInt64Ty(), -1));
  if (inst.op == Op::kModI) {
    // The remainder by -1 is that by 1, without the trap of the one quotient that does not fit.
    Ir* const divisor = builder_.CreateSelect(minus_one, builder_.getInt64(1), b);
    set(inst.dst, builder_.CreateSRem(a, divisor));
    return;
  }
  Ir* const least = llvm::ConstantInt::getSigned(builder_.getInt64Ty(), std::numeric_limits<std::int64_t>::min());
  Ir* const overflow = builder_.CreateAnd(minus_one, builder_.CreateICmpEQ(a, least));
  check(builder_.CreateNot(overflow), fail_block(index, FailCode::kOverflow));
  set(inst.dst, builder_.CreateSDiv(a, b));
}

// ---- values --------------------------------------------------------------------------------------------------------

void FunctionCodegen::emit_const(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  const plan::Constant& constant = parts_.plan.constants[inst.a];
  switch (rep(inst.dst)) {
    case Rep::kInt: return set(inst.dst, builder_.getInt64(static_cast<std::uint64_t>(constant.number)));
    case Rep::kFloat: return set(inst.dst, llvm::ConstantFP::get(builder_.getDoubleTy(), constant.real));
    case Rep::kBool: return set(inst.dst, builder_.getInt1(constant.number != 0));
    case Rep::kBoxed: break;
  }
  using Kind = plan::Constant::Kind;
  Tag tag = Tag::kNull;
  std::uint64_t bits = 0;
  switch (constant.kind) {
    case Kind::kNull: break;
    case Kind::kBool: tag = Tag::kBool; bits = constant.number != 0 ? 1 : 0; break;
    case Kind::kInt: tag = Tag::kInt; bits = static_cast<std::uint64_t>(constant.number); break;
    case Kind::kFloat: tag = Tag::kFloat; bits = std::bit_cast<std::uint64_t>(constant.real); break;
    // Objects are reached through Machine::image, so that the code holds no address and its text is reproducible.
    default: return emit_generic(index);
  }
  assign(slot(inst.dst), tag_constant(tag), builder_.getInt64(bits));
}

void FunctionCodegen::emit_move(const Inst& inst) {
  if (rep(inst.dst) != Rep::kBoxed) return set(inst.dst, get(inst.a));
  if (inst.dst == inst.a) return;
  Ir* const tag = load_at(builder_.getInt64Ty(), slot(inst.a), 0);
  Ir* const bits = load_at(builder_.getInt64Ty(), slot(inst.a), 8);
  retain(tag, bits);
  assign(slot(inst.dst), tag, bits);
}

void FunctionCodegen::emit_unbox(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  Block* const slow = block("slow");
  Block* const done = block("unboxed");
  Ir* const tag = load_at(builder_.getInt64Ty(), slot(inst.a), 0);
  check(builder_.CreateICmpEQ(tag, tag_constant(scalar_tag(rep(inst.dst)))), slow);
  set(inst.dst, from_bits(rep(inst.dst), load_at(builder_.getInt64Ty(), slot(inst.a), 8)));
  finish(index, slow, done);  // the slow way fails, and says why
}

void FunctionCodegen::emit_len(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  Block* const slow = block("slow");
  Block* const done = block("measured");
  Ir* const tag = load_at(builder_.getInt64Ty(), slot(inst.a), 0);
  check(builder_.CreateICmpEQ(tag, tag_constant(Tag::kList)), slow);
  Ir* const bits = load_at(builder_.getInt64Ty(), slot(inst.a), 8);
  set(inst.dst, load_at(builder_.getInt64Ty(), builder_.CreateIntToPtr(bits, builder_.getPtrTy()), kSizeOffset));
  finish(index, slow, done);
}

// kIndex of a list inside its bounds and kField of a record; strings, negative indices and failures go the slow way.
void FunctionCodegen::emit_item(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  const bool list = inst.op == Op::kIndex;
  Block* const slow = block("slow");
  Block* const done = block("read");
  Ir* const tag = load_at(builder_.getInt64Ty(), slot(inst.a), 0);
  check(builder_.CreateICmpEQ(tag, tag_constant(list ? Tag::kList : Tag::kRecord)), slow);
  Ir* const bits = load_at(builder_.getInt64Ty(), slot(inst.a), 8);
  Ir* const object = builder_.CreateIntToPtr(bits, builder_.getPtrTy());
  Ir* const item_index = list ? get(inst.b) : builder_.getInt64(inst.b);
  // Unsigned, so that negative indices fail it too.
  check(builder_.CreateICmpULT(item_index, load_at(builder_.getInt64Ty(), object, kSizeOffset)), slow);
  Ir* const items =
      list ? load_at(builder_.getPtrTy(), object, kListItemsOffset) : at(object, kRecordFieldsOffset);
  load_item(inst.dst, builder_.CreateInBoundsGEP(parts_.slot, items, {item_index}), slow);
  finish(index, slow, done);
}

// The list in a register, when nothing else holds it; `slow` otherwise.
FunctionCodegen::Ir* FunctionCodegen::own_list(plan::Reg reg, Block* slow) {
  check(builder_.CreateICmpEQ(load_at(builder_.getInt64Ty(), slot(reg), 0), tag_constant(Tag::kList)), slow);
  Ir* const bits = load_at(builder_.getInt64Ty(), slot(reg), 8);
  Ir* const object = builder_.CreateIntToPtr(bits, builder_.getPtrTy());
  check(builder_.CreateICmpEQ(load_at(builder_.getInt32Ty(), object, kRefsOffset), builder_.getInt32(1)), slow);
  return object;
}

// A scalar register's value into a slot that holds no reference.
void FunctionCodegen::store_scalar(Ir* place, plan::Reg reg) {
  builder_.CreateStore(tag_constant(scalar_tag(rep(reg))), at(place, 0));
  builder_.CreateStore(to_bits(rep(reg), get(reg)), at(place, 8));
}

// kSetIndex of a list that only this register holds, over a scalar inside its bounds; anything else goes the slow way.
void FunctionCodegen::emit_set_item(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  if (inst.dst != inst.a || rep(inst.c) == Rep::kBoxed) return emit_generic(index);
  Block* const slow = block("slow");
  Block* const done = block("written");
  Ir* const object = own_list(inst.a, slow);
  Ir* const item_index = get(inst.b);
  check(builder_.CreateICmpULT(item_index, load_at(builder_.getInt64Ty(), object, kSizeOffset)), slow);
  Ir* const items = load_at(builder_.getPtrTy(), object, kListItemsOffset);
  Ir* const item = builder_.CreateInBoundsGEP(parts_.slot, items, {item_index});
  // An item that holds a reference would have to be released.
  check(builder_.CreateICmpULT(load_at(builder_.getInt64Ty(), item, 0), tag_constant(Tag::kString)), slow);
  store_scalar(item, inst.c);
  finish(index, slow, done);
}

// kListPush of a scalar to a list that only this register holds and that has room; else the slow way, which grows it.
void FunctionCodegen::emit_push(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  if (inst.dst != inst.a || rep(inst.b) == Rep::kBoxed) return emit_generic(index);
  Block* const slow = block("slow");
  Block* const done = block("pushed");
  Ir* const object = own_list(inst.a, slow);
  Ir* const size = load_at(builder_.getInt64Ty(), object, kSizeOffset);
  check(builder_.CreateICmpULT(size, load_at(builder_.getInt64Ty(), object, kCapacityOffset)), slow);
  Ir* const items = load_at(builder_.getPtrTy(), object, kListItemsOffset);
  store_scalar(builder_.CreateInBoundsGEP(parts_.slot, items, {size}), inst.b);
  builder_.CreateStore(builder_.CreateAdd(size, builder_.getInt64(1)), at(object, kSizeOffset));
  finish(index, slow, done);
}

void FunctionCodegen::load_item(plan::Reg dst, Ir* item, Block* slow) {
  Ir* const tag = load_at(builder_.getInt64Ty(), item, 0);
  if (rep(dst) != Rep::kBoxed) {
    check(builder_.CreateICmpEQ(tag, tag_constant(scalar_tag(rep(dst)))), slow);
    set(dst, from_bits(rep(dst), load_at(builder_.getInt64Ty(), item, 8)));
    return;
  }
  Ir* const bits = load_at(builder_.getInt64Ty(), item, 8);
  retain(tag, bits);  // first: `dst` may hold the last reference to the list
  assign(slot(dst), tag, bits);
}

}  // namespace sgl::exec
