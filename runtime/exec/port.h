// What program instances need from a model. The engine implements it (engine_port.h); tests drive instances with a
// scripted one, so that execution is tested without a model.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/constraint/constraint.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/context.h"

namespace sgl::exec {

class ModelPort {
 public:
  virtual ~ModelPort() = default;

  virtual std::shared_ptr<const Renderer> renderer() const = 0;
  // Callbacks may come on any thread, also before the call returns; `on_finished` exactly once.
  virtual engine::RequestId generate(engine::GenerateRequest request, engine::Events events) = 0;
  virtual engine::RequestId score(engine::ScoreRequest request, engine::Events events) = 0;
  virtual void cancel(engine::RequestId id) = 0;
};

// The port of a real engine, which must outlive it.
base::Expected<std::unique_ptr<ModelPort>> make_engine_port(engine::Engine& engine);

}  // namespace sgl::exec
