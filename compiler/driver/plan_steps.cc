#include "compiler/driver/plan_steps.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "compiler/driver/plan_shape.h"
#include "compiler/driver/plan_values.h"
#include "compiler/driver/spell.h"

namespace sgl::compiler {

using plan::FunctionKind;
using plan::Inst;
using plan::kNone;
using plan::Op;
using plan::Reg;

namespace {

// Instructions looked at in all, prompts put in at every call: bounds the work for plans whose calls branch without end.
constexpr std::size_t kMaxVisits = 200'000;
constexpr std::size_t kMaxDepth = 16;     // prompts and forks inside one another
constexpr std::size_t kMaxText = 4096;    // bytes kept of one text; a hundred are shown
constexpr std::size_t kMaxNesting = 300;  // blocks inside one another; bounds the recursion

struct Shared {
  const plan::Plan& plan;
  std::size_t visits = 0;
  std::size_t nesting = 0;
  std::vector<std::uint32_t> active;  // functions being shown, outermost first
};

std::vector<Step> function_steps(Shared& shared, plan::FunctionId id, std::vector<Known> params);

class FunctionWalk {
 public:
  FunctionWalk(Shared& shared, const plan::Function& function, std::vector<Known> params)
      : shared_(shared), plan_(shared.plan), function_(function), values_(plan_, function, std::move(params)),
        leader_(function.code.size() + 1), last_back_jump_(function.code.size() + 1, 0) {
    charge(function.code.size() + function.regs.size());
    for (std::size_t i = 0; i < function.code.size(); ++i) {
      const Inst& inst = function.code[i];
      if (inst.op == Op::kJump || inst.op == Op::kTry) mark(i, inst.a);
      if (inst.op == Op::kBranch) {
        mark(i, inst.b);
        mark(i, inst.c);
      }
    }
  }

  std::vector<Step> run() {
    std::vector<Step> out;
    walk(0, function_.code.size(), out);
    return out;
  }

 private:
  static constexpr std::size_t kNoLoop = static_cast<std::size_t>(-1);

  // Charges for work that is linear in the function's size.
  void charge(std::size_t items) { shared_.visits += items / 8; }

  void mark(std::size_t from, std::size_t target) {
    if (target == from + 1) return;
    leader_[target] = true;
    // Only jumps close loops; a branch backwards is a jump back that a pass merged with its condition.
    if (target <= from) last_back_jump_[target] = std::max(last_back_jump_[target], from + 1);
  }

  // The steps of [begin, end). False: the end is not reached.
  bool walk(std::size_t begin, std::size_t end, std::vector<Step>& out) {
    if (shared_.nesting >= kMaxNesting) return true;
    ++shared_.nesting;
    const std::size_t depth = sinks_.size();
    const std::size_t floor = std::exchange(floor_, depth + 1);
    sinks_.push_back(&out);
    dead_ = false;
    for (std::size_t i = begin; i < end;) {
      if (++shared_.visits > kMaxVisits) {
        emit(Step::Kind::kNote, "… (too long to show)");
        break;
      }
      i = step(i, end);
      if (!dead_) continue;
      while (i < end && !leader_[i]) ++i;
      if (i < end) dead_ = false;
    }
    sinks_.resize(depth);
    floor_ = floor;
    --shared_.nesting;
    return !dead_;
  }

  Step& emit(Step::Kind kind, std::string text) {
    sinks_.back()->push_back({kind, std::move(text), {}});
    return sinks_.back()->back();
  }

  // Takes the instruction at `i`, or the structure that begins there; returns where to go on.
  std::size_t step(std::size_t i, std::size_t end) {
    if (last_back_jump_[i] != 0 && last_back_jump_[i] <= end && !heads_.contains(i)) return loop(i);
    const Inst& inst = function_.code[i];
    switch (inst.op) {
      case Op::kBranch: return branch(i, end);
      case Op::kJump:
        if (inst.a == i + 1) break;
        if (inst.a == loop_exit_) emit(Step::Kind::kNote, "leave the loop");
        dead_ = true;
        break;
      case Op::kReturn: leave(inst); break;
      case Op::kFail:
        emit(Step::Kind::kFail, "fail " + shown(values_.get(inst.a)));
        dead_ = true;
        break;
      case Op::kRoleBegin: {
        Step& role = emit(Step::Kind::kRole, std::string(plan::role_name(static_cast<plan::Role>(inst.a))));
        sinks_.push_back(&role.children);
        break;
      }
      case Op::kRoleEnd:
        if (sinks_.size() > floor_) sinks_.pop_back();
        break;
      case Op::kText: text(inst); break;
      case Op::kGen: generation(i); break;
      case Op::kSelect: selection(i); break;
      case Op::kParallelFor: parallel_for(i); break;
      case Op::kParallel: parallel(i); break;
      case Op::kCall: call(i); break;
      case Op::kTool: emit(Step::Kind::kNote, fmt::format("waits for the tool '{}'", plan_.tools[inst.a].name)); values_.apply(i); break;
      case Op::kTry: emit(Step::Kind::kNote, "try, until it ends or fails"); values_.apply(i); break;
      default: values_.apply(i);
    }
    return i + 1;
  }

  void leave(const Inst& inst) {
    dead_ = true;
    const bool fork = function_.kind == FunctionKind::kFork;
    const bool nothing = plan_.type(function_.result_type).kind == plan::TypeKind::kNull;
    if (nothing && !fork) return;
    emit(Step::Kind::kValue, fmt::format("{} {}", fork ? "yield" : "return", shown(values_.get(inst.a), 100)));
  }

  void text(const Inst& inst) {
    const Known& value = values_.get(inst.a);
    const std::string content = value.kind == Known::Kind::kText ? value.text : "{" + shown(value) + "}";
    std::vector<Step>& sink = *sinks_.back();
    if (!sink.empty() && sink.back().kind == Step::Kind::kText) {
      if (sink.back().text.size() < kMaxText) sink.back().text += content;
    } else {
      emit(Step::Kind::kText, content);
    }
  }

  void generation(std::size_t i) {
    const Inst& inst = function_.code[i];
    const plan::GenSpec& spec = plan_.gens[inst.a];
    const std::vector<Reg> args = values_.args(i);
    std::string out = fmt::format("gen {}: {}", spec.name, spell_type(plan_, spec.type));
    for (std::size_t k = 0; k < spec.options.size(); ++k) {
      out += fmt::format("{} {} = {}", k == 0 ? " with" : ",", plan::gen_option_name(spec.options[k]),
                         shown(values_.get(args[k]), 40));
    }
    emit(Step::Kind::kGen, std::move(out));
    values_.set(inst.dst, spec.many ? Known::expr(spec.name) : Known::expr(spec.name, false, spec.type));
    if (spec.logprobs) values_.set(args.back(), Known::expr(spec.name + ".logprobs"));
  }

  void selection(std::size_t i) {
    const Inst& inst = function_.code[i];
    const plan::SelectSpec& spec = plan_.selects[inst.a];
    const std::vector<Reg> args = values_.args(i);
    emit(Step::Kind::kSelect, fmt::format("select {} from {} by {}", spec.name, shown(values_.get(args[0]), 100),
                                          plan::select_method_name(spec.method)));
    values_.set(inst.dst, Known::expr(spec.name));
    if (spec.scores) values_.set(args.back(), Known::expr(spec.name + ".scores"));
  }

  void parallel_for(std::size_t i) {
    const Inst& inst = function_.code[i];
    const std::vector<Reg> args = values_.args(i);
    std::string title = "parallel for item in " + shown(values_.get(args[0]));
    const Known& bound = values_.get(args[1]);
    if (bound.text != "0") title += fmt::format(", at most {} at a time", shown(bound));
    std::vector<Known> params = {Known::expr("item"), Known::expr("index")};
    for (std::size_t k = 2; k < args.size(); ++k) params.push_back(values_.get(args[k]));
    emit(Step::Kind::kParallel, title).children = function_steps(shared_, plan::FunctionId(inst.a), std::move(params));
    values_.set(inst.dst, Known::expr("what the forks yield"));
  }

  void parallel(std::size_t i) {
    const Inst& inst = function_.code[i];
    const plan::ParallelSpec& spec = plan_.parallels[inst.a];
    const std::vector<Reg> args = values_.args(i);
    Step branches{Step::Kind::kBranch, fmt::format("branch, {} side by side", spec.entries.size()), {}};
    std::size_t next = 0;
    for (const plan::ParallelSpec::Entry& entry : spec.entries) {
      std::vector<Known> params;
      for (std::uint32_t k = 0; k < entry.arg_count; ++k) params.push_back(values_.get(args[next++]));
      const plan::Function& callee = plan_.function(entry.function);
      if (callee.kind == FunctionKind::kProgram) {  // calls that the compiler found to be independent
        branches.children.push_back({Step::Kind::kArm, fmt::format("program {}, in a context of its own", callee.name), {}});
      } else {
        branches.children.push_back({Step::Kind::kArm, entry.name, function_steps(shared_, entry.function, std::move(params))});
      }
    }
    sinks_.back()->push_back(std::move(branches));
    values_.set(inst.dst, Known::expr("forks", false, spec.type));
  }

  void call(std::size_t i) {
    const Inst& inst = function_.code[i];
    const plan::Function& callee = plan_.functions[inst.a];
    const std::vector<Reg> args = values_.args(i);
    if (callee.kind == FunctionKind::kPrompt) {
      std::vector<Known> params;
      for (const Reg reg : args) params.push_back(values_.get(reg));
      Step& prompt = emit(Step::Kind::kCall, "prompt " + values_.call_text(callee.name, args));
      prompt.children = function_steps(shared_, plan::FunctionId(inst.a), std::move(params));
    } else if (callee.kind == FunctionKind::kProgram) {
      emit(Step::Kind::kCall, fmt::format("program {}, in a context of its own", values_.call_text(callee.name, args)));
    }
    values_.apply(i);
  }

  // A loop from `head` to the last jump back to it.
  std::size_t loop(std::size_t head) {
    const std::size_t last = last_back_jump_[head] - 1, exit = last + 1;
    heads_.insert(head);
    charge(exit - head);
    Step loop{Step::Kind::kLoop, "", {}};
    std::size_t begin = head;
    const bool counted = is_counted(head, exit);
    const bool each = counted && function_.code[head + 2].op == Op::kIndex && function_.code[head + 2].b == function_.code[head].a;
    if (each) loop.text = "for item in " + shown(values_.get(function_.code[head + 2].a));
    else if (counted) loop.text = "for item in " + counted_range(head);
    values_.forget(head, exit);
    if (counted) {
      values_.set(function_.code[head].a, Known::expr(each ? "index" : "item"));
      // `for i, x in range(…)` counts twice, by the same one.
      const Inst &place = function_.code[exit - 3], &next = function_.code[exit - 2];
      if (place.op == Op::kAddI && place.dst == place.a && place.b == next.b) values_.set(place.dst, Known::expr("index"));
      begin = head + 2;
    }
    if (each) {
      values_.set(function_.code[head + 2].dst, Known::expr("item"));
      begin = head + 3;
    }
    const std::size_t outer_exit = std::exchange(loop_exit_, exit);
    std::vector<std::string> outer_conditions = std::exchange(conditions_, {});
    std::vector<Step>* const outer_body = std::exchange(loop_body_, &loop.children);
    walk(begin, last, loop.children);
    if (!counted) {
      const std::string all = conditions_.empty() ? "true" : fmt::format("{}", fmt::join(conditions_, " and "));
      loop.text = fmt::format("while {} (no bound known)", all);
    }
    loop_exit_ = outer_exit;
    conditions_ = std::move(outer_conditions);
    loop_body_ = outer_body;
    values_.forget(head, exit);
    dead_ = false;
    heads_.erase(head);
    if (!loop.children.empty()) sinks_.back()->push_back(std::move(loop));
    return exit;
  }

  bool is_counted(std::size_t head, std::size_t exit) const {
    const std::optional<Reg> step = counting_step(function_, head, exit);
    return step && shown(values_.get(*step)) == "1";
  }

  std::string counted_range(std::size_t head) const {
    const std::string begin = shown(values_.get(function_.code[head].a)), end = shown(values_.get(function_.code[head].b));
    return begin == "0" ? fmt::format("range({})", end) : fmt::format("range({}, {})", begin, end);
  }

  std::size_t branch(std::size_t i, std::size_t end) {
    const Inst& inst = function_.code[i];
    std::string condition = shown(values_.get(inst.a), 100);
    std::size_t otherwise = inst.c;
    if (inst.b != i + 1 && inst.c == i + 1) {  // the code of "if not"
      condition = "not (" + condition + ")";
      otherwise = inst.b;
    } else if (inst.b != i + 1) {
      values_.forget(0, function_.code.size());
      return i + 1;
    }
    if (otherwise == loop_exit_) {
      if (sinks_.back() == loop_body_ && loop_body_->empty()) {
        conditions_.push_back(std::move(condition));
      } else {
        emit(Step::Kind::kNote, "leave the loop unless " + condition);
      }
      return i + 1;
    }
    return condition_block(i, end, otherwise, std::move(condition));
  }

  // Further branches that only compute and go to the same place when false: `a and b`. Returns where the body begins.
  std::size_t take_conjunction(std::size_t i, std::size_t otherwise, std::string& condition) {
    std::size_t begin = i + 1;
    Values ahead = values_;
    for (std::size_t k = begin; k + 1 < function_.code.size() && !leader_[k] && only_computes(plan_, function_.code[k]); ++k) {
      ahead.apply(k);
      const Inst& next = function_.code[k + 1];
      if (next.op != Op::kBranch || next.b != k + 2 || next.c != otherwise || leader_[k + 1]) continue;
      condition += " and " + shown(ahead.get(next.a), 100);
      begin = k + 2;
      values_ = ahead;
      k = begin - 1;
    }
    return begin;
  }

  std::size_t condition_block(std::size_t i, std::size_t end, std::size_t otherwise, std::string condition) {
    charge(4 * function_.regs.size());  // copies and joins of what is known
    const Values before = values_;
    const std::size_t begin = take_conjunction(i, otherwise, condition);
    // Out of this block, or back to the head of a loop: then the rest of the block is the body.
    std::size_t body_end = otherwise > i && otherwise <= end ? otherwise : end;
    std::size_t next = body_end;
    bool has_else = false;
    if (body_end == otherwise && body_end > begin) {
      const Inst& last = function_.code[body_end - 1];
      if (last.op == Op::kJump && last.a > otherwise && last.a <= end) {
        next = last.a;
        has_else = true;
        --body_end;
      }
    }
    Step yes{Step::Kind::kIf, "", {}}, no{Step::Kind::kElse, "else", {}};
    const bool yes_falls = walk(std::min(begin, body_end), body_end, yes.children);
    Values after = values_;
    values_ = before;
    const bool no_falls = !has_else || walk(otherwise, next, no.children);
    if (yes_falls && no_falls) {
      after.join(values_, condition);
      values_ = after;
    } else if (yes_falls) {
      values_ = after;
    }
    dead_ = !yes_falls && !no_falls;
    if (yes.children.empty() && !no.children.empty()) {
      yes.text = "if not (" + condition + ")";
      yes.children = std::move(no.children);
      sinks_.back()->push_back(std::move(yes));
    } else if (!yes.children.empty()) {
      yes.text = "if " + condition;
      sinks_.back()->push_back(std::move(yes));
      if (!no.children.empty()) sinks_.back()->push_back(std::move(no));
    }
    return next;
  }

  Shared& shared_;
  const plan::Plan& plan_;
  const plan::Function& function_;
  Values values_;
  std::vector<bool> leader_;                 // by instruction: some jump goes there
  std::vector<std::size_t> last_back_jump_;  // by instruction: one more than the last jump back to it, 0: none
  std::set<std::size_t> heads_;              // of the loops being walked
  std::vector<std::vector<Step>*> sinks_;    // where steps go: blocks and open roles
  std::size_t floor_ = 0;                    // sinks below this belong to enclosing blocks
  bool dead_ = false;                        // control does not come here
  std::size_t loop_exit_ = kNoLoop;
  std::vector<std::string> conditions_;      // of the innermost loop
  std::vector<Step>* loop_body_ = nullptr;
};

std::vector<Step> function_steps(Shared& shared, plan::FunctionId id, std::vector<Known> params) {
  const bool recursive = std::find(shared.active.begin(), shared.active.end(), id.value) != shared.active.end();
  if (recursive) return {{Step::Kind::kNote, "… (calls itself)", {}}};
  if (shared.active.size() >= kMaxDepth || shared.visits > kMaxVisits) return {{Step::Kind::kNote, "…", {}}};
  shared.active.push_back(id.value);
  std::vector<Step> out = FunctionWalk(shared, shared.plan.function(id), std::move(params)).run();
  shared.active.pop_back();
  return out;
}

}  // namespace

std::vector<Step> program_steps(const plan::Plan& plan, const plan::Program& program) {
  Shared shared{plan, 0, 0, {}};
  std::vector<Known> params;
  for (const plan::Param& param : program.params) params.push_back(Known::expr(param.name, false, param.type));
  return function_steps(shared, program.function, std::move(params));
}

std::string step_text(const Step& step) {
  if (step.kind == Step::Kind::kText) return shown(Known::content(step.text), 100);
  return step.text;
}

}  // namespace sgl::compiler
