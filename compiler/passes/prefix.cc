// Static prefix: what every call of a program begins with, whatever its arguments.
#include <unordered_map>

#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler {

using plan::Inst;
using plan::Op;
using plan::PrefixPart;

namespace {

class PrefixWalk {
 public:
  PrefixWalk(const plan::Plan& plan, const plan::Function& function) : plan_(plan), function_(function) {}

  std::vector<PrefixPart> run() {
    const std::vector<bool> targets = jump_targets(function_);
    for (std::size_t i = 0; i < function_.code.size() && !targets[i]; ++i) {
      if (!step(function_.code[i])) break;
    }
    return std::move(parts_);
  }

 private:
  // False: what follows depends on arguments or on the model.
  bool step(const Inst& inst) {
    switch (inst.op) {
      case Op::kConst:
        known_[inst.dst] = inst.a;
        return true;
      case Op::kRoleBegin:
        parts_.push_back({static_cast<plan::Role>(inst.a), "", true});
        return true;
      case Op::kRoleEnd:
        if (!parts_.empty()) parts_.back().open = false;
        return true;
      case Op::kText: {
        if (const std::string* text = constant(inst.a)) {
          return append(*text);
        }
        const auto concat = leading_.find(inst.a);
        if (concat != leading_.end()) {
          for (const std::uint32_t part : concat->second) append(plan_.constants[part].text);
        }
        return false;
      }
      case Op::kConcat: {
        auto parts = leading_parts(inst);  // before dst, which may be one of the parts, is overwritten
        known_.erase(inst.dst);
        leading_[inst.dst] = std::move(parts);
        return true;
      }
      case Op::kGen:
      case Op::kSelect:
      case Op::kParallelFor:
      case Op::kParallel:
      case Op::kCall:
      case Op::kJump:
      case Op::kBranch:
      case Op::kReturn:
      case Op::kFail:
      case Op::kTool:
      case Op::kTry:
        return false;
      default:
        // Host code; it may fail, but then there is no context to share.
        known_.erase(inst.dst);
        leading_.erase(inst.dst);
        return true;
    }
  }

  const std::string* constant(plan::Reg reg) const {
    const auto it = known_.find(reg);
    return it == known_.end() ? nullptr : &plan_.constants[it->second].text;
  }

  std::vector<std::uint32_t> leading_parts(const Inst& concat) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < concat.c; ++i) {
      const auto part = known_.find(function_.args[concat.b + i]);
      if (part == known_.end()) break;
      out.push_back(part->second);
    }
    return out;
  }

  // False: the prefix is as long as any is.
  bool append(std::string_view text) {
    constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
    const bool all = bytes_ + text.size() <= kMaxBytes;
    if (!all) text = text.substr(0, base::complete_utf8_prefix(text.substr(0, kMaxBytes - bytes_)));
    if (text.empty()) return all;
    bytes_ += text.size();
    if (parts_.empty() || (!parts_.back().open && parts_.back().role)) parts_.push_back({std::nullopt, "", false});
    parts_.back().text += text;
    return all;
  }

  const plan::Plan& plan_;
  const plan::Function& function_;
  std::vector<PrefixPart> parts_;
  std::unordered_map<plan::Reg, std::uint32_t> known_;
  std::size_t bytes_ = 0;                                              // of all parts
  std::unordered_map<plan::Reg, std::vector<std::uint32_t>> leading_;  // constants that begin concatenations
};

}  // namespace

void extract_static_prefixes(plan::Plan& plan) {
  for (plan::Program& program : plan.programs) {
    program.prefix = PrefixWalk(plan, plan.function(program.function)).run();
  }
}

}  // namespace sgl::compiler
