// A small model with a byte-level tokenizer, and waiting for results: for tests of the engine and of what is above it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/model/model.h"
#include "runtime/tokenizer/tokenizer.h"
#include "tests/unit/model/random_model.h"

namespace sgl::test {

// Model and tokenizer of a test, loaded once.
struct Rig {
  std::shared_ptr<const model::Model> model;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
};
// Random weights; the tokenizer has one token per byte (byte b is token b + 3) and the pieces of `extra`.
Rig random_rig(RandomModelSpec spec = {}, const std::vector<std::string>& extra = {},
               const model::LoadOptions& options = {});
// From a folder; null members where it is absent.
Rig folder_rig(const std::filesystem::path& folder);

// Submits requests and waits for their ends. Counts the terminal events of each.
class Client {
 public:
  explicit Client(engine::Engine& engine) : engine_(engine) {}
  // All requests must have ended before the client goes.
  ~Client();

  engine::RequestId generate(engine::GenerateRequest request);
  engine::RequestId score(engine::ScoreRequest request);
  engine::Finished wait(engine::RequestId id);
  bool ended(engine::RequestId id);
  // Text streamed so far.
  std::string streamed(engine::RequestId id);
  std::vector<engine::TokenId> streamed_tokens(engine::RequestId id);
  std::size_t terminal_events(engine::RequestId id);

 private:
  engine::Events events();
  engine::Engine& engine_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<engine::RequestId, engine::Finished> finished_;
  std::map<engine::RequestId, std::size_t> terminal_;
  std::map<engine::RequestId, std::string> text_;
  std::map<engine::RequestId, std::vector<engine::TokenId>> tokens_;
  std::size_t submitted_ = 0, ended_ = 0;
};

engine::Sequence sequence_of(const std::vector<engine::TokenId>& tokens);
// Tokens of the random rig's bytes.
std::vector<engine::TokenId> random_tokens(std::size_t n, std::uint32_t seed);
// Fails the test if there is none.
std::unique_ptr<engine::Engine> make(const Rig& rig,
                                     const engine::EngineOptions& options = {.threads = 1, .pages = 512});
engine::GenerateRequest greedy(const std::vector<engine::TokenId>& tokens, int max_tokens);

}  // namespace sgl::test
