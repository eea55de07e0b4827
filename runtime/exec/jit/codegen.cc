// Functions as a whole: frame, exits and which instruction is translated where.
#include "runtime/exec/jit/codegen.h"

#include <llvm/IR/Attributes.h>
#include <llvm/IR/MDBuilder.h>

#include <cstddef>

namespace sgl::exec {

using plan::Inst;
using plan::Op;
using plan::Rep;

// Frame holds pointers only, yet is not "standard layout" by the letter; GCC gives its offsets all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr std::uint64_t kPcOffset = offsetof(Frame, pc);
#pragma GCC diagnostic pop
static_assert(sizeof(Frame) % alignof(Value) == 0, "Frame::regs() is directly behind the frame");
static_assert(static_cast<int>(Step::kReturn) == 0 && static_cast<int>(Step::kEffect) == 1 &&
              static_cast<int>(Step::kError) == 2);

std::string native_name(const plan::Function& function, std::uint32_t index) {
  return (function.kind == plan::FunctionKind::kFn ? "fn" : "step") + std::to_string(index);
}

namespace {

llvm::FunctionType* function_type(ModuleParts& parts, const plan::Function& function) {
  llvm::LLVMContext& c = parts.context;
  llvm::Type* const ptr = llvm::PointerType::getUnqual(c);
  if (function.kind != plan::FunctionKind::kFn) {
    return llvm::FunctionType::get(llvm::Type::getInt32Ty(c), {ptr, ptr}, false);
  }
  std::vector<llvm::Type*> params = {ptr};
  for (std::uint32_t i = 0; i < function.param_count; ++i) {
    switch (function.regs[i]) {
      case Rep::kBoxed:
        params.push_back(ptr);
        break;
      case Rep::kInt:
        params.push_back(llvm::Type::getInt64Ty(c));
        break;
      case Rep::kFloat:
        params.push_back(llvm::Type::getDoubleTy(c));
        break;
      case Rep::kBool:
        params.push_back(llvm::Type::getInt1Ty(c));
        break;
    }
  }
  params.push_back(ptr);
  return llvm::FunctionType::get(parts.fn_result, params, false);
}

// Is the code of a step function straight? What stands between two answers of the model is executed once for each, and
// quick to generate counts more than quick to run. Pure functions call each other natively, with frames to keep small.
bool runs_once(const plan::Function& function) {
  if (function.kind == plan::FunctionKind::kFn) return false;
  for (std::uint32_t i = 0; i < function.code.size(); ++i) {
    const Inst& inst = function.code[i];
    if ((inst.op == Op::kJump && inst.a <= i) || (inst.op == Op::kBranch && (inst.b <= i || inst.c <= i))) return false;
  }
  return true;
}

}  // namespace

ModuleParts::ModuleParts(const plan::Plan& p, llvm::LLVMContext& c, llvm::Module& m) : plan(p), context(c), module(m) {
  llvm::Type* const none = llvm::Type::getVoidTy(c);
  llvm::Type* const ptr = llvm::PointerType::getUnqual(c);
  llvm::Type* const i32 = llvm::Type::getInt32Ty(c);
  llvm::Type* const i64 = llvm::Type::getInt64Ty(c);
  fn_result = llvm::StructType::get(c, {i64, i32});
  slot = llvm::StructType::get(c, {i64, i64});
  const auto declare = [&](const char* name, llvm::Type* result, std::vector<llvm::Type*> params, bool cold) {
    auto* function = llvm::Function::Create(llvm::FunctionType::get(result, params, false),
                                            llvm::Function::ExternalLinkage, name, &m);
    function->setDoesNotThrow();
    if (cold) function->addFnAttr(llvm::Attribute::Cold);
    return llvm::FunctionCallee(function);
  };
  execute = declare("sgl_execute", i32, {ptr, i32, i32, ptr}, false);
  fail = declare("sgl_fail", none, {ptr, i32, i32, i32}, true);
  refuel = declare("sgl_refuel", i32, {ptr, i32, i32}, true);
  fail_stack = declare("sgl_fail_stack", none, {ptr, i32, i32, i32}, true);
  fail_program = declare("sgl_fail_program", none, {ptr, i32, i32, ptr}, true);
  release = declare("sgl_release", none, {ptr, i32}, false);
  return_scalar = declare("sgl_return_scalar", none, {ptr, i64, i64}, false);
  return_value = declare("sgl_return_value", none, {ptr, ptr}, false);
  for (std::uint32_t i = 0; i < p.functions.size(); ++i) {
    const plan::Function& function = p.functions[i];
    // Internal, so that pure functions nobody calls are dropped before they cost time.
    const auto linkage =
        function.kind == plan::FunctionKind::kFn ? llvm::Function::InternalLinkage : llvm::Function::ExternalLinkage;
    functions.push_back(llvm::Function::Create(function_type(*this, function), linkage, native_name(function, i), &m));
    functions.back()->setDoesNotThrow();
    // Inlining would put a callee's slots into frames that Machine::stack_left does not count them for.
    functions.back()->addFnAttr(llvm::Attribute::NoInline);
    if (runs_once(function)) functions.back()->addFnAttr(llvm::Attribute::OptimizeNone);
  }
}

std::unique_ptr<llvm::Module> generate(const plan::Plan& plan, llvm::LLVMContext& context) {
  auto module = std::make_unique<llvm::Module>("sgl", context);
  ModuleParts parts(plan, context, *module);
  for (std::uint32_t i = 0; i < plan.functions.size(); ++i) FunctionCodegen(parts, i).emit();
  return module;
}

bool is_effect(const plan::Plan& plan, const Inst& inst) {
  switch (inst.op) {
    case Op::kCall:
      return plan.functions[inst.a].kind != plan::FunctionKind::kFn;
    case Op::kGen:
    case Op::kSelect:
    case Op::kParallelFor:
    case Op::kParallel:
    case Op::kTool:
    case Op::kTry:
    case Op::kTryEnd:
      return true;
    default:
      return false;
  }
}

FunctionCodegen::FunctionCodegen(ModuleParts& parts, std::uint32_t index)
    : parts_(parts),
      function_(parts.plan.functions[index]),
      index_(index),
      pure_(function_.kind == plan::FunctionKind::kFn),
      llvm_function_(parts.functions[index]),
      builder_(parts.context) {
  constexpr std::uint32_t kUsual = 2000;  // to one; what LLVM itself takes for "expected"
  likely_ = llvm::MDBuilder(parts.context).createBranchWeights(kUsual, 1);
}

void FunctionCodegen::emit() {
  builder_.SetInsertPoint(block("entry"));
  machine_ = llvm_function_->getArg(0);
  find_leaders();
  exit_ = block("exit");
  error_ = block("error");
  if (pure_) {
    enter_pure();
  } else {
    enter_step();
  }
  for (std::uint32_t i = 0; i < function_.code.size(); ++i) {
    if (Block* next = blocks_[i]) {
      if (builder_.GetInsertBlock()->getTerminator() == nullptr) builder_.CreateBr(next);
      builder_.SetInsertPoint(next);
    }
    emit_inst(i);
  }
  emit_exits();
}

FunctionCodegen::Block* FunctionCodegen::block(const char* name) {
  return Block::Create(parts_.context, name, llvm_function_);
}

// A block starts at 0, at every jump target and behind every instruction that does not simply continue.
void FunctionCodegen::find_leaders() {
  const auto& code = function_.code;
  blocks_.assign(code.size(), nullptr);
  const auto lead = [this](std::size_t i) {
    if (i < blocks_.size() && blocks_[i] == nullptr) blocks_[i] = block("at");
  };
  lead(0);
  for (std::size_t i = 0; i < code.size(); ++i) {
    const Inst& inst = code[i];
    switch (inst.op) {
      case Op::kJump:
        lead(inst.a);
        lead(i + 1);
        break;
      case Op::kBranch:
        lead(inst.b);
        lead(inst.c);
        lead(i + 1);
        break;
      case Op::kReturn:
      case Op::kFail:
        lead(i + 1);
        break;
      default:
        if (is_effect(parts_.plan, inst)) lead(i + 1);
    }
  }
}

// Pure functions of unboxed values only need no array of Values.
bool FunctionCodegen::needs_slots() const {
  for (const Rep r : function_.regs) {
    if (r == Rep::kBoxed) return true;
  }
  for (const Inst& inst : function_.code) {
    if (inst.op == Op::kBuiltin) return true;  // by the generic helper, on slots
  }
  return false;
}

void FunctionCodegen::create_registers() {
  scalars_.assign(function_.regs.size(), nullptr);
  const auto create = [this](plan::Reg reg) {
    if (rep(reg) != Rep::kBoxed && scalars_[reg] == nullptr) scalars_[reg] = builder_.CreateAlloca(type_of(rep(reg)));
  };
  for (std::uint32_t i = 0; pure_ && i < function_.param_count; ++i) create(i);
  for (const Inst& inst : function_.code) {
    for_each_source(function_, inst, create);
    if (plan::kOps[static_cast<std::size_t>(inst.op)].operands[0] != '-') create(inst.dst);
  }
  for (plan::Reg reg = 0; reg < function_.regs.size(); ++reg) {
    if (rep(reg) == Rep::kBoxed) boxed_.push_back(reg);
  }
}

void FunctionCodegen::enter_pure() {
  ret_ = llvm_function_->getArg(function_.param_count + 1);
  result_ = builder_.CreateAlloca(builder_.getInt64Ty());
  status_ = builder_.CreateAlloca(builder_.getInt32Ty());
  create_registers();
  if (needs_slots()) {
    const std::uint64_t count = function_.regs.size();
    llvm::AllocaInst* const array = builder_.CreateAlloca(llvm::ArrayType::get(parts_.slot, count));
    array->setAlignment(llvm::Align(alignof(Value)));
    slots_ = array;
    // All null: an unboxed register's slot gets its tag whenever it is spilled.
    builder_.CreateMemSet(slots_, builder_.getInt8(0), count * sizeof(Value), llvm::MaybeAlign(alignof(Value)));
  }
  for (plan::Reg reg = 0; reg < scalars_.size(); ++reg) {
    if (scalars_[reg] != nullptr) set(reg, llvm::Constant::getNullValue(type_of(rep(reg))));
  }
  copy_parameters();
  builder_.CreateBr(blocks_[0]);
}

void FunctionCodegen::copy_parameters() {
  for (plan::Reg reg = 0; reg < function_.param_count; ++reg) {
    Ir* const param = llvm_function_->getArg(reg + 1);
    if (rep(reg) != Rep::kBoxed) {
      set(reg, param);
      continue;
    }
    Ir* const tag = load_at(builder_.getInt64Ty(), param, 0);
    Ir* const bits = load_at(builder_.getInt64Ty(), param, 8);
    retain(tag, bits);
    builder_.CreateStore(tag, at(slot(reg), 0));
    builder_.CreateStore(bits, at(slot(reg), 8));
  }
}

void FunctionCodegen::enter_step() {
  frame_ = llvm_function_->getArg(1);
  create_registers();
  slots_ = at(frame_, sizeof(Frame));
  for (plan::Reg reg = 0; reg < scalars_.size(); ++reg) {
    if (scalars_[reg] != nullptr) reload(reg);
  }
  Ir* const pc = load_at(builder_.getInt32Ty(), frame_, kPcOffset);
  // The driver's contract leaves no other pc than these and 0.
  llvm::SwitchInst* const resume = builder_.CreateSwitch(pc, blocks_[0]);
  for (std::uint32_t i = 0; i + 1 < function_.code.size(); ++i) {
    if (is_effect(parts_.plan, function_.code[i])) resume->addCase(builder_.getInt32(i + 1), blocks_[i + 1]);
  }
}

void FunctionCodegen::emit_exits() {
  builder_.SetInsertPoint(error_);
  if (!pure_) {
    builder_.CreateRet(builder_.getInt32(static_cast<std::uint32_t>(Step::kError)));
    exit_->eraseFromParent();
    return;
  }
  builder_.CreateStore(builder_.getInt64(0), result_);
  builder_.CreateStore(builder_.getInt32(1), status_);
  builder_.CreateBr(exit_);
  builder_.SetInsertPoint(exit_);
  emit_cleanup();
  Ir* result = llvm::PoisonValue::get(parts_.fn_result);
  result = builder_.CreateInsertValue(result, builder_.CreateLoad(builder_.getInt64Ty(), result_), 0);
  result = builder_.CreateInsertValue(result, builder_.CreateLoad(builder_.getInt32Ty(), status_), 1);
  builder_.CreateRet(result);
}

// Releases the boxed registers of a pure function; without a call when all of them are scalars or null.
void FunctionCodegen::emit_cleanup() {
  if (boxed_.empty()) return;
  constexpr std::size_t kInlineTests = 8;  // more tests cost about as much as the call
  static_assert(
      static_cast<int>(Tag::kString) == 4 && static_cast<int>(Tag::kRecord) == 6 && static_cast<int>(Tag::kMap) == 7,
      "counted tags are those with bit 2 set");
  Block* const done = block("released");
  if (boxed_.size() <= kInlineTests) {
    Ir* tags = builder_.getInt64(0);
    for (const plan::Reg reg : boxed_) tags = builder_.CreateOr(tags, load_at(builder_.getInt64Ty(), slot(reg), 0));
    Block* const counted = block("release");
    builder_.CreateCondBr(builder_.CreateICmpEQ(builder_.CreateAnd(tags, std::uint64_t{4}), builder_.getInt64(0)), done,
                          counted);
    builder_.SetInsertPoint(counted);
  }
  builder_.CreateCall(parts_.release, {slots_, builder_.getInt32(static_cast<std::uint32_t>(function_.regs.size()))});
  builder_.CreateBr(done);
  builder_.SetInsertPoint(done);
}

void FunctionCodegen::emit_inst(std::uint32_t index) {
  const Inst& inst = function_.code[index];
  if (is_effect(parts_.plan, inst)) return emit_effect(index);
  switch (inst.op) {
    case Op::kJump:
      builder_.CreateBr(edge(index, inst.a));
      return;
    case Op::kBranch: {
      Block* const taken = edge(index, inst.b);
      Block* const other = edge(index, inst.c);
      builder_.CreateCondBr(get(inst.a), taken, other);
      return;
    }
    case Op::kReturn:
      return emit_return(inst);
    case Op::kFail:
      builder_.CreateCall(parts_.fail_program,
                          {machine_, builder_.getInt32(index_), builder_.getInt32(index), slot(inst.a)});
      builder_.CreateBr(error_);
      return;
    case Op::kCall:
      return emit_call(index);
    case Op::kConst:
      return emit_const(index);
    case Op::kMove:
      return emit_move(inst);
    case Op::kBox:
      return assign(slot(inst.dst), tag_constant(scalar_tag(rep(inst.a))), to_bits(rep(inst.a), get(inst.a)));
    case Op::kUnbox:
      return emit_unbox(index);
    case Op::kLen:
      return emit_len(index);
    case Op::kIndex:
    case Op::kField:
      return emit_item(index);
    case Op::kSetIndex:
      return emit_set_item(index);
    case Op::kListPush:
      return emit_push(index);
    default:
      if (!emit_scalar(index)) emit_generic(index);
  }
}

}  // namespace sgl::exec
