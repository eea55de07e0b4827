// LLVM as a just-in-time compiler: target, optimisation, linking.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/Mem2Reg.h>

#include "runtime/exec/jit/codegen.h"
#include "runtime/exec/jit/jit.h"

namespace sgl::exec {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

base::Error llvm_error(const char* what, llvm::Error error) {
  return {base::ErrorKind::kInternal, fmt::format("LLVM: {}: {}", what, llvm::toString(std::move(error)))};
}

// Instructions of a plan that are compiled: some three seconds of work, at 0.3 ms each (more from then on, for LLVM is
// not linear in a function). Programs of people have hundreds; a larger plan comes from a generator or an attacker and
// is interpreted.
constexpr std::size_t kMaxCode = 10'000;
// Registers times resume points of one function: each pair may become a phi node.
constexpr std::size_t kMaxResumeLoads = 1'000'000;

base::Status check_size(const plan::Plan& plan) {
  std::size_t code = 0;
  for (const plan::Function& function : plan.functions) {
    code += function.code.size();
    std::size_t effects = 0;
    for (const plan::Inst& inst : function.code) effects += is_effect(plan, inst) ? 1 : 0;
    if (effects * function.regs.size() > kMaxResumeLoads) {
      return base::over_limit(fmt::format("function '{}' is too large to compile", function.name));
    }
  }
  if (code > kMaxCode) {
    return base::over_limit(fmt::format("the plan is too large to compile: {} instructions, over {}", code, kMaxCode));
  }
  return {};
}

base::Expected<llvm::orc::JITTargetMachineBuilder> host_target(const JitOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder) return llvm_error("no code generator for this machine", builder.takeError());
  // Never None: its register allocator gives every value a stack slot, and kCallUnits would no longer bound the stack.
  builder->setCodeGenOptLevel(options.optimization >= 2 ? llvm::CodeGenOptLevel::Default
                                                        : llvm::CodeGenOptLevel::Less);
  builder->setRelocationModel(llvm::Reloc::PIC_);
  builder->setCodeModel(llvm::CodeModel::Small);
  return std::move(*builder);
}

llvm::FunctionPassManager function_passes(int level) {
  llvm::FunctionPassManager passes;
  if (level <= 0) {
    passes.addPass(llvm::PromotePass());
    return passes;
  }
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(level >= 2));
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::InstCombinePass());
  if (level >= 2) {
    passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
    passes.addPass(llvm::GVNPass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass());
  }
  return passes;
}

// A short pipeline instead of O2: programs run for microseconds between model calls, and wait for this.
void optimize(llvm::Module& ir, llvm::TargetMachine& target, int level) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&target);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  passes.addPass(llvm::GlobalDCEPass());
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(function_passes(level)));
  passes.run(ir, modules);
}

base::Status verify_ir(const llvm::Module& ir) {
  std::string faults;
  llvm::raw_string_ostream out(faults);
  if (!llvm::verifyModule(ir, &out)) return {};
  out.flush();
  return base::Error{base::ErrorKind::kInternal, "LLVM: the generated code is malformed: " + faults};
}

std::string text_of(const llvm::Module& ir) {
  std::string text;
  llvm::raw_string_ostream out(text);
  ir.print(out, nullptr);
  out.flush();
  return text;
}

// Owns what the IR lives in; the module goes first.
struct GeneratedIr {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> ir;
};

GeneratedIr generate_for(const plan::Plan& plan, bool keep_names) {
  GeneratedIr out;
  out.context = std::make_unique<llvm::LLVMContext>();
  out.context->setDiscardValueNames(!keep_names);
  out.ir = generate(plan, *out.context);
  return out;
}

template <typename Function>
std::uint64_t address_of(Function* function) {
  return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(function));
}

// Everything that compiled code may call, by address: nothing is looked up in the process.
llvm::orc::SymbolMap runtime_symbols(llvm::orc::LLJIT& jit) {
  const std::pair<const char*, std::uint64_t> calls[] = {
      {"sgl_execute", address_of(&sgl_execute)},
      {"sgl_fail", address_of(&sgl_fail)},
      {"sgl_refuel", address_of(&sgl_refuel)},
      {"sgl_fail_stack", address_of(&sgl_fail_stack)},
      {"sgl_fail_program", address_of(&sgl_fail_program)},
      {"sgl_release", address_of(&sgl_release)},
      {"sgl_return_scalar", address_of(&sgl_return_scalar)},
      {"sgl_return_value", address_of(&sgl_return_value)},
      // The code generator makes this call of clearing a large array.
      {"memset", address_of(static_cast<void* (*)(void*, int, std::size_t)>(&std::memset))},
  };
  llvm::orc::SymbolMap symbols;
  for (const auto& [name, address] : calls) {
    symbols[jit.mangleAndIntern(name)] = llvm::orc::ExecutorSymbolDef(
        llvm::orc::ExecutorAddr(address), llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable);
  }
  return symbols;
}

base::Expected<std::unique_ptr<llvm::orc::LLJIT>> create_linker(llvm::orc::JITTargetMachineBuilder host,
                                                                llvm::TargetMachine& target) {
  namespace orc = llvm::orc;
  auto jit =
      orc::LLJITBuilder()
          .setJITTargetMachineBuilder(std::move(host))
          .setDataLayout(target.createDataLayout())
          .setLinkProcessSymbolsByDefault(false)
          .setPlatformSetUp(orc::setUpInactivePlatform)
          // One mapping for code and constants, so that they reach each other; no unwind tables to register.
          .setObjectLinkingLayerCreator(
              [](orc::ExecutionSession& session,
                 const llvm::Triple&) -> llvm::Expected<std::unique_ptr<orc::ObjectLayer>> {
                return std::make_unique<orc::ObjectLinkingLayer>(session);
              })
          // Unused: objects are made below, with the target machine that optimised them.
          .setCompileFunctionCreator(
              [&target](orc::JITTargetMachineBuilder)
                  -> llvm::Expected<std::unique_ptr<orc::IRCompileLayer::IRCompiler>> {
                return std::make_unique<orc::SimpleCompiler>(target);
              })
          .create();
  if (!jit) return llvm_error("cannot start the linker", jit.takeError());
  if (llvm::Error error = (*jit)->getMainJITDylib().define(orc::absoluteSymbols(runtime_symbols(**jit)))) {
    return llvm_error("cannot define the runtime's symbols", std::move(error));
  }
  return std::move(*jit);
}

}  // namespace

struct JitImage::Impl {
  std::unique_ptr<llvm::TargetMachine> target;  // outlives `jit`, which refers to it
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::vector<NativeStep> steps;                // by function; nullptr for pure ones
  JitTimes times;
  std::string ir;

  base::Status emit(llvm::Module& module_ir, const plan::Plan& plan, llvm::orc::JITTargetMachineBuilder host);
};

// Machine code of the module, linked; fills `jit` and `steps`.
base::Status JitImage::Impl::emit(llvm::Module& module_ir, const plan::Plan& plan,
                                  llvm::orc::JITTargetMachineBuilder host) {
  auto object = llvm::orc::SimpleCompiler(*target)(module_ir);
  if (!object) return llvm_error("cannot generate machine code", object.takeError());
  SGL_TRY(jit, create_linker(std::move(host), *target));
  if (llvm::Error error = jit->addObjectFile(std::move(*object))) {
    return llvm_error("cannot link the machine code", std::move(error));
  }
  steps.assign(plan.functions.size(), nullptr);
  for (std::uint32_t i = 0; i < plan.functions.size(); ++i) {
    if (plan.functions[i].kind == plan::FunctionKind::kFn) continue;
    auto address = jit->lookup(native_name(plan.functions[i], i));
    if (!address) return llvm_error("cannot find a compiled function", address.takeError());
    steps[i] = reinterpret_cast<NativeStep>(static_cast<std::uintptr_t>(address->getValue()));
  }
  return {};
}

JitImage::JitImage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JitImage::~JitImage() = default;

base::Expected<std::unique_ptr<JitImage>> JitImage::compile(const Image& image, const JitOptions& options) {
  const plan::Plan& plan = *image.plan;
  SGL_TRY_STATUS(check_size(plan));
  auto impl = std::make_unique<Impl>();

  auto start = Clock::now();
  const GeneratedIr generated = generate_for(plan, options.keep_ir);
  impl->times.codegen_ms = ms_since(start);

  start = Clock::now();
  SGL_TRY(llvm::orc::JITTargetMachineBuilder host, host_target(options));
  auto target = host.createTargetMachine();
  if (!target) return llvm_error("cannot create the code generator", target.takeError());
  impl->target = std::move(*target);
  generated.ir->setDataLayout(impl->target->createDataLayout());
  generated.ir->setTargetTriple(impl->target->getTargetTriple().str());
#ifndef NDEBUG
  SGL_TRY_STATUS(verify_ir(*generated.ir));
#endif
  optimize(*generated.ir, *impl->target, options.optimization);
  if (options.keep_ir) impl->ir = text_of(*generated.ir);
  impl->times.optimize_ms = ms_since(start);

  start = Clock::now();
  SGL_TRY_STATUS(impl->emit(*generated.ir, plan, std::move(host)));
  impl->times.emit_ms = ms_since(start);
  return std::unique_ptr<JitImage>(new JitImage(std::move(impl)));
}

NativeStep JitImage::step(plan::FunctionId function) const { return impl_->steps[function.value]; }
const JitTimes& JitImage::times() const { return impl_->times; }
const std::string& JitImage::ir() const { return impl_->ir; }

base::Expected<std::string> llvm_ir(const plan::Plan& plan, const JitOptions& options) {
  SGL_TRY_STATUS(check_size(plan));
  const GeneratedIr generated = generate_for(plan, true);
  SGL_TRY(llvm::orc::JITTargetMachineBuilder host, host_target(options));
  auto target = host.createTargetMachine();
  if (!target) return llvm_error("cannot create the code generator", target.takeError());
  generated.ir->setDataLayout((*target)->createDataLayout());
  generated.ir->setTargetTriple((*target)->getTargetTriple().str());
  SGL_TRY_STATUS(verify_ir(*generated.ir));
  optimize(*generated.ir, **target, options.optimization);
  SGL_TRY_STATUS(verify_ir(*generated.ir));
  return text_of(*generated.ir);
}

}  // namespace sgl::exec
