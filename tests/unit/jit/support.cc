#include "tests/unit/jit/support.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "runtime/exec/ops.h"
#include "runtime/plan/verify.h"

namespace sgl::exec::test {

using plan::Constant;
using plan::Inst;
using plan::Op;
using plan::Rep;

Builder::Builder(plan::Plan& plan) : plan_(plan) {
  if (plan.types.empty()) plan.types.emplace_back();
  if (plan.files.empty()) plan.files.push_back("test.sgl");
}

std::uint32_t Builder::begin(plan::FunctionKind kind, const std::vector<Rep>& params, Rep result) {
  plan::Function function;
  function.name = fmt::format("f{}", plan_.functions.size());
  function.kind = kind;
  function.param_count = static_cast<std::uint32_t>(params.size());
  function.regs = params;
  function.result = result;
  plan_.functions.push_back(std::move(function));
  return static_cast<std::uint32_t>(plan_.functions.size() - 1);
}

plan::Reg Builder::reg(Rep rep) {
  function().regs.push_back(rep);
  return static_cast<plan::Reg>(function().regs.size() - 1);
}

std::uint32_t Builder::here() const { return static_cast<std::uint32_t>(plan_.functions.back().code.size()); }

std::uint32_t Builder::emit(Op op, std::uint32_t dst, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t at = here();
  Inst inst;
  inst.op = op;
  inst.dst = dst;
  inst.a = a;
  inst.b = b;
  inst.c = c;
  function().code.push_back(inst);
  plan::SourcePosition position;
  position.line = at + 1;
  position.column = static_cast<std::uint32_t>(plan_.functions.size());
  function().positions.push_back(position);
  return at;
}

std::uint32_t Builder::emit_args(Op op, std::uint32_t dst, std::uint32_t a, const std::vector<plan::Reg>& args) {
  const auto first = static_cast<std::uint32_t>(function().args.size());
  function().args.insert(function().args.end(), args.begin(), args.end());
  return emit(op, dst, a, first, static_cast<std::uint32_t>(args.size()));
}

std::uint32_t Builder::add(Constant constant) {
  plan_.constants.push_back(std::move(constant));
  return static_cast<std::uint32_t>(plan_.constants.size() - 1);
}

std::uint32_t Builder::const_int(std::int64_t value) {
  Constant constant;
  constant.kind = Constant::Kind::kInt;
  constant.number = value;
  return add(std::move(constant));
}

std::uint32_t Builder::const_real(double value) {
  Constant constant;
  constant.kind = Constant::Kind::kFloat;
  constant.real = value;
  return add(std::move(constant));
}

std::uint32_t Builder::const_bool(bool value) {
  Constant constant;
  constant.kind = Constant::Kind::kBool;
  constant.number = value ? 1 : 0;
  return add(std::move(constant));
}

std::uint32_t Builder::const_text(std::string text) {
  Constant constant;
  constant.kind = Constant::Kind::kString;
  constant.text = std::move(text);
  return add(std::move(constant));
}

std::uint32_t Builder::const_null() { return add(Constant()); }

plan::Reg Builder::integer(std::int64_t value) {
  const plan::Reg r = reg(Rep::kInt);
  emit(Op::kConst, r, const_int(value));
  return r;
}

plan::Reg Builder::real(double value) {
  const plan::Reg r = reg(Rep::kFloat);
  emit(Op::kConst, r, const_real(value));
  return r;
}

std::string Outcome::text() const {
  const std::string what =
      ok ? "value " + value
         : fmt::format("{} '{}' at {}:{}", base::error_kind_name(kind), message, line, column);
  return fmt::format("{}; fuel {}, stack {}, leaked {}", what, fuel, stack_left, leaked);
}

namespace {

// Frames of a run, and the calls that neither executor performs itself.
class Driver {
 public:
  Driver(const Image& image, const JitImage* code, std::int64_t fuel) : code_(code) {
    machine_.fuel = fuel;
    machine_.stack_left = kStackUnits;
    machine_.image = &image;
    current_heap() = &machine_.heap;
  }
  ~Driver() { current_heap() = nullptr; }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  Outcome run(std::uint32_t function) {
    top_ = Frame::create(*machine_.image->plan, plan::FunctionId(function), nullptr);
    Outcome out;
    out.ok = run_frames();
    if (out.ok) {
      out.value = fmt::format("{} ", tag_name(machine_.result.tag()));
      append_json(*machine_.image->plan, machine_.result, SIZE_MAX, out.value);
    } else {
      out.kind = machine_.error_kind;
      out.message = machine_.error_message;
      out.line = machine_.error_position.line;
      out.column = machine_.error_position.column;
    }
    machine_.result = Value();
    out.fuel = machine_.fuel;
    out.stack_left = machine_.stack_left;
    out.leaked = machine_.heap.used;
    return out;
  }

 private:
  Step step() {
    const NativeStep native = code_ == nullptr ? nullptr : code_->step(plan::FunctionId(top_->function_index));
    return native == nullptr ? interpret(machine_, *top_) : static_cast<Step>(native(&machine_, top_));
  }

  bool run_frames() {
    for (;;) {
      const Step reached = step();
      if (reached == Step::kReturn) {
        pop();
        if (top_ == nullptr) return true;
        const Inst& inst = top_->function->code[top_->pc++];
        top_->regs()[inst.dst] = std::move(machine_.result);
      } else if (reached == Step::kError || !call()) {
        while (top_ != nullptr) pop();
        return false;
      }
    }
  }

  void pop() {
    Frame* const done = top_;
    top_ = done->caller;
    if (top_ != nullptr) leave_call(machine_, *done->function);
    Frame::destroy(done);
  }

  bool call() {
    const Inst& inst = top_->function->code[top_->pc];
    REQUIRE(inst.op == Op::kCall);
    const plan::Plan& p = *machine_.image->plan;
    if (!enter_call(machine_, p.functions[inst.a])) {
      note_position(machine_, *top_->function, top_->pc);
      return false;
    }
    Frame* const frame = Frame::create(p, plan::FunctionId(inst.a), top_);
    for (std::uint32_t i = 0; i < inst.c; ++i) frame->regs()[i] = top_->regs()[top_->function->args[inst.b + i]];
    top_ = frame;
    return true;
  }

  Machine machine_;
  const JitImage* code_;
  Frame* top_ = nullptr;
};

}  // namespace

Outcome run(const Image& image, const JitImage* code, std::uint32_t function, std::int64_t fuel) {
  return Driver(image, code, fuel).run(function);
}

Outcome run_both(const plan::Plan& plan, std::uint32_t function, std::int64_t fuel, int optimization) {
  const base::Status verified = plan::verify(plan);
  REQUIRE_MESSAGE(verified.ok(), (verified.ok() ? std::string() : verified.error().message));
  const Image image(plan);
  JitOptions options;
  options.optimization = optimization;
  const auto code = JitImage::compile(image, options);
  REQUIRE_MESSAGE(code.ok(), (code.ok() ? std::string() : code.error().message));
  const Outcome wanted = run(image, nullptr, function, fuel);
  const Outcome got = run(image, code.value().get(), function, fuel);
  CHECK(got.text() == wanted.text());
  CHECK(wanted.leaked == 0);
  return got;
}

}  // namespace sgl::exec::test
