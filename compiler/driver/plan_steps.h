// The steps of a program, recovered from a plan's register code: for `sglc explain`. Internal to compiler/driver.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

struct Step {
  enum class Kind : std::uint8_t {
    kRole,      // text: the role; children: what belongs to the message
    kText,      // text: its content, with {expression} where it depends on something
    kGen, kSelect,
    kLoop, kIf, kElse,
    kParallel,  // children: the steps of one fork
    kBranch,    // children: kArm
    kArm,       // text: the name of the fork; children: its steps
    kCall,      // children: the steps of the prompt, with its arguments put in
    kValue,     // return and yield
    kFail,
    kNote,
  } kind = Kind::kNote;
  std::string text;
  std::vector<Step> children;
};

// Structured control flow, as the compiler makes it, is recovered exactly; for plans with other jumps (edited by hand)
// the steps are in the order of the code. Total work is bounded, whatever the plan.
std::vector<Step> program_steps(const plan::Plan& plan, const plan::Program& program);

// One line that shows the step without its children.
std::string step_text(const Step& step);

}  // namespace sgl::compiler
