#include "tests/fuzz/run_plan.h"

#include <memory>
#include <string>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/exec/executor.h"
#include "runtime/plan/verify.h"

namespace sgl::fuzz {
namespace {

using Json = nlohmann::ordered_json;

// One token per printable ASCII character, and one that ends texts.
std::shared_ptr<const exec::Renderer> make_renderer() {
  Json vocab = Json::object();
  int next = 0;
  for (char c = '!'; c <= '~'; ++c) vocab[std::string(1, c)] = next++;
  vocab["\u0120"] = next++;  // a space, as byte-level tokenizers write it
  vocab["\u010A"] = next++;  // a line's end
  Json added = Json::array();
  added.push_back({{"id", next}, {"content", "<|end|>"}, {"special", true}, {"normalized", false}});
  Json file = {{"added_tokens", added},
               {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}},
               {"decoder", {{"type", "ByteLevel"}}},
               {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array()}}}};
  auto tokenizer = tokenizer::Tokenizer::from_json(file.dump(), R"({"eos_token": "<|end|>"})");
  SGL_ASSERT(tokenizer.ok());
  auto renderer = exec::Renderer::create(*tokenizer);
  SGL_ASSERT(renderer.ok());
  return *renderer;
}

// Fails every request, or answers it without looking at it.
class BluntPort : public exec::ModelPort {
 public:
  explicit BluntPort(bool answers) : answers_(answers) {}

  std::shared_ptr<const exec::Renderer> renderer() const override {
    static const std::shared_ptr<const exec::Renderer> shared = make_renderer();
    return shared;
  }
  engine::RequestId generate(engine::GenerateRequest request, engine::Events events) override {
    engine::Finished out = start();
    if (answers_) {
      out.text = "1";
      out.tokens = {'1' - '!'};
      out.logprobs = {-1.0F};
      out.usage.generated_tokens = 1;
      out.healed_tokens = request.heal ? 1 : 0;
    }
    return finish(std::move(out), events);
  }
  engine::RequestId score(engine::ScoreRequest request, engine::Events events) override {
    engine::Finished out = start();
    if (answers_) {
      out.scores.assign(request.continuations.size(), -1.0);
      for (const auto& continuation : request.continuations)
        out.logprobs.resize(out.logprobs.size() + continuation.size(), -1.0F);
    }
    return finish(std::move(out), events);
  }
  void cancel(engine::RequestId) override {}

 private:
  engine::Finished start() {
    engine::Finished out;
    out.id = engine::RequestId(++last_);
    if (answers_) {
      out.reason = engine::FinishReason::kComplete;
    } else {
      out.error = base::Error{base::ErrorKind::kUnavailable, "no model"};
    }
    return out;
  }
  static engine::RequestId finish(engine::Finished finished, const engine::Events& events) {
    const engine::RequestId id = finished.id;
    if (!finished.text.empty() && events.on_text) events.on_text(id, finished.text);
    events.on_finished(std::move(finished));
    return id;
  }

  bool answers_;
  std::uint64_t last_ = 0;
};

// A plain value of the type; refinements may refuse it.
Json sample(const plan::Plan& plan, plan::TypeId id, int depth) {
  if (depth > 4) return nullptr;
  const plan::Type& type = plan.type(id);
  switch (type.kind) {
    case plan::TypeKind::kNull:
      return nullptr;
    case plan::TypeKind::kBool:
      return true;
    case plan::TypeKind::kInt:
      return type.min_int.value_or(type.max_int.value_or(3));
    case plan::TypeKind::kFloat:
      return type.min_float.value_or(type.max_float.value_or(0.5));
    case plan::TypeKind::kString:
      return "ab c";
    case plan::TypeKind::kRegex:
    case plan::TypeKind::kGrammar:
      return "a";
    case plan::TypeKind::kLiteral:
      if (type.literal.kind == plan::Literal::Kind::kString) return type.literal.text;
      if (type.literal.kind == plan::Literal::Kind::kInt) return type.literal.number;
      return type.literal.number != 0;
    case plan::TypeKind::kList:
      return Json::array({sample(plan, type.args[0], depth + 1), sample(plan, type.args[0], depth + 1)});
    case plan::TypeKind::kJson:
      return Json{{"a", 1}};
    case plan::TypeKind::kUnion:
      return sample(plan, type.args[0], depth + 1);
    case plan::TypeKind::kRecord:
      break;
  }
  Json out = Json::object();
  for (const plan::Field& field : type.fields) {
    if (!field.optional) out[field.name] = sample(plan, field.type, depth + 1);
    if (out.size() > 20) break;
  }
  return out;
}

}  // namespace

void run_plan(plan::Plan plan) {
  constexpr std::size_t kPrograms = 8;
  exec::RunOptions options;
  options.limits = {.tokens = 50, .time_ms = 0, .forks = 40, .fuel = 5'000, .memory = 1 << 20};
  options.trace = true;
  const auto loaded = std::make_shared<const exec::LoadedPlan>(std::move(plan), exec::Carried::kUse);
  for (const bool answers : {false, true}) {
    BluntPort port(answers);
    exec::Executor executor(loaded, port);
    int started = 0, finished = 0;
    for (const plan::Program& program : loaded->plan().programs) {
      if (static_cast<std::size_t>(started) == kPrograms) break;
      Json args = Json::object();
      for (const plan::Param& param : program.params) {
        if (!param.default_value) args[param.name] = sample(loaded->plan(), param.type, 0);
      }
      exec::RunEvents events;
      events.on_text = [](const std::string&, const std::string&, std::string_view) {};
      events.on_finished = [&](exec::RunResult result) {
        ++finished;
        SGL_ASSERT(result.value.ok() || !result.value.error().message.empty());
        SGL_ASSERT(result.value.ok() || result.value.error().kind != base::ErrorKind::kInternal);
      };
      if (executor.start(program.name, args, options, std::move(events)).ok()) ++started;
    }
    executor.run();
    SGL_ASSERT(finished == started);
  }
}

}  // namespace sgl::fuzz
