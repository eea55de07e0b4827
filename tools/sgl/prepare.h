// What a single run and a batch have in common before the first instance starts: program, limits, model, native code.
#pragma once

#include <memory>
#include <string>

#include "runtime/exec/executor.h"
#include "tools/common/session.h"
#include "tools/sgl/commands.h"

namespace sgl::tools {

struct Prepared {
  std::shared_ptr<exec::LoadedPlan> plan;
  const plan::Program* program = nullptr;  // of `plan`
  exec::RunOptions options;
  Session session;                          // empty when the program never asks a model
  std::unique_ptr<exec::ModelPort> absent;  // then this stands in for its port
  std::unique_ptr<exec::ToolPort> tools;    // what the program's tools are bound to; empty when it has none
  double compile_ms = 0, jit_ms = 0;

  exec::ModelPort& port() { return session.port ? *session.port : *absent; }
};

// Both return an exit code, kOk or kUsage after a message. First everything that needs no model:
int prepare_program(const RunCommand& command, Prepared& out);
// then model and native code.
int prepare_model(const RunCommand& command, Prepared& out);

// "judge.sgl:12:5", or "" when unknown.
std::string position_text(const plan::Plan& plan, const plan::SourcePosition& position);

}  // namespace sgl::tools
