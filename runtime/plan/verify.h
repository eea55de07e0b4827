// The verifier: a plan from outside (a file, the network) is executed only after this accepted it.
#pragma once

#include "runtime/base/expected.h"
#include "runtime/plan/plan.h"

namespace sgl::plan {

// Sizes a plan may have; far above what programs written by people reach, small enough that a hostile plan cannot
// exhaust memory or time.
struct PlanLimits {
  std::size_t types = 20'000, constants = 200'000, functions = 20'000, programs = 10'000;
  std::size_t code = 1'000'000;             // instructions of all functions together
  std::size_t args = 1'000'000;             // operand-list entries of all functions together
  std::size_t regs = 20'000;                // registers of one function; 16 bytes each per frame
  std::size_t text_bytes = 64 << 20;        // all strings of the plan together
  std::size_t constraint_bytes = 16 << 20;  // all compiled constraints together; one has some kilobytes
};

// Entries of one parallel; every instruction that uses it looks at all.
constexpr std::size_t kMaxParallelEntries = 256;

// The plan's counts of what has a limit above, but for bytes. A compiler asks before it works on a plan that it made.
base::Status check_counts(const Plan& plan, const PlanLimits& limits = {});

// Accepts or names the first fault and its place, e.g. "function 3 'judge', instruction 12 (add.i): operand b is
// register 9 of 4". Checks: every id and index in range; every operand's representation as in the operation's
// signature (kConst, kMove, kReturn, kCall agree with constant, source, result, callee); jumps inside the code;
// code cannot run off the end; a kFn uses no context instruction and calls only kFn; kCall calls fn, prompt or program
// (a prompt or fork only from prompt, program or fork); kParallelFor names a kFork whose parameters fit; kParallel's
// entries are kFork or kProgram, their counts add up and its type is a record with one field per entry; kGen's option
// values: boxed, int, float or bool registers, count as in the spec; builtins' argument counts; constants acyclic with
// record constants fitting their type; types: children in range, a cycle of types only through a list or a record,
// unions flat and not empty, sizes sane, field names unique; compiled constraints: at most one for a type, in the order
// of types (what is in them is for constraint/compiled.h); programs: names unique, function of kind kProgram,
// params as the function's, defaults of the right representation kind. O(size of the plan).
base::Status verify(const Plan& plan, const PlanLimits& limits = {});

}  // namespace sgl::plan
