#include "tests/unit/engine/support.h"

#include <doctest/doctest.h>

#include <random>

namespace sgl::test {

using engine::Finished;
using engine::RequestId;

Rig random_rig(RandomModelSpec spec, const std::vector<std::string>& extra, const model::LoadOptions& options) {
  const TemporaryFolder folder;
  write_random_model(spec, folder.path());
  auto loaded = model::Model::load(folder.path(), options);  // the files stay mapped after the folder is gone
  REQUIRE(loaded.ok());
  auto tokens = tokenizer::Tokenizer::from_json(byte_tokenizer_json(extra),
                                                R"({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})");
  REQUIRE_MESSAGE(tokens.ok(), (tokens.ok() ? "" : tokens.error().message));
  return {*loaded, *tokens};
}

Rig folder_rig(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) return {};
  auto loaded = model::Model::load(folder);
  auto tokens = tokenizer::Tokenizer::load(folder);
  REQUIRE(loaded.ok());
  REQUIRE(tokens.ok());
  return {*loaded, *tokens};
}

engine::Events Client::events() {
  ++submitted_;
  engine::Events out;
  out.on_text = [this](RequestId id, std::string_view text) {
    const std::lock_guard lock(mutex_);
    text_[id] += text;
  };
  out.on_tokens = [this](RequestId id, std::span<const engine::TokenId> tokens, std::span<const float>,
                         const engine::TopLogprobs&) {
    const std::lock_guard lock(mutex_);
    tokens_[id].insert(tokens_[id].end(), tokens.begin(), tokens.end());
  };
  out.on_finished = [this](Finished f) {
    const std::lock_guard lock(mutex_);
    ++terminal_[f.id];
    ++ended_;
    finished_.insert_or_assign(f.id, std::move(f));
    changed_.notify_all();
  };
  return out;
}

Client::~Client() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ >= submitted_; });
}

RequestId Client::generate(engine::GenerateRequest request) {
  return engine_.generate(std::move(request), events());
}
RequestId Client::score(engine::ScoreRequest request) {
  return engine_.score(std::move(request), events());
}

Finished Client::wait(RequestId id) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_.contains(id); });
  return finished_[id];
}

bool Client::ended(RequestId id) {
  const std::lock_guard lock(mutex_);
  return finished_.contains(id);
}

std::string Client::streamed(RequestId id) {
  const std::lock_guard lock(mutex_);
  return text_[id];
}

std::vector<engine::TokenId> Client::streamed_tokens(RequestId id) {
  const std::lock_guard lock(mutex_);
  return tokens_[id];
}

std::size_t Client::terminal_events(RequestId id) {
  const std::lock_guard lock(mutex_);
  return terminal_[id];
}

engine::Sequence sequence_of(const std::vector<engine::TokenId>& tokens) {
  engine::Sequence s;
  s.append(tokens);
  return s;
}

engine::GenerateRequest greedy(const std::vector<engine::TokenId>& tokens, int max_tokens) {
  engine::GenerateRequest r;
  r.sequence = sequence_of(tokens);
  r.sampling.temperature = 0.0;
  r.sampling.max_tokens = max_tokens;
  return r;
}

std::vector<engine::TokenId> random_tokens(std::size_t n, std::uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<engine::TokenId> out(n);
  for (engine::TokenId& t : out) t = static_cast<engine::TokenId>(3 + rng() % 256);
  return out;
}

std::unique_ptr<engine::Engine> make(const Rig& rig, const engine::EngineOptions& options) {
  auto e = engine::Engine::create(rig.model, rig.tokenizer, options);
  REQUIRE_MESSAGE(e.ok(), (e.ok() ? "" : e.error().message));
  return std::move(*e);
}

}  // namespace sgl::test
