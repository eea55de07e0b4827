// Literal merging: `const r, text r` twice in a row becomes one text.
#include "compiler/passes/constant_pool.h"
#include "compiler/passes/flow.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/register_uses.h"

namespace sgl::compiler {

using plan::Function;
using plan::Inst;
using plan::Op;
using plan::Reg;

namespace {

class Merger {
 public:
  Merger(plan::Plan& plan, ConstantPool& pool, Function& function)
      : plan_(plan), pool_(pool), function_(function), uses_(plan, function), keep_(function.code.size(), true) {}

  void run() {
    bool changed = false;
    for (std::size_t i = 0; i + 3 < function_.code.size();) {
      if (!is_literal_text(i)) {
        ++i;
        continue;
      }
      const std::size_t end = run_from(i);
      if (end > i + 2) {
        merge(i, end);
        changed = true;
      }
      i = end;
    }
    if (changed) compact(function_, keep_);
  }

 private:
  // Is a constant text appended by the instructions `at` and `at + 1`?
  bool is_literal_text(std::size_t at) const {
    if (at + 1 >= function_.code.size()) return false;
    const Inst &load = function_.code[at], &text = function_.code[at + 1];
    return load.op == Op::kConst && text.op == Op::kText && text.a == load.dst &&
           plan_.constants[load.a].kind == plan::Constant::Kind::kString;
  }

  // The end of the texts that follow the one at `begin` and can be one with it.
  std::size_t run_from(std::size_t begin) const {
    std::size_t size = text_at(begin).size(), end = begin + 2;
    while (is_literal_text(end) && !uses_.is_target(end - 1) && !uses_.is_target(end) && !uses_.is_target(end + 1) &&
           pool_.has_room(size + text_at(end).size())) {
      size += text_at(end).size();
      end += 2;
    }
    return end;
  }

  const std::string& text_at(std::size_t at) const { return plan_.constants[function_.code[at].a].text; }

  // The last two instructions append all of it. A register that is read again keeps its own text.
  void merge(std::size_t begin, std::size_t end) {
    std::string all;
    for (std::size_t i = begin; i < end; i += 2) {
      all += text_at(i);
      keep_[i] = uses_.is_read_from(i + 2, function_.code[i].dst);
      keep_[i + 1] = i + 2 == end;
    }
    const std::size_t last = end - 2;
    Reg merged = function_.code[last].dst;
    if (keep_[last]) {
      function_.code[last - 1] = function_.code[last];
      function_.positions[last - 1] = function_.positions[last];
      keep_[last - 1] = true;
      merged = scratch();
    }
    keep_[last] = true;
    function_.code[last] = {Op::kConst, merged, pool_.text(std::move(all)).value, plan::kNone, plan::kNone};
    function_.code[last + 1].a = merged;
  }

  Reg scratch() {
    if (scratch_ == plan::kNone) {
      scratch_ = static_cast<Reg>(function_.regs.size());
      function_.regs.push_back(plan::Rep::kBoxed);
    }
    return scratch_;
  }

  plan::Plan& plan_;
  ConstantPool& pool_;
  Function& function_;
  RegisterUses uses_;  // of the code as it was, which reads and writes the same but in what is dropped
  std::vector<bool> keep_;
  Reg scratch_ = plan::kNone;
};

}  // namespace

void merge_literals(plan::Plan& plan) {
  ConstantPool pool(plan);
  for (Function& function : plan.functions) {
    if (!catches(function)) Merger(plan, pool, function).run();
  }
}

}  // namespace sgl::compiler
