// A model made ready to run programs: model, tokenizer, engine and the executor's port to it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/base/expected.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/port.h"
#include "tools/common/load_choice.h"

namespace sgl::tools {

// Destroyed from the end: the port before the engine that it refers to.
struct Session {
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<exec::ModelPort> port;
  double load_ms = 0;
};

// Errors: one sentence, from whatever could not be loaded.
base::Expected<Session> open_session(const std::string& folder, std::size_t threads, const LoadChoice& load = {});
base::Expected<Session> open_session(const std::string& folder, const engine::EngineOptions& options,
                                     const LoadChoice& load = {});

// For programs that never ask a model: a port without one. Using it is a bug.
std::unique_ptr<exec::ModelPort> make_absent_port();

}  // namespace sgl::tools
