#include "tools/common/session.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "runtime/base/check.h"
#include "runtime/gguf/gguf.h"
#include "tools/common/load_model.h"

namespace sgl::tools {
namespace {

class AbsentPort final : public exec::ModelPort {
 public:
  std::shared_ptr<const exec::Renderer> renderer() const override { return nullptr; }
  engine::RequestId generate(engine::GenerateRequest, engine::Events) override { return unexpected(); }
  engine::RequestId score(engine::ScoreRequest, engine::Events) override { return unexpected(); }
  void cancel(engine::RequestId) override {}

 private:
  static engine::RequestId unexpected() {
    SGL_ASSERT(false && "a program without generations asked the model");
    return {};
  }
};

}  // namespace

base::Expected<Session> open_session(const std::string& folder, std::size_t threads, const LoadChoice& load) {
  engine::EngineOptions options;
  options.threads = threads;
  return open_session(folder, options, load);
}

base::Expected<Session> open_session(const std::string& folder, const engine::EngineOptions& options,
                                     const LoadChoice& load) {
  const auto start = std::chrono::steady_clock::now();
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored) && !gguf::is_gguf(folder)) {
    return std::filesystem::exists(folder, ignored)
               ? base::invalid(fmt::format("'{}' is neither a model folder nor a GGUF file", folder))
               : base::not_found(fmt::format("there is no model folder or GGUF file '{}'", folder));
  }
  SGL_TRY(const model::LoadOptions load_options, load.options());
  SGL_TRY(LoadedModel loaded, load_model(folder, load_options));
  Session session;
  SGL_TRY(session.engine, engine::Engine::create(std::move(loaded.model), std::move(loaded.tokenizer), options,
                                                 std::move(loaded.vocabulary)));
  SGL_TRY(session.port, exec::make_engine_port(*session.engine));
  session.load_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return session;
}

std::unique_ptr<exec::ModelPort> make_absent_port() {
  return std::make_unique<AbsentPort>();
}

}  // namespace sgl::tools
