// From register code to LLVM IR. Internal to the JIT.
//
// A pure function becomes `{ i64, i32 } @fn<i>(machine, params…, ret)`: its scalar result and a status, 0 or 1 for
// failed; int, float and bool parameters are i64, double and i1, boxed ones are borrowed Value pointers; a boxed result
// is swapped into *ret. Any other function becomes `i32 @step<i>(machine, frame)`, a NativeStep.
//
// Unboxed registers are allocas that the optimiser turns into SSA values. Boxed registers are Values in memory: in the
// frame of a step function, in an array on the native stack of a pure one. Reference counts follow the interpreter's
// exactly, since the cost of changing a list depends on them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include "runtime/exec/jit/runtime_calls.h"
#include "runtime/plan/plan.h"

namespace sgl::exec {

// Names of compiled functions: "fn3", "step3".
std::string native_name(const plan::Function& function, std::uint32_t index);

// All functions of `plan` in one module; the caller sets its data layout. O(size of the plan) save for the loads at
// resume points, which compile.cc limits.
std::unique_ptr<llvm::Module> generate(const plan::Plan& plan, llvm::LLVMContext& context);

// What the functions of a module share.
struct ModuleParts {
  const plan::Plan& plan;
  llvm::LLVMContext& context;
  llvm::Module& module;
  llvm::StructType* fn_result = nullptr;  // { i64, i32 }
  llvm::StructType* slot = nullptr;       // a Value: { i64, i64 }
  llvm::FunctionCallee execute, fail, refuel, fail_stack, fail_program, release, return_scalar, return_value;
  std::vector<llvm::Function*> functions;

  ModuleParts(const plan::Plan& p, llvm::LLVMContext& c, llvm::Module& m);
};

// Instructions after which the driver resumes a step function.
bool is_effect(const plan::Plan& plan, const plan::Inst& inst);

class FunctionCodegen {
 public:
  FunctionCodegen(ModuleParts& parts, std::uint32_t index);
  void emit();

 private:
  using Block = llvm::BasicBlock;
  using Ir = llvm::Value;  // an SSA value; exec::Value is the run-time one

  // codegen.cc: frame and exits.
  void find_leaders();
  bool needs_slots() const;
  void create_registers();
  void enter_pure();
  void enter_step();
  void copy_parameters();
  void emit_exits();
  void emit_cleanup();
  void emit_inst(std::uint32_t index);

  // codegen_flow.cc: control flow, calls, fuel.
  void emit_return(const plan::Inst& inst);
  void emit_call(std::uint32_t index);
  void emit_effect(std::uint32_t index);
  void charge_fuel(std::uint32_t index, std::int64_t units = 1);
  Block* edge(std::uint32_t index, std::uint32_t target);

  // codegen_inst.cc: values.
  bool emit_scalar(std::uint32_t index);
  void emit_overflow(std::uint32_t index, llvm::Intrinsic::ID intrinsic, Ir* a, Ir* b);
  void emit_division(std::uint32_t index);
  void emit_const(std::uint32_t index);
  void emit_move(const plan::Inst& inst);
  void emit_unbox(std::uint32_t index);
  void emit_len(std::uint32_t index);
  void emit_item(std::uint32_t index);
  void emit_set_item(std::uint32_t index);
  void emit_push(std::uint32_t index);
  Ir* own_list(plan::Reg reg, Block* slow);
  void store_scalar(Ir* place, plan::Reg reg);
  // The instruction by the runtime's generic helper, which works on slots.
  void emit_generic(std::uint32_t index);
  // Ends an instruction's quick way, which goes on at `done`, and puts the generic one at `slow`.
  void finish(std::uint32_t index, Block* slow, Block* done);
  void load_item(plan::Reg dst, Ir* item, Block* slow);
  void retain(Ir* tag, Ir* bits);
  // Stores a value that the slot at `place` is to own, releasing what it held.
  void assign(Ir* place, Ir* tag, Ir* bits);
  void release_if_counted(Ir* place, Ir* tag);

  Block* block(const char* name);
  // Continues in a new block if `ok`, else in `otherwise`, which is unlikely.
  void check(Ir* ok, Block* otherwise);
  Block* fail_block(std::uint32_t index, FailCode code);
  Ir* at(Ir* base, std::uint64_t offset) {
    return builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), base, offset);
  }
  Ir* load_at(llvm::Type* type, Ir* base, std::uint64_t offset) { return builder_.CreateLoad(type, at(base, offset)); }
  Ir* slot(plan::Reg reg) { return at(slots_, std::uint64_t{reg} * sizeof(Value)); }
  Ir* tag_constant(Tag tag) { return builder_.getInt64(static_cast<std::uint64_t>(tag)); }

  plan::Rep rep(plan::Reg reg) const { return function_.regs[reg]; }
  llvm::Type* type_of(plan::Rep rep);
  Ir* get(plan::Reg reg);
  void set(plan::Reg reg, Ir* value);
  Ir* to_bits(plan::Rep rep, Ir* value);
  Ir* from_bits(plan::Rep rep, Ir* bits);
  void spill(plan::Reg reg);    // unboxed register to its slot
  void reload(plan::Reg reg);   // and back

  ModuleParts& parts_;
  const plan::Function& function_;
  const std::uint32_t index_;
  const bool pure_;
  llvm::Function* llvm_function_;
  llvm::IRBuilder<> builder_;
  llvm::MDNode* likely_ = nullptr;      // weights of a branch whose first target is the usual one
  Ir* machine_ = nullptr;
  Ir* frame_ = nullptr;                 // step functions
  Ir* slots_ = nullptr;                 // array of Values, one per register; nullptr: none needed
  Ir* ret_ = nullptr;                   // pure functions: where a boxed result goes
  llvm::AllocaInst* result_ = nullptr;  // pure functions: what the exit block returns
  llvm::AllocaInst* status_ = nullptr;
  Block* exit_ = nullptr;
  Block* error_ = nullptr;
  std::vector<plan::Reg> boxed_;
  std::vector<llvm::AllocaInst*> scalars_;  // by register; nullptr: boxed, or never used
  std::vector<Block*> blocks_;              // by instruction; nullptr: not the start of a block
};

// The tag of an unboxed register's value.
inline Tag scalar_tag(plan::Rep rep) {
  return rep == plan::Rep::kInt ? Tag::kInt : rep == plan::Rep::kFloat ? Tag::kFloat : Tag::kBool;
}

// Calls `use` with every register that the instruction reads.
template <typename Use>
void for_each_source(const plan::Function& function, const plan::Inst& inst, Use use) {
  const plan::OpInfo& info = plan::kOps[static_cast<std::size_t>(inst.op)];
  const std::uint32_t values[] = {inst.a, inst.b, inst.c};
  for (std::size_t i = 0; i < 3; ++i) {
    if (info.has_args && i > 0) break;
    switch (info.operands[i + 1]) {
      case 'B': case 'I': case 'F': case 'L': case '*': case 'o':
        if (values[i] != plan::kNone) use(values[i]);
        break;
      default: break;
    }
  }
  if (!info.has_args) return;
  for (std::uint32_t i = 0; i < inst.c; ++i) use(function.args[inst.b + i]);
}

}  // namespace sgl::exec
