#include "runtime/exec/port.h"

namespace sgl::exec {
namespace {

class EnginePort final : public ModelPort {
 public:
  EnginePort(engine::Engine& engine, std::shared_ptr<const Renderer> renderer)
      : engine_(engine), renderer_(std::move(renderer)) {}
  std::shared_ptr<const Renderer> renderer() const override { return renderer_; }
  engine::RequestId generate(engine::GenerateRequest request, engine::Events events) override {
    return engine_.generate(std::move(request), std::move(events));
  }
  engine::RequestId score(engine::ScoreRequest request, engine::Events events) override {
    return engine_.score(std::move(request), std::move(events));
  }
  void cancel(engine::RequestId id) override { engine_.cancel(id); }

 private:
  engine::Engine& engine_;
  std::shared_ptr<const Renderer> renderer_;
};

}  // namespace

base::Expected<std::unique_ptr<ModelPort>> make_engine_port(engine::Engine& engine) {
  SGL_TRY(auto renderer, Renderer::create(engine.shared_tokenizer()));
  return std::unique_ptr<ModelPort>(std::make_unique<EnginePort>(engine, std::move(renderer)));
}

}  // namespace sgl::exec
